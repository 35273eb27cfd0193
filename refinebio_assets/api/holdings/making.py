"""Makes what the API answers from: the catalog's rows joined once, as clients ask for them.

Which rows those are is written in ``sql/``, in the order of the files' names; they make a DuckDB file, which
selects, orders and counts. Samples and experiments, whose rows are wide, are written a second time as
documents in a SQLite file: a row at a place costs 0.02 ms there and 9 ms in DuckDB (1,000,000 samples).
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb

from refinebio_assets.lake.binding import sql_text
from refinebio_assets.metadata.processors import DELIVERED_NAMES

DOCUMENTS = ("samples", "experiments")
_FORMAT = 1
_ROWS_AT_ONCE = 10_000
_SQL = files("refinebio_assets.api.holdings") / "sql"


def statements() -> list[str]:
    """Return the SQL that makes the tables, one text a file, after what is known in Python, too."""
    parts = sorted(
        (part for part in _SQL.iterdir() if part.name.endswith(".sql")), key=lambda part: part.name
    )
    return [_delivered_names(), *(part.read_text(encoding="utf-8") for part in parts)]


def _delivered_names() -> str:
    """Return a macro that names processors as downloads do."""
    cases = " ".join(
        f"WHEN {sql_text(own)} THEN {sql_text(delivered)}" for own, delivered in DELIVERED_NAMES.items()
    )
    return f"CREATE MACRO delivered_name(processor) AS CASE processor {cases} ELSE processor END;"


def holdings_fingerprint() -> str:
    """Return a hash of all that decides what a file of holdings looks like."""
    return sha256("\n".join([str(_FORMAT), duckdb.__version__, *statements()]).encode()).hexdigest()


def documents_path(path: Path) -> Path:
    """Return where the documents lie that belong to a DuckDB file of holdings."""
    return path.with_suffix(".documents")


def make_holdings(catalog: Path, target: Path) -> None:
    """Write the holdings of a published catalog to ``target``, and its documents beside it.

    Neither exists yet. Raises duckdb.Error and sqlite3.Error, FileNotFoundError when the catalog is gone.
    """
    if not catalog.is_file():
        raise FileNotFoundError(catalog)
    with duckdb.connect(str(target)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"ATTACH {sql_text(str(catalog))} AS source (READ_ONLY)")
        for statement in statements():
            connection.execute(statement)
        connection.execute("CHECKPOINT")
        _write_documents(connection, documents_path(target))


def _write_documents(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Write each row as a JSON array, found by its place in the table and by its accession."""
    with closing(sqlite3.connect(path, isolation_level=None)) as documents:
        # A file that is not whole is thrown away, so that nothing need be safe before its end.
        documents.execute("PRAGMA journal_mode = OFF")
        documents.execute("PRAGMA synchronous = OFF")
        documents.execute("CREATE TABLE columns(name TEXT PRIMARY KEY, columns TEXT NOT NULL)")
        for table in DOCUMENTS:
            described = connection.execute(f"DESCRIBE {table}").fetchall()
            columns = [row[0] for row in described]
            documents.execute("INSERT INTO columns VALUES (?, ?)", [table, json.dumps(columns)])
            documents.execute(f"CREATE TABLE {table}(place INTEGER PRIMARY KEY, name TEXT, document TEXT)")
            documents.execute("BEGIN")
            _copy(connection, documents, table, columns)
            documents.execute("COMMIT")
            documents.execute(f"CREATE INDEX {table}_by_name ON {table}(name)")


def _copy(connection: duckdb.DuckDBPyConnection, documents: Any, table: str, columns: list[str]) -> None:
    listed = ", ".join(f'"{name}"' for name in columns)
    rows = connection.execute(f"SELECT rowid, accession_code, json_array({listed})::VARCHAR FROM {table}")
    while part := rows.fetchmany(_ROWS_AT_ONCE):
        documents.executemany(f"INSERT INTO {table} VALUES (?, ?, ?)", part)
