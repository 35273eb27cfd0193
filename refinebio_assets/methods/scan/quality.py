"""Numbers that tell a good array from a bad one. Judging them, and plots, are the work of other rooms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float64]

SCANNER_CEILING = 65_500.0
"""Just under what 16 bits hold: cells from here on are saturated."""


@dataclass(frozen=True, slots=True)
class IntensityQuality:
    """Shares of one array's probes. ``zeros``: intensity 0. ``saturated``: at the scanner's ceiling."""

    zeros: float
    saturated: float


def intensity_quality(intensities: Vector) -> IntensityQuality:
    """Return the shares of zeros and of saturated probes among intensities (one a probe, at least one).

    The ceiling is 65,500, or the highest intensity of the array where that is lower: older scanners stop
    at other values, which many cells then share. Without saturation that is one cell or two.
    """
    ceiling = min(SCANNER_CEILING, float(intensities.max()))
    saturated = np.count_nonzero(intensities >= ceiling) if ceiling > 0 else 0
    zeros = np.count_nonzero(intensities == 0)
    return IntensityQuality(float(zeros / len(intensities)), float(saturated / len(intensities)))


def sequence_share(values: Vector, predicted: Vector) -> float:
    """Return which share of the values' variance the prediction from sequences explains, 0 to 1.

    ``values`` are log2 intensities, ``predicted`` what the model predicts for background. On two
    real arrays it is 0.26 and 0.14; with sequences of another array it is 0. NaN where nothing varies.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        return float(np.corrcoef(values, predicted)[0, 1] ** 2)


def value_quartiles(values: Vector) -> tuple[float, float, float, float, float]:
    """Return minimum, lower quartile, median, upper quartile and maximum (R's type 7), NaN left out.

    All five are NaN where there is no value.
    """
    known = values[~np.isnan(values)]
    if not len(known):
        return np.nan, np.nan, np.nan, np.nan, np.nan
    low, lower, median, upper, high = np.quantile(known, (0, 0.25, 0.5, 0.75, 1)).tolist()
    return low, lower, median, upper, high


def correlation_with_median(matrix: Matrix) -> Vector:
    """Return, for each sample of a genes x samples matrix, Pearson's correlation with the median sample.

    The median sample has each gene's median over all samples. Genes with a NaN are left out; NaN where
    nothing varies or fewer than 3 genes are left.
    """
    complete = matrix[~np.isnan(matrix).any(axis=1)]
    if len(complete) < 3:
        return np.full(matrix.shape[1], np.nan)
    median = np.median(complete, axis=1)
    centered = complete - complete.mean(axis=0)
    reference = median - median.mean()
    with np.errstate(invalid="ignore"):
        correlation: Vector = (reference @ centered) / np.sqrt(
            (reference**2).sum() * (centered**2).sum(axis=0)
        )
    return correlation
