"""Rows to Parquet and back, held to a table's declared schema both ways.

Which file that is, and in which commit, is `store.py`'s business.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from refinebio_assets.errors import FormatError
from refinebio_assets.lake.arrays import ValueMisfitError, build_array
from refinebio_assets.lake.schema import TABLES
from refinebio_assets.lake.storage import make_folder, storing
from refinebio_assets.lake.table import Column, Table, arrow_type

if TYPE_CHECKING:
    import pyarrow as pa

# Bounds memory: about 20 MB for rows with 1 kB of text.
ROWS_AT_ONCE = 10_000
# Most tables of most commits are small. Without dictionaries and compression they are read in half the
# time (0.6 instead of 1.2 ms for 8 rows of `results`) and are smaller (4.6 instead of 5.5 kB).
SMALL_ROWS = 1_000
_SMALL_FILE: dict[str, Any] = {"compression": "none", "use_dictionary": False, "write_statistics": False}
_LARGE_FILE: dict[str, Any] = {"compression": "zstd"}


def declared_table(name: str) -> Table:
    """Return the table with this name. Raises FormatError that lists the tables there are."""
    if name not in TABLES:
        raise FormatError(f"table {name}", expected=f"one of {', '.join(sorted(TABLES))}", found=repr(name))
    return TABLES[name]


def write_rows(path: Path, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows as Parquet; the same rows give the same bytes.

    A key that a row lacks counts as missing. Raises FormatError that names table, row (from 1) and
    column for an undeclared column, a missing value in a required column, or a value of a wrong type;
    StorageError when the disk fails.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = table.arrow_schema()
    action = f"writing table {table.name} to {path}"
    batches = _batches(rows)
    batch = next(batches, [])
    options = _SMALL_FILE if len(batch) <= SMALL_ROWS else _LARGE_FILE
    with storing(action):
        make_folder(path.parent)
        writer = pq.ParquetWriter(path, schema, **options)
    try:
        first_row = 1
        while batch:
            columns = _columns(table, batch, first_row)
            with storing(action):
                writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=schema))
            first_row += len(batch)
            batch = next(batches, [])
    finally:
        with storing(action):
            writer.close()


def rows_table(table: Table, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Return rows as an Arrow table, checked like ``write_rows``."""
    import pyarrow as pa

    return pa.Table.from_arrays(_columns(table, rows, 1), schema=table.arrow_schema())


def read_rows(data: bytes, table: Table, path: str) -> pa.Table:
    """Read a table's Parquet file: the declared columns in declared order, null where it has none.

    Raises FormatError that names ``path`` when it is no Parquet file, when a column has another type
    than declared, or when a required column that it has holds nulls.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(pa.BufferReader(data), pre_buffer=False)
        # A sync reads tens of thousands of files, a quarter of them empty (nothing was dropped).
        found = file.read(use_threads=False) if file.metadata.num_rows else _no_rows(file.schema_arrow)
    except (pa.ArrowException, OSError) as error:
        raise FormatError(path, expected=f"table {table.name} as Parquet", found=str(error)) from error
    schema = table.arrow_schema()
    present = set(found.column_names)
    if not found.schema.equals(schema):
        columns = [_column(found, table, column, path) for column in table.columns]
        found = pa.Table.from_arrays(columns, schema=schema)
    _require_values(found, table, path, present)
    return found


def _no_rows(schema: pa.Schema) -> pa.Table:
    """Return a table without rows; ``Schema.empty_table`` imports pandas (1 s), this does not."""
    import pyarrow as pa

    return pa.Table.from_batches([], schema=schema)


def _batches(rows: Iterable[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    remaining = iter(rows)
    while batch := list(islice(remaining, ROWS_AT_ONCE)):
        yield batch


def _columns(table: Table, rows: Sequence[Mapping[str, Any]], first_row: int) -> list[pa.Array[Any]]:
    declared = {column.name for column in table.columns}
    for number, row in enumerate(rows, first_row):
        if not isinstance(row, Mapping):
            raise _misfit(table, number, None, "a mapping from column to value", type(row).__name__)
        if not row.keys() <= declared:
            unknown = sorted(map(str, row.keys() - declared))
            raise _misfit(table, number, ", ".join(unknown), "a declared column", "an undeclared one")
    return [_checked_column(table, column, rows, first_row) for column in table.columns]


def _checked_column(
    table: Table, column: Column, rows: Sequence[Mapping[str, Any]], first_row: int
) -> pa.Array[Any]:
    values = [row.get(column.name) for row in rows]
    if column.required and any(value is None for value in values):
        number = first_row + next(position for position, value in enumerate(values) if value is None)
        raise _misfit(table, number, column.name, f"{column.type}, required", "no value")
    try:
        return build_array(column.type, values)
    except ValueMisfitError as error:
        number = first_row + error.position
        raise _misfit(table, number, column.name, str(column.type), error.found) from error


def _misfit(table: Table, row: int, column: str | None, expected: str, found: str) -> FormatError:
    place = f"row {row:,}" + (f", column {column}" if column else "")
    return FormatError(f"table {table.name}", place=place, expected=expected, found=found)


def _column(found: pa.Table, table: Table, column: Column, path: str) -> pa.ChunkedArray[Any] | pa.Array[Any]:
    expected = arrow_type(column.type)
    position = found.schema.get_field_index(column.name)
    if position < 0:
        return build_array(column.type, [None] * found.num_rows)
    values: pa.ChunkedArray[Any] = found.column(position)
    if values.type != expected:
        place = f"table {table.name}, column {column.name}"
        raise FormatError(path, place=place, expected=str(expected), found=str(values.type))
    return values


def _require_values(found: pa.Table, table: Table, path: str, present: Container[str]) -> None:
    for position, column in enumerate(table.columns):
        if column.required and column.name in present and found.column(position).null_count:
            place = f"table {table.name}, column {column.name}"
            raise FormatError(path, place=place, expected="a value in each row", found="nulls")
