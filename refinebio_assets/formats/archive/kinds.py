"""Which kind of archive a file is, by its content, and its entries, whichever kind it is."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from refinebio_assets.errors import FormatError, NotFoundError, PermanentError, StorageError
from refinebio_assets.formats.archive.entry import Entry, is_clutter
from refinebio_assets.formats.archive.limits import Budget, Limits
from refinebio_assets.formats.archive.tar import BLOCK, is_tar_header, opened, tar_entries
from refinebio_assets.formats.archive.zip import ZIP_MAGICS, is_document, zip_entries
from refinebio_assets.formats.compressed import quoted

_COMPRESSED = (b"\x1f\x8b", b"BZh")


@dataclass(frozen=True, slots=True)
class Kind:
    """A recognized archive: a zip, or a tar whose compression begins with ``magic`` (empty: none)."""

    is_zip: bool
    magic: bytes = b""


def recognize(path: Path, label: str, budget: Budget) -> Kind | None:
    """Return which kind of archive a file is, or None for any other file, a damaged compressed one included.

    Raises NotFoundError when there is no such file, FormatError for a zip without a sound directory.
    """
    head = first_bytes(path, label)
    if head.startswith(ZIP_MAGICS):
        return None if is_document(path, label, budget) else Kind(is_zip=True)
    if head.startswith(_COMPRESSED):
        magic = head[:3]
        return Kind(False, magic) if is_tar_header(_first_plain_bytes(path, magic)) else None
    return Kind(is_zip=False) if is_tar_header(head) else None


def entries_of(path: Path, kind: Kind, label: str, budget: Budget) -> Iterator[Entry]:
    """Yield the entries of a recognized archive; errors as ``tar_entries`` and ``zip_entries``."""
    if kind.is_zip:
        return zip_entries(path, label, budget)
    return tar_entries(path, kind.magic, label, budget)


def files_of(path: Path, kind: Kind, label: str, budget: Budget) -> Iterator[Entry]:
    """Yield the entries that can be taken, without what systems add; errors as ``entries_of``."""
    for entry in entries_of(path, kind, label, budget):
        if not entry.refusal and not is_clutter(entry.name):
            yield entry


def required_kind(path: Path, label: str, budget: Budget) -> Kind:
    """Return which kind of archive a file is; raises as ``recognize``, and FormatError for no archive."""
    kind = recognize(path, label, budget)
    if kind is None:
        head = first_bytes(path, label)
        found = quoted(head) if head else "an empty file"
        raise FormatError(label, expected="a tar (plain, gzip or bzip2) or zip archive", found=found)
    return kind


def budget_of(path: Path, limits: Limits, label: str) -> Budget:
    """Return the count of what comes out of an archive, at its start; NotFoundError for no such file."""
    try:
        return Budget(limits, label, path.stat().st_size)
    except FileNotFoundError as error:
        raise NotFoundError(f"no archive at {path}") from error
    except OSError as error:
        raise StorageError(f"could not read {path}: {error}") from error


def first_bytes(path: Path, label: str) -> bytes:
    """Return the first 512 bytes of a file."""
    try:
        with path.open("rb") as stream:
            return stream.read(BLOCK)
    except FileNotFoundError as error:
        raise NotFoundError(f"no archive at {path}") from error
    except IsADirectoryError as error:
        raise PermanentError(f"{path} is a folder, not an archive") from error
    except PermissionError as error:
        raise PermanentError(f"could not read {path}: {error.strerror}") from error
    except OSError as error:
        raise StorageError(f"could not read {label}: {error}") from error


def _first_plain_bytes(path: Path, magic: bytes) -> bytes:
    try:
        with opened(path, magic) as stream:
            return stream.read(BLOCK)
    except (EOFError, zlib.error, OSError):
        return b""
