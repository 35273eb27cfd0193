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
    order = np.argsort(predicted, kind="stable")
    ranked = residuals[order]
    starts = np.arange(block - 1, len(ranked), block)
    squares = ranked**2
    sums = np.add.reduceat(squares, starts)
    counts = np.diff(starts, append=len(ranked))
    sums[:-1] += squares[starts[1:]]
    counts[:-1] += 1
    spread = np.sqrt(sums / counts)
    result = np.zeros_like(residuals)
    with np.errstate(invalid="ignore"):  # 0 / 0: the caller sees that it is not a number
        result[order[starts[0] :]] = ranked[starts[0] :] / np.repeat(spread, np.diff(starts, append=len(ranked)))
    return result
