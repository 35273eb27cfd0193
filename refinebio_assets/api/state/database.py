"""The SQLite file with the API's own state, and the key that download links are signed with."""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from refinebio_assets.errors import FormatError, StorageError, StorageRefusedError
from refinebio_assets.lake.storage import is_refusal, make_folder

FORMAT = 1
_SECONDS_TO_WAIT = 10.0
_REFUSALS = ("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")
_TABLES = """
    CREATE TABLE keys(name TEXT PRIMARY KEY, value BLOB NOT NULL);
    CREATE TABLE tokens(hash TEXT PRIMARY KEY, is_activated INTEGER NOT NULL, created_at TEXT NOT NULL);
    CREATE TABLE datasets(id TEXT PRIMARY KEY, state TEXT NOT NULL, document TEXT NOT NULL);
    CREATE INDEX datasets_by_state ON datasets(state);
"""


class Database:
    """A SQLite file, made when it is first written to. Safe for threads and several processes.

    Methods raise StorageError when the disk fails or is full, or another process holds the file too long.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def exists(self) -> bool:
        """Tell whether there is a file yet."""
        return self._path.is_file()

    @contextmanager
    def changing(self) -> Iterator[sqlite3.Connection]:
        """Open a transaction that is kept whole or not at all; no other process writes meanwhile."""
        with self._failures("written"), closing(self._connect()) as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[sqlite3.Row]:
        """Return the rows of a SELECT; none when there is no file yet."""
        if not self.exists():
            return []
        with self._failures("read"), closing(self._connect()) as connection:
            return connection.execute(sql, values).fetchall()

    def key(self, name: str) -> bytes:
        """Return a secret key, made when it is first asked for."""
        with self.changing() as connection:
            row = connection.execute("SELECT value FROM keys WHERE name = ?", [name]).fetchone()
            if row is not None:
                return bytes(row["value"])
            made = secrets.token_bytes(32)
            connection.execute("INSERT INTO keys VALUES (?, ?)", [name, made])
            return made

    def _connect(self) -> sqlite3.Connection:
        if not self.exists():
            make_folder(self._path.parent)
            # Only the server's user may read what clients left.
            os.close(os.open(self._path, os.O_CREAT | os.O_WRONLY, 0o600))
        connection = sqlite3.connect(self._path, timeout=_SECONDS_TO_WAIT, isolation_level=None)
        try:
            connection.row_factory = sqlite3.Row
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        (found,) = connection.execute("PRAGMA user_version").fetchone()
        if found == FORMAT:
            return
        if found > FORMAT:
            raise FormatError(self._path, expected=f"state of format {FORMAT}", found=f"format {found}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("BEGIN IMMEDIATE")
        (found,) = connection.execute("PRAGMA user_version").fetchone()
        if found != FORMAT:
            for statement in _TABLES.strip().split(";")[:-1]:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {FORMAT}")
        connection.execute("COMMIT")

    @contextmanager
    def _failures(self, what: str) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            refused = getattr(error, "sqlite_errorname", "").startswith(_REFUSALS)
            kind = StorageRefusedError if refused or is_refusal(error) else StorageError
            raise kind(f"{self._path} cannot be {what}: {error}") from error
