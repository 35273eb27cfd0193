"""The rows of a table as arrays: probe ids and numbers, whichever decimal sign; which line is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.csv

from refinebio_assets.errors import FormatError
from refinebio_assets.formats.beadarray.layout import ABSENT, Layout, fields_of, is_absent
from refinebio_assets.formats.beadarray.model import Vector
from refinebio_assets.formats.compressed import quoted

_BLOCK_BYTES = 4 << 20
"""What is parsed at once: 100 MB take 1.2 s of CPU time so, and 2.5 s in blocks of 64 MB."""
_NULLS = sorted(
    {f"{before}{each}{after}" for word in ABSENT for each in (word, word.upper(), word.capitalize())
     for before, after in (("", ""), (" ", ""), ("", " "))} | {"NaN", "#N/A", "#NUM!", "#VALUE!"}
)  # fmt: skip
_DECIMAL_COMMA = re.compile(rb"(?<![\d.,])[+-]?(?:0,\d|\d+,(?:\d{1,2}|\d{4,})(?![\d,]))")
"""A comma that cannot separate thousands."""
_THOUSANDS = re.compile(rb"(?<=\d),(?=\d{3}(?!\d))")
_BLANKS = re.compile(rb" {2,}")


@dataclass(frozen=True, slots=True)
class Cells:
    """The columns of a table that were asked for: ids without those of empty rows, numbers with NaN."""

    probe_ids: tuple[str, ...]
    numbers: dict[int, Vector]
    notes: tuple[str, ...]


def read_cells(layout: Layout, ids: int, numbers: Sequence[int], label: str, *, complete: bool) -> Cells:
    """Return the probe ids in column ``ids`` and the columns ``numbers``; rows without an id are left out.

    A row may lack cells at its end, which are missing then, but not the last row of a text that is not
    ``complete``. Raises FormatError, naming line and value, for a row with more fields than the header and a
    cell that holds no number, and for a table without a row that has an id.
    """
    notes: list[str] = []
    body = _body(layout, label, notes, complete=complete)
    table = _parse(body, layout, ids, numbers, label, notes)
    probe_ids = [(text or "").strip() for text in table.column(str(ids)).to_pylist()]
    columns = {index: _vector(table.column(str(index))) for index in numbers}
    kept = np.array([bool(each) for each in probe_ids])
    if not kept.any():
        raise FormatError(label, expected="rows with a probe id below the header", found="none")
    if not kept.all():
        notes.append(f"{int((~kept).sum()):,} rows without a probe id left out")
        columns = {index: column[kept] for index, column in columns.items()}
    return Cells(tuple(each for each in probe_ids if each), columns, tuple(notes))


def _body(layout: Layout, label: str, notes: list[str], *, complete: bool) -> bytes:
    """Return the rows as one text in which each has as many fields as the header."""
    lines = list(layout.rows.texts)
    delimiter, width = layout.delimiter.encode(), len(layout.names)
    if layout.delimiter == "\t":
        # Tabs are not quoted in practice, and stray quotes (5" gel) would swallow rows.
        lines = [line.replace(b'"', b"") if b'"' in line else line for line in lines]
        if layout.quote == "'":
            lines = [b"\t".join(cell.strip(b" '") for cell in line.split(b"\t")) for line in lines]
    elif layout.delimiter == " ":
        lines = [_BLANKS.sub(b" ", line.strip(b" ")) for line in lines]
    quote = layout.quote.encode()
    short = 0
    for place, line in enumerate(lines):
        if line.count(delimiter) + 1 != width or (delimiter != b"\t" and quote in line):
            count = _count(line, layout)
            if count > width:
                lines[place] = _without_blank_end(line, layout, count, place, label)
            elif count < width:
                _check_end(layout, place, line, count, label, complete=complete)
                short += 1
                lines[place] = line + delimiter * (width - count)
    if short:
        notes.append(f"{short:,} rows lack cells at their end, taken as missing")
    return b"\n".join(lines) + b"\n"


def _count(line: bytes, layout: Layout) -> int:
    if layout.delimiter == "\t":
        return line.count(b"\t") + 1
    return len(fields_of(line, layout.delimiter, layout.quote))


def _without_blank_end(line: bytes, layout: Layout, count: int, place: int, label: str) -> bytes:
    """Cut the empty cells that a row has beyond the header."""
    fields = fields_of(line, layout.delimiter, layout.quote)
    width = len(layout.names)
    if any(fields[width:]):
        number = layout.rows.numbers[place]
        raise FormatError(
            label,
            line=number,
            expected=f"{width:,} fields as in the header",
            found=f"{count:,}: {quoted(line)}",
        )
    return line.rsplit(layout.delimiter.encode(), count - width)[0]


def _check_end(layout: Layout, place: int, line: bytes, count: int, label: str, *, complete: bool) -> None:
    """Raise FormatError when a short row is where a copy was cut."""
    if not complete and place == len(layout.rows.texts) - 1:
        raise FormatError(
            label,
            line=layout.rows.numbers[place],
            expected=f"{len(layout.names):,} fields and a line end",
            found=f"the end of the file after {count:,}: {quoted(line)}: it is cut",
        )


def _parse(
    body: bytes, layout: Layout, ids: int, numbers: Sequence[int], label: str, notes: list[str]
) -> pa.Table:
    """Parse the rows with points, and when a cell is no number then, with commas or without thousands'."""
    problem = ""
    for text, sign, note in _readings(body, layout):
        try:
            table = _read_csv(text, layout, ids, numbers, sign)
        except pa.ArrowInvalid as error:
            problem = problem or str(error)
            continue
        if table.num_rows != len(layout.rows.texts):
            problem = f"{table.num_rows:,} rows on {len(layout.rows.texts):,} lines: quotes are not closed"
            continue
        if note:
            notes.append(note)
        return table
    raise _first_problem(layout, numbers, label) or FormatError(label, expected="a table", found=problem)


