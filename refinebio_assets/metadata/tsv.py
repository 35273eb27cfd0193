"""Tab-separated tables that users give, each row with its line; what the columns mean is not known here."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from refinebio_assets.errors import NotFoundError, RequestError


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the line it starts on, and its stripped cells by column."""

    line: int
    cells: dict[str, str]


def read_text(path: Path, about: str) -> str:
    """Read a text file in UTF-8 (BOM dropped) or UTF-16 with BOM.

    Raises NotFoundError when there is none, RequestError ``about`` one that cannot be read as text.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise NotFoundError(f"there is no {about}") from error
    except OSError as error:
        raise RequestError(f"cannot be read: {error.strerror}", about=about) from error
    if data.startswith((b"\x1f\x8b", b"PK\x03\x04")):
        raise RequestError(
            "is compressed or an Excel workbook, not text; unpack it, or save it as text", about=about
        )
    utf_16 = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        return data.decode("utf-16" if utf_16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        problem = f"line {line:,}: is not UTF-8 text (byte 0x{data[error.start]:02X})"
        raise RequestError(problem, about=about) from error


def read_tsv(
    path: Path, *, about: str, required: Collection[str], optional: Collection[str] = ()
) -> tuple[list[Row], list[str]]:
    """Read a table with a header; blank lines are left out, columns may be in any order and case.

    Returns the rows and what is wrong with some of them (cut rows, not returned), each with its line, so
    that the caller can add what it finds. Every ``optional`` column that is missing is empty in all rows.
    Raises RequestError ``about`` a file without the ``required`` columns, with unknown or repeated ones;
    NotFoundError when there is no file.
    """
    records = _records(read_text(path, about), about)
    if not records:
        raise RequestError("is empty", about=about)
    header = [name.strip().lower().replace(" ", "_") for name in records[0][1]]
    problems = _header_problems(header, required, optional)
    if problems:
        raise RequestError(problems, about=about)
    rows, cut = [], []
    for line, cells in records[1:]:
        if len(cells) != len(header):
            cut.append(f"line {line:,}: has {len(cells)} columns, the header has {len(header)}")
        else:
            filled = dict.fromkeys(optional, "") | dict(zip(header, map(str.strip, cells), strict=True))
            rows.append(Row(line, filled))
    return rows, cut


def _records(text: str, about: str) -> list[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter="\t", strict=True)
    records = []
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                records.append((line, cells))
            line = reader.line_num + 1
    except csv.Error as error:
        raise RequestError(f"line {line:,}: cannot be read as a table: {error}", about=about) from error
    return records


def _header_problems(header: list[str], required: Collection[str], optional: Collection[str]) -> list[str]:
    known = [*required, *optional]
    missing = [f"line 1: there is no column {name!r}" for name in required if name not in header]
    unknown = [
        f"line 1: the column {name!r} is not understood; the columns are {', '.join(known)}"
        for name in header
        if name not in known
    ]
    repeated = [
        f"line 1: the column {name!r} is there {count} times"
        for name, count in Counter(header).items()
        if count > 1 and name in known
    ]
    return missing + unknown + repeated
