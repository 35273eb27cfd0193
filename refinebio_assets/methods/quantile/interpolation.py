"""The quantile rule of preprocessCore: positions among sorted values, and values between two of them.

It is R's type 7. The order of operations is that of the C source, as the last bit depends on it.
"""

from __future__ import annotations

import numpy as np

from refinebio_assets.methods.quantile.columns import Places, Vector

SNAP = 4 * np.finfo(np.float64).eps
"""A position this close to a whole number is taken as that number, as in the C source."""


def positions(steps: Vector | Places, count: int, length: int) -> Vector:
    """Return where in ``length`` sorted values (1 to ``length``) the ranks of ``count`` values fall.

    ``steps`` are ranks counted from 0, so that the last is ``count - 1``; halves are possible. With one
    value R divides 0 by 0, and on x86-64 the C source then takes the last position; so do we, everywhere.
    """
    if count == 1:
        return np.full(len(steps), float(length))
    result: Vector = 1.0 + (length - 1.0) * (steps / (count - 1.0))
    return result


def values_at(ordered: Vector, position: Vector) -> Vector:
    """Return the values at these positions (from 1) of ascending values, interpolated between two."""
    whole = np.floor(position + SNAP)
    weight = position - whole
    weight[np.abs(weight) <= SNAP] = 0.0
    below = whole.astype(np.intp) - 1
    lower, upper = ordered[below], ordered[np.minimum(below + 1, len(ordered) - 1)]
    with np.errstate(invalid="ignore"):  # infinity times 0, or from infinity to minus infinity
        between = (1.0 - weight) * lower + weight * upper
    return np.where(weight == 0.0, lower, between)


def stretch(ordered: Vector, length: int) -> Vector:
    """Return ``length`` quantiles, evenly spaced from first to last, of ascending values."""
    return values_at(ordered, positions(np.arange(length), length, len(ordered)))
