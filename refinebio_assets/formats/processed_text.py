"""The lines of a submitter's table: encodings, remarks around it, tables inside GEO's SOFT files, fields.

From bytes to fields. What the columns are is the work of ``processed_columns``.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from refinebio_assets.errors import FormatError
from refinebio_assets.formats.compressed import plain_chunks, quoted, read_chunks

TEXT_LIMIT = 1 << 30
"""Bytes of the largest file that is read: one with the tables of some hundred samples."""
WHITE_SPACE = " "
_UTF8_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_NOT_TEXT = re.compile(rb"[\x00-\x08\x0b\x0e-\x1f]")
_FOREIGN_SHARE = 0.1
"""Of a Western text at most this share of its bytes is not ASCII."""
_REMARKS = ("#", "!", "^", '"#', '"!', '"^')
_TABLE_BEGIN = re.compile(r"!(\w+)_table_begin\s*", re.IGNORECASE)
_TABLE_END = re.compile(r"!\w+_table_end\s*", re.IGNORECASE)
_ENTITY = re.compile(r"\^\w+\s*=\s*(.*?)\s*")
_DESCRIPTION = re.compile(r"#(.*?)\s*=\s*(.*)")
_SNIFFED_LINES = 50
_DECIMAL_COMMA = re.compile(r"\d,\d")


@dataclass(frozen=True, slots=True)
class TableLines:
    """The lines of one table, without line ends and remarks; ``numbers`` are theirs in the file, from 1.

    ``skipped`` counts lines that are not part of it. ``descriptions`` holds what a SOFT file says of a
    column (``#VALUE = log2 RMA``). ``of_sample`` tells that the file itself says whose table it is.
    """

    lines: list[str]
    numbers: Sequence[int]
    skipped: int
    descriptions: dict[str, str]
    of_sample: bool = False


def read_text(path: Path, label: str) -> tuple[str, str]:
    """Return a file's text and its encoding: ``utf-8``, ``utf-16`` (with its mark) or ``windows-1252``.

    Plain or gzip, told by content. Windows-1252 holds ISO-8859-1. Raises FormatError for what is no text
    in one of them and for more than ``TEXT_LIMIT`` bytes; NotFoundError when there is no file.
    """
    pieces, size = [], 0
    for piece in plain_chunks(read_chunks(path), label):
        pieces.append(piece)
        size += len(piece)
        if size > TEXT_LIMIT:
            raise FormatError(label, expected=f"a table of at most {TEXT_LIMIT:,} bytes", found="more")
    data = b"".join(pieces)
    encoding = _encoding(data)
    if encoding != "utf-16" and (control := _NOT_TEXT.search(data)):
        raise _no_text(data, label, control.start())
    try:
        return data.removeprefix(_UTF8_MARK).decode(encoding), encoding
    except UnicodeDecodeError as error:
        raise _no_text(data, label, error.start) from error


def find_table(text: str, label: str, sample: str = "") -> TableLines:
    """Return the lines of the table in a text: all that are no remarks, or one table of a SOFT file.

    Remarks begin with ``#``, ``!`` or ``^``. Of several sample tables the one of ``sample`` (``GSM123``)
    is taken. Raises FormatError where no or several tables fit, where a SOFT table has no end (the file
    is cut) and where there is no line at all.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    begins = [
        (row, match[1].lower())
        for row, line in enumerate(lines)
        if line.startswith("!") and (match := _TABLE_BEGIN.fullmatch(line))
    ]
    tables = [(row, kind) for row, kind in begins if kind != "platform"]
    if not begins:
        return _without_remarks(lines, 0, len(lines), label, {})
    start, kind = _chosen_table(lines, tables, label, sample)
    stop = next((row for row in range(start, len(lines)) if _TABLE_END.fullmatch(lines[row])), None)
    if stop is None:
        found = "the end of the file: it is cut"
        raise FormatError(label, line=start + 1, expected=f"the end of the {kind} table", found=found)
    table = _without_remarks(lines, start + 1, stop, label, _descriptions(lines, start))
    return replace(table, of_sample=kind == "sample" and bool(_entity(lines, start)))


def choose_delimiter(lines: Sequence[str], label: str) -> str:
    """Return what separates the fields: tab, semicolon, comma or a space for any white space.

    Tab where most lines of the beginning have one (a title above the table has none), else the first of
    the others that every line has; comma loses to white space where it stands between digits only, as a
    decimal mark. Raises FormatError, quoting the first line, for one column.
    """
    beginning = lines[:_SNIFFED_LINES]
    if 2 * sum("\t" in line for line in beginning) > len(beginning):
        return "\t"
    fitting = [mark for mark in (";", ",") if all(mark in line for line in beginning)]
    spaced = all(len(line.split()) > 1 for line in beginning)
    if fitting and not (fitting[0] == "," and spaced and all(map(_only_decimal_commas, beginning))):
        return fitting[0]
    if spaced:
        return WHITE_SPACE
    found = f"one column: {quoted(lines[0].encode())}"
    raise FormatError(label, expected="an id and a value on each line", found=found)


def split_fields(table: TableLines, delimiter: str, label: str) -> list[list[str]]:
    """Return the fields of every line, without quotes and spaces around them.

    Quotes protect commas and semicolons within a field. Raises FormatError where a quote is not closed.
    """
    text = "\n".join(table.lines)
    if '"' in text:
        if delimiter in (",", ";"):
            return _quoted_fields(table, delimiter, label)
        text = text.replace('"', "")
    lines = text.split("\n")
    if delimiter == WHITE_SPACE:
        return [line.split() for line in lines]
    if _has_space_around(text, delimiter):
        return [[field.strip() for field in line.split(delimiter)] for line in lines]
    return [line.split(delimiter) for line in lines]


def _has_space_around(text: str, delimiter: str) -> bool:
    """Tell whether stripping each field is needed at all: it takes as long as splitting."""
    spaced = (f" {delimiter}", f"{delimiter} ", " \n", "\n ", "\xa0")
    return text.startswith(" ") or text.endswith(" ") or any(each in text for each in spaced)


def _encoding(data: bytes) -> str:
    if data.startswith(_UTF16_MARKS):
        return "utf-16"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        foreign = len(data) - len(data.translate(None, bytes(range(128, 256))))
        return "windows-1252" if foreign <= _FOREIGN_SHARE * len(data) else "utf-8"
    return "utf-8"


def _no_text(data: bytes, label: str, place: int) -> FormatError:
    number = data.count(b"\n", 0, place) + 1
    line = data[data.rfind(b"\n", 0, place) + 1 :][:200]
    return FormatError(label, line=number, expected="text in UTF-8 (or ISO-8859-1)", found=quoted(line))


def _chosen_table(
    lines: Sequence[str], tables: Sequence[tuple[int, str]], label: str, sample: str
) -> tuple[int, str]:
    """Return where the one table begins that is the sample's, and its kind."""
    entities = [_entity(lines, row) if kind == "sample" else "" for row, kind in tables]
    fitting = [
        table
        for table, entity in zip(tables, entities, strict=True)
        if not sample or not entity or entity.lower() == sample.lower()
    ]
    if len(fitting) == 1:
        return fitting[0]
    shown = ", ".join(filter(None, entities))[:200]
    found = f"{len(fitting)} among {len(tables):,} tables" + (f" ({shown})" if shown else "")
    raise FormatError(label, expected=f"one table of {sample or 'a sample'}", found=found)


def _entity(lines: Sequence[str], row: int) -> str:
    above = (match[1] for line in reversed(lines[:row]) if (match := _ENTITY.fullmatch(line)))
    return next(above, "")


def _descriptions(lines: Sequence[str], start: int) -> dict[str, str]:
    found = {}
    for row in range(start - 1, -1, -1):
        if not lines[row].startswith("#"):
            break
        if match := _DESCRIPTION.fullmatch(lines[row]):
            found[match[1]] = match[2].strip()
    return found


def _without_remarks(
    lines: Sequence[str], start: int, stop: int, label: str, descriptions: dict[str, str]
) -> TableLines:
    rows = [
        row
        for row, line in enumerate(lines[start:stop], start)
        if line and not line.isspace() and not line.startswith(_REMARKS)
    ]
    if not rows:
        raise FormatError(label, expected="a table of ids and values", found="no line of one")
    kept = [lines[row] for row in rows]
    blank_end = not lines[-1]
    return TableLines(kept, [row + 1 for row in rows], len(lines) - blank_end - len(rows), descriptions)


def _only_decimal_commas(line: str) -> bool:
    return line.count(",") == len(_DECIMAL_COMMA.findall(line))


def _quoted_fields(table: TableLines, delimiter: str, label: str) -> list[list[str]]:
    rows = []
    for number, line in zip(table.numbers, table.lines, strict=True):
        try:
            (fields,) = csv.reader([line], delimiter=delimiter, strict=True, skipinitialspace=True)
        except csv.Error as error:
            expected = "every quote closed on its line"
            raise FormatError(label, line=number, expected=expected, found=quoted(line.encode())) from error
        rows.append([field.strip() for field in fields])
    return rows
