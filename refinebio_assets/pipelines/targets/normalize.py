"""A person's own matrix, normalized to a target as samples of datasets are.

Reading and writing files is done by the formats; which target is meant, by the command line.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from refinebio_assets.domain import counted
from refinebio_assets.errors import PermanentError, RequestError
from refinebio_assets.formats.numeric_table import NumericTable
from refinebio_assets.methods.gene_ids import mean_of_duplicates, sanitize_gene_ids
from refinebio_assets.methods.quantile import apply_target

SAMPLES_AT_ONCE = 256
FEW_SHARED = 0.5
"""A smaller share of the matrix's genes among the target's makes one doubt that their ids are of one kind."""
SUBSET_SHARE = 0.5
"""Fewer genes than this share of the quantiles are a panel or a selection, not all that was measured: genes
that a platform lacks, or that are filtered for low values, are fewer than half."""
SHOWN_IDS = 3

Matrix = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class NormalizedMatrix:
    """Genes x samples with the target's distribution, and what was done to get there.

    ``controls`` and ``nameless`` count rows that were dropped, ``duplicates`` rows that became one with
    others, ``shared`` the genes that the target's samples have too (None where those are not known).
    ``empty`` are samples without a value, ``constant`` those with a single one: they say nothing.
    """

    genes: pa.StringArray
    samples: tuple[str, ...]
    values: Matrix
    rows: int
    controls: int
    nameless: int
    duplicates: int
    missing: int
    empty: tuple[str, ...]
    constant: tuple[str, ...]
    quantiles: int
    shared: int | None

    def report(self) -> list[str]:
        """Say what was done, a sentence each."""
        lines = [f"{counted(self.rows, 'row')} and {counted(len(self.samples), 'sample')}"]
        dropped = {
            "of control probes (AFFX-), dropped": self.controls,
            "without an id, dropped": self.nameless,
            "with the id of another row: means were taken": self.duplicates,
        }
        lines += [f"{counted(count, 'row')} {what}" for what, count in dropped.items() if count]
        lines.append(f"{len(self.genes):,} genes, and a target of {self.quantiles:,} quantiles")
        if self.shared is not None:
            lines.append(f"{self.shared:,} of the genes are among the target's")
        if self.missing:
            lines.append(f"{self.missing:,} values are missing and stay so")
        return lines

    def warnings(self) -> list[str]:
        """Say what should make one doubt the result."""
        lines = []
        few = FEW_SHARED * len(self.genes)
        if self.shared is not None and self.shared < few:
            lines.append(
                f"only {self.shared:,} of {len(self.genes):,} genes are among the target's: are these "
                "Ensembl ids of that organism, and are rows genes (see --transpose)?"
            )
        if len(self.genes) < SUBSET_SHARE * self.quantiles:
            lines.append(
                f"only {len(self.genes):,} genes for {self.quantiles:,} quantiles: a part of the genes (a "
                "panel, or filtered ones) is stretched over the distribution of all; they cannot be "
                "compared with those of datasets. Normalize all genes, and choose afterwards"
            )
        useless = {"no values": self.empty, "one and the same value everywhere": self.constant}
        for what, samples in useless.items():
            if samples:
                lines.append(f"{counted(len(samples), 'sample')} with {what}: {', '.join(samples[:5])}")
        return lines


def normalize_matrix(
    table: NumericTable,
    target: Matrix,
    target_genes: Sequence[str] = (),
    *,
    tell: Callable[[int], None] = lambda count: None,
    threads: int | None = None,
) -> NormalizedMatrix:
    """Give each sample (column) of a table of genes x samples the target's distribution.

    Ids are sanitized and rows of equal ids averaged as for datasets; values are rounded to float32 before
    they are ranked, as there. Values may be on any scale, as only their ranks count. ``target_genes`` are
    the genes of the target's samples, where they are known. ``tell`` is told how many samples are done.

    Raises PermanentError when no gene is left, RequestError when none of them is among ``target_genes`` or a
    value is larger than a float32 can be.
    """
    ids = sanitize_gene_ids(table.rows)
    if not ids.kept.any():
        raise PermanentError(f"none of {len(table.rows):,} rows has the id of a gene")
    genes, values = mean_of_duplicates(ids.ids, _kept(_single(table, ids.kept), ids.kept))
    known = set(target_genes)
    shared = sum(str(gene) in known for gene in genes.to_pylist()) if known else None
    if shared == 0:
        raise RequestError(_no_gene_of(known, table, target_genes))
    result = np.empty(values.shape)
    for start in range(0, values.shape[1], SAMPLES_AT_ONCE):
        chosen = slice(start, start + SAMPLES_AT_ONCE)
        apply_target(values[:, chosen], target, out=result[:, chosen], threads=threads)
        tell(result[:, chosen].shape[1])
    return NormalizedMatrix(
        genes=genes,
        samples=table.columns,
        values=result,
        rows=len(table.rows),
        controls=int(ids.controls.sum()),
        nameless=int(ids.nameless.sum()),
        duplicates=int(ids.kept.sum()) - len(genes),
        missing=int(np.isnan(values).sum()),
        empty=_named(table.columns, np.logical_and.reduce(np.isnan(values), axis=0)),
        constant=_named(table.columns, _constant(values)),
        quantiles=len(target),
        shared=shared,
    )


def _no_gene_of(known: set[str], table: NumericTable, target_genes: Sequence[str]) -> str:
    """Say that no row is a gene of the target, and what the rows seem to be."""
    across = sum(str(name) in known for name in sanitize_gene_ids(table.columns).ids.to_pylist())
    hint = "are these symbols, or genes of another organism? Rows must have the organism's Ensembl ids"
    if across:
        hint = (
            f"{across:,} of the {len(table.columns):,} columns are its genes: exchange rows and columns "
            "(--transpose, or leave it out; in h5ad, genes are var)"
        )
    wanted, found = (", ".join(names[:SHOWN_IDS]) for names in (target_genes, table.rows))
    return (
        f"expected rows named as the target's {len(known):,} genes ({wanted} ...), "
        f"found none among {len(table.rows):,} rows ({found} ...); {hint}"
    )


def _single(table: NumericTable, kept: Flags) -> Singles:
    """Return the values as float32. Raises RequestError for what is infinite then in rows that are kept."""
    with np.errstate(over="ignore"):
        values = table.values.astype(np.float32)
    beyond = np.argwhere(np.isinf(values) & kept[:, None])
    if len(beyond):
        row, column = beyond[0].tolist()
        more = f", and {len(beyond) - 1:,} more" if len(beyond) > 1 else ""
        raise RequestError(
            f"row {table.rows[row]}, column {table.columns[column]}: expected a number of at most "
            f"{np.finfo(np.float32).max:.3g}, found {table.values[row, column]:.3g}{more}"
        )
    return values


def _kept(values: Singles, kept: Flags) -> Singles:
    return values if kept.all() else values[kept]


def _constant(values: Singles) -> Flags:
    """Tell which samples have several values, all equal."""
    several = np.count_nonzero(~np.isnan(values), axis=0) > 1
    low: Any = np.fmin.reduce(values, axis=0)
    high: Any = np.fmax.reduce(values, axis=0)
    flags: Flags = several & (low == high)
    return flags


def _named(samples: Sequence[str], flags: Flags) -> tuple[str, ...]:
    return tuple(samples[place] for place in np.flatnonzero(flags).tolist())
