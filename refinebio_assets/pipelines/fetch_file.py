"""Brings one source file into the lake: found, read once, hashed, checked and stored in one pass.

Local paths and any fsspec URL; the archives' own rules are in ``sources``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

import fsspec

from refinebio_assets.domain import FileRole
from refinebio_assets.errors import NotFoundError, PermanentError, TransientError
from refinebio_assets.formats.fastq import FastqScanner, FastqStats
from refinebio_assets.lake.store import Lake, StoredFile

CHUNK_BYTES = 4 * 1024 * 1024
HTTP_GONE = (404, 410)
FASTQ_ROLES = (FileRole.FASTQ_1, FileRole.FASTQ_2)


@dataclass(frozen=True, slots=True)
class Origin:
    """A source file as it stands now: where, how large, and when it was last modified.

    ``modified`` is an opaque text that changes when the file does: nanoseconds since 1970 for a local
    file, an ETag or time for a remote one.
    """

    location: str
    size: int
    modified: str


@dataclass(frozen=True, slots=True)
class FetchedFile:
    """A source file in the lake. ``fastq`` is what its reads are like, for FASTQ files only."""

    origin: Origin
    stored: StoredFile
    md5: str
    fastq: FastqStats | None


def locate(location: str) -> Origin:
    """Look at a source file without reading it; NotFoundError when there is none."""
    if "://" not in location:
        return _locate_local(Path(location))
    try:
        filesystem, path = fsspec.core.url_to_fs(location)
        info = filesystem.info(path)
    except (ImportError, ValueError) as error:
        raise PermanentError(f"could not look at {location}: {error}") from error
    except FileNotFoundError as error:
        # fsspec's HTTP says so of every failure; the real one is its cause.
        gone = getattr(error.__cause__, "status", None) in HTTP_GONE
        if error.__cause__ is not None and not isinstance(error.__cause__, FileNotFoundError) and not gone:
            raise TransientError(f"could not look at {location}: {error.__cause__}") from error
        raise NotFoundError(f"no file at {location}") from error
    except OSError as error:
        raise TransientError(f"could not look at {location}: {error}") from error
    if info.get("type") == "directory":
        raise NotFoundError(f"{location} is a folder, not a file")
    return Origin(location, int(info.get("size") or 0), _remote_state(info))


def describe(origin: Origin) -> str:
    """Return a file's place, size and modification as one text; it changes when the file does."""
    return f"{origin.location}, {origin.size:,} bytes, modified {origin.modified}"


def fetch(lake: Lake, location: str, role: FileRole | None) -> FetchedFile:
    """Read a source file once and store it: content-addressed, hashed, FASTQ fully checked.

    Raises NotFoundError when it is missing, FormatError when a FASTQ is damaged, TransientError when it
    changed while it was read, StorageError when the lake cannot take it.
    """
    origin = locate(location)
    md5 = hashlib.md5(usedforsecurity=False)
    scanner = FastqScanner(location) if role in FASTQ_ROLES else None
    with _open(location) as stream:
        stored = lake.put_object(_observed(stream, location, md5, scanner), _name(location))
    if locate(location) != origin or stored.size != origin.size:
        raise TransientError(f"{location} changed while it was read; nothing was recorded")
    return FetchedFile(origin, stored, md5.hexdigest(), scanner.stats() if scanner else None)


def _name(location: str) -> str:
    return location.rstrip("/").rsplit("/", 1)[-1]


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


def _remote_state(info: dict[str, Any]) -> str:
    for key in ("ETag", "etag", "LastModified", "mtime", "created"):
        value = info.get(key)
        if value:
            return value.isoformat() if isinstance(value, datetime) else str(value)
    return ""


def _open(location: str) -> BinaryIO:
    try:
        if "://" in location:
            stream: BinaryIO = fsspec.open(location, "rb").open()
            return stream
        return Path(location).open("rb")
    except PermissionError as error:
        raise PermanentError(f"could not open {location}: {error}") from error
    except OSError as error:
        raise TransientError(f"could not open {location}: {error}") from error


def _observed(stream: BinaryIO, location: str, md5: Any, scanner: FastqScanner | None) -> Iterator[bytes]:
    """Yield the file's bytes while hashing and scanning them, so that it is read only once."""
    while True:
        try:
            chunk = stream.read(CHUNK_BYTES)
        except OSError as error:
            raise TransientError(f"could not read {location}: {error}") from error
        if not chunk:
            break
        md5.update(chunk)
        if scanner is not None:
            scanner.feed(chunk)
        yield chunk
    if scanner is not None:
        scanner.finish()
