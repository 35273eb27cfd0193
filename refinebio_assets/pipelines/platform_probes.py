"""A microarray's probes and their genes, as a ``platform_annotation`` keeps them: in memory and as Parquet.

Cells are (x, y), both from 0, as in the CEL file. What is read from which file of a manufacturer is the
business of ``platform_tables``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from refinebio_assets.errors import FormatError, PermanentError

Coordinates = npt.NDArray[np.int32]

FORMAT_VERSION = "1"
_FORMAT_KEY = b"refinebio_assets.platform_probes"
_CELL_COLUMNS = (("x", pa.int32()), ("y", pa.int32()))
_PROBE_SCHEMA = (*_CELL_COLUMNS, ("sequence", pa.string()), ("probe_set", pa.string()))
_GENE_SCHEMA = (*_CELL_COLUMNS, ("gene", pa.string()))


@dataclass(frozen=True, slots=True, eq=False)
class _Cells:
    """Cells of an array, one a row, in some order, repeats allowed."""

    x: Coordinates
    y: Coordinates

    def __len__(self) -> int:
        return len(self.x)

    def cells(self, columns: int, rows: int) -> npt.NDArray[np.int64]:
        """Return each row's index among the intensities of a CEL file: ``y * columns + x``.

        Raises PermanentError where the file's array has no such cell, as it is then another array.
        """
        if len(self) and (self.x.max() >= columns or self.y.max() >= rows):
            raise PermanentError(
                f"the probes are on cells up to x {self.x.max():,}, y {self.y.max():,}, but the CEL file has "
                f"{columns:,} columns and {rows:,} rows: it is of another array"
            )
        return self.y.astype(np.int64) * columns + self.x

    @property
    def cell_count(self) -> int:
        """How many different cells there are."""
        return len(np.unique(self._keys()))

    def _keys(self) -> npt.NDArray[np.int64]:
        return (self.y.astype(np.int64) << 32) | self.x


@dataclass(frozen=True, slots=True, eq=False)
class ProbeTable(_Cells):
    """The probes of an array that the model is fit on, sorted by y, then x, then probe set.

    One row for each probe and probe set it is in; ``sequences`` are 5' to 3'. Nothing is missing.
    """

    sequences: pa.StringArray
    probe_sets: pa.StringArray


@dataclass(frozen=True, slots=True, eq=False)
class GeneProbes(_Cells):
    """Which cell counts for which gene, many to many; a row that comes twice counts twice.

    ``genes`` are ids as they are published (``ENSG00000141510``), without the suffix ``_at``.
    """

    genes: pa.StringArray


def make_probe_table(
    x: Coordinates, y: Coordinates, sequences: pa.StringArray, probe_sets: pa.StringArray
) -> ProbeTable:
    """Return probes in the model's order: by y, then x, then probe set (by bytes)."""
    order = _order(x, y, probe_sets)
    return ProbeTable(x[order], y[order], _take(sequences, order), _take(probe_sets, order))


def make_gene_probes(x: Coordinates, y: Coordinates, genes: pa.StringArray) -> GeneProbes:
    """Return genes' probes sorted by y, then x, then gene; a suffix ``_at`` is dropped."""
    bare = cast(pa.StringArray, pc.replace_substring_regex(genes, "_at$", ""))
    order = _order(x, y, bare)
    return GeneProbes(x[order], y[order], _take(bare, order))


def rows_on(probes: ProbeTable, genes: GeneProbes) -> npt.NDArray[np.bool_]:
    """Tell for each row of ``genes`` whether its cell is among the probes."""
    return np.isin(genes._keys(), probes._keys())


def distinct_count(names: pa.StringArray) -> int:
    """Return how many different names there are."""
    return int(pc.count_distinct(names).as_py())


