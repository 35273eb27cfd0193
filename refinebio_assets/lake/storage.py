"""Where bytes are kept: what a lake needs of a disk or bucket, and how a local disk provides it.

Paths are relative to the lake's root and '/'-separated. Buckets and other fsspec file systems are in
`remote.py`. What the paths mean is the business of `store.py`.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Protocol
from uuid import uuid4

from refinebio_assets.errors import NotFoundError, StorageError, StorageRefusedError


@dataclass(frozen=True, slots=True)
class Found:
    """One stored file as a listing shows it; ``modified`` is None where the store does not say."""

    size: int
    modified: datetime | None


class Storage(Protocol):
    """A place for immutable files. Every method raises StorageError when disk or server fails."""

    scratch: Path
    """Local folder for files on their way into the lake, on the lake's own disk for a local lake."""

    def read(self, path: str) -> bytes:
        """Return a file's content. Raises NotFoundError."""

    def open(self, path: str) -> BinaryIO:
        """Open a file for reading. Raises NotFoundError."""

    def size(self, path: str) -> int | None:
        """Return a file's size in bytes, or None when there is no such file."""

    def names(self, folder: str) -> list[str]:
        """Return the sorted names directly in a folder; none when there is no such folder."""

    def grandchildren(self, folder: str) -> Iterator[tuple[str, str]]:
        """Yield (child, grandchild) names two levels down: partitions and their records."""

    def tree(self, folder: str) -> dict[str, Found]:
        """Return all files below a folder by their path relative to it."""

    def put(self, source: Path, path: str) -> None:
        """Move a file from ``scratch`` into place; it is there whole and durable, or not at all."""

    def put_folder(self, source: Path, path: str) -> None:
        """Move a folder from ``scratch`` into place; when this returns, all of it is durable."""

    def put_bytes(self, data: bytes, path: str) -> None:
        """Write a small file; it is there whole and durable, or not at all."""

    def create(self, data: bytes, path: str) -> bool:
        """Write a small file unless there is one; of several writers at once exactly one gets True.

        Its name is what counts: after a power cut it may be there without its content.
        """

    def move(self, path: str, to: str) -> None:
        """Give a file another path, durably; interrupted, it is at one of them, or whole at both.

        Raises NotFoundError when there is none.
        """

    def remove(self, path: str) -> None:
        """Remove a folder with what is in it, or a file; absence is fine."""


@contextmanager
def storing(action: str) -> Iterator[None]:
    """Turn failures of disk or server into StorageError that says what was tried.

    What cannot pass by itself, as a read-only disk, is a StorageRefusedError.
    """
    try:
        yield
    except _failures() as error:
        raise storage_error(action, error) from error


def storage_error(action: str, error: BaseException) -> StorageError:
    """Return the error that says what was tried, and is permanent where trying again cannot help."""
    kind = StorageRefusedError if is_refusal(error) else StorageError
    return kind(f"{action} failed: {_in_words(action, error)}")


def _in_words(action: str, error: BaseException) -> str:
    """Return what an error says, of a system's without its number, and its file unless that was said."""
    if isinstance(error, OSError) and error.strerror:
        file = str(error.filename or "")
        return error.strerror if file in action else f"{error.strerror}: {file}"
    return str(error) or type(error).__name__


def is_refusal(error: BaseException) -> bool:
    """Tell whether disk or server said no, and will until somebody changes it."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno in _REFUSALS
    # Servers' errors have no number; what is not found when something is put there is the bucket.
    return (
        isinstance(error, PermissionError | FileNotFoundError) or type(error).__name__ in _REFUSALS_OF_SERVERS
    )


# What a disk answers until somebody changes it. A full one may pass: others free space.
_REFUSALS = frozenset(
    {
        *(errno.EROFS, errno.EACCES, errno.EPERM),
        *(errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP),
    }
)
# What botocore raises when it is not told who asks.
_REFUSALS_OF_SERVERS = frozenset({"NoCredentialsError", "PartialCredentialsError", "ProfileNotFound"})
# Errors of servers that are not OSErrors; looked up only where their library was imported.
_LIBRARY_ERRORS = (
    ("botocore.exceptions", "BotoCoreError"),
    ("botocore.exceptions", "ClientError"),
    ("aiohttp", "ClientError"),
)


def _failures() -> tuple[type[BaseException], ...]:
    libraries = ((sys.modules.get(module), name) for module, name in _LIBRARY_ERRORS)
    return (OSError, *(getattr(module, name) for module, name in libraries if module is not None))


def remove_tree(path: Path) -> None:
    """Remove a local folder or file as far as possible; what remains is left to the next sweep."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def make_scratch(scratch: Path, kind: str) -> Path:
    """Make a new empty folder in ``scratch``; its name tells what it was for."""
    folder = scratch / f"{kind}-{uuid4().hex}"
    with storing(f"making the staging folder {folder}"):
        make_folder(folder)
    return folder


def make_folder(folder: Path) -> None:
    """Make a folder and its parents so that they survive a power cut. Raises OSError."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_path(folder.parent)


def sync_path(path: Path) -> None:
    """Wait until a file's content, or a folder's list of names, is on the disk. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_durably(source: Path, target: Path) -> None:
    """Give a file that is already on the disk its final name, durably. Raises OSError."""
    make_folder(target.parent)
    source.replace(target)
    sync_path(target.parent)


