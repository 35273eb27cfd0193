"""Writes CEL files in all three formats, from what ``read_cel`` gives.

Only what a reader can know is written: deviations are 0 and each cell has 25 pixels.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from refinebio_assets.formats.cel import CelFile, CelFormat, CelHeader
from refinebio_assets.formats.cel.binary import CELL, POINT
from refinebio_assets.formats.cel.model import Cells, Intensities, make_cel

PIXELS = 25
MARGIN = 4
PARAMETERS = "Percentile:75;CellMargin:4;OutlierHigh:1.500;OutlierLow:1.004"
_NARROW, _WIDE, _INTEGER = "text/ascii", "text/plain", "text/x-calvin-integer-32"
_SHORT, _FLOAT = 2, 6


def write_cel(path: Path, cel: CelFile) -> None:
    """Write a CEL file in its own format."""
    path.write_bytes(cel_bytes(cel))


def cel_bytes(cel: CelFile) -> bytes:
    """Return a CEL file's bytes in its own format; intensities are rounded as the format does."""
    match cel.format:
        case CelFormat.TEXT:
            return _text(cel)
        case CelFormat.BINARY:
            return _binary(cel)
        case CelFormat.COMMAND_CONSOLE:
            return _command_console(cel)


def make_array(
    format_: CelFormat,
    intensities: Intensities,
    columns: int,
    *,
    chip_type: str = "Tiny_1",
    masked: Sequence[int] = (),
    outliers: Sequence[int] = (),
) -> CelFile:
    """Return a CEL file of an array with the given cells, scanned on a fixed day."""
    header = CelHeader(
        format=format_,
        chip_type=chip_type,
        rows=len(intensities) // columns,
        columns=columns,
        scan_date="2004-05-06T07:08:09",
        algorithm="Percentile",
        scanner="50205880 M10",
    )
    return make_cel(header, intensities, np.array(masked, np.int32), np.array(outliers, np.int32))


def dat_header(cel: CelHeader) -> str:
    """Return the line that tells array, date and scanner."""
    year, month, day = cel.scan_date[2:4], cel.scan_date[5:7], cel.scan_date[8:10]
    date = f"{month}/{day}/{year} {cel.scan_date[11:19]}"
    size = f"CLS={cel.columns} RWS={cel.rows} XIN=1  YIN=1  VE=30        2.0"
    blank = " \x14 "
    before = f"[0..65534]  sample:{size} {date} {cel.scanner}  {blank}{blank}"
    return f"{before}{cel.chip_type}.1sq{blank * 5}570{blank}25356.509766{blank}3.500000{blank}1.5600{blank}6"


def _head_lines(cel: CelHeader) -> list[str]:
    """Return the TAG=VALUE lines that text and binary files have."""
    right, bottom = 10 * cel.columns, 10 * cel.rows
    return [
        *(f"Cols={cel.columns}", f"Rows={cel.rows}", f"TotalX={cel.columns}", f"TotalY={cel.rows}"),
        *("OffsetX=0", "OffsetY=0", "GridCornerUL=0 0", f"GridCornerUR={right} 0"),
        *(f"GridCornerLR={right} {bottom}", f"GridCornerLL=0 {bottom}"),
        *("Axis-invertX=0", "AxisInvertY=0", "swapXY=0", f"DatHeader={dat_header(cel)}"),
        *(f"Algorithm={cel.algorithm}", f"AlgorithmParameters={PARAMETERS}"),
    ]


def _text(cel: CelFile) -> bytes:
    lines = ["[CEL]", "Version=3", "", "[HEADER]", *_head_lines(cel), ""]
    lines += ["[INTENSITY]", f"NumberCells={cel.cell_count}", "CellHeader=X\tY\tMEAN\tSTDV\tNPIXELS"]
    for cell, mean in enumerate(cel.intensities.tolist()):
        y, x = divmod(cell, cel.columns)
        lines.append(f"{x:3}\t{y:3}\t{mean}\t0.0\t{PIXELS:3}")
    for name, cells in (("MASKS", cel.masked), ("OUTLIERS", cel.outliers)):
        lines += ["", f"[{name}]", f"NumberCells={len(cells)}", "CellHeader=X\tY"]
        lines += [f"{cell % cel.columns}\t{cell // cel.columns}" for cell in cells.tolist()]
    lines += ["", "[MODIFIED]", "NumberCells=0", "CellHeader=X\tY\tORIGMEAN", ""]
    return "\r\n".join(lines).encode("latin-1")


