"""Room on a disk: asked for before work begins, and named when it did not suffice."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from refinebio_assets.errors import StorageError

_DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def free_bytes(folder: Path) -> int:
    """Return the room that this process may still use on a folder's disk. Raises OSError."""
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize


def require_room(folder: Path, needed: int, what: str) -> None:
    """Raise StorageError, naming what is needed and what is free, unless a folder's disk has the room."""
    free = free_bytes(folder)
    if free < needed:
        raise StorageError(_too_small(folder, needed, free, what))


@contextmanager
def room_named(folder: Path, needed: int, what: str) -> Iterator[None]:
    """Turn the error of a full disk, however deep, into a StorageError that names the room that is needed."""
    try:
        yield
    except (OSError, StorageError) as error:
        if _is_full(error):
            raise StorageError(_too_small(folder, needed, free_bytes(folder), what)) from error
        if isinstance(error, OSError):
            raise StorageError(f"{what}: working in {folder} failed: {error}") from error
        raise


def _too_small(folder: Path, needed: int, free: int, what: str) -> str:
    return (
        f"{what} needs about {needed:,} bytes in {folder}, where {free:,} are free; make room there, "
        "and ask for it again"
    )


def _is_full(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, OSError) and error.errno in _DISK_FULL:
            return True
        error = error.__cause__
    return False
