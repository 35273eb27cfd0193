"""Zip archives written as a stream, whose bytes depend on nothing but names and contents.

No clock, owner or machine gets into an archive, members come in the order they were written, and deflate is
zlib-ng's, whose output for one version of it is the same on all processors (checked: x86-64 from SSSE3 to
AVX-512, and ARMv8; Intel's ISA-L is three times as fast, but its output depends on the processor). Members
may be larger than 4 GB. Python's zipfile, Info-ZIP and R's ``unzip`` read them.

What goes into an archive, and where the file is kept, is decided elsewhere. Reading: ``formats.archive``.
"""

from __future__ import annotations

import hashlib
import struct
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

from zlib_ng import zlib_ng

LEVEL = 3
"""Of text of numbers as small as zlib's default makes it (0.43 of its size), in a seventh of the time."""
TRIED_BYTES = 1 << 15
LITTLE_GAIN = 1.08
"""Where looking for repeats makes the start of a chunk less than this much smaller, as in digits of numbers
that differ, the chunk is only coded by how frequent its bytes are: to 0.46 in a third of the time."""
CHUNK_BYTES = 1 << 20
"""Text that is deflated at once, on one thread; matches do not reach over its end, which costs 0.1 %."""
_HELD_BYTES = 8 << 20
"""A member whose deflated bytes are fewer gets a header without Zip64."""

_LIMIT, _MOST_MEMBERS = 0xFFFFFFFF, 0xFFFF
"""From here on a number is told in a Zip64 record, and a mark stands in its place."""
_IN_ZIP64, _COUNT_IN_ZIP64 = 0xFFFFFFFF, 0xFFFF
_STORED, _DEFLATED = 0, 8
_DATE, _TIME = 0x21, 0  # 1 January 1980, the first that zip can say
_UTF8 = 0x800
_UNIX = 3 << 8
_PLAIN_FILE = 0o100644 << 16
_VERSION, _VERSION_ZIP64 = 20, 45

_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_END_ZIP64 = struct.Struct("<4sQ2H2I4Q")
_LOCATOR_ZIP64 = struct.Struct("<4sIQI")


@dataclass(frozen=True, slots=True)
class Member:
    """One file of an archive: its path there, size and SHA-256 of its content, and deflated size."""

    name: str
    size: int
    sha256: str
    packed_size: int


@dataclass(frozen=True, slots=True)
class Entry:
    """What the directory of an archive says of one member."""

    member: Member
    crc: int
    method: int
    offset: int


class MembersWriter:
    """Writes members of an archive, one after the other, but not its directory; a context manager.

    ``threads`` deflate at once; the bytes do not depend on it.
    """

    def __init__(self, stream: BinaryIO, *, threads: int = 1) -> None:
        self._stream = stream
        self.entries: list[Entry] = []
        self._names: set[str] = set()
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None
        self._waiting = 2 * threads
        self._writing = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    @property
    def members(self) -> tuple[Member, ...]:
        """The members that are whole, in order."""
        return tuple(entry.member for entry in self.entries)

    @contextmanager
    def member(self, name: str, *, stored: bool = False) -> Iterator[MemberWriter]:
        """Write one member: what the block writes to the object it gets. ``stored`` does not deflate.

        Raises ValueError for a name that is taken or would leave the folder that is unpacked to, and
        where another member is being written.
        """
        self._check_name(name)
        self._names.add(name)
        self._writing = name
        writer = MemberWriter(self._stream, name, stored, self._pool, self._waiting)
        yield writer
        self.entries.append(writer.finish())
        self._writing = ""

    def add_bytes(self, name: str, data: bytes, *, stored: bool = False) -> Member:
        """Write one member whose content is at hand."""
        with self.member(name, stored=stored) as writer:
            writer.write(data)
        return self.entries[-1].member

    def add_file(self, name: str, path: Path, *, stored: bool = False) -> Member:
        """Write one member with the content of a file; its dates and rights are left behind."""
        with path.open("rb") as source, self.member(name, stored=stored) as writer:
            while chunk := source.read(CHUNK_BYTES):
                writer.write(chunk)
        return self.entries[-1].member

    def _check_name(self, name: str) -> None:
        if self._writing:
            raise ValueError(f"{name} cannot be written before {self._writing} is whole")
        if name in self._names:
            raise ValueError(f"the archive has two members {name}")
        if "\\" in name or any(part in ("", ".", "..") for part in name.split("/")):
            raise ValueError(f"{name!r} is no path of a member")

    def require_whole(self) -> None:
        """Raise ValueError when a member was begun and not finished."""
        if self._writing:
            raise ValueError(f"{self._writing} is not whole")


class ZipWriter(MembersWriter):
    """An archive being written to a new file; a context manager. What is not closed is no archive.

    When the block ends by an error the directory is not written, so that no reader takes the file for whole.
    """

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        super().__exit__(kind)
        if kind is None:
            self.require_whole()
            write_directory(self._stream, self.entries)


def write_directory(stream: BinaryIO, entries: Iterable[Entry]) -> None:
    """Write the directory of an archive behind its members, which ends it."""
    start, count = stream.tell(), 0
    for entry in entries:
        stream.write(_central_header(entry))
        count += 1
    size = stream.tell() - start
    if start >= _LIMIT or size >= _LIMIT or count >= _MOST_MEMBERS:
        end = start + size
        counts = (0, 0, count, count, size, start)
        stream.write(_END_ZIP64.pack(b"PK\6\6", 44, _VERSION_ZIP64 | _UNIX, _VERSION_ZIP64, *counts))
        stream.write(_LOCATOR_ZIP64.pack(b"PK\6\7", 0, end, 1))
    shown = count if count < _MOST_MEMBERS else _COUNT_IN_ZIP64
    stream.write(_END.pack(b"PK\5\6", 0, 0, shown, shown, _plain(size), _plain(start), 0))


