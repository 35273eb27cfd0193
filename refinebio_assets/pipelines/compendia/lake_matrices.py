"""Finds the lake's matrices that go into a compendium, and reads their samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from refinebio_assets.domain import DropKind, Dropped, Processing, Technology
from refinebio_assets.lake.rows import read_rows
from refinebio_assets.lake.store import Commit, Lake
from refinebio_assets.methods.gene_ids import SanitizedIds, mean_of_duplicates, sanitize_gene_ids
from refinebio_assets.pipelines import gene_expression
from refinebio_assets.pipelines.array_values import GENES
from refinebio_assets.pipelines.expression_matrix import GENE_COLUMN, column_values
from refinebio_assets.pipelines.gene_expression import matrix_samples, read_expression

STEP = "choose samples"


@dataclass(frozen=True, slots=True)
class LakeMatrix:
    """A matrix of an experiment in the lake, or some samples of it; values become float32.

    Genes are read when they are asked for, and not kept: 400 matrices' would take 500 MB.
    """

    lake: Lake
    commit: Commit
    name: str
    version: str
    technology: Technology
    organism: str
    platform: str
    samples: tuple[str, ...]

    @property
    def experiment(self) -> str:
        """The experiment it is of."""
        return self.commit.partition

    @property
    def genes(self) -> tuple[str, ...]:
        """The genes, ids made comparable as for datasets, each once."""
        ids = self._ids().ids
        no_values = np.empty((len(ids), 0), np.float32)
        return tuple(map(str, mean_of_duplicates(ids, no_values)[0].to_pylist()))

    def read(self, samples: slice) -> npt.NDArray[np.float32]:
        """Return the values of some of its samples, samples x genes."""
        names, found = self.samples[samples], self._ids()
        table = read_expression(self.lake, self.commit, self.name, names)
        values = np.column_stack([column_values(table, name).astype(np.float32) for name in names])
        return mean_of_duplicates(found.ids, values[found.kept])[1].T

    def _ids(self) -> SanitizedIds:
        return sanitize_gene_ids(read_expression(self.lake, self.commit, self.name, ()).column(GENE_COLUMN))


@dataclass(frozen=True, slots=True)
class LakeMatrices:
    """The matrices of a compendium, each sample in one of them, and the samples that do not take part.

    ``unfit_in`` names an experiment of each of these.
    """

    matrices: tuple[LakeMatrix, ...]
    dropped: tuple[Dropped, ...]
    unfit_in: Mapping[str, str] = field(default_factory=dict)


def lake_matrices(lake: Lake, organisms: Sequence[str]) -> LakeMatrices:
    """Return the matrices of organisms that were processed from raw data to genes.

    A sample of several experiments is taken from the first, by name. Samples processed by their submitters,
    and those whose values are of probe sets, are listed with the reason, unless another matrix has them.
    """
    found: list[LakeMatrix] = []
    taken: set[str] = set()
    unfit: dict[str, str] = {}
    unfit_in: dict[str, str] = {}
    for experiment in lake.partitions(gene_expression.ASSET):
        commit = lake.head(gene_expression.ASSET, experiment)
        for row in read_rows(lake, commit, "matrices") if commit else ():
            if commit is None or row["organism"] not in organisms:
                continue
            samples = matrix_samples(lake, commit, row["matrix"])
            reason = _why_unfit(row)
            if reason:
                unfit |= dict.fromkeys(samples, f"its values in {experiment} are {reason}")
                unfit_in |= dict.fromkeys(samples, experiment)
                continue
            new = tuple(sample for sample in samples if sample not in taken)
            taken.update(new)
            if new:
                found.append(_matrix(lake, commit, row, new))
    dropped = tuple(
        Dropped(DropKind.SAMPLE, sample, STEP, reason)
        for sample, reason in unfit.items()
        if sample not in taken
    )
    return LakeMatrices(tuple(found), dropped, {item.item: unfit_in[item.item] for item in dropped})


def _matrix(lake: Lake, commit: Commit, row: Mapping[str, Any], samples: tuple[str, ...]) -> LakeMatrix:
    return LakeMatrix(
        lake=lake,
        commit=commit,
        name=row["matrix"],
        version=row["version"],
        technology=Technology(row["technology"]),
        organism=row["organism"],
        platform=row["platform"] or "",
        samples=samples,
    )


def _why_unfit(row: Mapping[str, Any]) -> str:
    if (row["processing"] or Processing.FROM_RAW) != Processing.FROM_RAW:
        return "submitter-processed; a compendium takes those made from raw data"
    if (row["level"] or GENES) != GENES:
        return f"of probe sets, not genes ({row['platform']})"
    return ""
