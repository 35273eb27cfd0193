"""Values bound to SQL without DuckDB's own conversion, which imports pandas (1.2 s) for the first parameter.

The statement is prepared by DuckDB's parser and executed with literals, so that a value is never SQL.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import duckdb

_NAME = "bound"


def execute_bound(
    cursor: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[Any] | Mapping[str, Any]
) -> duckdb.DuckDBPyConnection:
    """Execute one statement with values for ``?`` or ``$name``; others than plain ones go DuckDB's way."""
    if not parameters:
        return cursor.execute(sql)
    try:
        if isinstance(parameters, Mapping):
            values = [f'"{name}" := {literal(value)}' for name, value in parameters.items()]
        else:
            values = [literal(value) for value in parameters]
    except TypeError:
        return cursor.execute(sql, parameters)
    cursor.execute(f"PREPARE {_NAME} AS {sql}")
    return cursor.execute(f"EXECUTE {_NAME}({', '.join(values)})")


def literal(value: Any) -> str:
    """Return a value as an SQL literal. Raises TypeError for what has none here."""
    match value:
        case None:
            text = "NULL"
        case bool():
            text = "true" if value else "false"
        case int():
            text = str(value)
        case float():
            text = f"'{value!r}'::DOUBLE"
        case str():
            text = sql_text(value)
        case datetime() if value.tzinfo is not None:
            text = f"TIMESTAMPTZ '{value.isoformat()}'"
        case list() | tuple() if all(isinstance(item, str) for item in value):
            text = f"[{', '.join(map(sql_text, value))}]::VARCHAR[]"
        case _:
            raise TypeError(f"no SQL literal for {value!r}")
    return text


def sql_text(text: str) -> str:
    """Return a text as an SQL literal. Raises TypeError for one with a NUL, which would end the statement."""
    if "\0" in text:
        raise TypeError(f"no SQL literal for {text!r}")
    return "'" + text.replace("'", "''") + "'"
