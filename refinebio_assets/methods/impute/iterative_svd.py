"""IterativeSVD, refine.bio's imputation: missing values become those of a low-rank approximation, repeatedly.

The iterates are those of fancySVD 0.1.3 (fancyimpute's ``IterativeSVD``) with its defaults, its stopping rule
included. The approximation is found in another way: the leading singular vectors are followed from iteration
to iteration, and the missing cells of an iteration are filled in the same pass over the matrix that begins
the next. Where values are missing for a whole platform use ``factor_imputation``: nothing is centered here,
and the stopping rule is relative to the size of the values, so that it stops before the missing cells settle.

Source: Troyanskaya et al. (2001), doi:10.1093/bioinformatics/17.6.520; fancySVD 0.1.3, read and described.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from refinebio_assets.errors import PermanentError
from refinebio_assets.methods.impute.cells import Matrix, MissingCells, Rows, row_blocks, zero_filled
from refinebio_assets.methods.impute.leading_space import Values, leading_space

RANK = 10
THRESHOLD = 1e-5
MOST_ITERATIONS = 200

_GUARDS = 10
_FEW_COLUMNS = 64
"""Up to so many columns all of them are the search space, which makes the singular vectors exact."""
_START_SEED = 0
"""Random vectors begin the first search; what is found does not depend on them."""
_TOLERANCES = {4: 1e-6, 8: 1e-9}
"""By bytes of a value. At 1e-9 no cell was more than 1e-8 off the exact iterates (at 1e-6: 1e-6); products of
float32 are not more exact than 1e-6. After seven iterations cells of float32 are 2e-7 of their value from
the exact ones (root mean square), those of fancySVD, which sums in float32, 6e-7."""


@dataclass(frozen=True, slots=True, eq=False)
class IterativeSvdResult:
    """The filled matrix, the number of ``iterations``, and the ``rank`` of the last one.

    ``changes`` is, for each iteration, the squared change of the missing cells over their squared size
    before it (the stopping rule's number; infinite where that size was 0). ``converged`` tells whether
    the rule was met.
    """

    matrix: Any
    iterations: int
    rank: int
    changes: tuple[float, ...]
    converged: bool


def iterative_svd(
    matrix: Rows,
    *,
    rank: int = RANK,
    threshold: float = THRESHOLD,
    max_iterations: int = MOST_ITERATIONS,
    out: Rows | None = None,
    bits: Rows | None = None,
) -> IterativeSvdResult:
    """Fill the missing values (NaN) of a matrix by IterativeSVD.

    Genes x samples or samples x genes: nothing is centered, so that both give the same values.

    Missing cells start as 0; iteration i = 0, 1, ... replaces them by the best approximation of rank
    min(2^i, ``rank``) to the whole matrix, until their squared change is below ``threshold`` times their
    squared size. Observed cells are returned as they are; a row or column without any becomes 0.

    float32 is stored as float32, products are summed over blocks of rows in float64; float64 stays float64.
    ``out`` receives the result: an array or a file of the matrix's shape and type, or the matrix itself. The
    matrix is read and written some rows at a time; memory beside it is one bit a cell, which ``bits`` (see
    ``MissingCells``) may keep elsewhere, and (rows + columns) x at most some hundred numbers.
    Without missing values the matrix is returned at once (fancySVD's rule then is never met).

    ``rank`` is lowered to the smaller side of the matrix minus 1, where fancySVD fails. Raises PermanentError
    when a side is below 2, for infinite values, and for types that are not float32 or float64.
    """
    missing = MissingCells(matrix, bits)
    rank = _possible_rank(matrix, missing, rank)
    filled = zero_filled(matrix, missing, out)
    if not missing.count:
        return IterativeSvdResult(filled, 0, 0, (), True)
    passes, changes = _Passes(filled, missing), list[float]()
    tolerance = _TOLERANCES[matrix.dtype.itemsize]
    start = _first_start(matrix.shape[1], rank)
    keep = max(rank + _GUARDS, start.shape[1])
    product = passes.multiply(start)
    current = 0
    while len(changes) < max_iterations and not (changes and changes[-1] < threshold):
        current = min(2 * current or 1, rank)
        found = leading_space(start, product, passes.multiply, current, keep=keep, tolerance=tolerance)
        start = found.start
        change, product = passes.fill_and_multiply(found.scores, found.right, start)
        changes.append(change)
    return IterativeSvdResult(filled, len(changes), current, tuple(changes), changes[-1] < threshold)


def _possible_rank(matrix: Rows, missing: MissingCells, rank: int) -> int:
    if matrix.dtype.itemsize not in _TOLERANCES:
        raise PermanentError(f"expected values of float32 or float64, found {matrix.dtype}")
    if rank < 1:
        raise PermanentError(f"the rank of an approximation is at least 1, not {rank}")
    rows, columns = matrix.shape
    if missing.count and (min(rows, columns) < 2 or missing.count == rows * columns):
        raise PermanentError(
            f"{missing.count:,} missing values of {rows:,} x {columns:,} cannot be imputed: "
            "two rows, two columns and some known values are needed"
        )
    return int(min(rank, min(matrix.shape) - 1))


def _first_start(columns: int, rank: int) -> Values:
    """Return vectors to begin with: the mean of columns, which leads where nothing is centered, and noise."""
    if columns <= _FEW_COLUMNS:
        return np.eye(columns)
    noise = np.random.default_rng(_START_SEED).standard_normal((columns, rank + 2))
    return np.linalg.qr(np.column_stack((np.ones(columns), noise)))[0]


class _Passes:
    """Passes over the matrix X, from its first to its last row, block by block."""

    def __init__(self, matrix: Rows, missing: MissingCells) -> None:
        self._matrix = matrix
        self._missing = missing

    def multiply(self, vectors: Values) -> tuple[Values, Values]:
        """Return X Q and X'X Q for vectors Q (columns x k)."""
        scores, images = self._empty(vectors)
        narrow = vectors.astype(self._matrix.dtype)
        for rows in row_blocks(self._matrix.shape):
            _add_product(self._matrix[rows], narrow, scores[rows], images)
        return scores, images

    def fill_and_multiply(
        self, scores: Values, right: Values, vectors: Values
    ) -> tuple[float, tuple[Values, Values]]:
        """Set the missing cells to those of scores right', and return their change and then ``multiply``."""
        scores, right = scores.astype(self._matrix.dtype), np.ascontiguousarray(right.T, self._matrix.dtype)
        new_scores, images = self._empty(vectors)
        narrow = vectors.astype(self._matrix.dtype)
        moved = size = 0.0
        for rows in row_blocks(self._matrix.shape):
            block, missing = self._matrix[rows], self._missing.in_rows(rows).astype(self._matrix.dtype)
            step = scores[rows] @ right
            step -= block
            step *= missing
            missing *= block
            moved += float(np.vdot(step, step))
            size += float(np.vdot(missing, missing))
            block += step
            self._matrix[rows] = block
            _add_product(block, narrow, new_scores[rows], images)
        return (moved / size if size else np.inf), (new_scores, images)

    def _empty(self, vectors: Values) -> tuple[Values, Values]:
        return np.empty((self._matrix.shape[0], vectors.shape[1])), np.zeros(vectors.shape)


def _add_product(block: Matrix, vectors: Matrix, scores: Values, images: Values) -> None:
    """Write the block's rows of X Q, and add what they contribute to X'X Q."""
    product = block @ vectors
    scores[...] = product
    images += (product.T @ block).T
