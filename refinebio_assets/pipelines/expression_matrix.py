"""Expression matrices in the lake: Parquet, a ``Gene`` column and one float64 column a sample.

float64 because lengthScaledTPM is promised to agree with R to 1e-12; a sample is one column, so that a
subset of samples is a projection.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from refinebio_assets.errors import FormatError
from refinebio_assets.lake.arrays import build_array
from refinebio_assets.lake.table import ColumnType

GENE_COLUMN = "Gene"
FORMAT_VERSION = "1"
LENGTH_SCALED_TPM = "lengthScaledTPM"
SCAN = "SCAN"
SUBMITTED_LOG2 = "submitter's log2"
"""A submitter's values on a log2 scale, whatever was done to them before."""
_FORMAT_KEY = b"refinebio_assets.expression_matrix"
_UNIT_KEY = b"refinebio_assets.unit"


def matrix_table(genes: Sequence[str], samples: Sequence[str], values: np.ndarray, unit: str) -> pa.Table:
    """Return genes x samples ``values`` (float64) as a table: ``Gene``, then one column a sample.

    Without ``pyarrow.array``, which imports pandas: a second of each run.
    """
    names = build_array(ColumnType.STRING, genes)
    columns = [names, *(_column(values[:, place]) for place in range(len(samples)))]
    fields: list[pa.Field[Any]] = [pa.field(GENE_COLUMN, pa.string(), nullable=False)]
    fields += [pa.field(sample, pa.float64()) for sample in samples]
    metadata: dict[bytes | str, bytes | str] = {_FORMAT_KEY: FORMAT_VERSION, _UNIT_KEY: unit}
    return pa.Table.from_arrays(columns, schema=pa.schema(fields, metadata=metadata))


def _column(values: np.ndarray) -> pa.Array[Any]:
    buffer = pa.py_buffer(np.ascontiguousarray(values, np.float64).data)
    return pa.Array.from_buffers(pa.float64(), len(values), [None, buffer])


def write_matrix(path: Path, table: pa.Table) -> None:
    """Write a matrix as Parquet (zstd)."""
    pq.write_table(table, path, compression="zstd")


def read_matrix(path: Path, samples: Sequence[str] | None = None) -> pa.Table:
    """Read a matrix, or only some samples of it; FormatError when it is none."""
    try:
        # Not pq.read_table, which imports pandas.
        with pq.ParquetFile(path) as file:
            wanted = None if samples is None else [GENE_COLUMN, *samples]
            table = file.read(columns=wanted)
            table = table.select(wanted) if wanted else table
    except (pa.ArrowException, KeyError, OSError) as error:
        raise FormatError(path, expected="an expression matrix as Parquet", found=str(error)) from error
    version = (table.schema.metadata or {}).get(_FORMAT_KEY, b"").decode()
    if version != FORMAT_VERSION or table.column_names[0] != GENE_COLUMN:
        raise FormatError(
            path,
            expected=f"an expression matrix, format {FORMAT_VERSION}",
            found=f"format {version or 'unknown'} with first column {table.column_names[0]}",
        )
    return table


def matrix_unit(table: pa.Table) -> str:
    """Return what a matrix's values are: ``lengthScaledTPM`` (abundance), ``SCAN`` or ``submitter's log2``.

    The latter two are on a log2 scale, around 0 for what is not expressed on an array by SCAN.
    """
    return (table.schema.metadata or {}).get(_UNIT_KEY, LENGTH_SCALED_TPM.encode()).decode()


def matrix_version(table: pa.Table) -> str:
    """Return the SHA-256 of the matrix's content: genes, samples and the bits of its values."""
    digest = hashlib.sha256()
    digest.update("\n".join(table.column_names).encode())
    digest.update("\n".join(map(str, table.column(GENE_COLUMN).to_pylist())).encode())
    for name in table.column_names[1:]:
        digest.update(column_values(table, name).tobytes())
    return digest.hexdigest()


def column_values(table: pa.Table, sample: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return a sample's values as a float64 vector, one a gene, without loading pandas as pyarrow would."""
    chunks = [
        np.frombuffer(cast(Any, chunk.buffers()[1]), np.float64, len(chunk), chunk.offset * 8)
        for chunk in table.column(sample).chunks
    ]
    return np.concatenate(chunks) if chunks else np.empty(0)
