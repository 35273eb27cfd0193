"""One file of holdings, opened: rows by SQL, and the small tables that every answer needs.

A file never changes; a newer one is another ``Holdings``. How they are made is in `making.py`.
"""

from __future__ import annotations

import json
import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from queue import SimpleQueue
from threading import Lock, local
from typing import Any, TypeVar

import duckdb

from refinebio_assets.api.holdings.making import documents_path
from refinebio_assets.errors import StorageError
from refinebio_assets.lake.binding import sql_text

Row = dict[str, Any]
_Value = TypeVar("_Value")
_REMEMBERED = 512
"""Answers that are kept: counts and sets of hits, a few kilobytes each."""
_READERS = 4
"""Connections to the documents: a row is read in 0.02 ms, so that few are busy at once."""


@dataclass(frozen=True, slots=True)
class Index:
    """One Salmon index: what is served of it, and which of the lake's indices it is, by commit."""

    served: Mapping[str, Any]
    organism: str
    version: str
    length: str
    commit: str

    @property
    def name(self) -> str:
        """What its files are named: ``HOMO_SAPIENS_TRANSCRIPTOME_LONG``."""
        return f"{self.organism}_{self.served['index_type']}"


class Holdings:
    """What the lake held when the file was made. Safe to use from many threads at once."""

    def __init__(self, path: Path) -> None:
        """Open a file and its documents.

        Raises duckdb.Error or sqlite3.Error when one is damaged, FileNotFoundError when one is gone.
        """
        if not path.is_file():
            raise FileNotFoundError(path)
        self.name, self.made_at = path.name, path.stat().st_mtime
        # DuckDB shares one instance, and its settings, among all who open a file by its path: attached, it is
        # this object's own.
        self._connection = duckdb.connect(":memory:", config={"temp_directory": ""})
        self._connection.execute(f"ATTACH {sql_text(str(path))} AS holdings (READ_ONLY)")
        # Nothing that SQL says can reach other files.
        self._connection.execute("SET enable_external_access = false")
        self._connection.execute("SET lock_configuration = true")
        self._documents = _Documents(documents_path(path))
        self.is_broken = False
        """Whether reading failed so that the file has to be made again."""
        self._remembered: OrderedDict[bytes, Any] = OrderedDict()
        self._lock = Lock()
        self._local = local()

    def rows(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> list[Row]:
        """Return the rows of a SELECT as dictionaries. Raises StorageError when the file cannot be read."""
        with self._failures():
            answer = self._cursor().execute(sql, parameters or None)
            names = [column[0] for column in answer.description or ()]
            return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]

    def document(self, table: str, accession: str) -> Row | None:
        """Return the whole row of a sample or experiment, or None. Raises StorageError."""
        return next(iter(self._document_rows(table, "name = ?", [accession])), None)

    def documents(self, table: str, places: Sequence[int]) -> list[Row]:
        """Return the whole rows at these places of ``samples`` or ``experiments``, in this order."""
        listed = ", ".join(str(int(place)) for place in places)
        found = self._document_rows(table, f"place IN ({listed})", [])
        by_place = {row["place"]: row for row in found}
        return [by_place[int(place)] for place in places]

    def row(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> Row | None:
        """Return the first row of a SELECT, or None."""
        return next(iter(self.rows(sql, parameters)), None)

    def columns(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> dict[str, Any]:
        """Return a SELECT's columns as numpy arrays. Raises StorageError when the file cannot be read."""
        with self._failures():
            found: dict[str, Any] = self._cursor().execute(sql, parameters or None).fetchnumpy()
            return found

    def _document_rows(self, table: str, condition: str, values: Sequence[Any]) -> list[Row]:
        try:
            return self._documents.rows(table, condition, values)
        except StorageError:
            self.is_broken = True
            raise

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except (duckdb.IOException, duckdb.FatalException, duckdb.InternalException) as error:
            self.is_broken = True
            raise StorageError(f"{self.name} cannot be read: {error}") from error
        except duckdb.OutOfMemoryException as error:
            raise StorageError(f"there is not enough memory to read {self.name}: {error}") from error

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        """Return this thread's cursor: making one for each query would cost more than most queries."""
        cursor: duckdb.DuckDBPyConnection | None = getattr(self._local, "cursor", None)
        if cursor is None:
            cursor = self._connection.cursor()
            cursor.execute("USE holdings")
            self._local.cursor = cursor
        return cursor

    def remember(self, key: object, make: Callable[[], _Value]) -> _Value:
        """Return what ``make`` returned for this key the first time; it may be made twice.

        Keys that are written alike are the same.
        """
        # A key may be as large as a request.
        short = sha256(repr(key).encode(errors="surrogatepass")).digest()
        with self._lock:
            if short in self._remembered:
                self._remembered.move_to_end(short)
                known: _Value = self._remembered[short]
                return known
        value = make()
        with self._lock:
            self._remembered[short] = value
            while len(self._remembered) > _REMEMBERED:
                self._remembered.popitem(last=False)
        return value

    @cached_property
    def processors(self) -> dict[int, Row]:
        """The processors as served, by id."""
        return {row["id"]: _processor(row) for row in self.rows("SELECT * FROM processors")}

    @cached_property
    def indices(self) -> dict[int, Index]:
        """The Salmon indices by id."""
        rows = self.rows("SELECT * FROM transcriptome_indices")
        return {row["id"]: _index(row) for row in rows}

    @cached_property
    def organisms(self) -> dict[str, Row]:
        """The organisms by name."""
        return {row["name"]: row for row in self.rows("SELECT * FROM organisms ORDER BY name")}


class _Documents:
    """The SQLite file of documents. All connections are made at once, as the file may be removed later."""

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise FileNotFoundError(path)
        url = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
        self._readers: SimpleQueue[sqlite3.Connection] = SimpleQueue()
        for _ in range(_READERS):
            reader = sqlite3.connect(url, uri=True, check_same_thread=False)
            described = reader.execute("SELECT name, columns FROM columns").fetchall()
            self._readers.put(reader)
        self._columns = {name: ["place", *json.loads(columns)] for name, columns in described}

    def rows(self, table: str, condition: str, values: Sequence[Any]) -> list[Row]:
        """Return the documents of a table for which a condition holds. Raises StorageError."""
        sql = f"SELECT place, document FROM {table} WHERE {condition}"
        reader = self._readers.get()
        try:
            found = reader.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise StorageError(f"the holdings' documents cannot be read: {error}") from error
        finally:
            self._readers.put(reader)
        columns = self._columns[table]
        return [dict(zip(columns, [place, *json.loads(text)], strict=True)) for place, text in found]


def _processor(row: Row) -> Row:
    """Say what a processor is, with the versions that clients look for in ``environment``."""
    commands = {"salmon --version": f"salmon {row['version']}"} if row["name"] in _BY_SALMON else {}
    python = {} if commands else {"refinebio-assets": row["version"]}
    environment = {"os_distribution": "", "os_pkg": {}, "cmd_line": commands, "python": python, "R": {}}
    return {**row, "docker_image": "", "environment": environment}


_BY_SALMON = ("Salmon Quant", "Transcriptome Index")
_SERVED_OF_INDEX = (
    *("id", "assembly_name", "organism_name", "database_name", "release_version", "index_type"),
    *("salmon_version", "download_url", "result_id", "last_modified"),
)


def _index(row: Row) -> Index:
    served = {name: row.get(name) for name in _SERVED_OF_INDEX}
    return Index(served, row["organism_name"], row["version"], row["length"], row["commit_id"])
