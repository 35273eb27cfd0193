"""One array's values in the lake: Parquet, a name (gene or probe set) and a float64 value a row."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from refinebio_assets.errors import FormatError
from refinebio_assets.pipelines.expression_matrix import column_values

FORMAT_VERSION = "1"
GENES = "gene"
PROBE_SETS = "probe set"
_FORMAT_KEY = b"refinebio_assets.array_values"
_LEVEL_KEY = b"refinebio_assets.level"


@dataclass(frozen=True, slots=True, eq=False)
class ArrayValues:
    """A value for each name, names sorted and each once; ``level`` is ``gene`` or ``probe set``."""

    names: tuple[str, ...]
    values: np.ndarray[Any, np.dtype[np.float64]]
    level: str


def write_array_values(path: Path, content: ArrayValues) -> str:
    """Write an array's values and return the SHA-256 of names, values and level."""
    fields: list[pa.Field[Any]] = [
        pa.field("name", pa.string(), nullable=False),
        pa.field("value", pa.float64(), nullable=False),
    ]
    schema = pa.schema(fields, metadata={_FORMAT_KEY: FORMAT_VERSION, _LEVEL_KEY: content.level})
    table = pa.Table.from_arrays(
        [pa.array(content.names, pa.string()), pa.array(content.values)], schema=schema
    )
    pq.write_table(table, path, compression="zstd")
    digest = hashlib.sha256("\n".join((content.level, *content.names)).encode())
    digest.update(np.ascontiguousarray(content.values).tobytes())
    return digest.hexdigest()


def is_array_values(path: Path) -> bool:
    """Tell whether a Parquet file is what ``write_array_values`` wrote, of any version."""
    return _FORMAT_KEY in (pq.read_schema(path).metadata or {})


def read_array_values(path: Path) -> ArrayValues:
    """Read what ``write_array_values`` wrote; FormatError when it is something else."""
    table = pq.read_table(path)
    metadata = table.schema.metadata or {}
    version = metadata.get(_FORMAT_KEY, b"").decode()
    if version != FORMAT_VERSION or table.column_names != ["name", "value"]:
        raise FormatError(
            path,
            expected=f"an array's values, format {FORMAT_VERSION}",
            found=f"format {version or 'unknown'} with columns {', '.join(table.column_names)}",
        )
    names = tuple(map(str, table.column("name").to_pylist()))
    return ArrayValues(names, column_values(table, "value"), metadata[_LEVEL_KEY].decode())
