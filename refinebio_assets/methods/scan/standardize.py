"""Standardization of residuals in blocks of probes with similar predicted background."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]


def standardize(residuals: Vector, predicted: Vector, block: int) -> Vector:
    """Divide residuals (log2) by the root mean square of those of ``block`` + 1 probes of similar prediction.

    Probes are ranked from 1 by prediction, ties in their order. Block i has the ranks from i * block to
    (i + 1) * block, both included, for i from 1: neighbors share a rank, which the later one sets. So the
    block - 1 probes of the lowest prediction are in no block; as in R, their result is exactly 0.
    """
    order = _stable_order(predicted)
    ranked = residuals[order]
    starts = np.arange(block - 1, len(ranked), block)
    own = np.diff(starts, append=len(ranked))
    squares = ranked**2
    sums, counts = np.add.reduceat(squares, starts), own.copy()
    sums[:-1] += squares[starts[1:]]
    counts[:-1] += 1
    spread = np.repeat(np.sqrt(sums / counts), own)
    result = np.zeros_like(residuals)
    with np.errstate(invalid="ignore"):  # 0 / 0: the caller sees that it is not a number
        result[order[starts[0] :]] = ranked[starts[0] :] / spread
    return result


def _stable_order(values: Vector) -> npt.NDArray[np.intp]:
    """Return ``np.argsort(values, kind="stable")`` in a third of its time: ties are few, and sorted apart."""
    order = np.argsort(values)
    ordered = values[order]
    tied = np.append(ordered[1:] == ordered[:-1], False)
    tied[1:] |= tied[:-1]
    order[tied] = order[tied][np.lexsort((order[tied], ordered[tied]))]
    return order