def _readings(body: bytes, layout: Layout) -> Iterator[tuple[bytes, str, str]]:
    """Yield the texts to try, with the decimal sign of each and what was done."""
    yield body, ".", ""
    if b"," not in body:
        return
    comma = (body, ",", "numbers have decimal commas")
    if layout.delimiter == "," or _DECIMAL_COMMA.search(body):
        yield comma
    if layout.delimiter != ",":
        yield _THOUSANDS.sub(b"", body), ".", "numbers have commas between thousands"
        yield comma


def _read_csv(body: bytes, layout: Layout, ids: int, numbers: Sequence[int], sign: str) -> pa.Table:
    wanted = list(dict.fromkeys([ids, *numbers]))
    types: dict[str, pa.DataType] = {str(index): pa.float64() for index in numbers}
    types[str(ids)] = pa.string()
    names = [str(index) for index in range(len(layout.names))]
    quote: str | Literal[False] = False if layout.delimiter == "\t" else layout.quote
    return pa.csv.read_csv(
        pa.BufferReader(body),  # type: ignore[arg-type]  # the stubs know Python's files only
        # A block holds a row at least, however many columns there are.
        read_options=pa.csv.ReadOptions(
            column_names=names, block_size=max(_BLOCK_BYTES, max(map(len, layout.rows.texts)) * 2)
        ),
        parse_options=pa.csv.ParseOptions(
            delimiter=layout.delimiter, quote_char=quote, ignore_empty_lines=False
        ),
        convert_options=pa.csv.ConvertOptions(
            column_types=types,
            include_columns=[str(index) for index in wanted],
            null_values=_NULLS,
            strings_can_be_null=False,
            decimal_point=sign,
        ),
    )


def _vector(column: pa.ChunkedArray[Any]) -> Vector:
    """Copy a column into a vector, NaN where there is no finite number.

    Not by ``to_numpy``, which imports pandas (2 seconds) where it is installed.
    """
    pieces = []
    for chunk in column.chunks:
        valid, data = chunk.buffers()
        if data is None:
            continue
        piece = np.frombuffer(memoryview(data), np.float64, len(chunk), chunk.offset * 8).copy()
        if valid is not None:
            bits = np.unpackbits(np.frombuffer(memoryview(valid), np.uint8), bitorder="little")
            piece[bits[chunk.offset : chunk.offset + len(chunk)] == 0] = np.nan
        pieces.append(piece)
    vector = np.concatenate(pieces) if pieces else np.empty(0)
    vector[~np.isfinite(vector)] = np.nan
    return vector


def _first_problem(layout: Layout, numbers: Sequence[int], label: str) -> FormatError | None:
    """Say which cell is no number; slow, and only used once something is wrong."""
    signs = (".", ",")
    worst: dict[str, tuple[int, int, str]] = {}
    for place, line in enumerate(layout.rows.texts):
        fields = fields_of(line, layout.delimiter, layout.quote)
        for index in numbers:
            cell = fields[index] if index < len(fields) else ""
            for sign in signs:
                if sign not in worst and not is_absent(cell) and not _is_float(cell.replace(sign, ".")):
                    worst[sign] = (place, index, cell)
        if len(worst) == len(signs):
            break
    if "." not in worst:
        return None
    # The reading that goes further is the one that was meant.
    place, index, cell = max(worst.values())
    return FormatError(
        label,
        line=layout.rows.numbers[place],
        place=f"column {index + 1:,} ({layout.names[index]!r})",
        expected="a number",
        found=quoted(cell.encode()),
    )


def _is_float(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell
