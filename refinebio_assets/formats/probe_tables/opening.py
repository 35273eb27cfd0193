"""The plain bytes of a table, however it is packed: gzip, bzip2, xz, or one file of a zip or tar archive.

What is packed is told by content. What the table means is the work of the modules beside.
"""

from __future__ import annotations

import bz2
import lzma
import re
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from refinebio_assets.errors import FormatError
from refinebio_assets.formats.archive import Limits, extract_member, members
from refinebio_assets.formats.compressed import plain_chunks, read_chunks

XZ_MAGIC, BZIP2_MAGIC, ZIP_MAGIC = b"\xfd7zXZ\x00", b"BZh", b"PK\x03\x04"
GZIP_MAGIC = b"\x1f\x8b"
TABLE_LIMIT = 1 << 30
"""Bytes of the largest table that is read. The largest real one (PGF of the human exon array) has 0.4 GB."""
_OUTPUT_LIMIT = 1 << 20
_XZ_MEMORY = 256 << 20
_TAR_MARK, _TAR_MARK_OFFSET = b"ustar", 257
_LIMITS = Limits(unpacked_bytes=4 * TABLE_LIMIT)


@contextmanager
def table_chunks(path: Path, label: str, member: re.Pattern[str]) -> Iterator[Iterator[bytes]]:
    """Give the plain bytes of a table in chunks.

    In an archive, the table is the one file whose path fits ``member``. Raises FormatError for damage,
    for an archive with no or several such files, and beyond ``TABLE_LIMIT``; NotFoundError when there is
    no file.
    """
    if _is_archive(path, label):
        with tempfile.TemporaryDirectory(prefix="table-") as folder:
            name = _only_member(path, label, member)
            target = Path(folder) / "table"
            extract_member(path, name, target, limits=_LIMITS, label=label)
            yield _limited(_decompressed(target, f"{label} ({name})"), label)
    else:
        yield _limited(_decompressed(path, label), label)


def table_bytes(path: Path, label: str, member: re.Pattern[str]) -> bytes:
    """Return the plain bytes of a table; see ``table_chunks``."""
    with table_chunks(path, label, member) as chunks:
        return b"".join(chunks)


@contextmanager
def table_lines(path: Path, label: str, member: re.Pattern[str]) -> Iterator[Iterator[list[bytes]]]:
    """Give a table's lines without their ends, whole, in lists of about a megabyte; see ``table_chunks``."""
    with table_chunks(path, label, member) as chunks:
        yield _lines(chunks)


def _lines(chunks: Iterator[bytes]) -> Iterator[list[bytes]]:
    rest = b""
    for chunk in chunks:
        lines = (rest + chunk).replace(b"\r\n", b"\n").split(b"\n")
        rest = lines.pop()
        if lines:
            yield lines
    if rest:
        yield [rest]


def _is_archive(path: Path, label: str) -> bool:
    start = next(read_chunks(path, 512), b"")
    if start.startswith(ZIP_MAGIC):
        return True
    if start.startswith((GZIP_MAGIC, BZIP2_MAGIC)):
        start = _first_plain_bytes(path)
    return start[_TAR_MARK_OFFSET:].startswith(_TAR_MARK)


def _first_plain_bytes(path: Path) -> bytes:
    """Return enough of a compressed file to tell a tar; nothing when it is damaged, as others will say."""
    try:
        return next(_decompressed(path, ""), b"")
    except FormatError:
        return b""


def _only_member(path: Path, label: str, member: re.Pattern[str]) -> str:
    names = [each.name for each in members(path, limits=_LIMITS, label=label)]
    fitting = [name for name in names if member.search(name)]
    if len(fitting) != 1:
        shown = ", ".join(fitting or names)[:200] or "none"
        raise FormatError(
            label,
            expected=f"one file whose path fits {member.pattern}",
            found=f"{len(fitting)} among {len(names):,}: {shown}",
        )
    return fitting[0]


def _decompressed(path: Path, label: str) -> Iterator[bytes]:
    start = next(read_chunks(path, len(XZ_MAGIC)), b"")
    if start.startswith(XZ_MAGIC):
        return _unpacked(path, label, lzma.LZMADecompressor(memlimit=_XZ_MEMORY), "xz")
    if start.startswith(BZIP2_MAGIC):
        return _unpacked(path, label, bz2.BZ2Decompressor(), "bzip2")
    return plain_chunks(read_chunks(path), label)


def _unpacked(
    path: Path, label: str, decompressor: lzma.LZMADecompressor | bz2.BZ2Decompressor, kind: str
) -> Iterator[bytes]:
    """Yield the plain bytes of one xz or bzip2 stream."""
    for chunk in read_chunks(path):
        data = chunk
        while not decompressor.eof and (data or not decompressor.needs_input):
            try:
                plain = decompressor.decompress(data, _OUTPUT_LIMIT)
            except (lzma.LZMAError, OSError, zlib.error) as error:
                found = f"damage ({error})"
                raise FormatError(label, expected=f"sound {kind} data", found=found) from error
            data = b""
            yield plain
    if not decompressor.eof:
        found = "the end of the file: it is cut"
        raise FormatError(label, expected=f"the end of the {kind} stream", found=found)


def _limited(chunks: Iterator[bytes], label: str) -> Iterator[bytes]:
    total = 0
    for chunk in chunks:
        total += len(chunk)
        if total > TABLE_LIMIT:
            raise FormatError(label, expected=f"a table of at most {TABLE_LIMIT:,} bytes", found="more")
        yield chunk
