"""What a declared table is, and what follows from it: Arrow schema, DuckDB statements, docs.

Which tables there are is in `schema.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa


class ColumnType(StrEnum):
    """What a column holds; the values are the names that the docs use."""

    STRING = "string"
    INT64 = "int64"
    FLOAT64 = "float64"
    BOOL = "bool"
    TIMESTAMP = "timestamp (UTC, microseconds)"
    STRINGS = "list of strings"


class Scope(StrEnum):
    """Which commits' rows the catalog shows: each partition's newest commit only, or all of them."""

    CURRENT = "current"
    HISTORY = "history"


_HELD = {
    Scope.CURRENT: " Holds rows of the newest commit of each partition.",
    Scope.HISTORY: " Holds rows of all commits; `is_current` marks those of each partition's newest.",
}
_SQL_TYPES = {
    ColumnType.STRING: "VARCHAR",
    ColumnType.INT64: "BIGINT",
    ColumnType.FLOAT64: "DOUBLE",
    ColumnType.BOOL: "BOOLEAN",
    ColumnType.TIMESTAMP: "TIMESTAMP WITH TIME ZONE",
    ColumnType.STRINGS: "VARCHAR[]",
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column; only a column that is not ``required`` may be missing (null) in a row."""

    name: str
    type: ColumnType
    description: str
    required: bool = True


@dataclass(frozen=True, slots=True)
class Table:
    """One table: rows of it lie as Parquet in commits, and together in the catalog."""

    name: str
    description: str
    scope: Scope
    columns: tuple[Column, ...]
    of_catalog: bool = False
    """Whether the catalog keeps the table itself, so that no commit carries rows of it."""

    @property
    def added_columns(self) -> tuple[Column, ...]:
        """The columns that the catalog adds to each row: which commit it is from."""
        if self.of_catalog:
            return ()
        return (*COMMIT_COLUMNS, IS_CURRENT) if self.scope == Scope.HISTORY else COMMIT_COLUMNS

    def arrow_schema(self) -> pa.Schema:
        """Return the Arrow schema of the table's Parquet files."""
        return _arrow_schema(self.columns)

    def sql(self) -> str:
        """Return the DuckDB statements that create the table in the catalog, with its comments."""
        columns = (*self.columns, *self.added_columns)
        lines = ",\n".join(f'    "{column.name}" {_SQL_TYPES[column.type]}' for column in columns)
        comments = [f'COMMENT ON TABLE "{self.name}" IS {_literal(self.description)};']
        comments += [
            f'COMMENT ON COLUMN "{self.name}"."{column.name}" IS {_literal(column.description)};'
            for column in columns
        ]
        return f'CREATE TABLE "{self.name}" (\n{lines}\n);\n' + "\n".join(comments)

    def markdown(self) -> str:
        """Return the table's section in the docs."""
        rows = "\n".join(
            f"| `{column.name}` | {column.type} | {'no' if column.required else 'yes'} "
            f"| {column.description} |"
            for column in (*self.columns, *self.added_columns)
        )
        held = "" if self.of_catalog else _HELD[self.scope]
        head = f"### {self.name}\n\n{self.description}{held}\n\n"
        return head + f"| Column | Type | May be missing | Meaning |\n|---|---|---|---|\n{rows}\n"


@cache
def arrow_type(column_type: ColumnType) -> pa.DataType:
    """Return the Arrow type of a column type."""
    import pyarrow as pa

    types: dict[ColumnType, pa.DataType] = {
        ColumnType.STRING: pa.string(),
        ColumnType.INT64: pa.int64(),
        ColumnType.FLOAT64: pa.float64(),
        ColumnType.BOOL: pa.bool_(),
        ColumnType.TIMESTAMP: pa.timestamp("us", tz="UTC"),
        ColumnType.STRINGS: pa.list_(pa.string()),
    }
    return types[column_type]


@cache
def _arrow_schema(columns: tuple[Column, ...]) -> pa.Schema:
    import pyarrow as pa

    return pa.schema([pa.field(column.name, arrow_type(column.type)) for column in columns])


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


COMMIT_COLUMNS = (
    Column("commit_id", ColumnType.STRING, "The commit that the row is from; see `commits`."),
    Column("asset", ColumnType.STRING, "The asset that the commit belongs to."),
    Column("partition", ColumnType.STRING, "The asset's partition."),
)
IS_CURRENT = Column("is_current", ColumnType.BOOL, "Whether the commit is its partition's newest.")
