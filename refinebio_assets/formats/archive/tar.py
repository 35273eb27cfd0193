"""The entries of a tar archive, plain or compressed with gzip or bzip2, in one pass without seeking back.

Python's own ``tarfile`` parses the header blocks. It does not walk the archive, because it takes a damaged
header after the first for the archive's end, and reads extended headers of any size into memory.
"""

from __future__ import annotations

import bz2
import gzip
import re
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from refinebio_assets.errors import StorageError
from refinebio_assets.formats.archive.entry import CHUNK_BYTES, Entry, damaged
from refinebio_assets.formats.archive.limits import Budget

BLOCK = tarfile.BLOCKSIZE
_HEADER_LIMIT = 1 << 20
"""Bytes of one extended header; a path takes a few hundred."""
_PAX_HEADERS = (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE)
_FOLDERS = (tarfile.DIRTYPE, b"D")
_REGULAR = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE)
_VOLUME_LABEL = b"V"
_REFUSED = {
    tarfile.LNKTYPE: "a hard link to {}",
    tarfile.SYMTYPE: "a symbolic link to {}",
    tarfile.CHRTYPE: "a character device",
    tarfile.BLKTYPE: "a block device",
    tarfile.FIFOTYPE: "a named pipe",
    tarfile.GNUTYPE_SPARSE: "a sparse file, which is not supported",
}
_WITHOUT_CONTENT = (*list(_REFUSED)[:5], tarfile.DIRTYPE)
_PAX_LENGTH = re.compile(rb"(\d{1,9}) ")


class Readable(Protocol):
    """What a tar archive is read from."""

    def read(self, size: int, /) -> bytes:
        """Return that many bytes, fewer only at the end."""

    def seek(self, place: int, /) -> int:
        """Go to a place."""

    def tell(self) -> int:
        """Return the place."""


