"""Looks at one source file where it is, and brings it within reach: a local path to read it from.

Local paths, http and https through the one fetch layer of ``sources.web``, and any other fsspec URL.
What is then stored, and as what, is decided in ``arriving_file``.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import fsspec

from refinebio_assets.domain import SourceFile
from refinebio_assets.errors import NotFoundError, PermanentError, TransientError
from refinebio_assets.lake.storage import storage_error
from refinebio_assets.lake.store import Lake

if TYPE_CHECKING:
    from refinebio_assets.sources.web.client import Web

COPY_BYTES = 4 * 1024 * 1024

WebSource = Callable[[], "Web"]
"""Gives the way to the web when, and only when, a file is there."""

Tell = Callable[[int], None]
"""Is told how many bytes more have arrived."""


def no_web() -> Web:
    """Refuse: for work whose files are all local."""
    raise PermanentError("a file is on the web, and no way to the web was given")


@dataclass(frozen=True, slots=True)
class Origin:
    """A source file as it stands now: where, how large, and when it was last modified.

    ``modified`` is an opaque text that changes when the file does: nanoseconds since 1970 for a local
    file, an ETag or time for a remote one, the promised MD5 for an archive's.
    """

    location: str
    size: int
    modified: str


def is_web(location: str) -> bool:
    """Tell whether the fetch layer is to get it."""
    return location.startswith(("http://", "https://", "ftp://"))


def locate(location: str, web: WebSource = no_web) -> Origin:
    """Look at a source file without reading it; NotFoundError when there is none."""
    if is_web(location):
        remote = web().head(location)
        return Origin(location, remote.size or 0, remote.state)
    if "://" in location:
        return _locate_by_fsspec(location)
    return _locate_local(Path(location))


def describe(origin: Origin) -> str:
    """Return a file's place, size and modification as one text; it changes when the file does."""
    return f"{origin.location}, {origin.size:,} bytes, modified {origin.modified}"


def promised(file: SourceFile) -> Origin:
    """Return an archive's file as the archive describes it, without looking."""
    return Origin(file.location, file.size or 0, file.md5)


@contextmanager
def within_reach(
    lake: Lake, file: SourceFile, web: WebSource = no_web, tell: Tell | None = None
) -> Iterator[Path]:
    """Give a local path with the whole file at ``file.location`` while the block runs.

    A local file is read where it is. Everything else is downloaded to the lake's staging area; a download
    from the web that was cut short is taken up again by the next try, and its promised size and MD5 are
    checked. Raises NotFoundError, PermanentError, TransientError, StorageError.
    """
    if "://" not in file.location:
        _locate_local(Path(file.location))
        yield Path(file.location)
        return
    with _download_folder(lake, file.location) as folder:
        target = folder / (file.location.split("?", 1)[0].rstrip("/").rsplit("/", 1)[-1] or "file")
        if is_web(file.location):
            web().download(file.location, target, size=file.size, md5=file.md5, progress=tell)
        else:
            _copy_by_fsspec(file.location, target)
        yield target


@contextmanager
def _download_folder(lake: Lake, location: str) -> Iterator[Path]:
    """Give the one folder of this location's download; who comes second waits.

    It lies in the lake's staging area, where ``lake sweep`` finds what is left for long. A finished
    download is removed with its folder; after a failure that may pass it stays for the next try.
    """
    name = hashlib.sha256(location.encode()).hexdigest()[:24]
    folder = lake.storage.scratch / f"download-{name}"
    # The lock file is never removed: who waits for it would hold one that nobody else sees.
    lock_file = lake.cache / "download-locks" / name
    try:
        lock_file.parent.mkdir(parents=True, exist_ok=True)
        lock = lock_file.open("w")
    except OSError as error:
        raise storage_error(f"making {lock_file}", error) from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            yield folder
        except PermanentError:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        except OSError as error:
            raise storage_error(f"working in {folder}", error) from error
        shutil.rmtree(folder, ignore_errors=True)


def _locate_local(path: Path) -> Origin:
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotFoundError(f"no file at {path}") from error
    except OSError as error:
        raise PermanentError(f"could not look at {path}: {error}") from error
    if not path.is_file():
        raise NotFoundError(f"{path} is a folder, not a file")
    return Origin(str(path), status.st_size, str(status.st_mtime_ns))


def _locate_by_fsspec(location: str) -> Origin:
    try:
        filesystem, path = fsspec.core.url_to_fs(location)
        info = filesystem.info(path)
    except (ImportError, ValueError) as error:
        raise PermanentError(f"could not look at {location}: {error}") from error
    except FileNotFoundError as error:
        raise NotFoundError(f"no file at {location}") from error
    except OSError as error:
        raise TransientError(f"could not look at {location}: {error}") from error
    if info.get("type") == "directory":
        raise NotFoundError(f"{location} is a folder, not a file")
    return Origin(location, int(info.get("size") or 0), _remote_state(info))


def _remote_state(info: dict[str, Any]) -> str:
    for key in ("ETag", "etag", "LastModified", "mtime", "created"):
        value = info.get(key)
        if value:
            return value.isoformat() if isinstance(value, datetime) else str(value)
    return ""


def _copy_by_fsspec(location: str, target: Path) -> None:
    try:
        source: BinaryIO = fsspec.open(location, "rb").open()
    except PermissionError as error:
        raise PermanentError(f"could not open {location}: {error}") from error
    except OSError as error:
        raise TransientError(f"could not open {location}: {error}") from error
    with source:
        try:
            chunk = source.read(COPY_BYTES)
            with target.open("wb") as copy:
                while chunk:
                    _write(copy, chunk, target)
                    chunk = source.read(COPY_BYTES)
        except OSError as error:
            raise TransientError(f"could not read {location}: {error}") from error


def _write(copy: BinaryIO, chunk: bytes, target: Path) -> None:
    try:
        copy.write(chunk)
    except OSError as error:
        raise storage_error(f"writing {target}", error) from error
