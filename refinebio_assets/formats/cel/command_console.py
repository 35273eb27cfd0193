"""CEL files of Affymetrix's Command Console: the generic ("Calvin") format, version 1, big-endian.

A file is a tree of headers with named parameters, then groups of data sets, each a table with its own
columns. A CEL file has one group with the sets Intensity, StdDev, Pixel, Outlier and Mask.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from refinebio_assets.errors import FormatError
from refinebio_assets.formats.cel.dat_header import iso_date, parse_dat_header
from refinebio_assets.formats.cel.model import (
    CelFile,
    CelFormat,
    CelHeader,
    Cells,
    cell_indices,
    check_dimensions,
    check_intensities,
    make_cel,
)
from refinebio_assets.formats.cel.plain_bytes import HEAD_LIMIT, Cursor, PlainBytes, decode_wide

MAGIC = 59
VERSION = 1
DATA_TYPE = "affymetrix-calvin-intensity"
COLUMN_TYPES = (">i1", ">u1", ">i2", ">u2", ">i4", ">u4", ">f4")
"""Numpy's names of the format's column types 0 to 6; 7 and 8 are strings."""
_STRING_TYPES = (7, 8)
_BYTES_PER_CELL = 64
"""More than any CEL file holds for one cell (10 bytes, and 4 for each flag)."""
_MOST_SETS = 100
_WIDE, _NARROW = "text/plain", "text/ascii"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value of a header, as its bytes, and its MIME type."""

    value: bytes
    kind: str

    def text(self) -> str:
        """Return a string value."""
        if self.kind == _WIDE:
            return decode_wide(self.value).strip()
        if self.kind == _NARROW:
            return self.value.decode("latin-1").partition("\0")[0].strip()
        return ""


class DataSet(NamedTuple):
    """A table in the file: its row's layout, how many rows, and the offset of the first."""

    row: np.dtype[np.void]
    rows: int
    offset: int


class _Head(NamedTuple):
    header: CelHeader
    first_group: int


def read_command_console_header(source: PlainBytes) -> CelHeader:
    """Read the head of a Command Console CEL file; errors as ``read_cel``."""
    return _read_head(source).header


def read_command_console_cel(source: PlainBytes) -> CelFile:
    """Read a Command Console CEL file; errors as ``read_cel``. Sets beside the five are not looked at."""
    header, first_group = _read_head(source)
    source.limit = first_group + header.cell_count * _BYTES_PER_CELL + HEAD_LIMIT
    source.finish()
    sets = dict(_data_sets(source, first_group))
    intensities = _intensities(source, header, sets)
    masked = _flagged(source, header, sets.get("Mask"), "masked cell")
    outliers = _flagged(source, header, sets.get("Outlier"), "outlier")
    return make_cel(header, intensities, masked, outliers)


def _read_head(source: PlainBytes) -> _Head:
    cursor = Cursor(source, ">", 1)
    version = cursor.number("B", "the version")
    if version != VERSION:
        cursor.position -= 1
        raise cursor.error(f"version {VERSION}", f"{version}")
    cursor.count("the number of data groups")
    first_group = cursor.number("I", "the offset of the first data group")
    parameters = _read_parameters(cursor)
    columns = _dimension(source.label, parameters, "affymetrix-cel-cols")
    rows = _dimension(source.label, parameters, "affymetrix-cel-rows")
    check_dimensions(source.label, columns, rows, place="the header")
    if first_group < cursor.position:
        cursor.position = 6
        raise cursor.error("a data group behind the header", f"offset {first_group:,}")
    return _Head(_make_header(parameters, columns, rows), first_group)


def _read_parameters(cursor: Cursor) -> dict[str, Parameter]:
    """Read the file's header, then those of the files it came from; the first parameter of a name counts."""
    parameters: dict[str, Parameter] = {}
    to_read, is_first = 1, True
    while to_read:
        data_type = cursor.text("the data type")
        if is_first and data_type != DATA_TYPE:
            found = f"{data_type!r}"[:100]
            raise cursor.error(f"a file of the type {DATA_TYPE} before here", found)
        is_first = False
        cursor.text("the file's identifier")
        cursor.wide_text("the date of creation")
        cursor.wide_text("the locale")
        for name, parameter in _parameter_list(cursor):
            parameters.setdefault(name, parameter)
        to_read += cursor.count("the number of parent headers") - 1
    return parameters


def _parameter_list(cursor: Cursor) -> Iterator[tuple[str, Parameter]]:
    for _ in range(cursor.count("the number of parameters")):
        name = cursor.wide_text("a parameter's name")
        value = cursor.blob("a parameter's value")
        yield name, Parameter(value, cursor.wide_text("a parameter's type"))


def _dimension(label: str, parameters: dict[str, Parameter], name: str) -> int:
    parameter = parameters.get(name)
    if parameter is None or len(parameter.value) < struct.calcsize(">i"):
        found = "none" if parameter is None else f"{len(parameter.value)} bytes"
        raise FormatError(label, place="the header", expected=f"a parameter {name} (integer)", found=found)
    (value,) = struct.unpack_from(">i", parameter.value)
    return int(value)


