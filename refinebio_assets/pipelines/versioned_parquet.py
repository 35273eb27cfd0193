"""Parquet files of our own formats: typed columns in a fixed order, under a format's name and version."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pyarrow.parquet as pq

from refinebio_assets.errors import FormatError

Columns = Sequence[tuple[str, Any]]
"""Names and Arrow types."""


def write_columns(
    path: Path, names: Sequence[str], columns: Sequence[pa.Array[Any]], *, key: bytes, version: str
) -> None:
    """Write columns of equal length; ``key`` is the entry of the file's metadata that has ``version``."""
    fields: list[pa.Field[Any]] = [
        pa.field(name, column.type) for name, column in zip(names, columns, strict=True)
    ]
    schema = pa.schema(fields, metadata={key: version})
    pq.write_table(pa.Table.from_arrays(list(columns), schema=schema), path, compression="zstd")


def read_columns(
    path: Path, columns: Columns, *, key: bytes, version: str, optional: Collection[str] = (), what: str
) -> dict[str, pa.Array[Any]]:
    """Return what ``write_columns`` wrote, each column in one piece.

    Only ``optional`` columns may have nulls. ``what`` is what messages call the rows. Raises FormatError for
    another file.
    """
    try:
        table = pq.read_table(path)
    except pa.ArrowException as error:
        raise FormatError(path, expected=f"{what} as Parquet", found=str(error)) from error
    written = (table.schema.metadata or {}).get(key, b"").decode()
    found = [(field.name, field.type) for field in table.schema]
    if written != version or found != list(columns):
        shown = ", ".join(f"{name} {kind}" for name, kind in found)
        wanted = f"{what} of format {version} with columns {', '.join(name for name, _ in columns)}"
        raise FormatError(path, expected=wanted, found=f"format {written or 'unknown'} with {shown}")
    for name, _ in columns:
        if name not in optional and table.column(name).null_count:
            raise FormatError(path, place=f"column {name}", expected="a value in each row", found="nulls")
    return {
        name: cast("pa.Array[Any]", cast(Any, table.column(name)).combine_chunks()) for name, _ in columns
    }
