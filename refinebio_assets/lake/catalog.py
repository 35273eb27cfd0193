"""The catalog: a DuckDB file made from what is committed, for everyone who asks questions.

It holds nothing that the lake does not: lost or damaged, it is made again. Writers never open it; one
process at a time syncs; readers get a published file that never changes under them.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from shutil import copyfile
from typing import TYPE_CHECKING, Any

import duckdb

from refinebio_assets.errors import NotFoundError, RequestError, StorageError
from refinebio_assets.lake.binding import execute_bound
from refinebio_assets.lake.changes import UNLISTED_ASSETS, Known, Problem, StagedRows, stage_changes
from refinebio_assets.lake.loading import (
    apply_change,
    content_digest,
    problems_of,
    read_known,
    schema_fingerprint,
)
from refinebio_assets.lake.published import Pointer, PublishedFiles
from refinebio_assets.lake.storage import storing
from refinebio_assets.lake.store import Lake

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["UNLISTED_ASSETS", "Catalog", "Problem", "SyncReport"]

SYNC_TIMEOUT_SECONDS = 600.0
_READING = (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN)
# A log file outside the allowed paths aborts the whole process when its connection ends (1.5.5).
_REFUSED_FUNCTIONS = re.compile(r"\b(enable_logging|query|query_table)\b\"?\s*\(", re.IGNORECASE)
_DAMAGE = (duckdb.IOException, duckdb.FatalException, duckdb.InternalException, duckdb.SerializationException)
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a sync did. ``file`` is the published file's name, empty when the sync was skipped.

    ``commits`` is how many the catalog holds; ``added`` and ``removed`` are what changed (a commit
    read again counts in both); ``rebuilt`` says that it was made from nothing.
    """

    file: str = ""
    skipped: bool = False
    published: bool = False
    rebuilt: bool = False
    commits: int = 0
    added: int = 0
    removed: int = 0
    problems: tuple[Problem, ...] = ()
    seconds: float = 0.0


