"""Reads MAGE-TAB, in which ArrayExpress describes experiments: IDF (the study) and SDRF (its samples).

The form only: which column means what is for the modules that use it. The format is that of MAGE-TAB 1.1
(Rayner et al., BMC Bioinformatics 2006, 7:489).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from refinebio_assets.domain import Metadata
from refinebio_assets.errors import FormatError

_CELL = re.compile(r'(?:"((?:[^"]++|"")*+)"(?=[\t\r\n]|\Z)|([^\t\r\n]*))(\t|\r\n|\r|\n|\Z)')
"""A cell, in quotation marks or not, and what ends it."""
_LINE_END = re.compile(r"\r\n|\r|\n")
_BLANKS = re.compile(r"\s+")
_OF_EVERY_IDF = frozenset({"investigationtitle", "sdrffile", "protocolname", "experimentdescription"})
_FIRST_OF_SDRF = "sourcename"


def plain_name(header: str) -> str:
    """Return a header as it is compared: lower-case, without blanks (``Comment [X]`` is ``comment[x]``)."""
    return _BLANKS.sub("", header).lower()


@dataclass(frozen=True, slots=True)
class Idf:
    """The rows of an IDF, in order: the key as written, and its cells as written, empty ones included."""

    rows: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def cells(self, key: str) -> tuple[str, ...]:
        """Return the stripped cells of the first row with this key (a plain name), empty ones included."""
        found = (cells for name, cells in self.rows if plain_name(name) == key)
        return tuple(cell.strip() for cell in next(found, ()))

    def values(self, key: str) -> list[str]:
        """Return the stripped cells of all rows with this key (a plain name), without the empty ones."""
        found = (cell.strip() for name, cells in self.rows if plain_name(name) == key for cell in cells)
        return [cell for cell in found if cell]

    @property
    def pairs(self) -> Metadata:
        """Every cell that is not empty, with its key, both as written."""
        return tuple((name, cell) for name, cells in self.rows for cell in cells if cell.strip())


@dataclass(frozen=True, slots=True)
class SdrfRow:
    """One row of an SDRF: as many cells as headers, both as written; ``line`` counts from 1.

    ``names`` are the headers as plain names. A header may come again.
    """

    file: str
    line: int
    header: tuple[str, ...]
    names: tuple[str, ...]
    cells: tuple[str, ...]

    @property
    def place(self) -> str:
        """Where the row is, for messages: file and line."""
        return f"{self.file.rsplit('/', 1)[-1]}, line {self.line:,}"

    @property
    def pairs(self) -> Metadata:
        """Header and cell of every column, as written."""
        return tuple(zip(self.header, self.cells, strict=True))

    def values(self, *names: str) -> list[str]:
        """Return the stripped cells under any of these headers (plain names), without the empty ones."""
        cells = zip(self.names, self.cells, strict=True)
        return [cell.strip() for name, cell in cells if name in names and cell.strip()]

    def first(self, *names: str) -> str:
        """Return the first cell that is not empty, of the first of these headers that has one, or ""."""
        return next((value for name in names for value in self.values(name)), "")


@dataclass(frozen=True, slots=True)
class Misfit:
    """A row of an SDRF whose cells cannot be told apart: where it is, what was expected and found."""

    place: str
    expected: str
    found: str


@dataclass(frozen=True, slots=True)
class Sdrf:
    """The rows of an SDRF, and those that do not fit its header."""

    rows: tuple[SdrfRow, ...]
    misfits: tuple[Misfit, ...]


def read_idf(text: str, file: str) -> Idf:
    """Read an IDF; ``file`` (its name or address) is for messages. Cells are unquoted, nothing is stripped.

    Raises FormatError for a text that has no row which an IDF must have.
    """
    rows = tuple((cells[0], tuple(cells[1:])) for _, cells in _records(text) if cells[0].strip())
    if not any(plain_name(key) in _OF_EVERY_IDF for key, _ in rows):
        found = repr(text.strip()[:80]) if text.strip() else "nothing"
        raise FormatError(file, expected="an IDF, with a row 'Investigation Title'", found=found)
    return Idf(rows)


def read_sdrf(text: str, file: str) -> Sdrf:
    """Read an SDRF; ``file`` (its name or address) is for messages. Cells are unquoted, nothing is stripped.

    Empty cells at the end of a row may be missing or too many; a row with another number of cells is a
    misfit, and so is a short last line without an end, which is what a cut file ends with. Rows that are
    empty throughout are left out. Raises FormatError for a text whose first row is no header of an SDRF.
    """
    records = [(line, cells) for line, cells in _records(text) if any(cell.strip() for cell in cells)]
    if not records:
        return Sdrf((), ())
    (line, first), *rest = records
    header = tuple(_without_empty_end(first))
    names = tuple(map(plain_name, header))
    if _FIRST_OF_SDRF not in names:
        raise FormatError(
            file,
            line=line,
            expected="the header of an SDRF, with 'Source Name'",
            found=repr("\t".join(first)[:80]),
        )
    last = records[-1][0] if not text.endswith(("\n", "\r")) else 0
    rows, misfits = [], []
    for number, cells in rest:
        fitted = _without_empty_end(cells)
        if len(fitted) > len(header) or (number == last and len(cells) < len(header)):
            misfits.append(_misfit(file, number, len(header), len(cells)))
        else:
            padded = (*fitted, *cells[len(fitted) : len(header)])
            padded += ("",) * (len(header) - len(padded))
            rows.append(SdrfRow(file, number, header, names, padded))
    return Sdrf(tuple(rows), tuple(misfits))


def _misfit(file: str, line: int, expected: int, found: int) -> Misfit:
    place = f"{file.rsplit('/', 1)[-1]}, line {line:,}"
    return Misfit(place, f"{expected} cells, as in the header", f"{found}")


def _without_empty_end(cells: Sequence[str]) -> Sequence[str]:
    used = max((number for number, cell in enumerate(cells, start=1) if cell.strip()), default=0)
    return cells[:used]


def _records(text: str) -> Iterator[tuple[int, list[str]]]:
    """Take a text apart: the number of the line a record starts on, and its cells.

    A cell in quotation marks may hold tabs and line ends, and a quotation mark as two. Marks that are never
    closed belong to the text, as in ``"5-prime``.
    """
    cells: list[str] = []
    line = start = 1
    for match in _CELL.finditer(text):
        quoted, plain, end = match.groups()
        cells.append(plain if quoted is None else quoted.replace('""', '"'))
        line += len(_LINE_END.findall(quoted or "")) + (end not in {"\t", ""})
        if end != "\t":
            yield start, cells
            cells, start = [], line
