"""Files that are handed out: written beside their place, then put there whole.

What is there already decides: a file is replaced, a symbolic link stays and the file it names is replaced,
a FIFO or a character device (``/dev/stdout``) is written through, all else is refused.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from refinebio_assets.errors import RequestError, StorageError

_PASSING = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EAGAIN, errno.EBUSY, errno.EMFILE, errno.ENFILE}
    | {errno.ENOMEM, errno.EINTR, errno.ETIMEDOUT, errno.ESTALE, errno.EPIPE}
)
_STREAMS = (stat.S_IFIFO, stat.S_IFCHR)
_REFUSED = {
    stat.S_IFDIR: "a folder",
    stat.S_IFBLK: "a disk (block device)",
    stat.S_IFSOCK: "a socket",
}


def write_whole(output: Path, write: Callable[[Path], object]) -> None:
    """Have ``write`` write a file; a reader sees the old one or the whole new one.

    ``write`` gets the path to write to. What is for a FIFO or device is written to a temporary file first.
    Raises RequestError for a place where no file can be made, StorageError for what may pass: a full disk.
    """
    require_place(output)
    if _is_stream(output):
        with tempfile.TemporaryDirectory() as folder:
            whole = Path(folder) / "whole"
            _written(output, whole, write)
            _written(output, output, lambda path: _stream(whole, path))
    else:
        _put(output, Path(os.path.realpath(output)), write)


def copy_whole(source: Path, output: Path) -> int:
    """Copy a file as ``write_whole`` writes one; return its bytes. Same errors."""
    require_place(output)
    if _is_stream(output):
        _written(output, output, lambda path: _stream(source, path))
    else:
        write_whole(output, lambda path: shutil.copyfile(source, path))
    return source.stat().st_size


def require_place(output: Path) -> None:
    """Raise RequestError for a place where nothing can be written: its folder is missing, it is a disk."""
    kind = _kind(output)
    if kind in _REFUSED:
        raise RequestError(f"cannot write {output}: expected the name of a file, found {_REFUSED[kind]}")
    folder = Path(os.path.realpath(output)).parent
    if kind in _STREAMS or (folder.is_dir() and os.access(folder, os.W_OK)):
        return
    found = "does not exist; make it first"
    if folder.exists():
        found = "is read-only, for you or for all" if folder.is_dir() else "is not a folder"
    raise RequestError(f"cannot write {output}: {folder} {found}")


def _kind(output: Path) -> int | None:
    """Return what is there, links followed, as ``stat.S_IFMT`` does; None for nothing."""
    try:
        return stat.S_IFMT(output.stat().st_mode)
    except OSError:
        return None


def _is_stream(output: Path) -> bool:
    return _kind(output) in _STREAMS


def _stream(source: Path, output: Path) -> None:
    with source.open("rb") as whole, output.open("wb") as stream:
        shutil.copyfileobj(whole, stream)


def _put(output: Path, target: Path, write: Callable[[Path], object]) -> None:
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        _written(output, temporary, write)
        _written(output, temporary, lambda path: path.replace(target))
    finally:
        # Where nothing can be written nothing can be removed: that would hide the error above.
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _written(output: Path, path: Path, write: Callable[[Path], object]) -> None:
    """Have ``path`` written; errors are told of ``output``, the name that people know."""
    try:
        write(path)
    except OSError as error:
        reason = str(error) if error.errno is None else os.strerror(error.errno)
        reason = reason.replace(str(path), str(output))
        if error.errno == errno.ENOENT:
            reason = f"no file can be made in {path.parent}"
        message = f"could not write {output}: {reason}"
        if error.errno is None or error.errno in _PASSING:
            raise StorageError(message) from error
        raise RequestError(message) from error
