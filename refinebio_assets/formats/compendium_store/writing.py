"""Writes a compendium store from matrices in scratch files, some genes and some samples at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from refinebio_assets.errors import FormatError, StorageError
from refinebio_assets.formats.compendium_store import layout
from refinebio_assets.formats.compendium_store.layout import STORED, Layer

Values = npt.NDArray[np.float32]


class Scratch(Protocol):
    """A samples x genes matrix of which rows, or columns, are read."""

    @property
    def shape(self) -> tuple[int, ...]: ...  # noqa: D102
    def __getitem__(self, rows: slice) -> npt.NDArray[Any]: ...
    def columns(self, columns: slice) -> npt.NDArray[Any]:
        """Return some neighboring columns of all rows."""


@dataclass(frozen=True, slots=True)
class StoreMatrices:
    """The layers, samples x genes, float32: ``measured`` and ``filled`` before, ``final`` after
    normalization.

    NaN is missing; where ``filled`` or ``final`` have it, nothing was imputed.
    """

    measured: Scratch
    filled: Scratch
    final: Scratch


def write_store(
    folder: Path,
    matrices: StoreMatrices,
    genes: pa.Table,
    samples: pa.Table,
    *,
    about: Mapping[str, Any],
    block_bytes: int = 64 << 20,
    group_bytes: int = layout.GROUP_BYTES,
) -> None:
    """Write a store into an existing empty folder.

    ``genes`` and ``samples`` are tables whose first columns are ``gene`` and ``sample``, in the matrices'
    order; their positions are added. ``about`` is JSON for the manifest (organism, version ...).
    ``block_bytes`` bounds one layer's values in memory (about six times as much is used),
    ``group_bytes`` is what a slice reads of a layer. Raises
    StorageError when the disk fails, FormatError when tables and matrices do not fit together.
    """
    shape = tuple(matrices.final.shape)
    _check(genes, layout.GENE, shape[1])
    _check(samples, layout.SAMPLE, shape[0])
    try:
        pq.write_table(_numbered(genes), folder / layout.GENES, compression="zstd")
        pq.write_table(_numbered(samples), folder / layout.SAMPLES, compression="zstd")
        groups = [layout.rows_a_group(length, group_bytes) for length in shape]
        by_gene, by_sample = (folder / name for name in (layout.BY_GENE, layout.BY_SAMPLE))
        _write_by_gene(by_gene, matrices, _names(genes), groups[0], block_bytes)
        _write_by_sample(by_sample, matrices, _names(samples), groups[1], block_bytes)
    except OSError as error:
        raise StorageError(f"writing the compendium store {folder} failed: {error}") from error
    _write_manifest(folder, _manifest(shape, groups, about))


def add_to_manifest(folder: Path, **about: Any) -> None:
    """Say more of a store in its manifest, before it is handed out. Raises StorageError."""
    _write_manifest(folder, {**about, **json.loads((folder / layout.MANIFEST).read_text())})


def _write_manifest(folder: Path, content: Mapping[str, Any]) -> None:
    text = json.dumps(content, indent=2, sort_keys=True)
    try:
        (folder / layout.MANIFEST).write_text(text + "\n")
    except OSError as error:
        raise StorageError(f"writing the compendium store {folder} failed: {error}") from error


def _check(table: pa.Table, name: str, rows: int) -> None:
    if table.column_names[:1] != [name] or table.num_rows != rows:
        raise FormatError(
            f"table of {name}s",
            expected=f"{rows:,} rows with first column {name}",
            found=f"{table.num_rows:,} rows with columns {', '.join(table.column_names) or 'none'}",
        )


def _names(table: pa.Table) -> list[str]:
    return [str(name) for name in table.column(0).to_pylist()]


def _numbered(table: pa.Table) -> pa.Table:
    numbers = pa.array(range(table.num_rows), pa.int32())
    return table.add_column(1, pa.field(layout.POSITION, pa.int32(), nullable=False), numbers)


def _manifest(shape: tuple[int, ...], groups: Sequence[int], about: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **about,
        "format": layout.FORMAT,
        "format_version": layout.FORMAT_VERSION,
        "genes": shape[1],
        "samples": shape[0],
        layout.GENES_A_GROUP: groups[0],
        layout.SAMPLES_A_GROUP: groups[1],
        "layers": {str(layer): layout.DESCRIPTIONS[layer] for layer in STORED},
    }


def _write_by_gene(
    path: Path, matrices: StoreMatrices, names: Sequence[str], group: int, block_bytes: int
) -> None:
    samples, genes = matrices.final.shape
    with _Writer(path, layout.GENE) as writer:
        for part in _parts(genes, group, 4 * samples, block_bytes):
            layers = _layers(
                np.ascontiguousarray(matrices.measured.columns(part).T),
                np.ascontiguousarray(matrices.filled.columns(part).T),
                np.ascontiguousarray(matrices.final.columns(part).T),
            )
            writer.add(names[part], layers, group)


def _write_by_sample(
    path: Path, matrices: StoreMatrices, names: Sequence[str], group: int, block_bytes: int
) -> None:
    samples, genes = matrices.final.shape
    with _Writer(path, layout.SAMPLE) as writer:
        for part in _parts(samples, group, 4 * genes, block_bytes):
            layers = _layers(matrices.measured[part], matrices.filled[part], matrices.final[part])
            writer.add(names[part], layers, group)


def _parts(rows: int, group: int, row_bytes: int, block_bytes: int) -> Iterator[slice]:
    """Yield whole row groups that take about ``block_bytes``."""
    step = group * max(1, block_bytes // (group * max(1, row_bytes)))
    for start in range(0, rows, step):
        yield slice(start, min(start + step, rows))


def _layers(measured: Values, filled: Values, final: Values) -> dict[str, tuple[Values, Any]]:
    """Return by column the values, and where they are null."""
    missing = np.isnan(measured)
    return {
        Layer.MEASURED: (measured, missing),
        Layer.IMPUTED: (filled, ~missing | np.isnan(filled)),
        Layer.FINAL: (final, np.isnan(final)),
    }


class _Writer:
    """A Parquet file with a name and a list a layer in each row."""

    def __init__(self, path: Path, name: str) -> None:
        fields: list[pa.Field[Any]] = [pa.field(name, pa.string(), nullable=False)]
        fields += [pa.field(str(layer), pa.list_(pa.field("element", pa.float32()))) for layer in STORED]
        self._schema = pa.schema(fields, metadata={layout.FORMAT: str(layout.FORMAT_VERSION)})
        self._file = pq.ParquetWriter(
            path,
            self._schema,
            compression="zstd",
            compression_level=1,
            use_dictionary=False,
            use_byte_stream_split=[f"{layer}.list.element" for layer in STORED],
            write_statistics=[name],
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, names: Sequence[str], layers: Mapping[str, tuple[Values, Any]], group: int) -> None:
        """Add rows, in row groups of so many."""
        for start in range(0, len(names), group):
            rows = slice(start, start + group)
            columns: list[pa.Array[Any]] = [pa.array(names[rows], pa.string())]
            for values, null in layers.values():
                flat = pa.array(values[rows].reshape(-1), mask=null[rows].reshape(-1))
                offsets = np.arange(len(names[rows]) + 1, dtype=np.int32) * values.shape[1]
                columns.append(pa.ListArray.from_arrays(pa.array(offsets), flat))
            self._file.write_table(pa.Table.from_arrays(columns, schema=self._schema), row_group_size=group)