def content_version(probes: ProbeTable, genes: GeneProbes | None) -> str:
    """Return the SHA-256 of everything in an annotation, independent of how it is stored."""
    digest = hashlib.sha256(f"format {FORMAT_VERSION}".encode())
    for table in (probe_rows(probes), gene_rows(genes) if genes is not None else None):
        digest.update(b"\0table\0")
        for name in table.column_names if table is not None else []:
            digest.update("\n".join(map(str, cast(Any, table).column(name).to_pylist())).encode())
            digest.update(b"\0")
    return digest.hexdigest()


def probe_rows(probes: ProbeTable) -> pa.Table:
    """Return the probes as an Arrow table: x, y, sequence, probe_set."""
    return _table(_PROBE_SCHEMA, (probes.x, probes.y, probes.sequences, probes.probe_sets))


def gene_rows(genes: GeneProbes) -> pa.Table:
    """Return the genes' probes as an Arrow table: x, y, gene."""
    return _table(_GENE_SCHEMA, (genes.x, genes.y, genes.genes))


def write_rows(path: Path, table: pa.Table) -> None:
    """Write probes or genes as Parquet (zstd)."""
    pq.write_table(table, path, compression="zstd")


def read_probes(path: Path) -> ProbeTable:
    """Read the probes that ``write_rows`` wrote. Raises FormatError when the file holds none."""
    table = _read(path, _PROBE_SCHEMA)
    return ProbeTable(
        _numbers(table, "x"), _numbers(table, "y"), _texts(table, "sequence"), _texts(table, "probe_set")
    )


def read_genes(path: Path) -> GeneProbes:
    """Read the genes' probes that ``write_rows`` wrote. Raises FormatError when the file holds none."""
    table = _read(path, _GENE_SCHEMA)
    return GeneProbes(_numbers(table, "x"), _numbers(table, "y"), _texts(table, "gene"))


def _order(x: Coordinates, y: Coordinates, names: pa.StringArray) -> npt.NDArray[np.int64]:
    table = pa.table({"y": pa.array(y), "x": pa.array(x), "name": names})
    keys = [("y", "ascending"), ("x", "ascending"), ("name", "ascending")]
    # sort_indices is not stable, but rows that are equal in all three differ in nothing that counts.
    return cast(npt.NDArray[np.int64], pc.sort_indices(table, sort_keys=cast(Any, keys)).to_numpy())


def _take(names: pa.StringArray, order: npt.NDArray[np.int64]) -> pa.StringArray:
    return cast(pa.StringArray, names.take(pa.array(order)))


def _table(schema: Sequence[tuple[str, Any]], columns: Sequence[Any]) -> pa.Table:
    fields: list[pa.Field[Any]] = [pa.field(name, kind, nullable=False) for name, kind in schema]
    arrays = [pa.array(values) if isinstance(values, np.ndarray) else values for values in columns]
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields, metadata={_FORMAT_KEY: FORMAT_VERSION}))


def _read(path: Path, schema: Sequence[tuple[str, Any]]) -> pa.Table:
    try:
        table = pq.read_table(path)
    except pa.ArrowException as error:
        raise FormatError(path, expected="probes as Parquet", found=str(error)) from error
    version = (table.schema.metadata or {}).get(_FORMAT_KEY, b"").decode()
    columns = [(field.name, field.type) for field in table.schema]
    if version != FORMAT_VERSION or columns != list(schema):
        raise FormatError(
            path,
            expected=f"probes, format {FORMAT_VERSION}, with columns {', '.join(name for name, _ in schema)}",
            found=f"format {version or 'unknown'} with columns {', '.join(table.column_names)}",
        )
    return table


def _numbers(table: pa.Table, name: str) -> Coordinates:
    """Return a column as a vector, without loading pandas as pyarrow would."""
    array = cast(Any, table.column(name)).combine_chunks()
    return np.frombuffer(array.buffers()[1], np.int32, len(array), array.offset * 4)


def _texts(table: pa.Table, name: str) -> pa.StringArray:
    return cast(pa.StringArray, cast(Any, table.column(name)).combine_chunks())
