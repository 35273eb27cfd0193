"""CEL files of version 3: text, in sections, with a line for each cell."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv

from refinebio_assets.errors import FormatError
from refinebio_assets.formats.cel.dat_header import parse_dat_header
from refinebio_assets.formats.cel.model import (
    CelFile,
    CelFormat,
    CelHeader,
    Cells,
    cell_indices,
    check_dimensions,
    first_bad_cell,
    make_cel,
)
from refinebio_assets.formats.cel.plain_bytes import PlainBytes
from refinebio_assets.formats.compressed import quoted

MAGIC = b"[CEL]"
_HEAD_BYTES = 1 << 20
_BYTES_PER_CELL = 200
"""More than the lines for one cell in all sections (about 30 bytes where it is in the first only)."""
_NUMBER = re.compile(r"\d{1,9}")
_FINITE = re.compile(rb"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_CELL_COLUMNS = ("X", "Y", "MEAN")
_REQUIRED = ("INTENSITY", "MASKS", "OUTLIERS")
_BLANKS = re.compile(rb"[ \t]+")
_LINE_STARTS = re.compile(rb"(?m)^[ \t]+")


class _Section(NamedTuple):
    """A section's list: its columns' names, how many lines it should have, and where they are."""

    columns: tuple[str, ...]
    lines: int
    start: int
    end: int


def read_text_header(source: PlainBytes) -> CelHeader:
    """Read the head of a text CEL file; errors as ``read_cel``."""
    source.limit = _HEAD_BYTES
    end = source.find(b"[INTENSITY]")
    if end < 0:
        raise _missing(source.label, "INTENSITY")
    head = bytes(source.data[:end]).decode("latin-1")
    fields = {tag: value for tag, _, value in (line.partition("=") for line in head.splitlines())}
    columns, rows = (_dimension(source.label, fields, tag) for tag in ("Cols", "Rows"))
    check_dimensions(source.label, columns, rows, place="section [HEADER]")
    dat = parse_dat_header(fields.get("DatHeader", ""))
    return CelHeader(
        format=CelFormat.TEXT,
        chip_type=dat.chip_type,
        rows=rows,
        columns=columns,
        scan_date=dat.scan_date,
        algorithm=fields.get("Algorithm", ""),
        scanner=dat.scanner,
    )


def read_text_cel(source: PlainBytes) -> CelFile:
    """Read a text CEL file; errors as ``read_cel``. The list of modified cells is only counted."""
    header = read_text_header(source)
    source.limit = _HEAD_BYTES + header.cell_count * _BYTES_PER_CELL
    content = source.finish()
    sections = _sections(content, source.label)
    intensities = _intensities(content, sections["INTENSITY"], header, source.label)
    masked = _flagged(content, sections["MASKS"], header, source.label, "masked cell")
    outliers = _flagged(content, sections["OUTLIERS"], header, source.label, "outlier")
    if "MODIFIED" in sections:
        _flagged(content, sections["MODIFIED"], header, source.label, "modified cell")
    return make_cel(header, intensities, masked, outliers)


def _dimension(label: str, fields: dict[str, str], tag: str) -> int:
    value = fields.get(tag, "").strip()
    if not _NUMBER.fullmatch(value):
        found = repr(value[:60]) if tag in fields else "none"
        raise FormatError(label, place="section [HEADER]", expected=f"{tag}=, a whole number", found=found)
    return int(value)


def _missing(label: str, name: str) -> FormatError:
    return FormatError(label, expected=f"a section [{name}]", found="the end of the file without it")


def _sections(content: bytearray, label: str) -> dict[str, _Section]:
    """Find the sections that are lists of cells."""
    found: dict[str, _Section] = {}
    start = content.find(b"\n[")
    while start >= 0:
        following = content.find(b"\n[", start + 1)
        name = content[start + 2 : start + 42].partition(b"]")[0].decode("latin-1").upper()
        if name in found:
            line = _line_of(content, start + 1)
            raise FormatError(label, line=line, expected=f"one section [{name}]", found="a second one")
        if name in (*_REQUIRED, "MODIFIED"):
            end = following if following >= 0 else len(content)
            found[name] = _section(content, name, start + 1, end, label)
        start = following
    for name in _REQUIRED:
        if name not in found:
            raise _missing(label, name)
    return found


def _section(content: bytearray, name: str, start: int, end: int, label: str) -> _Section:
    """Read the lines before a section's list: NumberCells= and CellHeader=."""
    tags: dict[str, str] = {}
    place = _next_line(content, start, end)
    while place < end and b"=" in (line := content[place : _next_line(content, place, end)]):
        tag, _, value = line.decode("latin-1").partition("=")
        tags[tag.strip()] = value.strip()
        place = _next_line(content, place, end)
    columns = tuple(tags.get("CellHeader", "").upper().split())
    if not _NUMBER.fullmatch(tags.get("NumberCells", "")) or columns[:2] != _CELL_COLUMNS[:2]:
        expected = f"NumberCells= and CellHeader=X Y ... in section [{name}]"
        found = ", ".join(f"{tag}={value}" for tag, value in tags.items())[:200] or "neither"
        raise FormatError(label, line=_line_of(content, start), expected=expected, found=found)
    while end > place and content[end - 1 : end].isspace():
        end -= 1
    return _Section(columns, int(tags["NumberCells"]), place, end)


def _next_line(content: bytearray, start: int, end: int) -> int:
    found = content.find(b"\n", start, end)
    return end if found < 0 else found + 1


def _line_of(content: bytearray, offset: int) -> int:
    return content.count(b"\n", 0, offset) + 1