class Catalog:
    """The catalog of a lake, in ``folder`` on a local disk.

    The default folder is ``catalog`` in a local lake, and in a remote lake's cache. Making a Catalog
    touches nothing.
    """

    def __init__(self, lake: Lake, folder: Path | None = None) -> None:
        self.lake = lake
        self.folder = folder or (Path(lake.url) if lake.is_local else lake.cache) / "catalog"
        self._files = PublishedFiles(self.folder)
        self._reader_lock = threading.Lock()
        self._reader: tuple[Pointer, duckdb.DuckDBPyConnection] | None = None

    def sync(self, *, wait: bool = True, timeout: float = SYNC_TIMEOUT_SECONDS) -> SyncReport:
        """Bring the catalog up to date; with nothing new, nothing is written.

        Another process's sync is waited for, at most ``timeout`` seconds (StorageError), or, with
        ``wait=False``, this one is skipped. Damaged commits are reported, not raised.
        """
        return self._locked_update(from_nothing=False, wait=wait, timeout=timeout)

    def rebuild(self, *, timeout: float = SYNC_TIMEOUT_SECONDS) -> SyncReport:
        """Make the catalog from nothing, to the same content as any number of syncs."""
        return self._locked_update(from_nothing=True, wait=True, timeout=timeout)

    def stale(self) -> bool:
        """Tell whether there are commits that the catalog has not seen, or no sound catalog at all."""
        known = self._known()
        return known is None or known.seen != {entry.id for entry in self.lake.log(without=UNLISTED_ASSETS)}

    def is_usable(self) -> bool:
        """Tell whether a sound catalog with the tables of this software is published, be it stale."""
        return self._files.sound_pointer(schema_fingerprint()) is not None

    def query(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> pa.Table:
        """Return the answer to one SELECT on the newest published file.

        Parameters are DuckDB's (``?`` or ``$name``). Raises RequestError for SQL that is wrong or does
        more than read, NotFoundError when there is no catalog yet, StorageError when it is damaged.
        """
        with self._answering(sql, parameters) as answer:
            return answer.to_arrow_table()

    def rows(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> list[dict[str, Any]]:
        """Return the answer as ``query`` does, a dictionary a row.

        Without Arrow, whose import takes longer than most questions (0.25 s of processor time).
        """
        with self._answering(sql, parameters) as answer:
            names = [column[0] for column in answer.description]
            return [
                {name: _in_utc(value) for name, value in zip(names, row, strict=True)}
                for row in answer.fetchall()
            ]

    @contextmanager
    def _answering(
        self, sql: str, parameters: Sequence[Any] | Mapping[str, Any]
    ) -> Iterator[duckdb.DuckDBPyConnection]:
        cursor = self._cursor()
        try:
            _require_reading(cursor, sql)
            yield execute_bound(cursor, sql, parameters)
        except _DAMAGE as error:
            raise StorageError(f"the catalog in {self.folder} cannot be read: {error}") from error
        except duckdb.Error as error:
            raise RequestError(str(error), about="query") from error
        finally:
            cursor.close()

    def connect(self) -> duckdb.DuckDBPyConnection:
        """Open the newest published file read-only; it stays as it is while the connection lasts.

        SQL can read no other file, write nothing and load nothing. Raises NotFoundError when there is
        no catalog yet, StorageError when it is damaged.
        """
        return self._files.open()[1]

    def digest(self) -> str:
        """Return a hash of the content, independent of order and of how it came to be."""
        with self._cursor() as cursor:
            return content_digest(cursor)

    def close(self) -> None:
        """Close the connection that ``query`` keeps; the next query opens another."""
        with self._reader_lock:
            if self._reader is not None:
                self._reader[1].close()
                self._reader = None

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        with self._reader_lock:
            pointer = self._files.pointer()
            if self._reader is None or self._reader[0] != pointer:
                # Closing the one before would end what other threads ask; it goes with its last cursor.
                self._reader = self._files.open()
            cursor = self._reader[1].cursor()
        cursor.execute("USE catalog")
        return cursor

    def _known(self) -> Known | None:
        """Return what the published catalog holds, or None when it is lost, damaged or outdated."""
        if self._files.sound_pointer(schema_fingerprint()) is None:
            return None
        try:
            with self._cursor() as cursor:
                return read_known(cursor)
        except (duckdb.Error, StorageError, NotFoundError) as error:
            _logger.warning("the catalog is made again, as it could not be read: %s", error)
            return None

    def _locked_update(self, *, from_nothing: bool, wait: bool, timeout: float) -> SyncReport:
        began = time.monotonic()
        with self._files.lock(wait=wait, timeout=timeout) as held:
            if not held:
                return SyncReport(skipped=True)
            known = None if from_nothing else self._known()
            try:
                return self._update(known, began)
            except duckdb.Error as error:
                if known is None:
                    raise StorageError(f"making the catalog in {self.folder} failed: {error}") from error
                _logger.warning("the catalog is made again, as it could not be updated: %s", error)
            try:
                return self._update(None, began)
            except duckdb.Error as error:
                raise StorageError(f"making the catalog in {self.folder} failed: {error}") from error

    def _update(self, known: Known | None, began: float) -> SyncReport:
        before = known or Known()
        entries = list(self.lake.log(without=UNLISTED_ASSETS))
        with self._files.building() as folder:
            staged = StagedRows(folder)
            change = stage_changes(self.lake, entries, before, staged)
            problems = problems_of(change.problems)
            pointer = self._files.pointer()
            name, count = pointer.file if pointer else "", len(before.commits)
            is_changed = bool(change.added or change.gone) or change.problems != before.problems
            if is_changed or known is None:
                target = folder / "catalog.duckdb"
                if known is not None and pointer is not None:
                    with storing(f"copying {pointer.file} to {folder}"):
                        copyfile(self.folder / pointer.file, target)
                count = apply_change(target, change, staged)
                name = self._files.publish(target, schema_fingerprint())
        return SyncReport(
            file=name,
            published=is_changed or known is None,
            rebuilt=known is None,
            commits=count,
            added=len(change.added),
            removed=len(change.gone),
            problems=problems,
            seconds=time.monotonic() - began,
        )


def _in_utc(value: Any) -> Any:
    """Return a time with the standard library's UTC, where DuckDB gives pytz's; all else as it is."""
    return value.astimezone(UTC) if isinstance(value, datetime) and value.tzinfo else value


def _require_reading(cursor: duckdb.DuckDBPyConnection, sql: str) -> None:
    refused = _REFUSED_FUNCTIONS.search(sql)
    if refused:
        raise RequestError(f"the function {refused[1]} is not available in the catalog")
    statements = cursor.extract_statements(sql)
    kinds = [statement.type for statement in statements]
    if len(kinds) != 1 or kinds[0] not in _READING:
        names = ", ".join(kind.name for kind in kinds) or "nothing"
        raise RequestError(f"the catalog can only be read, one SELECT at a time; found {names}")
