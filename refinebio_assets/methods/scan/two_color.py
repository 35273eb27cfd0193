"""SCAN for two-channel arrays: both channels of one array made uncorrelated, with mean 0 and variance 1.

There is no model of sequences and no fit. Reading Agilent's files is the work of another room.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import count

import numpy as np
import numpy.typing as npt

from refinebio_assets.errors import PermanentError

Vector = npt.NDArray[np.float64]
_LARGEST_CONDITION = 1e12


def scan_two_color(red: Vector, green: Vector) -> tuple[Vector, Vector]:
    """Normalize the median signals of both channels, one a probe, positive; return red's and green's values.

    Log2 signals are centered and multiplied with the inverse symmetric square root of their covariance.
    Not rounded, as in R. Raises PermanentError for signals that are missing, 0 or negative (R's covariance
    is then not a number), for fewer than 3 probes and for channels that are the same.
    Source: SCAN.UPC 2.20.0, ``SCAN_TwoColor``.
    """
    if red.shape != green.shape or red.ndim != 1:
        raise ValueError(f"the red channel has {red.shape} values, the green {green.shape}")
    if len(red) < 3:
        raise PermanentError(f"a two-channel array needs at least 3 probes; there are {len(red)}")
    for name, channel in (("red", red), ("green", green)):
        bad = len(channel) - np.count_nonzero((channel > 0) & (channel < np.inf))
        if bad:
            raise PermanentError(f"{bad:,} of {len(channel):,} probes have no positive {name} signal")
    logs = np.log2((red, green))
    centered = logs - logs.mean(axis=1, keepdims=True)
    variances, directions = np.linalg.eigh(np.cov(logs))
    if variances[1] > _LARGEST_CONDITION * max(variances[0], 0.0):
        raise PermanentError("the red and the green channel do not vary independently of each other")
    root = directions * np.sqrt(variances) @ directions.T
    whitened = np.linalg.solve(root, centered)
    return whitened[0], whitened[1]


def unique_probe_names(names: Sequence[str]) -> list[str]:
    """Number names that occur more than once: ``_1``, ``_2`` ... in file order, one count for them all."""
    occurrences = Counter(names)
    numbers = count(1)
    return [name if occurrences[name] == 1 else f"{name}_{next(numbers)}" for name in names]
