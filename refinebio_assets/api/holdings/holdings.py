"""One file of holdings, opened: rows by SQL, and the small tables that every answer needs.

A file never changes; a newer one is another ``Holdings``. How they are made is in `making.py`.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

import duckdb

from refinebio_assets.errors import StorageError
from refinebio_assets.lake.binding import sql_text

Row = dict[str, Any]
_Value = TypeVar("_Value")
_REMEMBERED = 512
"""Answers that are kept: counts and sets of hits, a few kilobytes each."""


@dataclass(frozen=True, slots=True)
class Index:
    """One Salmon index: what is served of it, and which version of which organism's index it is."""

    served: Mapping[str, Any]
    organism: str
    version: str
    length: str


class Holdings:
    """What the lake held when the file was made. Safe to use from many threads at once."""

    def __init__(self, path: Path) -> None:
        """Open a file. Raises duckdb.Error when it is damaged, FileNotFoundError when it is gone."""
        if not path.is_file():
            raise FileNotFoundError(path)
        self.name = path.name
        # DuckDB shares one instance, and its settings, among all who open a file by its path: attached, it is
        # this object's own.
        self._connection = duckdb.connect(":memory:", config={"temp_directory": ""})
        self._connection.execute(f"ATTACH {sql_text(str(path))} AS holdings (READ_ONLY)")
        # Nothing that SQL says can reach other files.
        self._connection.execute("SET enable_external_access = false")
        self._connection.execute("SET lock_configuration = true")
        self._remembered: OrderedDict[object, Any] = OrderedDict()
        self._lock = Lock()

    def rows(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> list[Row]:
        """Return the rows of a SELECT as dictionaries. Raises StorageError when the file cannot be read."""
        with self._cursor() as cursor:
            try:
                answer = cursor.execute(sql, parameters or None)
                names = [column[0] for column in answer.description or ()]
                found = answer.fetchall()
            except (duckdb.IOException, duckdb.FatalException, duckdb.InternalException) as error:
                raise StorageError(f"{self.name} cannot be read: {error}") from error
        return [dict(zip(names, row, strict=True)) for row in found]

    def row(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> Row | None:
        """Return the first row of a SELECT, or None."""
        return next(iter(self.rows(sql, parameters)), None)

    def columns(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> dict[str, Any]:
        """Return a SELECT's columns as numpy arrays."""
        with self._cursor() as cursor:
            found: dict[str, Any] = cursor.execute(sql, parameters or None).fetchnumpy()
        return found

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        cursor = self._connection.cursor()
        cursor.execute("USE holdings")
        return cursor

    def remember(self, key: object, make: Callable[[], _Value]) -> _Value:
        """Return what ``make`` returned for this key the first time; it may be made twice."""
        with self._lock:
            if key in self._remembered:
                self._remembered.move_to_end(key)
                known: _Value = self._remembered[key]
                return known
        value = make()
        with self._lock:
            self._remembered[key] = value
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


def document(text: str | None) -> dict[str, Any]:
    """Return a JSON object that the file holds as text; none is an empty one."""
    found: dict[str, Any] = json.loads(text) if text else {}
    return found


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
    return Index(served, row["organism_name"], row["version"], row["length"])
