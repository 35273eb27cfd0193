"""The published files of a catalog: which one is current, opening it safely, publishing the next.

Files never change once published; each has a new name, and ``CURRENT`` names the newest, so that
readers neither block nor are blocked. What the files hold is `loading.py`'s business.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb

from refinebio_assets.errors import NotFoundError, StorageError
from refinebio_assets.lake.binding import sql_text
from refinebio_assets.lake.content import hash_file
from refinebio_assets.lake.storage import (
    make_folder,
    make_scratch,
    remove_tree,
    replace_durably,
    storing,
    sync_path,
    write_durably,
)

_POINTER = "CURRENT"
_POINTER_FORMAT = 1
_NAME = re.compile(r"catalog-(\d+)\.duckdb")
# Readers link the file for some milliseconds; what is older was left by a killed one.
_READER_SECONDS = 600
_OPEN_ATTEMPTS = 10
_LOCK_POLL_SECONDS = 0.05
_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "temp_directory": "",
    "autoload_known_extensions": False,
    "autoinstall_known_extensions": False,
}
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pointer:
    """What ``CURRENT`` says of the current file; ``schema`` is the fingerprint of its tables."""

    file: str
    size: int
    mtime_ns: int
    sha256: str
    schema: str


class PublishedFiles:
    """The folder with a catalog's files. Making one touches nothing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def pointer(self) -> Pointer | None:
        """Return what ``CURRENT`` says, or None when it is lost or damaged. Raises StorageError."""
        path = self.folder / _POINTER
        with storing(f"reading {path}"):
            try:
                record = json.loads(path.read_bytes())
                return Pointer(**record["pointer"]) if record["format"] == _POINTER_FORMAT else None
            except (FileNotFoundError, NotADirectoryError, ValueError, TypeError, KeyError):
                return None

    def sound_pointer(self, schema: str) -> Pointer | None:
        """Return the pointer if its file is there, unchanged, and has these tables; else None.

        A published file never changes, so size and time tell; a copied lake is compared by checksum.
        """
        pointer = self.pointer()
        if pointer is None or pointer.schema != schema:
            return None
        path = self.folder / pointer.file
        try:
            status = path.stat()
        except OSError:
            return None
        if status.st_size != pointer.size:
            return None
        if status.st_mtime_ns != pointer.mtime_ns and hash_file(path)[0] != pointer.sha256:
            return None
        return pointer

    def open(self) -> tuple[Pointer, duckdb.DuckDBPyConnection]:
        """Open the current file read-only; return what ``CURRENT`` said and the connection.

        Raises NotFoundError when nothing was published yet, StorageError when the file is damaged.
        """
        for _ in range(_OPEN_ATTEMPTS):
            pointer = self.pointer()
            if pointer is None:
                raise NotFoundError(f"no catalog in {self.folder} yet; a sync makes it from the lake")
            try:
                return pointer, _attach(self.folder / pointer.file)
            except FileNotFoundError:
                # Two syncs since CURRENT was read; or the file is lost, which CURRENT tells again.
                time.sleep(_LOCK_POLL_SECONDS)
            except duckdb.Error as error:
                raise StorageError(
                    f"the catalog {pointer.file} in {self.folder} is damaged and will be made again by "
                    f"the next sync: {error}"
                ) from error
        raise StorageError(f"the catalog in {self.folder} is lost and will be made again by the next sync")

    def publish(self, building: Path, schema: str) -> str:
        """Give a finished file its name, point ``CURRENT`` at it, and remove all but the one before.

        Raises StorageError; ``CURRENT`` then still names the old file.
        """
        with storing(f"publishing a catalog in {self.folder}"):
            before = self.pointer()
            name = f"catalog-{self._last_number(before) + 1}.duckdb"
            building.chmod(0o444)
            sync_path(building)
            status = building.stat()
            checksum, _ = hash_file(building)
            replace_durably(building, self.folder / name)
            pointer = Pointer(name, status.st_size, status.st_mtime_ns, checksum, schema)
            content = json.dumps({"format": _POINTER_FORMAT, "pointer": asdict(pointer)}, indent=1)
            write_durably(content.encode(), self.folder / _POINTER, self.folder)
            self._remove_others(keep={name, before.file if before else name})
        return name

    @contextmanager
    def building(self) -> Iterator[Path]:
        """Make a folder to build the next file in; it is removed afterwards, as are older left-overs."""
        self._remove_left_overs()
        folder = make_scratch(self.folder, "building")
        try:
            yield folder
        finally:
            remove_tree(folder)

    @contextmanager
    def lock(self, *, wait: bool, timeout: float) -> Iterator[bool]:
        """Hold the right to publish; yields False, at once, when another has it and ``wait`` is false.

        Raises StorageError that names the holder after ``timeout`` seconds. The lock ends with the
        process. Works on local disks, and on network disks that support flock.
        """
        path = self.folder / "lock"
        with storing(f"locking {path}"):
            make_folder(self.folder)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            held = _try_lock(descriptor)
            if not held and wait:
                _wait_for_lock(descriptor, path, timeout)
                held = True
            if held:
                holder = f"process {os.getpid()} on {socket.gethostname()}"
                with storing(f"writing {path}"):
                    os.ftruncate(descriptor, 0)
                    os.pwrite(descriptor, holder.encode(), 0)
            yield held
        finally:
            os.close(descriptor)

    def _last_number(self, pointer: Pointer | None) -> int:
        names = [path.name for path in self.folder.iterdir()] + ([pointer.file] if pointer else [])
        numbers = [int(match[1]) for name in names if (match := _NAME.fullmatch(name))]
        return max(numbers, default=0)

    def _remove_others(self, keep: set[str]) -> None:
        for path in self.folder.iterdir():
            if _NAME.fullmatch(path.name) and path.name not in keep:
                with suppress(OSError):
                    path.unlink()

    def _remove_left_overs(self) -> None:
        """Remove what killed syncs and readers left; only the lock's holder builds."""
        for path in list(self.folder.iterdir()):
            with suppress(OSError):
                is_old = time.time() - path.stat().st_mtime > _READER_SECONDS
                if path.name.startswith(("building-", "file-")) or (
                    path.name.startswith("reader-") and is_old
                ):
                    remove_tree(path)


