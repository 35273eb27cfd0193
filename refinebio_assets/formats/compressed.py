"""Bytes of a file as plain text, whether it is gzip or not; what they mean is the other modules' work.

Gzip is recognized by content, never by name: content-addressed files have no telling names. Members
that follow each other (bgzip, concatenated lanes) are one text, as RFC 1952 says.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePath

from refinebio_assets.errors import FormatError, NotFoundError, PermanentError, StorageError

GZIP_MAGIC = b"\x1f\x8b"
CHUNK_BYTES = 1 << 20
_INPUT_SLICE = 1 << 18
"""What zlib is given at once. Each member copies what follows it, so a large slice of a bgzip file
(members of 16 kB) would be copied many times."""
_OUTPUT_LIMIT = 1 << 20
"""What zlib may return at once, so that a small file cannot grow into all of the memory."""
_GZIP_WINDOW = 31
"""zlib's code for "a gzip member, checksum verified"."""
_LOOKS_LIKE = (
    (GZIP_MAGIC, "gzip data"),
    (b"BZh", "a bzip2 file"),
    (b"PK\x03\x04", "a zip archive"),
    (b"\xfd7zXZ\x00", "an xz file"),
    (b"\x28\xb5\x2f\xfd", "a zstd file"),
    (b"NCBI.sra", "an SRA archive"),
    (b"BAM\x01", "a BAM file"),
    (b"CRAM", "a CRAM file"),
    (b"%PDF", "a PDF"),
    (b"\x89HDF", "an HDF5 file"),
    (b"PAR1", "a Parquet file"),
    (b"\xff\xfe", "UTF-16 text"),
    (b"\xfe\xff", "UTF-16 text"),
    (b"<", "HTML or XML"),
    (b"@", "FASTQ or SAM"),
    (b">", "FASTA"),
)
_QUOTED_BYTES = 60
_LINE_LIMIT = 16 << 20


class PlainText:
    """Turns the chunks of one file, as they arrive, into chunks of its plain bytes.

    Give every chunk to ``feed``, then call ``finish`` once. Both raise FormatError for a gzip stream
    that is damaged, cut, or followed by something else than gzip members and zero padding.
    """

    def __init__(self, label: str | PurePath) -> None:
        self._label = label
        self._head: bytes | None = b""
        self._gzip = False
        self._padding = False
        self._taken = 0
        self._member: zlib._Decompress | None = None

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Yield the plain bytes that this chunk completes."""
        if self._head is not None:
            chunk = self._head + chunk
            if len(chunk) < len(GZIP_MAGIC):
                self._head = chunk
                return
            self._head = None
            self._gzip = chunk.startswith(GZIP_MAGIC)
        if not self._gzip:
            yield chunk
            return
        for start in range(0, len(chunk), _INPUT_SLICE):
            yield from self._inflate(chunk[start : start + _INPUT_SLICE])

    def finish(self) -> Iterator[bytes]:
        """Yield what is left of a file of one byte; raise FormatError when the gzip stream is cut."""
        if self._head:
            yield self._head
        if self._member is not None:
            raise self._damaged("the end of the gzip stream", "the end of the file: it is cut")

    def _inflate(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._member is None:
                self._begin_member(data)
            if self._member is None:
                return
            try:
                plain = self._member.decompress(data, _OUTPUT_LIMIT)
            except zlib.error as error:
                raise self._damaged("sound gzip data", f"damage ({error})") from error
            rest = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
            self._taken += len(data) - len(rest)
            data = rest
            if self._member.eof:
                self._member = None
            if plain:
                yield plain

    def _begin_member(self, data: bytes) -> None:
        """Start the next member; zeros to the end of the file are padding, as gzip itself accepts."""
        if data.strip(b"\0"):
            if self._padding or data[0] != GZIP_MAGIC[0]:
                found = f"{len(data.lstrip(bytes(1))):,} or more bytes that are not gzip: {quoted(data)}"
                raise self._damaged("nothing after the gzip stream", found)
            self._member = zlib.decompressobj(wbits=_GZIP_WINDOW)
        else:
            self._padding = True

    def _damaged(self, expected: str, found: str) -> FormatError:
        place = f"after byte {self._taken:,} of the compressed file"
        return FormatError(self._label, place=place, expected=expected, found=found)


def plain_chunks(chunks: Iterable[bytes], label: str | PurePath) -> Iterator[bytes]:
    """Yield the plain bytes of a file given in chunks; errors as ``PlainText``."""
    text = PlainText(label)
    for chunk in chunks:
        yield from text.feed(chunk)
    yield from text.finish()


def read_chunks(path: Path, size: int = CHUNK_BYTES) -> Iterator[bytes]:
    """Yield a file's bytes as they are. NotFoundError when there is no such file."""
    try:
        with path.open("rb", buffering=0) as stream:
            # A buffer beyond the file's size costs more than reading it.
            size = min(size, os.fstat(stream.fileno()).st_size or size)
            while chunk := stream.read(size):
                yield chunk
    except FileNotFoundError as error:
        raise NotFoundError(f"no file at {path}") from error
    except (IsADirectoryError, PermissionError) as error:
        raise PermanentError(f"could not read {path}: {error.strerror}") from error
    except OSError as error:
        raise StorageError(f"could not read {path}: {error}") from error


def plain_lines(path: Path, label: str | PurePath) -> Iterator[list[bytes]]:
    """Yield a file's lines without their LF, whole, in lists of about a megabyte.

    A last line without a line end is a line; CR before LF is left to the caller. Raises FormatError as
    ``PlainText``, and for a line of more than 16 MB: not the kind of text that is read by lines.
    """
    rest = b""
    for chunk in plain_chunks(read_chunks(path), label):
        lines = (rest + chunk).split(b"\n")
        rest = lines.pop()
        if lines:
            yield lines
        if len(rest) > _LINE_LIMIT:
            found = f"a line of more than {_LINE_LIMIT:,} bytes: {quoted(rest)}"
            raise FormatError(label, expected="a text file with lines", found=found)
    if rest:
        yield [rest]


def quoted(data: bytes) -> str:
    """Return the start of some bytes as people can read it in a message, with what they look like."""
    start = data[:_QUOTED_BYTES]
    try:
        shown = repr(start.decode("utf-8"))
    except UnicodeDecodeError:
        shown = repr(start)
    shown += " ..." if len(data) > _QUOTED_BYTES else ""
    kind = next((kind for magic, kind in _LOOKS_LIKE if data.startswith(magic)), "")
    return f"{shown} ({kind}?)" if kind else shown
