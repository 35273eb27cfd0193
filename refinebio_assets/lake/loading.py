"""A catalog's content in DuckDB: its tables and views, what it holds, and taking in changes.

Which changes those are is in `changes.py`; how the finished file is published in `published.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path

import duckdb

from refinebio_assets.lake.binding import sql_text
from refinebio_assets.lake.changes import Change, Known, Problem, StagedRows
from refinebio_assets.lake.parquet import rows_table
from refinebio_assets.lake.schema import COMMITS, PROBLEMS, TABLES, VIEWS
from refinebio_assets.lake.table import Column, ColumnType, Scope, Table

# Raise it when the same declared tables are to be filled in another way: catalogs are then rebuilt.
_CATALOG_FORMAT = 1
_GONE, _SUPERSEDED = "gone", "superseded"


def schema_fingerprint() -> str:
    """Return a hash of all that decides what a catalog looks like."""
    return sha256("\n".join([str(_CATALOG_FORMAT), *schema_statements()]).encode()).hexdigest()


def read_known(connection: duckdb.DuckDBPyConnection) -> Known:
    """Return what the catalog behind a connection holds. Raises duckdb.Error when it is damaged."""
    commits = connection.execute('SELECT id, asset, "partition", is_current FROM commits').fetchall()
    problems = connection.execute('SELECT commit_id, asset, "partition", problem FROM problems').fetchall()
    known = {commit_id: (asset, partition, current) for commit_id, asset, partition, current in commits}
    return Known(known, frozenset(Problem(*row) for row in problems))


def apply_change(path: Path, change: Change, staged: StagedRows) -> int:
    """Bring the DuckDB file at ``path`` up to date, or make it; return its number of commits.

    All of the change is there afterwards, in one file without a write-ahead log. Raises duckdb.Error.
    """
    _stage_change(change, staged)
    is_new = not path.exists()
    with duckdb.connect(str(path)) as connection:
        connection.execute("BEGIN")
        if is_new:
            connection.execute(";\n".join(schema_statements()))
        for table in (*TABLES.values(), COMMITS):
            _update(connection, table, staged)
        connection.execute(f"DELETE FROM {PROBLEMS.name}")
        _insert(connection, PROBLEMS, staged)
        connection.execute("COMMIT")
        connection.execute("CHECKPOINT")
        (count,) = connection.execute("SELECT count(*) FROM commits").fetchall()[0]
    return int(count)


def content_digest(connection: duckdb.DuckDBPyConnection) -> str:
    """Return a hash of all rows of all tables, the same whatever the order in which they came."""
    digest = sha256()
    for table in (*TABLES.values(), COMMITS, PROBLEMS):
        query = f'SELECT count(*), coalesce(sum(hash(rows)::HUGEINT), 0)::VARCHAR FROM "{table.name}" AS rows'
        digest.update(f"{table.name} {connection.execute(query).fetchall()[0]}\n".encode())
    return digest.hexdigest()


def schema_statements() -> list[str]:
    """Return the DuckDB statements that make an empty catalog."""
    tables = [table.sql() for table in (*TABLES.values(), COMMITS, PROBLEMS)]
    return tables + [view.statement() for view in VIEWS.values()]


def _stage_change(change: Change, staged: StagedRows) -> None:
    for name, ids in ((_GONE, change.gone), (_SUPERSEDED, change.superseded)):
        if ids:
            staged.add(name, rows_table(_IDS, [{"id": commit_id} for commit_id in sorted(ids)]))
    if change.problems:
        problems = sorted(change.problems, key=lambda problem: problem.commit_id)
        staged.add(PROBLEMS.name, rows_table(PROBLEMS, [asdict(problem) for problem in problems]))
    staged.close()


_IDS = Table(
    "ids", "Ids of commits.", Scope.CURRENT, (Column("id", ColumnType.STRING, "Id."),), of_catalog=True
)


def _update(connection: duckdb.DuckDBPyConnection, table: Table, staged: StagedRows) -> None:
    key = "id" if table is COMMITS else "commit_id"
    superseded = "UPDATE {} SET is_current = false" if table.scope == Scope.HISTORY else "DELETE FROM {}"
    for name, action in ((_GONE, "DELETE FROM {}"), (_SUPERSEDED, superseded)):
        path = staged.path(name)
        if path is not None:
            ids = f"(SELECT id FROM {_parquet(path)})"
            connection.execute(f"{action.format(_quoted(table))} WHERE {key} IN {ids}")
    _insert(connection, table, staged)


def _insert(connection: duckdb.DuckDBPyConnection, table: Table, staged: StagedRows) -> None:
    path = staged.path(table.name)
    if path is not None:
        # A commit may name an input in its record and in its own lineage table: one row says it.
        rows = "DISTINCT *" if table.name == "lineage" else "*"
        connection.execute(f"INSERT INTO {_quoted(table)} BY NAME SELECT {rows} FROM {_parquet(path)}")


def _quoted(table: Table) -> str:
    return f'"{table.name}"'


def _parquet(path: Path) -> str:
    return f"read_parquet({sql_text(str(path))})"


def problems_of(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Return problems in the order of their commits."""
    return tuple(sorted(problems, key=lambda problem: (problem.commit_id, problem.problem)))
