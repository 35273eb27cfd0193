"""Background correction of Illumina BeadArrays from detection p-values, as limma's ``nec`` does it.

One array at a time, arrays in, arrays out. The background's distribution is read off the detection p-values:
they tell, for each probe, which share of the negative controls is brighter. Whether a file's values need
correction at all, and what becomes of missing cells, is decided in ``beadarray``.

Source: Shi, Oshlack, Smyth (2010), doi:10.1093/nar/gkq871; limma 3.34.9 to 3.54, ``nec``,
``normexp.fit.detection.p`` and ``normexp.signal``. The code is our own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from refinebio_assets.errors import PermanentError

Vector = npt.NDArray[np.float64]

OFFSET = 16.0
"""What limma adds to corrected values. refine.bio corrects log2 values, so it is added to these."""
SMALLEST_SIGNAL_MEAN = 10.0
"""limma's floor for the mean signal. Log2 values seldom exceed 16, so there it is always the floor."""
_FAR_BELOW = -30.0
"""Standard deviations under the background from which on the hazard's series is exact to 1e-12."""
_SERIES = (1.0, -2.0, 10.0, -74.0, 706.0)
"""``phi(x) / (1 - Phi(x)) - x`` = 1/x - 2/x^3 + 10/x^5 - ...: from Abramowitz and Stegun, 26.2.12."""


@dataclass(frozen=True, slots=True)
class Background:
    """One array's normal-exponential model: the background's mean and deviation, and the mean signal.

    All on the scale of the values from which it was estimated.
    """

    mean: float
    deviation: float
    signal_mean: float


def p_values_fall(values: Vector, p_values: Vector) -> bool:
    """Tell whether p-values are lower where values are higher, as p-values are; else they are 1 - p.

    As in limma, the brightest and the darkest probe decide, the first of equals. NaN is left out; False
    where no probe has both numbers. limma asks the first array of a file and turns the p-values of all.
    """
    known = np.isfinite(values) & np.isfinite(p_values)
    if not known.any():
        return False
    measured, p_measured = values[known], p_values[known]
    return bool(p_measured[measured.argmax()] < p_measured[measured.argmin()])


def fit_background(values: Vector, p_values: Vector) -> Background:
    """Estimate the background from one array's values and p-values (one a probe, finite).

    ``p_values`` rise with values: pass 1 - p for p-values that fall. Where p changes from one probe to the
    next higher, the negative controls of that share lie halfway between both values.

    Raises PermanentError where the p-values do not tell a mean and a deviation (R stops as well).
    """
    order = np.lexsort((values, p_values))
    ordered, ordered_p = values[order], p_values[order]
    steps = np.diff(ordered_p)
    rises = np.flatnonzero(steps > 0)
    if len(rises) < 2:
        raise PermanentError(
            "the background cannot be estimated:"
            f" the detection p-values have {len(rises) + 1} distinct values, and at least 3 are needed"
        )
    controls = (ordered[rises + 1] + ordered[rises]) / 2
    counts = steps[rises] / steps[rises].min()
    total = counts.sum()
    mean = float((controls * counts).sum() / total)
    variance = float(((controls - mean) ** 2 * counts).sum() / (total - 1))
    if not variance > 0:
        raise PermanentError("the background cannot be estimated: all its probes have one value")
    signal_mean = max(float(values.mean()) - mean, SMALLEST_SIGNAL_MEAN)
    return Background(mean, math.sqrt(variance), signal_mean)


def subtract_background(values: Vector, background: Background) -> Vector:
    """Return the signal that is expected in each value (same scale), always positive, without an offset.

    NaN stays. limma sets signals to 1e-6 where its arithmetic makes them negative, thousands of
    deviations under the background; here they stay positive there, and nothing is set.
    """
    deviation = background.deviation
    above = (values - background.mean - deviation**2 / background.signal_mean) / deviation
    return deviation * _expected_excess(above)


def nec(values: Vector, p_values: Vector) -> Vector:
    """Correct one array: ``fit_background``, ``subtract_background`` and ``OFFSET``, as limma's ``nec``.

    ``values`` (one a probe, finite; log2 in refine.bio) and ``p_values`` that rise with them. Returns values
    on the same scale, above ``OFFSET``. Raises PermanentError as ``fit_background``.
    """
    return subtract_background(values, fit_background(values, p_values)) + OFFSET


def _expected_excess(above: Vector) -> Vector:
    """Return ``t + phi(t) / Phi(t)``: the mean of a normal around t, cut at 0, in deviations."""
    near = above >= _FAR_BELOW
    excess = np.full_like(above, np.nan)
    middle = above[near]
    # the standard library's erfc is exact in its tail, which numpy has no function for
    upper = np.fromiter(map(math.erfc, (middle * -math.sqrt(0.5)).tolist()), np.float64, len(middle))
    excess[near] = middle + math.sqrt(2 / math.pi) * np.exp(-0.5 * middle**2) / upper
    far = above < _FAR_BELOW
    inverse = -1 / above[far]
    excess[far] = inverse * np.polynomial.polynomial.polyval(inverse**2, _SERIES)
    return excess
