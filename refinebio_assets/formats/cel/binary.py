"""CEL files of version 4, binary ("XDA"): little-endian records, 10 bytes a cell."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from refinebio_assets.formats.cel.dat_header import parse_dat_header
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
from refinebio_assets.formats.cel.plain_bytes import HEAD_LIMIT, Cursor, PlainBytes

MAGIC = 64
VERSION = 4
CELL = np.dtype([("intensity", "<f4"), ("deviation", "<f4"), ("pixels", "<i2")])
POINT = np.dtype([("x", "<i2"), ("y", "<i2")])


class _Head(NamedTuple):
    """The head, how many cells are masked and outliers, and the offset of the first cell."""

    header: CelHeader
    masked: int
    outliers: int
    end: int


def read_binary_header(source: PlainBytes) -> CelHeader:
    """Read the head of a binary CEL file; errors as ``read_cel``."""
    return _read_head(source).header


def read_binary_cel(source: PlainBytes) -> CelFile:
    """Read a binary CEL file; errors as ``read_cel``. The subgrids at its end are not looked at."""
    header, masked_count, outlier_count, end = _read_head(source)
    size = header.cell_count * CELL.itemsize + (masked_count + outlier_count) * POINT.itemsize
    source.limit = end + size + HEAD_LIMIT
    cursor = Cursor(source, "<", end)
    if not source.reach(end + size):
        raise cursor.error(
            f"{size:,} bytes of {header.columns:,} x {header.rows:,} cells, masks and outliers",
            f"{len(source.data) - end:,}: the file is cut",
        )
    data = source.finish()
    with np.errstate(invalid="ignore"):  # a signaling NaN is refused below, without a warning here
        intensities = np.frombuffer(data, CELL, header.cell_count, end)["intensity"].astype(np.float64)
    check_intensities(source.label, intensities, header.columns)
    place = end + header.cell_count * CELL.itemsize
    masked = _points(source, header, place, masked_count, "masked cell")
    place += masked_count * POINT.itemsize
    return make_cel(header, intensities, masked, _points(source, header, place, outlier_count, "outlier"))


def _read_head(source: PlainBytes) -> _Head:
    cursor = Cursor(source, "<", 4)
    version = cursor.number("i", "the version")
    if version != VERSION:
        cursor.position -= 4
        raise cursor.error(f"version {VERSION}", f"{version:,}")
    columns = cursor.number("i", "the number of columns")
    rows = cursor.number("i", "the number of rows")
    check_dimensions(source.label, columns, rows, place="byte 8")
    cells = cursor.number("i", "the number of cells")
    if cells != columns * rows:
        cursor.position -= 4
        raise cursor.error(f"{columns * rows:,} cells, as columns x rows", f"{cells:,}")
    fields = _tags(cursor.text("the header"))
    algorithm = cursor.text("the algorithm's name")
    cursor.text("the algorithm's parameters")
    cursor.number("i", "the cell margin")
    outliers = cursor.count("the number of outliers", code="I", most=cells)
    masked = cursor.count("the number of masked cells", code="I", most=cells)
    cursor.number("i", "the number of subgrids")
    dat = parse_dat_header(fields.get("DatHeader", ""))
    header = CelHeader(
        format=CelFormat.BINARY,
        chip_type=dat.chip_type,
        rows=rows,
        columns=columns,
        scan_date=dat.scan_date,
        algorithm=algorithm or fields.get("Algorithm", ""),
        scanner=dat.scanner,
    )
    return _Head(header, masked, outliers, cursor.position)


def _tags(text: str) -> dict[str, str]:
    """Return the TAG=VALUE lines of the header; of a tag given twice the last."""
    pairs = (line.partition("=") for line in text.splitlines())
    return {tag: value for tag, _, value in pairs}


def _points(source: PlainBytes, header: CelHeader, offset: int, count: int, what: str) -> Cells:
    points = np.frombuffer(source.data, POINT, count, offset)
    with np.errstate(invalid="ignore"):
        x, y = points["x"].astype(np.int32), points["y"].astype(np.int32)
    return cell_indices(source.label, x, y, header, what=what)
