"""Two-sample Kolmogorov-Smirnov tests between samples of a matrix: have they one distribution?

As refine.bio checks normalized matrices: by the upper halves of the values, as ties among low counts
differ from sample to sample. What to do about the answer is decided elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from math import isqrt

import numpy as np
import numpy.typing as npt

from refinebio_assets.methods.quantile.columns import (
    CHUNK,
    Matrix,
    Places,
    Vector,
    checked_matrix,
    in_order,
    read_columns,
)

PAIRS = 100
"""How many pairs refine.bio compares."""
STATISTIC_LIMIT = 0.001
P_VALUE_LIMIT = 0.8
"""refine.bio warns above this statistic or below this p-value."""
CERTAIN = 0.2
"""Below this statistic times sqrt(n m / (n + m)) the p-value is 1 to twelve digits; its series is long."""


@dataclass(frozen=True, slots=True)
class UpperHalfCheck:
    """The worst pair of those compared: its statistic, p-value and columns, and how many were compared."""

    statistic: float
    p_value: float
    pair: tuple[int, int]
    pairs: int

    @property
    def warning(self) -> bool:
        """Whether refine.bio would warn that these two have not one distribution."""
        return self.statistic > STATISTIC_LIMIT or self.p_value < P_VALUE_LIMIT


def check_upper_halves(
    matrix: npt.ArrayLike, rng: np.random.Generator, *, threads: int | None = None
) -> UpperHalfCheck | None:
    """Compare pairs of samples (columns) of a genes x samples matrix; None when there are fewer than two.

    All pairs up to 100, else 100 random ones from ``rng``; for each as in ``upper_half_statistics``. The
    worst is the pair with the largest statistic and, among those, the smallest p-value. (refine.bio
    reports the last pair, and takes unseeded random ones only with more than 200 samples.)
    """
    values = checked_matrix(matrix)
    if values.shape[1] < 2:
        return None
    pairs = choose_pairs(values.shape[1], rng)
    statistics, p_values = upper_half_statistics(values, pairs, threads=threads)
    worst = np.lexsort((p_values, -statistics))[0]
    first, second = pairs[worst].tolist()
    return UpperHalfCheck(float(statistics[worst]), float(p_values[worst]), (first, second), len(pairs))


def choose_pairs(columns: int, rng: np.random.Generator, limit: int = PAIRS) -> Places:
    """Return all pairs of different columns, or ``limit`` random ones when there are more: pairs x 2."""
    total = columns * (columns - 1) // 2
    numbers = np.arange(total) if total <= limit else np.sort(rng.choice(total, limit, replace=False))
    pairs = [_pair(number) for number in numbers.tolist()]
    return np.array(pairs, np.intp).reshape(-1, 2)


def _pair(number: int) -> tuple[int, int]:
    """Return a pair by its number in (0, 1), (0, 2), (1, 2), (0, 3), ..."""
    second = (1 + isqrt(1 + 8 * number)) // 2
    return number - second * (second - 1) // 2, second


def upper_half_statistics(
    matrix: npt.ArrayLike, pairs: Places, *, threads: int | None = None
) -> tuple[Vector, Vector]:
    """Compare the upper halves of pairs of samples: two-sample Kolmogorov-Smirnov statistics and p-values.

    ``matrix`` is genes x samples, float32 or float64; ``pairs`` is pairs x 2, positions of columns. The
    upper half of a sample is its values above its own median; NaN is missing and left out. Two samples
    without an upper half (constant ones) have statistic 0; one without and one with it have 1.
    """
    values = checked_matrix(matrix)
    columns, places = np.unique(pairs, return_inverse=True)
    chunks = [columns[start : start + CHUNK] for start in range(0, len(columns), CHUNK)]
    halves = [half for some in in_order(partial(_upper_halves, values), chunks, threads) for half in some]
    chosen = [(halves[first], halves[second]) for first, second in places.reshape(-1, 2).tolist()]
    statistics = np.fromiter((ks_statistic(one, other) for one, other in chosen), np.float64, len(chosen))
    p_values = [
        ks_two_sided_p(statistic, len(one), len(other))
        for statistic, (one, other) in zip(statistics.tolist(), chosen, strict=True)
    ]
    return statistics, np.array(p_values, np.float64)


def _upper_halves(matrix: Matrix, columns: Places) -> list[Matrix]:
    return [_upper_half(sample) for sample in read_columns(matrix, columns, matrix.dtype)]


def _upper_half(sample: Matrix) -> Matrix:
    """Return the values above the median, ascending."""
    values = sample[~np.isnan(sample)]
    if not len(values):
        return values
    middle = len(values) // 2
    values.partition(middle)
    high = values[middle]
    with np.errstate(invalid="ignore"):  # half minus infinity, half infinity: nothing is above NaN
        median = high if len(values) % 2 else np.mean((values[:middle].max(), high))
    upper: Matrix = np.sort(values[middle:])
    return upper[np.searchsorted(upper, median, side="right") :]


def ks_statistic(one: Matrix, other: Matrix) -> float:
    """Return the largest distance between the empirical distribution functions of two samples.

    Both are vectors of ascending values without NaN. 0 when both are empty, 1 when one is.
    """
    if np.array_equal(one, other):
        return 0.0
    if not len(one) or not len(other):
        return 1.0
    both = np.concatenate((one, other))
    order = np.argsort(both, kind="stable")  # merges two runs
    heights = np.cumsum(np.where(order < len(one), len(other), -len(one)))
    merged = both[order]
    steps_end = np.append(merged[1:] != merged[:-1], True)
    return int(np.abs(heights[steps_end]).max()) / (len(one) * len(other))


def ks_two_sided_p(statistic: float, one: int, other: int) -> float:
    """Return the probability that samples of this many values from one distribution differ so much.

    Exact (without ties) for samples of one size; else by Kolmogorov's limit, which with thousands of
    values is within 0.01 of the exact probability.
    """
    if not one or not other:
        return 0.0 if one or other else 1.0
    scaled = statistic * float(np.sqrt(one * other / (one + other)))
    if scaled < CERTAIN:
        return 1.0
    terms = _exact_terms(statistic, one) if one == other else _limit_terms(scaled)
    return float(np.clip(2.0 * (terms[::2].sum() - terms[1::2].sum()), 0.0, 1.0))


def _exact_terms(statistic: float, size: int) -> Vector:
    """Return the terms of Gnedenko and Korolyuk's series (1951): binom(2n, n - jh) / binom(2n, n)."""
    height = max(round(statistic * size), 1)
    steps = np.arange(1.0, size + 1)
    ratios = np.exp(np.cumsum(np.log(size - steps + 1) - np.log(size + steps)))
    terms: Vector = ratios[height - 1 :: height]
    return terms


def _limit_terms(scaled: float) -> Vector:
    """Return the terms of Kolmogorov's series, exp(-2 j^2 l^2), as long as they are not negligible."""
    count = int(np.sqrt(20.0) / scaled) + 1
    terms: Vector = np.exp(-2.0 * (scaled * np.arange(1.0, count + 1)) ** 2)
    return terms