def write_durably(data: bytes, target: Path, scratch: Path) -> None:
    """Write a file under a temporary name in ``scratch``, then give it its name. Raises OSError."""
    make_folder(scratch)
    temporary = scratch / f"file-{uuid4().hex}"
    try:
        temporary.write_bytes(data)
        sync_path(temporary)
        replace_durably(temporary, target)
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


class LocalStorage:
    """A folder on a local (or network-mounted) disk: temporary name, fsync, rename.

    Paths are joined as text: a sync looks at tens of thousands of files, and pathlib costs 20 us each.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.scratch = root / "staging"

    def locate(self, path: str) -> Path:
        """Return where a stored path is on the disk."""
        return self.root / path

    def read(self, path: str) -> bytes:
        """Return a file's content. Raises NotFoundError, StorageError."""
        with self.open(path) as stream, storing(f"reading {path}"):
            return stream.read()

    def open(self, path: str) -> BinaryIO:
        """Open a file for reading. Raises NotFoundError, StorageError."""
        full = self._full(path)
        try:
            return open(full, "rb")  # noqa: PTH123 -- see the class
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            raise NotFoundError(f"{path} is not in the lake") from error
        except OSError as error:
            raise storage_error(f"opening {full}", error) from error

    def size(self, path: str) -> int | None:
        """Return a file's size in bytes, or None when there is no such file."""
        full = self._full(path)
        try:
            status = os.stat(full)  # noqa: PTH116 -- see the class
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise storage_error(f"looking at {full}", error) from error
        return status.st_size if stat.S_ISREG(status.st_mode) else None

    def names(self, folder: str) -> list[str]:
        """Return the sorted names directly in a folder; none when there is no such folder."""
        return sorted(_list(self._full(folder)))

    def grandchildren(self, folder: str) -> Iterator[tuple[str, str]]:
        """Yield (child, grandchild) names two levels down."""
        base = self._full(folder)
        for child in self.names(folder):
            for name in _list(f"{base}/{child}"):
                yield child, name

    def tree(self, folder: str) -> dict[str, Found]:
        """Return all files below a folder by their path relative to it."""
        base = self._full(folder)
        found = {}
        with storing(f"listing {base}"):
            for parent, _, files in os.walk(base):
                for name in files:
                    path = f"{parent}/{name}"
                    # Another process may remove it meanwhile.
                    with suppress(FileNotFoundError):
                        found[path[len(base) + 1 :]] = found_at(path)
        return found

    def put(self, source: Path, path: str) -> None:
        """Move a file from ``scratch`` into place, read-only and durable."""
        with storing(f"storing {self.root / path}"):
            _protect(source)
            replace_durably(source, self.root / path)

    def put_folder(self, source: Path, path: str) -> None:
        """Move a folder from ``scratch`` into place, its files read-only and all of it durable."""
        with storing(f"storing {self.root / path}"):
            for folder, _, files in os.walk(source, topdown=False, onerror=_raise):
                for name in files:
                    _protect(Path(folder, name))
                sync_path(Path(folder))
            replace_durably(source, self.root / path)

    def put_bytes(self, data: bytes, path: str) -> None:
        """Write a small file by temporary name, fsync and rename."""
        with storing(f"writing {self.root / path}"):
            write_durably(data, self.root / path, self.scratch)

    def create(self, data: bytes, path: str) -> bool:
        """Write a small file unless there is one, and tell whether it was written."""
        target = self.root / path
        with storing(f"writing {target}"):
            make_folder(target.parent)
            try:
                with target.open("xb") as stream:
                    stream.write(data)
            except FileExistsError:
                return False
            sync_path(target.parent)
        return True

    def move(self, path: str, to: str) -> None:
        """Give a file another path with one rename. Raises NotFoundError."""
        source, target = self.root / path, self.root / to
        with storing(f"moving {source} to {target}"):
            try:
                replace_durably(source, target)
                sync_path(source.parent)
            except FileNotFoundError as error:
                raise NotFoundError(f"{path} is not in the lake") from error

    def remove(self, path: str) -> None:
        """Remove a folder or file: first out of sight with one rename, then its content."""
        source = self.root / path
        if not source.exists():
            return
        with storing(f"removing {source}"):
            make_folder(self.scratch)
            hidden = self.scratch / f"removed-{uuid4().hex}"
            try:
                source.rename(hidden)
            except FileNotFoundError:
                return  # Another process was faster.
        remove_tree(hidden)

    def _full(self, path: str) -> str:
        return f"{self.root}/{path}"


def found_at(path: str) -> Found:
    """Return what a listing shows of a local file. Renames count as changes (ctime). Raises OSError."""
    status = os.lstat(path)
    newest = max(status.st_mtime, status.st_ctime)
    return Found(status.st_size, datetime.fromtimestamp(newest, UTC))


def _list(folder: str) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208 -- see LocalStorage
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise storage_error(f"listing {folder}", error) from error


def _protect(path: Path) -> None:
    """Make a file read-only, as nothing may change it any more, and wait until it is on the disk."""
    path.chmod(stat.S_IMODE(path.stat().st_mode) & ~0o222)
    sync_path(path)


def _raise(error: OSError) -> None:
    raise error
