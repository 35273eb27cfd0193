"""Arrow tables as rows of Python values, without pandas, which ``pyarrow.Table.to_pylist`` imports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.store import Commit, Lake

if TYPE_CHECKING:
    import pyarrow as pa

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read_rows(lake: Lake, commit: Commit, table: str) -> list[dict[str, Any]]:
    """Return the rows of a table that a commit carries."""
    return table_rows(lake.read_table(commit, table))


def query_rows(
    catalog: Catalog, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()
) -> list[dict[str, Any]]:
    """Return the rows that a SELECT on the catalog gives."""
    return catalog.rows(sql, parameters)


def table_rows(table: pa.Table) -> list[dict[str, Any]]:
    """Return a dictionary a row; missing values are None, times carry their zone (UTC)."""
    columns = [list(_values(table.column(name))) for name in table.column_names]
    return [dict(zip(table.column_names, row, strict=True)) for row in zip(*columns, strict=True)]


def _values(column: pa.ChunkedArray[Any]) -> Iterator[Any]:
    import pyarrow as pa

    if not pa.types.is_timestamp(column.type):
        return (scalar.as_py() for chunk in column.chunks for scalar in chunk)
    microseconds = column.cast(pa.timestamp("us", column.type.tz)).cast(pa.int64())
    return (_time(scalar.as_py()) for chunk in microseconds.chunks for scalar in chunk)


def _time(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else _EPOCH + timedelta(microseconds=microseconds)
