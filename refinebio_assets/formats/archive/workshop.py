"""Where what comes out of an archive is put: a folder for work in progress, safe names, the move into place.

Files get names of our own making, so that no path in an archive can lead anywhere.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from refinebio_assets.errors import PermanentError, StorageError
from refinebio_assets.formats.archive.entry import Entry, base_name

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_NAME_BYTES = 100


@contextmanager
def work_folder(folder: Path, label: str) -> Iterator[Path]:
    """Give a folder for work in progress inside ``folder``, and remove it whatever happens."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        workshop = Path(tempfile.mkdtemp(prefix=".unpacking-", dir=folder))
        (workshop / "files").mkdir()
    except OSError as error:
        raise StorageError(f"could not unpack {label} in {folder}: {error}") from error
    try:
        yield workshop
    finally:
        shutil.rmtree(workshop, ignore_errors=True)


def numbered_name(number: int, member: str) -> str:
    """Return the name for the file that comes out as this number: the number and the safe part of its own.

    Of a long base name the end is kept; it tells more than the start.
    """
    return f"{number:06d}_{_UNSAFE.sub('_', base_name(member))[-_NAME_BYTES:]}"


def write(entry: Entry, path: Path, label: str) -> int:
    """Write an entry's content into a new file; return its size. StorageError when the disk is full."""
    content = entry.content()
    size = 0
    try:
        with path.open("xb") as stream:
            for chunk in content:
                stream.write(chunk)
                size += len(chunk)
    except OSError as error:
        raise StorageError(f"could not unpack member {entry.name} of {label}: {error}") from error
    return size


def move(made: Path, target: Path, label: str) -> None:
    """Put a finished file or folder in its place, in one step."""
    try:
        made.replace(target)
    except OSError as error:
        raise StorageError(f"could not put what was in {label} at {target}: {error}") from error


def require_empty(folder: Path) -> None:
    """Raise PermanentError unless the folder is new or empty."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise PermanentError(f"{folder} is not an empty folder; nothing was unpacked into it")
