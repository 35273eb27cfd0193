"""Reads SOFT, the line format of GEO's records: entities with attributes, data tables passed over.

What the attributes mean is the survey's work. GEOparse reads SOFT too, but it needs pandas and holds every
data table in memory; a family file has gigabytes of them and the survey wants none, so this reader
streams: it keeps one entity at a time and jumps over tables without cutting them into rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePath

from refinebio_assets.domain import Metadata
from refinebio_assets.errors import FormatError
from refinebio_assets.formats.compressed import plain_chunks, quoted

KINDS = ("DATABASE", "SERIES", "PLATFORM", "SAMPLE", "DATASET", "SUBSET", "ANNOTATION")

_BOM = b"\xef\xbb\xbf"
_LINE_LIMIT = 16 << 20
_SHOWN = 80
_ENTITY = re.compile(r"\^\s*(\w+)\s*=\s*(.*)")
_ATTRIBUTE = re.compile(r"!\s*([^\s=]+)\s*=(.*)", re.DOTALL)
_TABLE_BEGIN = re.compile(rb"!\w+_table_begin\s*$", re.IGNORECASE)
_TABLE_END = re.compile(rb"!\w+_table_end\s*$", re.IGNORECASE)
_HTML = re.compile(rb"\s*<(?:!doctype|/?(?:html|head|body|title)\b)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SoftEntity:
    """One record of a SOFT file.

    ``kind`` is one of ``KINDS``, ``name`` what follows ``=`` (an accession in GEO's own files), ``pairs``
    its attributes in the file's order, repeats kept, keys without the prefix ``Series_`` (``Sample_`` ...)
    and values without blanks around them; ``line`` is where it begins. ``columns`` are the names of its data
    table's columns, in their order, as far as they are described.
    """

    kind: str
    name: str
    pairs: Metadata
    line: int
    columns: tuple[str, ...] = ()

    def values(self, key: str) -> list[str]:
        """Return every value of an attribute that is not empty, in order."""
        return [value for name, value in self.pairs if name == key and value]

    def first(self, key: str) -> str:
        """Return the first value of an attribute that is not empty, or an empty text."""
        return next(iter(self.values(key)), "")


def read_soft(chunks: Iterable[bytes], label: str | PurePath) -> Iterator[SoftEntity]:
    """Yield the entities of a SOFT file that is given in chunks of bytes, gzip or not.

    Text is UTF-8; a line that is not is read as Latin-1, the other usual one (a family file joins the
    texts of many submitters, so one bad line says nothing about the others). A line that begins with none
    of SOFT's marks continues the value before it. Of column descriptions (``#``) only the names are kept;
    tables are passed over.

    Raises FormatError, naming ``label`` and the line: for what is not SOFT (HTML, an empty file), an
    unknown entity, an attribute without ``=``, a table without end, and a gzip stream that is cut.
    """
    parser = _Parser(label)
    for number, line in _lines_outside_tables(chunks, label):
        yield from parser.take(number, line)
    yield parser.last()


class _Parser:
    """Gathers lines into entities."""

    def __init__(self, label: str | PurePath) -> None:
        self._label = label
        self._head: tuple[str, str, int] | None = None
        self._pairs: list[tuple[str, str]] = []
        self._columns: list[str] = []
        self._continues = False

    def take(self, number: int, line: bytes) -> Iterator[SoftEntity]:
        """Take one line; yield the entity that it ends, if it begins another."""
        if line.startswith(b"^"):
            if self._head:
                yield self._entity(self._head)
            self._head = self._read_head(number, line)
            self._pairs, self._columns, self._continues = [], [], False
        elif self._head is None:
            if line.strip():
                raise self._wrong(number, "a SOFT record: a line like '^SERIES = GSE1'", line)
        elif line.startswith(b"!"):
            self._pairs.append(self._read_attribute(number, line, self._head[0]))
            self._continues = True
        elif line.startswith(b"#"):
            self._columns.append(_decoded(line)[1:].partition("=")[0].strip())
            self._continues = False
        elif line.strip():
            self._continue_value(number, line)

    def last(self) -> SoftEntity:
        """Return the entity that the end of the file ends."""
        if self._head is None:
            raise FormatError(self._label, expected="SOFT records", found="an empty file")
        return self._entity(self._head)

    def _entity(self, head: tuple[str, str, int]) -> SoftEntity:
        kind, name, line = head
        return SoftEntity(kind, name, tuple(self._pairs), line, tuple(filter(None, self._columns)))

    def _read_head(self, number: int, line: bytes) -> tuple[str, str, int]:
        match = _ENTITY.match(_decoded(line))
        if match is None or match[1].upper() not in KINDS:
            raise self._wrong(number, f"an entity, '^' and one of {', '.join(KINDS)}", line)
        return match[1].upper(), match[2].strip(), number

    def _read_attribute(self, number: int, line: bytes, kind: str) -> tuple[str, str]:
        match = _ATTRIBUTE.match(_decoded(line))
        if match is None:
            raise self._wrong(number, f"an attribute, '!{kind.capitalize()}_... = ...'", line)
        key = match[1]
        prefix = f"{kind}_"
        bare = key[len(prefix) :] if key.upper().startswith(prefix) else key
        return bare, match[2].strip()

    def _continue_value(self, number: int, line: bytes) -> None:
        if not self._continues or _HTML.match(line):
            raise self._wrong(number, "a line that begins with '^', '!' or '#'", line)
        key, value = self._pairs[-1]
        self._pairs[-1] = (key, f"{value}\n{_decoded(line).strip()}".strip())

    def _wrong(self, number: int, expected: str, line: bytes) -> FormatError:
        return FormatError(self._label, line=number, expected=expected, found=quoted(line[:_SHOWN]))


def _lines_outside_tables(chunks: Iterable[bytes], label: str | PurePath) -> Iterator[tuple[int, bytes]]:
    """Yield (number from 1, line without its end) for each line that is not part of a data table."""
    cutter = _LineCutter(label)
    for chunk in plain_chunks(chunks, label):
        yield from cutter.feed(chunk)
    yield from cutter.finish()


class _LineCutter:
    """Cuts blocks of bytes into numbered lines and jumps over tables at the speed of a search."""

    def __init__(self, label: str | PurePath) -> None:
        self._label = label
        self._rest = b""
        self._number = 0
        self._table = 0
        """The line where the table that is being passed over begins; 0 outside of tables."""

    def feed(self, chunk: bytes) -> Iterator[tuple[int, bytes]]:
        block = self._rest + chunk
        end = block.rfind(b"\n") + 1
        self._rest = block[end:]
        if len(self._rest) > _LINE_LIMIT:
            found = f"one of more than {_LINE_LIMIT:,} bytes: {quoted(self._rest)}"
            raise FormatError(self._label, line=self._number + 1, expected="a line of text", found=found)
        position = 0
        while position < end:
            if self._table:
                position = self._pass_rows(block, position, end)
                continue
            stop = block.find(b"\n", position)
            line = block[position:stop].rstrip(b"\r")
            position = stop + 1
            self._number += 1
            if self._number == 1:
                line = line.removeprefix(_BOM)
            if _TABLE_BEGIN.match(line):
                self._table = self._number
            else:
                yield self._number, line

    def finish(self) -> Iterator[tuple[int, bytes]]:
        if self._rest:
            yield from self.feed(b"\n")
        if self._table:
            found = "the end of the file: it is cut"
            expected = f"the end of the table that begins on line {self._table:,}"
            raise FormatError(self._label, line=self._number, expected=expected, found=found)

    def _pass_rows(self, block: bytes, position: int, end: int) -> int:
        """Pass over rows up to the next line that may end the table; return the position behind it."""
        marks = [_find_line(block, mark, position, end) for mark in (b"!", b"^")]
        start = min((mark for mark in marks if mark >= 0), default=end)
        self._number += block.count(b"\n", position, start)
        if start == end:
            return end
        stop = block.find(b"\n", start)
        line = block[start:stop].rstrip(b"\r")
        self._number += 1
        if _TABLE_END.match(line):
            self._table = 0
        elif line.startswith(b"^") and _begins_entity(line):
            expected = f"the end of the table that begins on line {self._table:,}"
            raise FormatError(self._label, line=self._number, expected=expected, found=quoted(line[:_SHOWN]))
        return stop + 1


def _find_line(block: bytes, mark: bytes, position: int, end: int) -> int:
    """Return where the next line that begins with ``mark`` starts, or -1."""
    if block.startswith(mark, position):
        return position
    found = block.find(b"\n" + mark, position, end)
    return found + 1 if found >= 0 else -1


def _begins_entity(line: bytes) -> bool:
    match = _ENTITY.match(_decoded(line))
    return match is not None and match[1].upper() in KINDS


def _decoded(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("latin-1")