def _binary(cel: CelFile) -> bytes:
    fields = "".join(f"{line}\n" for line in _head_lines(cel)).encode("latin-1")
    texts = (fields, cel.algorithm.encode("latin-1"), PARAMETERS.encode("latin-1"))
    return b"".join(
        (
            struct.pack("<5i", 64, 4, cel.columns, cel.rows, cel.cell_count),
            *(struct.pack("<i", len(text)) + text for text in texts),
            struct.pack("<iIIi", MARGIN, len(cel.outliers), len(cel.masked), 1),
            _cells(cel).tobytes(),
            _points(cel, cel.masked, "<").tobytes(),
            _points(cel, cel.outliers, "<").tobytes(),
            bytes(56),
        )
    )


def _command_console(cel: CelFile) -> bytes:
    parent = _header(
        "affymetrix-calvin-scan-acquisition",
        ("affymetrix-dat-header", _utf16(dat_header(cel)), _WIDE),
        ("affymetrix-scan-date", _utf16(cel.scan_date), _WIDE),
    )
    head = _header(
        "affymetrix-calvin-intensity",
        ("affymetrix-algorithm-name", _utf16(cel.algorithm), _WIDE),
        ("affymetrix-array-type", _utf16(cel.chip_type).ljust(200, b"\0"), _WIDE),
        ("affymetrix-algorithm-param-OutlierHigh", b"1.500", _NARROW),
        ("affymetrix-cel-cols", struct.pack(">i12x", cel.columns), _INTEGER),
        ("affymetrix-cel-rows", struct.pack(">i12x", cel.rows), _INTEGER),
        parents=(parent,),
    )
    means = cel.intensities.astype(">f4").tobytes()
    sets = (
        ("Intensity", [("Intensity", _FLOAT, 4)], cel.cell_count, means),
        ("StdDev", [("StdDev", _FLOAT, 4)], cel.cell_count, bytes(len(means))),
        ("Pixel", [("Pixel", _SHORT, 2)], cel.cell_count, bytes([0, PIXELS]) * cel.cell_count),
        *(
            (name, [("X", _SHORT, 2), ("Y", _SHORT, 2)], len(cells), _points(cel, cells, ">").tobytes())
            for name, cells in (("Outlier", cel.outliers), ("Mask", cel.masked))
        ),
    )
    group = 10 + len(head)
    name = _wide("Default Group")
    start = group + 12 + len(name)
    body = b""
    for set_ in sets:
        body += _data_set(start + len(body), *set_)
    file_head = struct.pack(">BBiI", 59, 1, 1, group)
    return file_head + head + struct.pack(">IIi", start + len(body), start, len(sets)) + name + body


def _data_set(start: int, name: str, columns: list[tuple[str, int, int]], rows: int, data: bytes) -> bytes:
    definitions = b"".join(_wide(column) + struct.pack(">bi", kind, size) for column, kind, size in columns)
    head = _wide(name) + struct.pack(">i", 0) + struct.pack(">I", len(columns)) + definitions
    first = start + 8 + len(head) + 4
    return struct.pack(">II", first, first + len(data)) + head + struct.pack(">I", rows) + data


def _header(data_type: str, *parameters: tuple[str, bytes, str], parents: Sequence[bytes] = ()) -> bytes:
    identifier = b"0000000001-0000000002"
    values = (
        _wide(name) + struct.pack(">i", len(value)) + value + _wide(kind) for name, value, kind in parameters
    )
    return b"".join(
        (
            *(struct.pack(">i", len(text)) + text for text in (data_type.encode(), identifier)),
            _wide(""),
            _wide("en-US"),
            struct.pack(">i", len(parameters)),
            *values,
            struct.pack(">i", len(parents)),
            *parents,
        )
    )


def _utf16(text: str) -> bytes:
    return text.encode("utf-16-be")


def _wide(text: str) -> bytes:
    return struct.pack(">i", len(_utf16(text)) // 2) + _utf16(text)


def _cells(cel: CelFile) -> np.ndarray:
    cells = np.zeros(cel.cell_count, CELL)
    cells["intensity"] = cel.intensities
    cells["pixels"] = PIXELS
    return cells


def _points(cel: CelFile, cells: Cells, order: str) -> np.ndarray:
    points = np.zeros(len(cells), POINT.newbyteorder(order))
    points["x"], points["y"] = cells % cel.columns, cells // cel.columns
    return points