class MemberWriter:
    """Takes the bytes of one member."""

    def __init__(
        self, stream: BinaryIO, name: str, stored: bool, pool: ThreadPoolExecutor | None, waiting: int
    ) -> None:
        self._stream = stream
        self._name = name
        self._method = _STORED if stored else _DEFLATED
        self._pool = pool
        self._waiting = waiting
        self._offset = stream.tell()
        self._buffer = bytearray()
        self._under_way: deque[Future[bytes]] = deque()
        self._held: list[bytes] = []
        self._header_written = False
        self._digest = hashlib.sha256()
        self._size = self._packed = self._crc = 0

    def write(self, data: bytes, /) -> int:
        """Take all of ``data``."""
        self._digest.update(data)
        self._crc = zlib_ng.crc32(data, self._crc)
        self._size += len(data)
        self._buffer += data
        if len(self._buffer) > CHUNK_BYTES:
            self._pack_whole_chunks()
        return len(data)

    def finish(self) -> Entry:
        """Write what is left and the header; the member is then whole."""
        self._pack(bytes(self._buffer), last=True)
        while self._under_way:
            self._put(self._under_way.popleft().result())
        member = Member(self._name, self._size, self._digest.hexdigest(), self._packed)
        entry = Entry(member, self._crc, self._method, self._offset)
        self._complete_header(entry)
        return entry

    def _pack_whole_chunks(self) -> None:
        whole = (len(self._buffer) - 1) // CHUNK_BYTES * CHUNK_BYTES  # something is left for the last one
        with memoryview(self._buffer) as view:
            for start in range(0, whole, CHUNK_BYTES):
                self._pack(bytes(view[start : start + CHUNK_BYTES]), last=False)
        del self._buffer[:whole]

    def _pack(self, chunk: bytes, *, last: bool) -> None:
        if self._method == _STORED:
            self._put(chunk)
        elif self._pool is None:
            self._put(_deflate(chunk, last))
        else:
            if len(self._under_way) == self._waiting:
                self._put(self._under_way.popleft().result())
            self._under_way.append(self._pool.submit(_deflate, chunk, last))

    def _put(self, packed: bytes) -> None:
        self._packed += len(packed)
        if self._header_written:
            self._stream.write(packed)
            return
        self._held.append(packed)
        if self._packed >= _HELD_BYTES:
            self._stream.write(_local_header(self._name, self._method, 0, 0, 0, bytes(20)))
            self._header_written = True
            self._stream.write(b"".join(self._held))
            self._held.clear()

    def _complete_header(self, entry: Entry) -> None:
        size, packed = entry.member.size, entry.member.packed_size
        if not self._header_written and size < _LIMIT:
            self._stream.write(_local_header(self._name, self._method, entry.crc, packed, size, b""))
            self._stream.write(b"".join(self._held))
            return
        sizes = struct.pack("<2H2Q", 1, 16, size, packed)
        header = _local_header(self._name, self._method, entry.crc, _IN_ZIP64, _IN_ZIP64, sizes)
        if not self._header_written:
            self._stream.write(header)
            self._stream.write(b"".join(self._held))
            return
        end = self._stream.tell()
        self._stream.seek(self._offset)
        self._stream.write(header)
        self._stream.seek(end)


def _deflate(chunk: bytes, last: bool) -> bytes:
    start = chunk[:TRIED_BYTES]
    by_repeats, by_bytes = (
        len(_packed(start, strategy, zlib_ng.Z_FINISH))
        for strategy in (zlib_ng.Z_DEFAULT_STRATEGY, zlib_ng.Z_HUFFMAN_ONLY)
    )
    little = by_bytes < LITTLE_GAIN * by_repeats
    strategy = zlib_ng.Z_HUFFMAN_ONLY if little else zlib_ng.Z_DEFAULT_STRATEGY
    return _packed(chunk, strategy, zlib_ng.Z_FINISH if last else zlib_ng.Z_SYNC_FLUSH)


def _packed(data: bytes, strategy: int, end: int) -> bytes:
    packer = zlib_ng.compressobj(LEVEL, zlib_ng.DEFLATED, -zlib_ng.MAX_WBITS, zlib_ng.DEF_MEM_LEVEL, strategy)
    return packer.compress(data) + packer.flush(end)


def _local_header(name: str, method: int, crc: int, packed: int, size: int, extra: bytes) -> bytes:
    encoded, flags = _encoded(name)
    version = _VERSION_ZIP64 if extra else _VERSION
    fixed = (version, flags, method, _TIME, _DATE, crc, packed, size, len(encoded), len(extra))
    return _LOCAL.pack(b"PK\3\4", *fixed) + encoded + extra


def _central_header(entry: Entry) -> bytes:
    encoded, flags = _encoded(entry.member.name)
    numbers = (entry.member.size, entry.member.packed_size, entry.offset)
    large = b"".join(struct.pack("<Q", number) for number in numbers if number >= _LIMIT)
    extra = struct.pack("<2H", 1, len(large)) + large if large else b""
    size, packed, offset = map(_plain, numbers)
    version = _VERSION_ZIP64 if extra else _VERSION
    fixed = (version | _UNIX, version, flags, entry.method, _TIME, _DATE, entry.crc, packed, size)
    lengths = (len(encoded), len(extra), 0, 0, 0)
    return _CENTRAL.pack(b"PK\1\2", *fixed, *lengths, _PLAIN_FILE, offset) + encoded + extra


def _plain(number: int) -> int:
    return number if number < _LIMIT else _IN_ZIP64


def _encoded(name: str) -> tuple[bytes, int]:
    return name.encode(), 0 if name.isascii() else _UTF8
