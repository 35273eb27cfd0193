"""The plain bytes of a file, read only as far as they are needed, and numbers and strings in them.

Shared by the readers of Affymetrix's binary files. Nothing is allocated because a file says so: memory
grows with the bytes that are really there, up to a limit that the reader sets.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

from refinebio_assets.errors import FormatError
from refinebio_assets.formats.compressed import plain_chunks, read_chunks

HEAD_LIMIT = 64 << 20
"""Far beyond the head of any real file (100 kB), so that a forged one ends soon."""
MAX_INT = (1 << 31) - 1
_STRING_LIMIT = 16 << 20


class PlainBytes:
    """A file's plain bytes from its start, decompressed on demand, at most ``limit`` of them."""

    def __init__(self, chunks: Iterator[bytes], label: str, *, limit: int = HEAD_LIMIT) -> None:
        self.label = label
        self.limit = limit
        self.data = bytearray()
        self._chunks = chunks

    @classmethod
    def of(cls, path: Path, label: str, *, limit: int = HEAD_LIMIT) -> PlainBytes:
        """Open a file, plain or gzip. Errors, as in ``formats.compressed``, come when bytes are asked for."""
        return cls(plain_chunks(read_chunks(path), label), label, limit=limit)

    def reach(self, end: int) -> bool:
        """Read on until there are ``end`` bytes; tell whether there are. FormatError beyond the limit."""
        if end > self.limit:
            found = f"{end:,} or more"
            raise FormatError(self.label, expected=f"at most {self.limit:,} bytes here", found=found)
        while len(self.data) < end:
            chunk = next(self._chunks, None)
            if chunk is None:
                return False
            self.data += chunk
        return True

    def finish(self) -> bytearray:
        """Read to the end, which also verifies a gzip stream's checksum, and return all bytes."""
        while self.reach(len(self.data) + 1):
            pass
        return self.data

    def find(self, mark: bytes) -> int:
        """Return where ``mark`` first is, or -1 when the file ends without it."""
        start = 0
        while (place := self.data.find(mark, start)) < 0:
            start = max(0, len(self.data) - len(mark) + 1)
            if not self.reach(len(self.data) + 1):
                return -1
        return place


class Cursor:
    """Reads one value after the other. ``order`` is struct's: ``<`` little-endian, ``>`` big-endian.

    Every method takes ``what``, the value's name for messages, and raises FormatError with the offset
    when the file ends before.
    """

    def __init__(self, source: PlainBytes, order: str, position: int = 0) -> None:
        self.source = source
        self.position = position
        self._order = order

    def take(self, count: int, what: str) -> memoryview:
        """Return the next ``count`` bytes."""
        if not self.source.reach(self.position + count):
            raise self.error(f"{count:,} bytes of {what}", self._end())
        start, self.position = self.position, self.position + count
        return memoryview(bytes(self.source.data[start : self.position]))

    def number(self, code: str, what: str) -> int:
        """Return the next integer; ``code`` is struct's (``i``, ``I``, ``H``, ``B``)."""
        layout = self._order + code
        (value,) = struct.unpack(layout, self.take(struct.calcsize(layout), what))
        return int(value)

    def count(self, what: str, *, code: str = "i", most: int = MAX_INT) -> int:
        """Return the next integer, which must be between 0 and ``most``."""
        value = self.number(code, what)
        if not 0 <= value <= most:
            self.position -= struct.calcsize(self._order + code)
            raise self.error(f"{what} between 0 and {most:,}", f"{value:,}")
        return value

    def text(self, what: str) -> str:
        """Return a string of 8-bit characters with its length before it."""
        length = self.count(f"length of {what}", most=_STRING_LIMIT)
        return bytes(self.take(length, what)).decode("latin-1")

    def blob(self, what: str) -> bytes:
        """Return bytes with their length before them."""
        length = self.count(f"length of {what}", most=_STRING_LIMIT)
        return bytes(self.take(length, what))

    def wide_text(self, what: str) -> str:
        """Return a string of 16-bit characters with its length before it."""
        length = self.count(f"length of {what}", most=_STRING_LIMIT)
        return decode_wide(bytes(self.take(2 * length, what)))

    def error(self, expected: str, found: str) -> FormatError:
        """Return the error of a value that is wrong at the current offset."""
        place = f"byte {self.position:,}"
        return FormatError(self.source.label, place=place, expected=expected, found=found)

    def _end(self) -> str:
        return f"the end of the file at byte {len(self.source.data):,}: it is cut"


def decode_wide(data: bytes) -> str:
    """Return UTF-16 (big-endian) text up to its first NUL, which pads fields of fixed size."""
    return data.decode("utf-16-be", errors="replace").partition("\0")[0]
