"""Values put on a log2 scale, by the rules of refine.bio's aggregation.

Arrays in, arrays out; a matrix is genes x samples. Whether a submitter's values look logarithmic, with
everything that speaks for and against it, is told by ``probe_conversion.detect_log2``; the limit is one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

LOG_SCALE_LIMIT = 100.0
"""A sample with a value above it is not on a log scale (refine.bio's rule)."""
_BLOCK_CELLS = 1 << 20

Matrix = npt.NDArray[np.floating[Any]]
Counts = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class LogScaled:
    """Values on a log2 scale; for each sample, whether it was changed, and how many values have no log.

    Those are NaN in ``values``: zero and negative microarray values, abundances below 0. (refine.bio leaves
    -inf for zero, which no later step can use.) NaN that were there before are not counted.
    """

    values: Matrix
    changed: Flags
    without_log: Counts


def log2_of_abundances(values: Matrix, out: Matrix | None = None) -> LogScaled:
    """Return log2(x + 1) of abundances (lengthScaledTPM). Zero stays zero; NaN stays NaN.

    ``out`` is a float array of the same shape, which may be ``values`` itself.
    """
    result = _result(values, out)
    without = np.zeros(values.shape[1], np.int64)
    for rows in _blocks(values.shape):
        block = values[rows]
        negative = block < 0
        without += negative.sum(axis=0)
        np.log2(np.where(negative, np.nan, block) + 1.0, out=result[rows])
    return LogScaled(result, np.ones(values.shape[1], np.bool_), without)


def log2_where_linear(values: Matrix, out: Matrix | None = None) -> LogScaled:
    """Return microarray values on a log scale: log2(x) of each sample with a finite value above 100.

    Samples are judged one by one, as refine.bio does; those on a log scale stay as they are. ``out`` is as
    for ``log2_of_abundances``.
    """
    result = _result(values, out)
    linear = _linear_samples(values)
    places = np.flatnonzero(linear)
    without = np.zeros(values.shape[1], np.int64)
    if result is not values:
        result[...] = values
    if len(places):
        for rows in _blocks(values.shape):
            logs, none = log2_or_missing(values[rows][:, places])
            without[places] += none.sum(axis=0)
            result[rows, places] = logs
    return LogScaled(result, linear, without)


def log2_or_missing(values: Matrix) -> tuple[Matrix, Flags]:
    """Return log2 of values (of any shape), NaN where they are zero or negative, and where that is."""
    without = values <= 0
    return np.log2(np.where(without, np.nan, values)), without


def _linear_samples(values: Matrix) -> Flags:
    linear = np.zeros(values.shape[1], np.bool_)
    for rows in _blocks(values.shape):
        block = values[rows]
        linear |= ((block > LOG_SCALE_LIMIT) & (block < np.inf)).any(axis=0)
    return linear


def _blocks(shape: tuple[int, ...]) -> list[slice]:
    genes, samples = shape
    step = max(1, _BLOCK_CELLS // max(1, samples))
    return [slice(start, min(start + step, genes)) for start in range(0, genes, step)]


def _result(values: Matrix, out: Matrix | None) -> Matrix:
    if values.ndim != 2:
        raise ValueError(f"expected a matrix of genes x samples, got an array of shape {values.shape}")
    if out is None:
        return np.empty_like(values)
    if out.shape != values.shape:
        raise ValueError(f"expected out of shape {values.shape}, got {out.shape}")
    return out
