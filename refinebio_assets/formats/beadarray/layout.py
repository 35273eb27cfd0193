"""Where a table's header and rows are: delimiter, first line, and what the header lacks."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from refinebio_assets.errors import FormatError
from refinebio_assets.formats.beadarray.model import shown
from refinebio_assets.formats.beadarray.plain_text import Lines, PlainTable, is_accession_line
from refinebio_assets.formats.beadarray.spelling import (
    BEAD_TYPE_NAMES,
    PROBE_ID_NAMES,
    TARGET_ID_NAMES,
    bare,
)
from refinebio_assets.formats.compressed import quoted

DELIMITERS = ("\t", ";", ",", " ")
MISSING_NAME = "ID_REF"
MAX_COLUMNS = 50_000
"""Beyond any table made: a sample has up to 8 columns, and the largest series some 2,000 samples."""
_HEAD_LINES = 200
_PEEKED = 40
_SAME_WIDTH = 0.6
"""Share of the rows looked at that must have the commonest number of fields."""
_NUMBER = re.compile(r"\s*[+-]?(?:\d+[.,]?\d*|[.,]\d+)(?:[.,]\d+)*(?:[eE][+-]?\d+)?\s*")
_ID_NAMES = PROBE_ID_NAMES + TARGET_ID_NAMES + BEAD_TYPE_NAMES
ABSENT = frozenset(
    (
        "",
        "na",
        "n/a",
        "#n/a",
        "nan",
        "null",
        "none",
        "nd",
        "inf",
        "-inf",
        "+inf",
        "-",
        ".",
        "#value!",
        "#num!",
        "#div/0!",
    )
)
"""How a missing number is written, without case."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A table's header, completed, and the rows below it.

    ``peeked`` are the fields of some rows from all over the table, each as long as ``names``.
    """

    delimiter: str
    quote: str
    names: list[str]
    line: int
    rows: Lines
    peeked: list[list[str]]
    notes: list[str] = field(default_factory=list)


def find_layout(table: PlainTable, label: str) -> Layout:
    """Return the layout of a table; FormatError, with the first line, for what has no header and rows."""
    # A header that names probe ids is surer than any that fits: decimal commas seem to separate as well.
    for named in (True, False):
        for delimiter in DELIMITERS:
            layout = _layout(table.lines, delimiter, label, named=named)
            if layout is not None:
                return layout
    lines = table.lines
    expected = "a table with a header and rows of a probe id and values, separated by tabs, blanks or commas"
    if not lines.texts:
        raise FormatError(
            label, expected=expected, found=f"{table.comments:,} comment lines and nothing else"
        )
    raise FormatError(label, line=lines.numbers[0], expected=expected, found=quoted(lines.texts[0]))


def is_number(cell: str) -> bool:
    """Tell whether a cell holds a number, with whichever decimal sign."""
    return _NUMBER.fullmatch(cell) is not None


def is_absent(cell: str) -> bool:
    """Tell whether a cell says that there is no number."""
    return cell.strip().lower() in ABSENT


def fields_of(line: bytes, delimiter: str, quote: str) -> list[str]:
    """Return a line's fields without quotes around them."""
    text = line.decode("utf-8", "replace")
    if delimiter == "\t":
        return [
            each.strip().strip("\"'") if "'" in quote else each.strip()
            for each in text.replace('"', "").split("\t")
        ]
    if quote not in text:
        return [each.strip() for each in text.split(delimiter)]
    reader = csv.reader([text], delimiter=delimiter, quotechar=quote, skipinitialspace=delimiter == " ")
    try:
        return [each.strip() for each in next(reader, [])]
    except csv.Error:
        return []


def _layout(lines: Lines, delimiter: str, label: str, *, named: bool) -> Layout | None:
    """Return the layout with this delimiter, or None when it makes no table."""
    head = range(min(len(lines.texts), _HEAD_LINES))
    quote = "'" if any(lines.texts[index].lstrip().startswith(b"'") for index in head) else '"'
    fields = [fields_of(lines.texts[index], delimiter, quote) for index in head]
    width = _width(lines, delimiter, quote)
    find = _named_header if named else _fitting_header
    place = find(lines, fields, width, delimiter) if width > 1 else None
    if place is None:
        return None
    if width > MAX_COLUMNS:
        raise FormatError(label, expected=f"at most {MAX_COLUMNS:,} columns", found=f"{width:,}")
    names, notes = _completed(fields[place], width)
    names, above = _with_names_above(names, fields[place - 1] if place else [], lines, place)
    if place - above:
        notes.append(f"{place - above:,} lines before the header passed over")
    rows = _rows_below(lines, place, notes)
    peeked = [_fitted(row, len(names)) for row in _peek(rows, delimiter, quote)]
    return Layout(delimiter, quote, names, lines.numbers[place], rows, peeked, notes)


