"""A BeadArray's probes and their genes as a ``platform_annotation`` keeps them, and as Parquet."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pyarrow.compute as pc

from refinebio_assets.formats.gene_index import GENE_COLUMN as INDEX_GENES
from refinebio_assets.formats.gene_index import PROBE_COLUMN, GeneIndex, make_gene_index
from refinebio_assets.pipelines.versioned_parquet import read_columns, write_columns

FORMAT_VERSION = "1"
_FORMAT_KEY = b"refinebio_assets.bead_probes"
_PROBE_COLUMNS = (
    ("probe_id", pa.string()),
    ("listed", pa.bool_()),
    ("sequence", pa.string()),
    ("quality", pa.string()),
    ("gene", pa.string()),
    ("gene_reason", pa.string()),
)
_OPTIONAL = ("sequence", "quality", "gene")
_PAIR_COLUMNS = (("probe_id", pa.string()), ("gene", pa.string()))


@dataclass(frozen=True, slots=True, eq=False)
class BeadGenePairs:
    """Which probe has which Ensembl gene, many to many: a row each, by probe in the package's order."""

    probe_ids: pa.StringArray
    genes: pa.StringArray

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self.genes)


@dataclass(frozen=True, slots=True, eq=False)
class BeadProbes:
    """All probes of a BeadArray, one entry each, in the order of the package.

    ``probe_ids`` are distinct. ``listed`` (bool) marks those of the package's probe table, among which
    platform detection looks. ``sequences`` are 50-mers, ``qualities`` the re-annotation's words, ``genes``
    the one Ensembl gene that was chosen; null where there is none. ``gene_reasons`` say why it is that gene
    or none. ``gene_pairs`` are all genes of all probes.
    """

    probe_ids: pa.StringArray
    listed: pa.BooleanArray
    sequences: pa.StringArray
    qualities: pa.StringArray
    genes: pa.StringArray
    gene_reasons: pa.StringArray
    gene_pairs: BeadGenePairs

    def __len__(self) -> int:
        """How many probes there are."""
        return len(self.probe_ids)

    def listed_ids(self) -> pa.StringArray:
        """Return the ids among which platform detection looks: R's ``keys`` of the package."""
        return self.probe_ids.filter(self.listed)

    def gene_index(self) -> GeneIndex:
        """Return all probes that have a gene, with all of their genes, for submitter-processed values."""
        pairs = self.gene_pairs
        columns = {PROBE_COLUMN: pairs.probe_ids.to_pylist(), INDEX_GENES: pairs.genes.to_pylist()}
        return make_gene_index(columns)

    def gene_count(self) -> int:
        """Return how many different genes were chosen."""
        return int(pc.count_distinct(self.genes, mode="only_valid").as_py())

    def content_version(self) -> str:
        """Return the SHA-256 of all that is here, however it is stored."""
        digest = hashlib.sha256(f"bead probes {FORMAT_VERSION}".encode())
        for column in (*self._columns(), self.gene_pairs.probe_ids, self.gene_pairs.genes):
            texts = ["\0" if value is None else str(value) for value in column.to_pylist()]
            digest.update(f"{len(texts)}\n".encode() + "\n".join(texts).encode())
        return digest.hexdigest()

    def write(self, probes: Path, pairs: Path) -> None:
        """Write the probes and the pairs as Parquet."""
        names = [name for name, _ in _PROBE_COLUMNS]
        write_columns(probes, names, self._columns(), key=_FORMAT_KEY, version=FORMAT_VERSION)
        names = [name for name, _ in _PAIR_COLUMNS]
        columns = (self.gene_pairs.probe_ids, self.gene_pairs.genes)
        write_columns(pairs, names, columns, key=_FORMAT_KEY, version=FORMAT_VERSION)

    def _columns(self) -> tuple[pa.Array[Any], ...]:
        return (
            self.probe_ids,
            self.listed,
            self.sequences,
            self.qualities,
            self.genes,
            self.gene_reasons,
        )


def read_bead_probes(probes: Path, pairs: Path) -> BeadProbes:
    """Return what ``BeadProbes.write`` wrote. Raises FormatError for other files."""
    columns = read_columns(
        probes,
        _PROBE_COLUMNS,
        key=_FORMAT_KEY,
        version=FORMAT_VERSION,
        optional=_OPTIONAL,
        what="probes of a BeadArray",
    )
    of_pairs = read_columns(
        pairs, _PAIR_COLUMNS, key=_FORMAT_KEY, version=FORMAT_VERSION, what="probes' genes"
    )
    return BeadProbes(
        probe_ids=cast(pa.StringArray, columns["probe_id"]),
        listed=cast(pa.BooleanArray, columns["listed"]),
        sequences=cast(pa.StringArray, columns["sequence"]),
        qualities=cast(pa.StringArray, columns["quality"]),
        genes=cast(pa.StringArray, columns["gene"]),
        gene_reasons=cast(pa.StringArray, columns["gene_reason"]),
        gene_pairs=BeadGenePairs(
            cast(pa.StringArray, of_pairs["probe_id"]), cast(pa.StringArray, of_pairs["gene"])
        ),
    )
