"""Matrices of datasets as Parquet: ``Gene``, then a column a sample, float32 or float64."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from refinebio_assets.formats.matrix_tsv import GENE_COLUMN

COLUMNS_AT_ONCE = 256
"""Samples read at a time: 40 MB for 20,000 genes."""

Matrix = npt.NDArray[np.floating[Any]]


def matrix_file_name(key: str) -> str:
    """Return the name of a matrix's file in its commit."""
    return f"{key}.parquet"


def write_dataset_matrix(path: Path, genes: pa.StringArray, samples: Sequence[str], values: Matrix) -> None:
    """Write a genes x samples matrix; of Fortran order it is not copied."""
    kind = pa.from_numpy_dtype(values.dtype)
    columns = [
        pa.Array.from_buffers(kind, len(genes), [None, pa.py_buffer(_buffer(column))]) for column in values.T
    ]
    fields: list[pa.Field[Any]] = [pa.field(GENE_COLUMN, pa.string(), nullable=False)]
    fields += [pa.field(sample, kind) for sample in samples]
    table = pa.Table.from_arrays([genes, *columns], schema=pa.schema(fields))
    # Values hardly repeat, so that a dictionary of them only costs time.
    pq.write_table(
        table, path, compression="zstd", compression_level=1, use_dictionary=False, write_statistics=False
    )


def _buffer(column: Matrix) -> memoryview:
    return np.ascontiguousarray(column).data


def read_dataset_matrix(path: Path, samples: Sequence[str] | None = None) -> tuple[list[str], Matrix]:
    """Return the genes, and the values of all samples or of these, genes x samples in Fortran order."""
    names = matrix_columns(path) if samples is None else list(samples)
    with pq.ParquetFile(path, memory_map=True) as file:
        genes = [str(gene) for gene in file.read([GENE_COLUMN]).column(GENE_COLUMN).to_pylist()]
        kind = file.schema_arrow.field(names[0]).type.to_pandas_dtype() if names else np.float64
        values: Matrix = np.empty((len(genes), len(names)), kind, order="F")
        for start in range(0, len(names), COLUMNS_AT_ONCE):
            chunk = names[start : start + COLUMNS_AT_ONCE]
            table = file.read(chunk)
            for place, name in enumerate(chunk, start):
                values[:, place] = column_vector(table, name)
    return genes, values


def column_vector(table: pa.Table, name: str) -> Matrix:
    """Return the values of one sample, float32 or float64, without loading pandas as pyarrow would."""
    kind = np.dtype(table.schema.field(name).type.to_pandas_dtype())
    chunks: list[Matrix] = [
        np.frombuffer(cast(Any, chunk.buffers()[1]), kind, len(chunk), chunk.offset * kind.itemsize)
        for chunk in table.column(name).chunks
    ]
    return np.concatenate(chunks) if chunks else np.empty(0, kind)


def matrix_columns(path: Path) -> list[str]:
    """Return the samples of a matrix without reading its values."""
    names: list[str] = pq.read_schema(path).names
    return names[1:]


def gene_set_hash(genes: pa.StringArray) -> str:
    """Return the SHA-256 of a matrix's genes, in order, a line each."""
    return hashlib.sha256("\n".join(map(str, genes.to_pylist())).encode()).hexdigest()


def values_hash(genes: pa.StringArray, samples: Sequence[str], values: Matrix) -> str:
    """Return the SHA-256 of a matrix's content: genes, samples, type and the bits of its values."""
    digest = hashlib.sha256()
    for names in (genes.to_pylist(), samples, [str(values.dtype)]):
        digest.update(("\n".join(map(str, names)) + "\0").encode())
    for column in values.T:
        digest.update(_buffer(column))
    return digest.hexdigest()