def _intensities(
    content: bytearray, section: _Section, header: CelHeader, label: str
) -> npt.NDArray[np.float64]:
    if section.columns[:3] != _CELL_COLUMNS or section.lines != header.cell_count:
        raise FormatError(
            label,
            line=_line_of(content, section.start) - 1,
            expected=f"NumberCells={header.cell_count} (Cols x Rows) and CellHeader=X Y MEAN ...",
            found=f"NumberCells={section.lines} and CellHeader={' '.join(section.columns)[:60]}",
        )
    table = _parse(memoryview(content)[section.start : section.end], section.columns)
    if table is None:
        raise _first_problem(content, section, header, label)
    x, y, mean = (_vector(table.column(name)) for name in _CELL_COLUMNS)
    inside = (x >= 0) & (x < header.columns) & (y >= 0) & (y < header.rows)
    if len(mean) != header.cell_count or not inside.all() or first_bad_cell(mean) is not None:
        raise _first_problem(content, section, header, label)
    cells = y * header.columns + x
    if np.array_equal(cells, np.arange(len(cells))):
        return mean
    if not (np.bincount(cells, minlength=len(cells)) == 1).all():
        raise _first_problem(content, section, header, label)
    intensities = np.empty_like(mean)
    intensities[cells] = mean
    return intensities


def _parse(lines: memoryview, columns: tuple[str, ...]) -> pa.Table | None:
    """Parse X, Y and MEAN, separated by tabs as the maker's software writes them, else by blanks.

    The other columns are not converted: some files have ``-1.#IND`` as a deviation.
    """
    if not len(lines) or len(set(columns)) != len(columns):
        return None
    types: dict[str, pa.DataType] = {"X": pa.int32(), "Y": pa.int32(), "MEAN": pa.float64()}
    convert = pa.csv.ConvertOptions(column_types=types, null_values=[], include_columns=list(types))
    parse = pa.csv.ParseOptions(delimiter="\t", quote_char=False)
    for separated in (False, True):
        data = _BLANKS.sub(b"	", _LINE_STARTS.sub(b"", lines)) if separated else lines
        read = pa.csv.ReadOptions(use_threads=False, block_size=len(data) + 1, column_names=list(columns))
        try:
            return pa.csv.read_csv(
                pa.BufferReader(pa.py_buffer(data)),  # type: ignore[arg-type]  # the stubs know files only
                read_options=read,
                parse_options=parse,
                convert_options=convert,
            )
        except pa.ArrowInvalid:
            continue
    return None


def _vector(column: pa.ChunkedArray[Any]) -> npt.NDArray[Any]:
    """View a column as a numpy vector; not by ``to_numpy``, which imports pandas."""
    return np.concatenate([np.from_dlpack(chunk) for chunk in column.chunks])


def _first_problem(content: bytearray, section: _Section, header: CelHeader, label: str) -> FormatError:
    """Say where the first wrong line of the intensities is; slow, and only used once something is wrong."""
    first = _line_of(content, section.start)
    line_of = np.zeros(header.cell_count, np.int32)
    for number, line in enumerate(content[section.start : section.end].split(b"\n"), start=first):
        fields = line.split()
        if expected := _cell_problem(fields, section, header):
            found = quoted(bytes(line)) if line else "nothing"
            return FormatError(label, line=number, expected=expected, found=found)
        cell = int(fields[1]) * header.columns + int(fields[0])
        if line_of[cell]:
            found = f"{quoted(bytes(line))}, a cell that is also on line {line_of[cell]:,}"
            return FormatError(label, line=number, expected="each cell once", found=found)
        line_of[cell] = number
    expected = f"a line for each of {header.cell_count:,} cells"
    missing = int(line_of.argmin())
    cell_name = f"x {missing % header.columns}, y {missing // header.columns}"
    found = f"{np.count_nonzero(line_of):,} lines; the first missing is {cell_name}"
    return FormatError(label, place="section [INTENSITY]", expected=expected, found=found)


def _cell_problem(fields: list[bytearray], section: _Section, header: CelHeader) -> str:
    """Return what is expected of a line of the intensities when it is not so, else nothing."""
    if len(fields) != len(section.columns):
        return f"{len(section.columns)} fields ({' '.join(section.columns)})"
    x, y, mean = fields[:3]
    for value, size in ((x, header.columns), (y, header.rows)):
        if not value.isdigit() or len(value) > len(str(size)) + 9 or int(value) >= size:
            return f"x and y of a cell of {header.columns:,} columns and {header.rows:,} rows"
    if not _FINITE.fullmatch(mean) or not 0 <= float(mean) < np.inf:
        return "a finite intensity, not negative"
    return ""


def _flagged(content: bytearray, section: _Section, header: CelHeader, label: str, what: str) -> Cells:
    """Return the cells of a list of x and y."""
    lines = content[section.start : section.end].split(b"\n") if section.end > section.start else []
    first = _line_of(content, section.start)
    points = np.zeros((2, len(lines)), np.int32)
    for row, line in enumerate(lines):
        fields = line.split()[:2]
        if len(fields) != 2 or not all(field.isdigit() and len(field) <= 9 for field in fields):
            raise FormatError(
                label, line=first + row, expected=f"x and y of a {what}", found=quoted(bytes(line))
            )
        points[:, row] = int(fields[0]), int(fields[1])
    if len(lines) != section.lines:
        raise FormatError(
            label,
            line=first,
            expected=f"a line for each {what} (NumberCells={section.lines})",
            found=f"{len(lines):,} lines",
        )
    return cell_indices(label, points[0], points[1], header, what=what)
