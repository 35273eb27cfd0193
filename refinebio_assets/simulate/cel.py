"""CEL files in text form, version 3, as Affymetrix's documentation of file formats describes them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_HEADER = """[CEL]
Version=3

[HEADER]
Cols={cols}
Rows={rows}
TotalX={cols}
TotalY={rows}
OffsetX=0
OffsetY=0
GridCornerUL=154 164
GridCornerUR=995 160
GridCornerLR=999 1003
GridCornerLL=158 1006
Axis-invertX=0
AxisInvertY=0
swapXY=0
DatHeader=[12..40151]  {name}:CLS=1167 RWS=1167 XIN=3  YIN=3  VE=17        2.0 01/15/26 12:00:00       \
\x14  \x14 {chip}.1sq \x14  \x14  \x14  \x14  \x14  \x14  \x14  \x14  \x14 6
Algorithm=Percentile
AlgorithmParameters=Percentile:75;CellMargin:2;OutlierHigh:1.500;OutlierLow:1.004

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


def cel_text(name: str, chip: str, intensities: npt.NDArray[np.float64], rng: np.random.Generator) -> bytes:
    """Return a CEL file of one scan, with CRLF; ``intensities`` are rows x columns.

    Standard deviations, numbers of pixels and a few outlier cells are drawn.
    """
    rows, cols = intensities.shape
    deviations = intensities * rng.gamma(9.0, 0.02, size=intensities.shape)
    pixels = rng.choice([16, 20, 25], size=intensities.shape, p=[0.1, 0.3, 0.6])
    y, x = (axis.ravel().tolist() for axis in np.indices(intensities.shape))
    columns = (x, y, intensities.ravel().tolist(), deviations.ravel().tolist(), pixels.ravel().tolist())
    lines = [
        f"{column:3d}\t{row:3d}\t{mean:.1f}\t{deviation:.1f}\t{number:3d}\n"
        for column, row, mean, deviation, number in zip(*columns, strict=True)
    ]
    outliers = np.sort(rng.choice(rows * cols, size=5, replace=False)).tolist()
    parts = [
        _HEADER.format(cols=cols, rows=rows, cells=rows * cols, name=name, chip=chip),
        *lines,
        _CELLS.format(section="MASKS", number=0),
        _CELLS.format(section="OUTLIERS", number=len(outliers)),
        *(f"{cell % cols}\t{cell // cols}\n" for cell in outliers),
        _MODIFIED,
    ]
    return "".join(parts).replace("\n", "\r\n").encode("latin-1")