def is_tar_header(block: bytes) -> bool:
    """Tell whether a file that begins with these 512 bytes is a tar archive."""
    if block[257:262] == b"ustar":
        return True
    try:
        return bool(tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape").name)
    except tarfile.HeaderError:
        return False


@contextmanager
def opened(path: Path, magic: bytes) -> Iterator[Readable]:
    """Open a file for reading plain bytes, through the decompressor that its first bytes ask for."""
    if magic.startswith(b"\x1f\x8b"):
        with gzip.open(path, "rb") as unzipped:
            yield unzipped
    elif magic.startswith(b"BZh"):
        with bz2.open(path, "rb") as unzipped:
            yield unzipped
    else:
        with path.open("rb") as plain:
            yield plain


def tar_entries(path: Path, magic: bytes, label: str, budget: Budget) -> Iterator[Entry]:
    """Yield the entries in order; folders are counted and passed over.

    Raises FormatError for an archive that is damaged or cut, also when it is cut between two members.
    """
    with opened(path, magic) as stream:
        tape = _Tape(stream, label, budget, None if magic else path.stat().st_size)
        while (header := _next_header(tape)) is not None:
            budget.member()
            tape.begin(header.name, header.content_bytes)
            if not header.ignored:
                yield Entry(header.name, header.size, header.refusal, tape.content)
            tape.skip_rest()
        tape.read_to_the_end()


@dataclass(frozen=True, slots=True)
class _Header:
    name: str
    size: int
    content_bytes: int
    refusal: str
    ignored: bool


class _Tape:
    """Reads a tar archive forward and counts what it reads. ``size`` is given where skipping can seek."""

    def __init__(self, stream: Readable, label: str, budget: Budget, size: int | None) -> None:
        self._stream = stream
        self._label = label
        self._budget = budget
        self._size = size
        self._left = 0
        self._padding = 0
        self.member = ""

    def error(self, expected: str, found: str) -> Exception:
        return damaged(self._label, self.member, expected, found)

    def block(self) -> bytes:
        """Return the next 512 bytes, or nothing at the end of the file."""
        block = self._read(BLOCK)
        if 0 < len(block) < BLOCK:
            raise self.error("a header of 512 bytes", f"the end of the file after {len(block)} of them")
        return block

    def extended_header(self, size: int) -> bytes:
        if not 0 <= size <= _HEADER_LIMIT:
            raise self.error(f"an extended header of at most {_HEADER_LIMIT:,} bytes", f"{size:,}")
        data = self._read(size + -size % BLOCK)
        if len(data) < size:
            raise self.error(f"an extended header of {size:,} bytes", f"the end of the file at {len(data):,}")
        return data[:size]

    def begin(self, member: str, size: int) -> None:
        self.member = member
        self._left, self._padding = size, -size % BLOCK

    def content(self) -> Iterator[bytes]:
        while self._left:
            data = self._read(min(self._left, CHUNK_BYTES))
            if not data:
                raise self.error(f"{self._left:,} more bytes", "the end of the file: the archive is cut")
            self._left -= len(data)
            yield data

    def skip_rest(self) -> None:
        """Go to the next header."""
        if self._size is not None and self._left:
            place = self._stream.tell() + self._left
            if place > self._size:
                missing = f"the end of the file {place - self._size:,} bytes before it: the archive is cut"
                raise self.error("the member's end", missing)
            self._stream.seek(place)
            self._left = 0
        for _ in self.content():
            pass
        self._read(self._padding)
        self._padding = 0

    def read_to_the_end(self) -> None:
        """Read what follows the archive, where there is a checksum at the end of the compressed stream."""
        while self._size is None and self._read(CHUNK_BYTES):
            pass

    def _read(self, size: int) -> bytes:
        try:
            data = self._stream.read(size)
        except EOFError as error:
            raise self.error("the end of the compressed stream", "the end of the file: it is cut") from error
        except zlib.error as error:
            raise self.error("sound compressed data", f"damage ({error})") from error
        except OSError as error:
            if error.errno is not None:
                raise StorageError(f"could not read {self._label}: {error}") from error
            raise self.error("sound compressed data", f"damage ({error})") from error
        self._budget.take(len(data))
        return data


def _next_header(tape: _Tape) -> _Header | None:
    """Return the next member's header, the extended headers before it applied; None at the archive's end."""
    name, size, sparse = "", None, False
    while True:
        block = tape.block()
        if not block:
            raise tape.error("another member or the end mark", "the end of the file: the archive is cut")
        if not block.strip(b"\0"):
            return None
        info = _parsed(tape, block)
        if info.type == tarfile.GNUTYPE_LONGNAME:
            name = _text(tape.extended_header(info.size).split(b"\0", 1)[0])
        elif info.type in _PAX_HEADERS:
            records = _pax_records(tape, tape.extended_header(info.size))
            name = _text(records.get(b"path", b"")) or name
            size = _pax_size(tape, records) if b"size" in records else size
            sparse = sparse or any(key.startswith(b"GNU.sparse.") for key in records)
        elif info.type in (tarfile.GNUTYPE_LONGLINK, tarfile.XGLTYPE):
            tape.extended_header(info.size)
        else:
            _pass_sparse_map(tape, info, block)
            return _header(tape, info, name, info.size if size is None else size, sparse)


def _parsed(tape: _Tape, block: bytes) -> tarfile.TarInfo:
    try:
        return tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.HeaderError as error:
        after = f"after member {tape.member}" if tape.member else "at the start"
        raise tape.error(f"a tar header {after}", f"damage ({error})") from error


def _header(tape: _Tape, info: tarfile.TarInfo, name: str, size: int, sparse: bool) -> _Header:
    name = name or _text(info.name.encode("utf-8", "surrogateescape"))
    if size < 0:
        raise tape.error(f"a size for member {name}", f"{size:,}")
    folder = info.type in _FOLDERS or (info.type in _REGULAR and name.endswith("/"))
    refusal = _REFUSED.get(tarfile.GNUTYPE_SPARSE if sparse else info.type, "")
    if not refusal and info.type not in _REGULAR:
        refusal = f"of unknown kind {info.type.decode('latin-1')!r}"
    target = _text(info.linkname.encode("utf-8", "surrogateescape"))
    content_bytes = 0 if info.type in _WITHOUT_CONTENT else size
    ignored = folder or info.type == _VOLUME_LABEL
    return _Header(name, size, content_bytes, refusal.replace("{}", target), ignored)


def _pass_sparse_map(tape: _Tape, info: tarfile.TarInfo, block: bytes) -> None:
    """Read over the blocks that say where the holes of an old GNU sparse file are."""
    more = info.type == tarfile.GNUTYPE_SPARSE and block[482]
    while more:
        block = tape.block()
        if not block:
            raise tape.error("the map of a sparse file", "the end of the file: the archive is cut")
        more = block[504]


def _pax_records(tape: _Tape, data: bytes) -> dict[bytes, bytes]:
    """Return the records of an extended header, ``length key=value`` each."""
    records: dict[bytes, bytes] = {}
    place = 0
    while place < len(data) and data[place]:
        match = _PAX_LENGTH.match(data, place)
        end = place + int(match[1]) if match else 0
        record = data[match.end() : end] if match else b""
        if not record.endswith(b"\n") or end > len(data):
            raise tape.error("an extended header of records", repr(data[place : place + 40]))
        key, _, value = record[:-1].partition(b"=")
        records[key] = value
        place = end
    return records


def _pax_size(tape: _Tape, records: dict[bytes, bytes]) -> int:
    size = records[b"size"]
    if not size.isdigit() or len(size) > 18:
        raise tape.error("a size in an extended header", repr(size[:40]))
    return int(size)


def _text(name: bytes) -> str:
    try:
        return name.decode("utf-8")
    except UnicodeDecodeError:
        return name.decode("latin-1")
