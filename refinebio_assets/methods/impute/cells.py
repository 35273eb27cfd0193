"""Which cells of a matrix are missing, and its rows taken block by block. No imputation happens here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from refinebio_assets.errors import PermanentError

Matrix = npt.NDArray[np.floating[Any]]
Cells = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]

_BLOCK_CELLS, _LEAST_ROWS = 50_000, 80
"""Products of a block and few vectors are fastest when the block stays in the processor's own cache."""


class Rows(Protocol):
    """A matrix of which some rows at a time are read and written: an array, or a file that behaves like one.

    Rows that were read may be a view or a copy: what is changed in them is written back by assignment (which
    costs nothing when they are a view).
    """

    @property
    def shape(self) -> tuple[int, ...]: ...  # noqa: D102
    @property
    def dtype(self) -> np.dtype[Any]: ...  # noqa: D102
    def __getitem__(self, rows: slice) -> npt.NDArray[Any]: ...
    def __setitem__(self, rows: slice, values: npt.NDArray[Any]) -> None: ...


def row_blocks(
    shape: tuple[int, ...], cells: int = _BLOCK_CELLS, least: int = _LEAST_ROWS
) -> Iterator[slice]:
    """Yield the rows of a matrix of this shape as slices, in order, of about ``cells`` or ``least`` rows."""
    rows = max(least, cells // max(1, shape[1]))
    for start in range(0, shape[0], rows):
        yield slice(start, min(start + rows, shape[0]))


def checked_block(block: Matrix) -> Flags:
    """Return which cells of a block are missing. Raises PermanentError for infinite values."""
    if np.isinf(block).any():
        raise PermanentError("an infinite value cannot be imputed from: make it missing (NaN) first")
    missing: Flags = np.isnan(block)
    return missing


def check_matrix(matrix: Rows) -> None:
    """Raise PermanentError unless it is a matrix of floating-point numbers."""
    if len(matrix.shape) != 2 or not np.issubdtype(matrix.dtype, np.floating):
        raise PermanentError(
            f"expected a matrix of floating-point numbers, found {len(matrix.shape)} "
            f"dimensions of {matrix.dtype}"
        )


def check_room(matrix: Rows, out: Rows) -> None:
    """Raise PermanentError when ``out`` has another shape or type than the matrix."""
    if tuple(out.shape) != tuple(matrix.shape) or out.dtype != matrix.dtype:
        raise PermanentError(
            f"expected room for {tuple(matrix.shape)} values of {matrix.dtype}, "
            f"found {tuple(out.shape)} of {out.dtype}"
        )


class MissingCells:
    """The missing cells of a matrix, kept as one bit a cell. ``count`` is their number."""

    def __init__(self, matrix: Rows, bits: Rows | None = None) -> None:
        """Find the NaN cells. Raises PermanentError for what is not a matrix, and for infinite values.

        ``bits`` is where to keep them, bytes of rows x (columns / 8, rounded up); else they stay in memory.
        """
        check_matrix(matrix)
        self._columns = matrix.shape[1]
        self._bits: Rows = np.empty(packed_shape(matrix.shape), np.uint8) if bits is None else bits
        self.count = 0
        for rows in row_blocks(matrix.shape):
            missing = checked_block(matrix[rows])
            self.count += int(np.count_nonzero(missing))
            self._bits[rows] = np.packbits(missing, axis=1)

    def in_rows(self, rows: slice) -> Flags:
        """Return which cells of these rows are missing.

        Their positions would take ten times as long to find as the cells take to fill, at 10 % missing.
        """
        return np.unpackbits(self._bits[rows], axis=1, count=self._columns).view(np.bool_)


def packed_shape(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return the rows and bytes that one bit for each cell of a matrix takes."""
    return shape[0], -(-shape[1] // 8)


def zero_filled(matrix: Rows, missing: MissingCells, out: Rows | None) -> Rows:
    """Copy a matrix with its missing cells as 0 to ``out``, which may be the matrix, or to a new array.

    Raises PermanentError when ``out`` has another shape or type.
    """
    if out is None:
        out = np.empty(matrix.shape, matrix.dtype)
    check_room(matrix, out)
    for rows in row_blocks(matrix.shape):
        block = matrix[rows] if out is matrix else matrix[rows].copy()
        np.copyto(block, 0, where=missing.in_rows(rows))
        out[rows] = block
    return out
