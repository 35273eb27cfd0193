"""Keeps holdings current: notices a newer catalog, makes the file that belongs to it, opens it, and swaps.

Requests work with the holdings that were current when they came; nothing waits for the next. A server that
starts answers from those that an earlier one left until the newest are made.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock, Thread
from uuid import uuid4

import duckdb

from refinebio_assets.api.holdings.holdings import Holdings
from refinebio_assets.api.holdings.making import documents_path, holdings_fingerprint, make_holdings
from refinebio_assets.errors import NotFoundError, RefinebioError, StorageError
from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.loading import schema_fingerprint
from refinebio_assets.lake.published import Pointer, PublishedFiles
from refinebio_assets.lake.storage import make_folder

_PREFIX, _BUILDING, _SUFFIX = "holdings-", "building-", ".duckdb"
_LEFT_SECONDS = 3600
_ATTEMPTS = 5
_REST = 5
"""Making holdings may take at most one part in this many of the time."""

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Freshness:
    """How the holdings stand: the file in use, since when it is made (seconds), and what went wrong since."""

    file: str
    age_seconds: float
    problem: str


class Keeper:
    """The current holdings of a catalog, in ``folder`` on a local disk.

    ``sync_seconds`` is how often the catalog itself is brought up to date from the lake; 0 is never, which
    leaves it to others. Several processes may keep holdings in one folder.
    """

    def __init__(
        self, catalog: Catalog, folder: Path, *, look_seconds: float = 1.0, sync_seconds: float = 10.0
    ) -> None:
        self._catalog = catalog
        self._published = PublishedFiles(catalog.folder)
        self._folder = folder
        self._look_seconds, self._sync_seconds = look_seconds, sync_seconds
        self._current: Holdings | None = None
        self._pointer: Pointer | None = None
        self._problem = ""
        self._making = Lock()
        self._stop = Event()
        self._thread: Thread | None = None

    def current(self) -> Holdings:
        """Return the current holdings. Raises StorageError when there are none yet, saying why."""
        if self._current is None:
            reason = self._problem or "they are being made"
            raise StorageError(f"the catalog cannot be served yet: {reason}")
        return self._current

    def freshness(self) -> Freshness:
        """Return how the holdings stand."""
        if self._current is None:
            return Freshness("", float("inf"), self._problem)
        return Freshness(self._current.name, time.time() - self._current.made_at, self._problem)

    def refresh(self) -> bool:
        """Bring the holdings up to the published catalog, here and now; tell whether they changed.

        Raises NotFoundError when no catalog is published yet, StorageError when it cannot be read or is of
        another version of this software.
        """
        with self._making:
            pointer = self._published.pointer()
            is_broken = self._current is not None and self._current.is_broken
            if pointer is not None and pointer == self._pointer and not is_broken:
                return False
            if pointer is None:
                raise NotFoundError(f"there is no catalog in {self._published.folder} yet")
            if pointer.schema != schema_fingerprint():
                raise StorageError(
                    f"the catalog {pointer.file} was made by another version of refinebio-assets: "
                    "`refinebio-assets catalog sync` makes it again"
                )
            self._swap(pointer)
        return True

    def start(self) -> None:
        """Keep the holdings current from a thread of its own, until ``stop``."""
        self._thread = Thread(target=self._run, name="holdings", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread; a file that is being made is left to be finished or thrown away."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def _run(self) -> None:
        # With its first list DuckDB loads pandas, for which no request shall wait.
        duckdb.connect().execute("SELECT unnest(?)", [[0]]).close()
        self._take_up()
        synced = 0.0
        while not self._stop.is_set():
            began = time.monotonic()
            try:
                if self._sync_seconds and began - synced >= self._sync_seconds:
                    synced = began
                    self._catalog.sync(wait=False)
                changed = self.refresh()
                self._problem = ""
            except RefinebioError as error:
                changed = False
                if str(error) != self._problem:
                    _logger.warning("the holdings stay as they are: %s", error)
                self._problem = str(error)
            rest = (time.monotonic() - began) * _REST if changed else 0.0
            self._stop.wait(max(self._look_seconds, rest))

    def _take_up(self) -> None:
        """Answer from the newest holdings that are there, if this version of the software made them."""
        found = self._folder.glob(f"{_PREFIX}*{_version_mark()}")
        for path in sorted(found, key=_time_of, reverse=True):
            with suppress(OSError, duckdb.Error, sqlite3.Error):
                self._current = Holdings(path)
                _logger.info("serving %s until the newest holdings are made", path.name)
                return

    def _swap(self, pointer: Pointer) -> None:
        try:
            holdings = self._open(pointer)
        except (OSError, duckdb.Error, sqlite3.Error) as error:
            raise StorageError(f"the catalog {pointer.file} cannot be served: {error}") from error
        self._current, self._pointer = holdings, pointer
        _logger.info("serving %s from %s", pointer.file, holdings.name)
        self._remove_others(holdings.name)

    def _open(self, pointer: Pointer) -> Holdings:
        path = self._folder / f"{_PREFIX}{pointer.sha256[:16]}{_version_mark()}"
        if self._current is not None and self._current.is_broken:
            path.unlink(missing_ok=True)
        for attempt in range(_ATTEMPTS):
            if attempt or not path.is_file():
                self._make(pointer, path)
            try:
                return Holdings(path)
            except (FileNotFoundError, duckdb.IOException, sqlite3.Error):
                # Removed by a process that serves a newer catalog, or damaged: it is made again.
                path.unlink(missing_ok=True)
        return Holdings(path)

    def _make(self, pointer: Pointer, path: Path) -> None:
        make_folder(self._folder)
        building = self._folder / f"{_BUILDING}{uuid4().hex}{_SUFFIX}"
        try:
            make_holdings(self._published.folder / pointer.file, building)
            documents_path(building).replace(documents_path(path))
            building.replace(path)
        finally:
            for left in self._folder.glob(f"{building.stem}*"):
                left.unlink(missing_ok=True)

    def _remove_others(self, kept: str) -> None:
        """Remove older files; who has one open keeps it until it is closed."""
        for path in self._folder.iterdir():
            with suppress(OSError):
                is_left = (
                    path.name.startswith(_BUILDING) and time.time() - path.stat().st_mtime > _LEFT_SECONDS
                )
                if is_left or (path.name.startswith(_PREFIX) and path.stem != Path(kept).stem):
                    path.unlink()


def _version_mark() -> str:
    """Return the end of the names of files that this version of the software makes."""
    return f"-{holdings_fingerprint()[:8]}{_SUFFIX}"


def _time_of(path: Path) -> float:
    """Return when a file was written; 0 when another process has removed it meanwhile."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
