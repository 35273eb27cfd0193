"""Each gene's values brought to one scale over the samples: by range, by deviation, or by quartiles.

Arrays in, arrays out; a matrix is genes x samples. Results are those of scikit-learn's ``MinMaxScaler``,
``StandardScaler`` and ``RobustScaler`` (1.2 to 1.7) fitted to the transposed matrix, as refine.bio uses them,
also for genes that are constant or nearly so. The code is our own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from refinebio_assets.domain import ScaleBy

Matrix = npt.NDArray[np.floating[Any]]
Values = npt.NDArray[np.float64]

EPS = float(np.finfo(np.float64).eps)
SMALLEST_SPREAD = 10 * EPS
"""A range or interquartile range below this counts as none, as in scikit-learn."""
_BLOCK_CELLS = 1 << 18


def scale_genes(values: Matrix, scale_by: ScaleBy, out: Matrix | None = None) -> Matrix:
    """Scale each gene (row) of a matrix over its samples.

    MINMAX: (x - min) / (max - min). STANDARD: (x - mean) / standard deviation of the population. ROBUST:
    (x - median) / interquartile range (quartiles interpolated linearly). NONE: as they are. Where the
    divisor is 0, only the subtraction is done: constant genes become 0, and so do not, by ROBUST, the few
    samples that differ in a gene that is otherwise constant. Missing values (NaN) are left out of the fit and
    stay.

    Arithmetic is float64. The result has the matrix's type, or is ``out``, a float array of the same shape,
    which may be the matrix itself; memory beyond it is a few megabytes.

    Raises ValueError when a value is infinite.
    """
    if values.ndim != 2:
        raise ValueError(f"expected a matrix of genes x samples, got an array of shape {values.shape}")
    result = np.empty_like(values) if out is None else out
    if result.shape != values.shape:
        raise ValueError(f"expected out of shape {values.shape}, got {result.shape}")
    fit = _FITS[scale_by]
    step = max(1, _BLOCK_CELLS // max(1, values.shape[1]))
    for start in range(0, values.shape[0], step):
        rows = slice(start, start + step)
        block = np.array(values[rows], np.float64)
        if np.isinf(block).any():
            gene = start + int(np.flatnonzero(np.isinf(block).any(axis=1))[0])
            raise ValueError(f"the gene in row {gene} has an infinite value, which has no scale")
        center, spread = fit(block)
        block -= center[:, None]
        block /= spread[:, None]
        result[rows] = block
    return result


def _no_scale(block: Values) -> tuple[Values, Values]:
    return np.zeros(len(block)), np.ones(len(block))


def _range(block: Values) -> tuple[Values, Values]:
    low = np.fmin.reduce(block, axis=1, initial=np.nan)
    high = np.fmax.reduce(block, axis=1, initial=np.nan)
    return low, _divisor(high - low)


def _deviation(block: Values) -> tuple[Values, Values]:
    present = ~np.isnan(block)
    counts = np.maximum(present.sum(axis=1), 1)
    filled = np.where(present, block, 0.0)
    means = filled.sum(axis=1) / counts
    deviations = np.where(present, block - means[:, None], 0.0)
    drift = deviations.sum(axis=1) / counts  # what rounding left of the mean
    variances = (deviations**2).sum(axis=1) / counts - drift**2
    rounding = counts * EPS * variances + (counts * means * EPS) ** 2
    return means + drift, np.where(variances <= rounding, 1.0, np.sqrt(np.maximum(variances, 0.0)))


def _quartiles(block: Values) -> tuple[Values, Values]:
    ordered = np.sort(block, axis=1)  # NaN come last
    counts = np.count_nonzero(~np.isnan(ordered), axis=1)
    low, middle, high = (_quantiles(ordered, counts, share) for share in (0.25, 0.5, 0.75))
    return middle, _divisor(high - low)


def _quantiles(ordered: Values, counts: npt.NDArray[np.int_], share: float) -> Values:
    """Return a quantile of each row's first ``counts`` values, interpolated linearly; NaN without one."""
    if not ordered.shape[1]:
        return np.full(len(ordered), np.nan)
    place = np.maximum(counts - 1, 0) * share
    below = place.astype(np.intp)
    rows = np.arange(len(ordered))
    lower = ordered[rows, below]
    upper = ordered[rows, np.minimum(below + 1, np.maximum(counts - 1, 0))]
    result: Values = lower + (upper - lower) * (place - below)
    return result


def _divisor(spread: Values) -> Values:
    return np.where(spread < SMALLEST_SPREAD, 1.0, spread)


_FITS: Mapping[ScaleBy, Callable[[Values], tuple[Values, Values]]] = {
    ScaleBy.NONE: _no_scale,
    ScaleBy.MINMAX: _range,
    ScaleBy.STANDARD: _deviation,
    ScaleBy.ROBUST: _quartiles,
}
