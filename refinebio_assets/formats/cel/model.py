"""What a CEL file says, whichever its format, and the checks that all formats share."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from refinebio_assets.errors import FormatError

MAX_CELLS = 1 << 25
"""Beyond any array made: the largest (HTA 2.0, SNP 6.0) have about 7 million cells."""

Intensities = npt.NDArray[np.float64]
Cells = npt.NDArray[np.int32]


class CelFormat(StrEnum):
    """The three formats of CEL files."""

    TEXT = "text"
    BINARY = "binary"
    COMMAND_CONSOLE = "command_console"


@dataclass(frozen=True, slots=True, eq=False)
class CelHeader:
    """The head of a CEL file.

    ``chip_type`` is the array as the scanner's software names it (``HG_U95Av2``), empty when it is not
    named. ``rows`` and ``columns`` count cells. ``scan_date`` is ISO 8601 text without zone
    (``2003-03-18T11:38:54``; a ``Z`` where the file gives UTC), empty when there is none. ``algorithm``
    computed the intensities (``Percentile``); ``scanner`` is the scanner's number and type as written.
    """

    format: CelFormat
    chip_type: str
    rows: int
    columns: int
    scan_date: str
    algorithm: str
    scanner: str

    @property
    def cell_count(self) -> int:
        """How many cells the array has."""
        return self.rows * self.columns


@dataclass(frozen=True, slots=True, eq=False)
class CelFile(CelHeader):
    """A CEL file: its head, and a value for each cell.

    ``intensities`` are in arbitrary units, one a cell, cell (x, y) at ``y * columns + x`` (both from 0):
    finite and not negative, none missing, read-only. They are float64 because a text file holds decimal
    numbers: rounding 201.8 to float32 moves SCAN's result by more than R and we differ otherwise.
    ``masked`` (by the user) and ``outliers`` (by the scanner's software) are cell indices, int32, in the
    file's order, read-only.
    """

    intensities: Intensities
    masked: Cells
    outliers: Cells


def check_dimensions(label: str, columns: int, rows: int, *, place: str) -> None:
    """Raise FormatError unless an array can have so many columns and rows."""
    if columns < 1 or rows < 1 or columns * rows > MAX_CELLS:
        found = f"{columns:,} columns and {rows:,} rows"
        raise FormatError(label, place=place, expected=f"between 1 and {MAX_CELLS:,} cells", found=found)


def cell_indices(
    label: str, x: npt.NDArray[np.int32], y: npt.NDArray[np.int32], header: CelHeader, *, what: str
) -> Cells:
    """Return the indices of cells given by x and y. Raises FormatError for one outside of the array."""
    outside = np.flatnonzero((x < 0) | (x >= header.columns) | (y < 0) | (y >= header.rows))
    if len(outside):
        first = outside[0]
        raise FormatError(
            label,
            place=f"{what} {first + 1:,}",
            expected=f"a cell of {header.columns:,} columns and {header.rows:,} rows",
            found=f"x {x[first]}, y {y[first]}",
        )
    return y * np.int32(header.columns) + x


def first_bad_cell(intensities: Intensities) -> int | None:
    """Return the index of the first intensity that is NaN, infinite or negative, or None."""
    # One pass: a comparison with NaN is false, and every infinity or negative value breaks one of both.
    if intensities.min() >= 0 and intensities.max() < np.inf:
        return None
    return int(np.flatnonzero(~(np.isfinite(intensities) & (intensities >= 0)))[0])


def check_intensities(label: str, intensities: Intensities, columns: int) -> None:
    """Raise FormatError for an intensity that is NaN, infinite or negative, naming its cell."""
    index = first_bad_cell(intensities)
    if index is not None:
        raise FormatError(
            label,
            place=f"cell x {index % columns}, y {index // columns}",
            expected="a finite intensity, not negative",
            found=f"{intensities[index]}",
        )


def make_cel(
    header: CelHeader, intensities: npt.NDArray[np.floating | np.integer], masked: Cells, outliers: Cells
) -> CelFile:
    """Return a CEL file with its arrays read-only."""
    values = np.ascontiguousarray(intensities, dtype=np.float64)
    for array in (values, masked, outliers):
        array.flags.writeable = False
    return CelFile(
        header.format,
        header.chip_type,
        header.rows,
        header.columns,
        header.scan_date,
        header.algorithm,
        header.scanner,
        values,
        masked,
        outliers,
    )
