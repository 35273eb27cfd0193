"""Which cells of a matrix are missing, and its rows taken block by block. No imputation happens here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from refinebio_assets.errors import PermanentError

Matrix = npt.NDArray[np.floating[Any]]
Cells = npt.NDArray[np.intp]

_BLOCK_CELLS, _LEAST_ROWS = 200_000, 80
"""So few cells stay in the processor's cache; with fewer rows products of matrices are a third slower."""


def row_blocks(shape: tuple[int, ...]) -> Iterator[slice]:
    """Yield the rows of a matrix of this shape as slices, in order, of about 200,000 cells or 80 rows."""
    rows = max(_LEAST_ROWS, _BLOCK_CELLS // max(1, shape[1]))
    for start in range(0, shape[0], rows):
        yield slice(start, min(start + rows, shape[0]))


class MissingCells:
    """The missing cells of a genes x samples matrix, kept as one bit a cell. ``count`` is their number."""

    def __init__(self, matrix: Matrix) -> None:
        """Find the NaN cells. Raises PermanentError for what is not a matrix, and for infinite values."""
        if matrix.ndim != 2 or not np.issubdtype(matrix.dtype, np.floating):
            raise PermanentError(
                f"expected a genes x samples matrix of floating-point numbers, found {matrix.ndim} "
                f"dimensions of {matrix.dtype}"
            )
        self._shape = matrix.shape
        self._bits = np.empty((matrix.shape[0], -(-matrix.shape[1] // 8)), np.uint8)
        self.count = 0
        for rows in row_blocks(matrix.shape):
            block = np.asarray(matrix[rows])
            if np.isinf(block).any():
                raise PermanentError("an infinite value cannot be imputed from: make it missing (NaN) first")
            missing = np.isnan(block)
            self.count += int(np.count_nonzero(missing))
            self._bits[rows] = np.packbits(missing, axis=1)

    def in_rows(self, rows: slice) -> npt.NDArray[np.bool_]:
        """Return which cells of these rows (rows x samples) are missing.

        Their positions would take ten times as long to find as the cells take to fill, at 10 % missing.
        """
        return np.unpackbits(self._bits[rows], axis=1, count=self._shape[1]).view(np.bool_)


def zero_filled(matrix: Matrix, missing: MissingCells, out: Matrix | None) -> Matrix:
    """Copy a matrix with its missing cells as 0 to ``out``, which may be the matrix, or to a new array.

    Raises PermanentError when ``out`` has another shape or type, or is not stored row by row.
    """
    if out is None:
        out = np.empty(matrix.shape, matrix.dtype)
    if out.shape != matrix.shape or out.dtype != matrix.dtype or not out.flags.c_contiguous:
        raise PermanentError(
            f"expected room for {matrix.shape} values of {matrix.dtype}, row by row, "
            f"found {out.shape} of {out.dtype}"
        )
    for rows in row_blocks(matrix.shape):
        if out is not matrix:
            out[rows] = matrix[rows]
        np.copyto(out[rows], 0, where=missing.in_rows(rows))
    return out