def _make_header(parameters: dict[str, Parameter], columns: int, rows: int) -> CelHeader:
    texts = {name: parameter.text() for name, parameter in parameters.items()}
    line = texts.get("affymetrix-dat-header") or texts.get("affymetrix-partial-dat-header", "")
    dat = parse_dat_header(line)
    scanner = f"{texts.get('affymetrix-scanner-id', '')} {texts.get('affymetrix-scanner-type', '')}"
    return CelHeader(
        format=CelFormat.COMMAND_CONSOLE,
        chip_type=texts.get("affymetrix-array-type") or dat.chip_type,
        rows=rows,
        columns=columns,
        scan_date=iso_date(texts.get("affymetrix-scan-date", "")) or dat.scan_date,
        algorithm=texts.get("affymetrix-algorithm-name", ""),
        scanner=scanner.strip() or dat.scanner,
    )


def _data_sets(source: PlainBytes, first_group: int) -> Iterator[tuple[str, DataSet]]:
    """Yield the data sets of the first group, by name."""
    cursor = Cursor(source, ">", first_group)
    cursor.number("I", "the offset of the next data group")
    start = cursor.number("I", "the offset of the first data set")
    count = cursor.count("the number of data sets", most=_MOST_SETS)
    cursor.wide_text("the data group's name")
    for number in range(count):
        cursor.position = start
        data, following = cursor.number("I", "a data set's offset"), cursor.number("I", "the next one's")
        name = cursor.wide_text("a data set's name")
        for _parameter in _parameter_list(cursor):
            pass
        row = _row_layout(cursor)
        yield name, DataSet(row, cursor.count("the number of rows", code="I"), data)
        if following <= start and number + 1 < count:
            cursor.position = start + 4
            raise cursor.error("the next data set behind this one", f"offset {following:,}")
        start = following


def _row_layout(cursor: Cursor) -> np.dtype[np.void]:
    """Read a data set's column definitions."""
    fields = []
    size = 0
    for number in range(cursor.count("the number of columns", code="I", most=1000)):
        cursor.wide_text("a column's name")
        kind = cursor.number("b", "a column's type")
        width = cursor.count("a column's size")
        if kind in _STRING_TYPES:
            layout = np.dtype(("V", width))
        elif 0 <= kind < len(COLUMN_TYPES):
            layout = np.dtype(COLUMN_TYPES[kind])
        else:
            raise cursor.error("a column type from 0 to 8 before here", f"{kind}")
        size += width
        if layout.itemsize != width or size > _BYTES_PER_CELL:
            raise cursor.error(f"a column of type {kind} with its size before here", f"{width:,} bytes")
        fields.append((str(number), layout))
    return np.dtype(fields)


def _table(source: PlainBytes, name: str, table: DataSet, *, columns: int) -> npt.NDArray[np.void]:
    """Return a data set's rows, which have at least so many columns, numbers all."""
    names = table.row.names or ()
    if len(names) < columns or any(table.row[number].kind == "V" for number in range(columns)):
        raise FormatError(
            source.label,
            place=f"data set {name}",
            expected=f"{columns} columns of numbers",
            found=str(table.row),
        )
    end = table.offset + table.rows * table.row.itemsize
    if end > len(source.data):
        raise FormatError(
            source.label,
            place=f"byte {table.offset:,}",
            expected=f"{table.rows:,} rows of the data set {name}, up to byte {end:,}",
            found=f"the end of the file at byte {len(source.data):,}: it is cut",
        )
    return np.frombuffer(source.data, table.row, table.rows, table.offset)


def _intensities(source: PlainBytes, header: CelHeader, sets: dict[str, DataSet]) -> npt.NDArray[np.float64]:
    table = sets.get("Intensity")
    if table is None or table.rows != header.cell_count:
        expected = f"a data set Intensity with {header.cell_count:,} rows ({header.columns} x {header.rows})"
        found = f"{table.rows:,} rows" if table else f"the data sets {', '.join(sets)[:200] or 'none'}"
        raise FormatError(source.label, place="data set Intensity", expected=expected, found=found)
    with np.errstate(invalid="ignore"):  # a signaling NaN is refused below, without a warning here
        values = _table(source, "Intensity", table, columns=1)["0"].astype(np.float64)
    check_intensities(source.label, values, header.columns)
    return values


def _flagged(source: PlainBytes, header: CelHeader, table: DataSet | None, what: str) -> Cells:
    """Return the cells of a list; a file without the list, unlike a cut one, flags none."""
    if table is None or table.rows == 0:
        return np.zeros(0, np.int32)
    rows = _table(source, f"of each {what}", table, columns=2)
    x, y = rows["0"].astype(np.int32), rows["1"].astype(np.int32)
    return cell_indices(source.label, x, y, header, what=what)
