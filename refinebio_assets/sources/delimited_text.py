"""Tables of text as people export them from spreadsheets: any common delimiter, encoding and line end.

What the columns mean is not known here.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path

from refinebio_assets.errors import NotFoundError, RequestError

_DELIMITERS = "\t,;"
_NOT_TEXT = ((b"PK\x03\x04", "an Excel workbook"), (b"\x1f\x8b", "a compressed file"))


def read_delimited_text(
    path: Path, *, about: str, understood: Callable[[str], bool]
) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Read a table: its header, and its rows, each with the number of the line it starts on.

    The delimiter (comma, tab or semicolon) is the one under which the header names most columns that
    are ``understood``. UTF-8 with or without BOM and UTF-16 with BOM are read. Rows and columns at the
    end that are empty throughout are left out; cells are kept as they are; rows may differ in width.

    Raises NotFoundError when there is no such file, RequestError ``about`` one that is not a table.
    """
    text = _read_text(path, about)
    records: list[tuple[int, list[str]]] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text, understood), strict=True)
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                records.append((line, cells))
            line = reader.line_num + 1
    except csv.Error as error:
        raise RequestError(f"line {line:,}: {_explain_csv(error)}", about=about) from error
    if not records:
        raise RequestError("is empty", about=about)
    (_, header), *rows = records
    header = _without_empty_end(header)
    return header, [(number, _fit(cells, len(header))) for number, cells in rows]


def _read_text(path: Path, about: str) -> str:
    if not path.exists():
        raise NotFoundError(f"there is no {about}")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RequestError(f"cannot be read: {error.strerror}", about=about) from error
    for start, kind in _NOT_TEXT:
        if data.startswith(start):
            raise RequestError(f"is {kind}, not text; save it as CSV or TSV", about=about)
    utf_16 = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        text = data.decode("utf-16" if utf_16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise RequestError(_explain_encoding(data, error.start), about=about) from error
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise RequestError(f"line {line:,}: holds a null character: it is not text", about=about)
    return text


def _explain_encoding(data: bytes, position: int) -> str:
    line = data[:position].count(b"\n") + 1
    return f"line {line:,}: is not UTF-8 text (byte 0x{data[position]:02X}); save it as 'CSV UTF-8'"


def _explain_csv(error: csv.Error) -> str:
    if "unexpected end of data" in str(error):
        return "a quotation mark is opened here and never closed"
    return f"cannot be read as a table: {error}"


def _delimiter(text: str, understood: Callable[[str], bool]) -> str:
    header = next((line for line in text.splitlines() if line.strip()), "")

    def names(delimiter: str) -> tuple[int, int]:
        cells = [cell.strip().strip('"') for cell in header.split(delimiter)]
        return sum(map(understood, cells)), len(cells)

    return max(_DELIMITERS, key=names)


def _without_empty_end(cells: Sequence[str]) -> list[str]:
    used = [number for number, cell in enumerate(cells, start=1) if cell.strip()]
    return list(cells[: max(used, default=0)])


def _fit(cells: list[str], width: int) -> list[str]:
    """Cut the empty cells that spreadsheets add beyond the last column."""
    return cells[:width] if not any(cell.strip() for cell in cells[width:]) else cells
