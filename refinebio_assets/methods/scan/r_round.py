"""R's ``round``: numpy's differs at ties, which one in fifteen means of a few rounded values are."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]


def round_as_r(values: Vector, decimals: int) -> Vector:
    """Round to the nearer of the two decimal neighbors, as doubles; where both are as near, to the even one.

    NaN and infinities stay. For absolute values below 1e15 / 10^decimals; larger ones R leaves as they are.
    Source: R since 4.0.0, ``src/nmath/fround.c``.
    """
    power = 10.0**decimals
    size = np.abs(values)
    with np.errstate(invalid="ignore"):  # infinity minus infinity
        below = np.floor(size * power)
        lower, upper = below / power, np.ceil(size * power) / power
        to_lower, to_upper = size - lower, upper - size
        nearer_lower = (to_lower < to_upper) | ((to_lower == to_upper) & (below % 2 == 0))
    rounded = np.where(np.isfinite(values), np.where(nearer_lower, lower, upper), values)
    return np.copysign(rounded, values)