def _width(lines: Lines, delimiter: str, quote: str) -> int:
    """Return the number of fields that most rows have, 0 when they do not agree.

    Fields that are empty at the end of all of them do not count.
    """
    rows = [row for row in _peek(lines, delimiter, quote) if row]
    if not rows:
        return 0
    width, count = Counter(len(row) for row in rows).most_common(1)[0]
    if count < _SAME_WIDTH * len(rows):
        return 0
    return max(_stripped_length(row) for row in rows if len(row) == width)


def _peek(lines: Lines, delimiter: str, quote: str) -> list[list[str]]:
    """Return the fields of rows at even distances, without lists of samples."""
    count = len(lines.texts)
    places = sorted({round(place * (count - 1) / _PEEKED) for place in range(_PEEKED + 1)}) if count else []
    chosen = (lines.texts[place] for place in places)
    return [fields_of(line, delimiter, quote) for line in chosen if not is_accession_line(line)]


def _named_header(lines: Lines, fields: Sequence[list[str]], width: int, delimiter: str) -> int | None:
    """Return the first line with a probe id's name.

    Its width may differ from that of the rows, but not where blanks separate: there, names with blanks in
    them would shift the columns.
    """
    for place, names in enumerate(fields):
        fits = len(names) >= width - 1 if delimiter != " " else len(names) in (width - 1, width)
        if len(names) > 1 and fits and any(bare(name) in _ID_NAMES for name in names):
            return place
    return None


def _fitting_header(lines: Lines, fields: Sequence[list[str]], width: int, delimiter: str) -> int | None:
    """Return the line above the rows that is as wide as they are, or lacks its first name."""
    for place, names in enumerate(fields[: len(lines.texts) - 1]):
        if _stripped_length(names) <= width <= len(names) + 1 and len(names) > 1 and not _is_row(names):
            return place
        if not is_accession_line(lines.texts[place]) and len(names) >= width:
            return None
    return None


def _is_row(fields: list[str]) -> bool:
    """Tell whether a line is a row and no header: most of its fields beside the first are numbers."""
    cells = [cell for cell in fields[1:] if not is_absent(cell)]
    return bool(cells) and sum(map(is_number, cells)) * 2 > len(cells)


def _stripped_length(names: list[str]) -> int:
    return next((place for place in range(len(names), 0, -1) if names[place - 1]), 0)


def _completed(names: list[str], width: int) -> tuple[list[str], list[str]]:
    """Give a header as many names as the rows have fields."""
    if _stripped_length(names) < len(names) and len(names) > width:
        names = names[: max(width, _stripped_length(names))]
    if len(names) == width - 1 and names[0] and not any(bare(name) in _ID_NAMES for name in names):
        return [MISSING_NAME, *names], [f"the header lacks its first name, taken as {MISSING_NAME}"]
    return [*names, *[""] * (width - len(names))], []


def _with_names_above(names: list[str], above: list[str], lines: Lines, place: int) -> tuple[list[str], int]:
    """Join a header of equal names (``AVG_Signal``, ``Detection``) with a sparse line of samples above it."""
    above = above[: len(names)]
    if not above or above[0] or not any(above) or is_accession_line(lines.texts[place - 1]):
        return names, 0
    repeated = Counter(names)
    if all(count == 1 for name, count in repeated.items() if name):
        return names, 0
    joined, sample = [], ""
    for name, over in zip(names, above + [""] * (len(names) - len(above)), strict=True):
        sample = over or sample
        joined.append(f"{sample}.{name}" if sample and name else name)
    return joined, 1


def _rows_below(lines: Lines, place: int, notes: list[str]) -> Lines:
    """Return the rows below the header without lists of samples."""
    below = range(place + 1, len(lines.texts))
    kept = [index for index in below if not is_accession_line(lines.texts[index])]
    if len(kept) < len(below):
        notes.append(f"{len(below) - len(kept):,} lines that begin with GSM passed over")
    return Lines([lines.texts[index] for index in kept], [lines.numbers[index] for index in kept])


def _fitted(row: list[str], width: int) -> list[str]:
    return [*row[:width], *[""] * (width - len(row))]


def header_error(layout: Layout, label: str, expected: str, why: str = "") -> FormatError:
    """Return the error for a header in which something was not recognized; it quotes the header."""
    found = shown(layout.names) + (f": {why}" if why else "")
    return FormatError(label, line=layout.line, expected=expected, found=found)
