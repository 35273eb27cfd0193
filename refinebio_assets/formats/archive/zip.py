"""The entries of a zip archive."""

from __future__ import annotations

import errno
import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from refinebio_assets.errors import PermanentError, StorageError
from refinebio_assets.formats.archive.entry import CHUNK_BYTES, Entry, damaged
from refinebio_assets.formats.archive.limits import Budget

ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06")
_DOCUMENT_MARKS = ("[Content_Types].xml", "mimetype", "META-INF/MANIFEST.MF")
_ENCRYPTED = 0x1 | 0x40
_NAMES_ARE_UTF8 = 0x800
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Those that can be read in bounded memory; all that archives in practice use."""
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    ValueError,
    IndexError,
    OverflowError,
)


def zip_entries(path: Path, label: str, budget: Budget) -> Iterator[Entry]:
    """Yield the entries in the order of the zip's directory; folders are counted and passed over.

    Raises FormatError for an archive that is damaged or cut. Reading an entry raises PermanentError when
    it is encrypted or compressed in a way other than deflate.
    """
    with _reading(label, ""), _Guarded(path, label, budget.directory_bytes) as stream:
        archive = zipfile.ZipFile(stream)
        for info in archive.infolist():
            budget.member()
            if not info.is_dir():
                name = _name(info)
                content = partial(_content, archive, info, name, label, budget)
                yield Entry(name, info.file_size, _refusal(info), content)


def is_document(path: Path, label: str, budget: Budget) -> bool:
    """Tell whether a zip is one document in many parts: a spreadsheet, a text, a Java archive."""
    with _reading(label, ""), _Guarded(path, label, budget.directory_bytes) as stream:
        names = zipfile.ZipFile(stream).namelist()
    return any(mark in names for mark in _DOCUMENT_MARKS)


class _Guarded(io.FileIO):
    """A file that refuses to be read in one go beyond a limit, as a forged directory would make it."""

    def __init__(self, path: Path, label: str, limit: int) -> None:
        super().__init__(path, "rb")
        self._label = label
        self._limit = max(limit, CHUNK_BYTES)

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > self._limit:
            raise damaged(self._label, "", f"a list of members of at most {self._limit:,} bytes", f"{size:,}")
        return super().read(size) or b""


def _content(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str, label: str, budget: Budget
) -> Iterator[bytes]:
    if info.flag_bits & _ENCRYPTED:
        raise PermanentError(
            f"{label}: member {name} is encrypted; it can only be unpacked with its password"
        )
    if info.compress_type not in _METHODS:
        raise PermanentError(
            f"{label}: member {name} is compressed with zip method {info.compress_type}; only 0 (stored) and "
            "8 (deflate) are supported"
        )
    size = 0
    with _reading(label, name), archive.open(info) as stream:
        while chunk := stream.read(CHUNK_BYTES):
            budget.take(len(chunk))
            size += len(chunk)
            yield chunk
    if size != info.file_size:
        raise damaged(label, name, f"{info.file_size:,} bytes", f"{size:,}")


@contextmanager
def _reading(label: str, member: str) -> Iterator[None]:
    """Turn what reading a damaged zip raises into errors of ours."""
    try:
        yield
    except NotImplementedError as error:
        raise PermanentError(f"{label}: a feature of zip that is not supported: {error}") from error
    except _DAMAGE as error:
        raise damaged(label, member, "a sound zip archive", f"damage ({error})") from error
    except OSError as error:
        if error.errno not in (None, errno.EINVAL):
            raise StorageError(f"could not read {label}: {error}") from error
        raise damaged(label, member, "a sound zip archive", f"damage ({error})") from error


def _name(info: zipfile.ZipInfo) -> str:
    """Return an entry's path; archivers often write UTF-8 without saying so."""
    if not info.flag_bits & _NAMES_ARE_UTF8:
        try:
            return info.filename.encode("cp437").decode("utf-8")
        except UnicodeError:
            return info.filename
    return info.filename


def _refusal(info: zipfile.ZipInfo) -> str:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind == stat.S_IFLNK:
        return "a symbolic link"
    return "" if kind in (0, stat.S_IFREG) else "a device, pipe or socket"
