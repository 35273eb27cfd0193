"""FASTA files of nucleotide sequences, read and written one record at a time.

One record is in memory at once, so that a genome streams by chromosome. Cutting transcripts out of
chromosomes is the work of ``methods.splice``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from refinebio_assets.errors import FormatError
from refinebio_assets.formats.compressed import plain_chunks, quoted, read_chunks

LINE_WIDTH = 60
"""Bases on a line as Ensembl writes them."""
_NUCLEOTIDES = b"ACGTUNRYSWKMBDHVXacgtunryswkmbdhvx-*"
_LINE_ENDS = b"\r\n"
_HEADER_LIMIT = 1 << 20


@dataclass(frozen=True, slots=True)
class FastaRecord:
    """One sequence: ``name`` is the header's first word, ``sequence`` the bases as the file has them."""

    name: str
    sequence: bytes


def read_fasta(path: Path, label: str | None = None) -> Iterator[FastaRecord]:
    """Yield the records of a FASTA file, plain or gzip (told by content), in its order.

    ``label`` replaces the path in messages. Raises FormatError, naming the line, for a file that does
    not begin with a header, a header without a name, a name that comes twice, a record without bases,
    a character that is no IUPAC nucleotide code, and an empty file; NotFoundError when there is no file.
    """
    name = label or str(path)
    reader = _Reader(name)
    for chunk in plain_chunks(read_chunks(path), name):
        yield from reader.feed(chunk)
    yield reader.finish()


def write_fasta(path: Path, records: Iterable[FastaRecord], *, width: int = LINE_WIDTH) -> int:
    """Write records with ``width`` bases a line, in the order given; return how many were written."""
    written = 0
    with path.open("wb") as target:
        for record in records:
            sequence = record.sequence
            lines = [sequence[start : start + width] for start in range(0, len(sequence), width)]
            target.write(b">" + record.name.encode("utf-8") + b"\n" + b"\n".join(lines) + b"\n")
            written += 1
    return written


class _Reader:
    """Cuts a stream of chunks into records, whatever the length of its lines."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._line = 1
        """The line that the next byte is on."""
        self._at_line_start = True
        self._rest = b""
        self._name: str | None = None
        self._pieces: list[bytes] = []
        self._line_of: dict[str, int] = {}

    def feed(self, chunk: bytes) -> Iterator[FastaRecord]:
        data = self._rest + chunk
        self._rest = b""
        position = 0
        while position < len(data):
            if self._at_line_start and data.startswith(b">", position):
                end = data.find(b"\n", position)
                if end < 0:
                    self._keep(data[position:])
                    return
                if self._name is not None:
                    yield self._record(self._name)
                self._begin(data[position + 1 : end])
                position = end + 1
                continue
            header = data.find(b"\n>", position)
            end = header + 1 if header >= 0 else len(data)
            self._extend(data[position:end])
            position = end

    def finish(self) -> FastaRecord:
        if self._rest:
            found = f"the end of the file after {quoted(self._rest)}"
            raise FormatError(self._label, line=self._line, expected="bases after the header", found=found)
        if self._name is None:
            raise FormatError(self._label, expected="FASTA records", found="an empty file")
        return self._record(self._name)

    def _keep(self, rest: bytes) -> None:
        if len(rest) > _HEADER_LIMIT:
            found = f"more than {_HEADER_LIMIT:,} bytes: {quoted(rest)}"
            raise FormatError(self._label, line=self._line, expected="a header line", found=found)
        self._rest = rest

    def _begin(self, header: bytes) -> None:
        try:
            words = header.decode("utf-8").split(maxsplit=1)
        except UnicodeDecodeError as error:
            raise FormatError(
                self._label, line=self._line, expected="UTF-8 text", found=quoted(header)
            ) from error
        if not words or header[:1].isspace():
            found = quoted(b">" + header)
            raise FormatError(self._label, line=self._line, expected="a name after '>'", found=found)
        name = words[0]
        if name in self._line_of:
            found = f"{name!r}, which is also on line {self._line_of[name]:,}"
            raise FormatError(self._label, line=self._line, expected="each name once", found=found)
        self._line_of[name] = self._line
        self._name = name
        self._line += 1

    def _extend(self, text: bytes) -> None:
        bases = text.translate(None, _LINE_ENDS)
        if self._name is None and bases:
            raise FormatError(
                self._label, line=self._line, expected="a FASTA header ('>name')", found=quoted(text)
            )
        if bases.translate(None, _NUCLEOTIDES):
            raise self._illegal(text)
        if bases:
            self._pieces.append(bases)
        self._line += text.count(b"\n")
        self._at_line_start = text.endswith(b"\n")

    def _illegal(self, text: bytes) -> FormatError:
        strange = text.translate(None, _NUCLEOTIDES + _LINE_ENDS)[:1]
        line = self._line + text.count(b"\n", 0, text.index(strange))
        found = f"{quoted(strange)} in {self._name!r}"
        return FormatError(self._label, line=line, expected="IUPAC nucleotide codes", found=found)

    def _record(self, name: str) -> FastaRecord:
        if not self._pieces:
            line = self._line_of[name]
            raise FormatError(self._label, line=line, expected=f"bases of {name!r}", found="none")
        record = FastaRecord(name, b"".join(self._pieces))
        self._pieces = []
        return record
