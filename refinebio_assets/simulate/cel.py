"""CEL files as Affymetrix's documentation of file formats has them: text (version 3) and binary (version 4).

The third format is in ``command_console``; readers, which share no code with this, are in ``formats.cel``.
"""

from __future__ import annotations

import struct

import numpy as np

from refinebio_assets.formats.cel import CelFormat
from refinebio_assets.simulate.command_console import command_console_cel
from refinebio_assets.simulate.scanner import ALGORITHM, PARAMETERS, Scan

_CORNERS = ("154 164", "995 160", "999 1003", "158 1006")
"""The scanner's pixels at the chip's corners: upper left and right, lower right and left."""

_BINARY_MAGIC, _BINARY_VERSION, _CELL_MARGIN = 64, 4, 2
_CELL = np.dtype([("mean", "<f4"), ("deviation", "<f4"), ("pixels", "<i2")])
_SUBGRID_BYTES = 56
_INTENSITY = """
[INTENSITY]
NumberCells={cells}
CellHeader=X	Y	MEAN	STDV	NPIXELS
"""
_CELLS = """
[{section}]
NumberCells={number}
CellHeader=X	Y
"""
_MODIFIED = """
[MODIFIED]
NumberCells=0
CellHeader=X	Y	ORIGMEAN
"""


def cel_bytes(scan: Scan, cel_format: CelFormat) -> bytes:
    """Return the scan as a CEL file."""
    match cel_format:
        case CelFormat.TEXT:
            return _text(scan)
        case CelFormat.BINARY:
            return _binary(scan)
        case CelFormat.COMMAND_CONSOLE:
            return command_console_cel(scan)


def _text(scan: Scan) -> bytes:
    """Return the scan as a CEL file of version 3; lines end in CRLF."""
    cols = scan.means.shape[1]
    y, x = (axis.ravel().tolist() for axis in np.indices(scan.means.shape))
    values = (part.ravel().tolist() for part in (scan.means, scan.deviations, scan.pixels))
    lines = [
        f"{column:3d}\t{row:3d}\t{mean:.1f}\t{deviation:.1f}\t{number:3d}\n"
        for column, row, mean, deviation, number in zip(x, y, *values, strict=True)
    ]
    parts = [
        f"[CEL]\nVersion=3\n\n[HEADER]\n{_tags(scan)}",
        _INTENSITY.format(cells=scan.means.size),
        *lines,
        _CELLS.format(section="MASKS", number=0),
        _CELLS.format(section="OUTLIERS", number=len(scan.outliers)),
        *(f"{cell % cols}\t{cell // cols}\n" for cell in scan.outliers.tolist()),
        _MODIFIED,
    ]
    return "".join(parts).replace("\n", "\r\n").encode("latin-1")


def _binary(scan: Scan) -> bytes:
    """Return the scan as a CEL file of version 4, which rounds to numbers of 4 bytes."""
    rows, cols = scan.means.shape
    cells = np.empty(scan.means.size, _CELL)
    cells["mean"], cells["deviation"] = scan.means.ravel(), scan.deviations.ravel()
    cells["pixels"] = scan.pixels.ravel()
    texts = (text.encode("latin-1") for text in (_tags(scan), ALGORITHM, PARAMETERS))
    return b"".join(
        (
            struct.pack("<5i", _BINARY_MAGIC, _BINARY_VERSION, cols, rows, scan.means.size),
            *(struct.pack("<i", len(text)) + text for text in texts),
            struct.pack("<iIIi", _CELL_MARGIN, len(scan.outliers), 0, 1),
            cells.tobytes(),
            scan.outlier_points().astype("<i2").tobytes(),
            bytes(_SUBGRID_BYTES),
        )
    )


def _tags(scan: Scan) -> str:
    """Return the lines of the header that text and binary files share."""
    rows, cols = scan.means.shape
    corners = zip(("UL", "UR", "LR", "LL"), _CORNERS, strict=True)
    lines = [
        *(f"Cols={cols}", f"Rows={rows}", f"TotalX={cols}", f"TotalY={rows}", "OffsetX=0", "OffsetY=0"),
        *(f"GridCorner{corner}={pixel}" for corner, pixel in corners),
        *("Axis-invertX=0", "AxisInvertY=0", "swapXY=0", f"DatHeader={scan.dat_header}"),
        *(f"Algorithm={ALGORITHM}", f"AlgorithmParameters={PARAMETERS}"),
    ]
    return "".join(f"{line}\n" for line in lines)
