"""Puts one sample's values in order and tells which are equal.

The position of each value is packed into the last bits of the value itself, so that one plain sort, which
processors do with vector instructions, gives values and positions: half the time of ``numpy.argsort``.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from refinebio_assets.methods.quantile.columns import Places, Vector

Flags = npt.NDArray[np.bool_]


def order_of(values: Vector, *, finite: bool) -> tuple[Places, Flags]:
    """Return the positions of ``values`` (float64, no NaN) from smallest to largest, and ties.

    Ties say for each position but the last whether its value equals the next one's, exactly; 0 equals -0.
    Equal values come in no particular order. ``finite`` says that no value is infinite.
    """
    if len(values) < 2 or not finite:
        order = np.argsort(values, kind="stable")
        return order, _ties(values[order])
    order, tied = _order_by_leading_bits(values)
    near = np.flatnonzero(tied)
    if np.array_equal(values[order[near]], values[order[near + 1]]):
        return order, tied
    # Some values differ only in the bits that gave way to positions. What is nearly in order, a stable
    # sort (of runs) puts in order in little more than one pass.
    order = order[np.argsort(values[order], kind="stable")]
    return order, _ties(values[order])


def _order_by_leading_bits(values: Vector) -> tuple[Places, Flags]:
    """Return the order and ties of finite values without regard to as many last bits as a position needs."""
    last_bits = np.int64((1 << (len(values) - 1).bit_length()) - 1)
    keys = values + 0.0  # a copy, in which -0 has become 0
    bits = keys.view(np.int64)
    bits &= ~last_bits
    bits |= np.arange(len(values))
    keys.sort()
    differing = (bits[1:] ^ bits[:-1]).view(np.uint64)
    return bits & last_bits, differing <= np.uint64(last_bits)


def _ties(ordered: Vector) -> Flags:
    ties: Flags = ordered[1:] == ordered[:-1]
    return ties