def _try_lock(descriptor: int) -> bool:
    with storing("locking the catalog"):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def _wait_for_lock(descriptor: int, path: Path, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    holder = os.pread(descriptor, 200, 0).decode(errors="replace") or "another process"
    _logger.info("the catalog is being synced by %s; waiting up to %.0f s", holder, timeout)
    while not _try_lock(descriptor):
        if time.monotonic() > deadline:
            holder = os.pread(descriptor, 200, 0).decode(errors="replace") or "another process"
            raise StorageError(f"waited {timeout:.0f} s for {holder}, which holds {path}")
        time.sleep(_LOCK_POLL_SECONDS)


def _attach(path: Path) -> duckdb.DuckDBPyConnection:
    """Open a file read-only, with no way from SQL to other files, extensions or settings.

    DuckDB lets ``COPY ... TO`` write to the path of an attached file even when external access is off
    and the file is read-only (seen in 1.5.5). So the file is attached by a second name in a folder
    that no longer exists afterwards. Raises FileNotFoundError, duckdb.Error.
    """
    private = path.parent / f"reader-{os.getpid()}-{time.monotonic_ns()}"
    opened = path
    with suppress(OSError):
        # Who may not make the link may not write to the file either.
        private.mkdir()
        os.link(path, private / path.name)
        opened = private / path.name
    try:
        if not opened.is_file():
            raise FileNotFoundError(path)
        return _connect(opened)
    finally:
        remove_tree(private)


def _connect(path: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(":memory:", config=_SETTINGS)
    try:
        connection.execute("SET GLOBAL TimeZone = 'UTC'")
        connection.execute(f"ATTACH {sql_text(str(path))} AS catalog (READ_ONLY)")
        connection.execute("USE catalog")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
    except BaseException:
        connection.close()
        raise
    return connection
