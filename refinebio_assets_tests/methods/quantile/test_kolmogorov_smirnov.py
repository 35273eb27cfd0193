"""The tests that tell whether samples have one distribution, beside their definitions."""

from __future__ import annotations

import itertools
import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from refinebio_assets.methods.quantile import (
    apply_target,
    check_upper_halves,
    choose_pairs,
    ks_statistic,
    ks_two_sided_p,
    upper_half_statistics,
)

Values = npt.NDArray[np.float64]
SAMPLES = arrays(np.float64, st.integers(1, 15), elements=st.integers(-5, 5).map(float))


def distance_by_the_book(one: Values, other: Values) -> float:
    points = [*one, *other]
    return max(abs(float(np.mean(one <= point)) - float(np.mean(other <= point))) for point in points)


def p_by_counting(statistic: float, size: int) -> float:
    """Return the share of all orders of two samples of ``size`` whose distance is as large."""
    large = 0
    orders = list(itertools.combinations(range(2 * size), size))
    for chosen in orders:
        steps = np.full(2 * size, -1)
        steps[list(chosen)] = 1
        large += np.abs(np.cumsum(steps)).max() / size >= statistic - 1e-9
    return large / len(orders)


@given(SAMPLES, SAMPLES)
def test_the_statistic_is_the_largest_distance_of_distribution_functions(one: Values, other: Values) -> None:
    ours = ks_statistic(np.sort(one), np.sort(other))
    assert ours == pytest.approx(distance_by_the_book(one, other), abs=1e-12)


@pytest.mark.parametrize("size", [1, 2, 5, 7])
def test_p_values_of_samples_of_one_size_are_exact(size: int) -> None:
    for height in range(1, size + 1):
        assert ks_two_sided_p(height / size, size, size) == pytest.approx(p_by_counting(height / size, size))


@pytest.mark.parametrize("scaled", [0.05, 0.21, 0.5, 0.8276, 1.0, 1.36, 2.0])
def test_p_values_of_large_samples_of_two_sizes_are_those_of_the_limit(scaled: float) -> None:
    """Kolmogorov's other series, with the Jacobi theta function, converges where ours does not."""
    odd = np.arange(1, 60, 2) ** 2
    below = math.sqrt(2 * math.pi) / scaled * np.exp(-odd * math.pi**2 / (8 * scaled**2)).sum()
    one, other = 10_000, 9_000
    statistic = scaled / math.sqrt(one * other / (one + other))
    assert ks_two_sided_p(statistic, one, other) == pytest.approx(1 - below, abs=1e-9)
    assert ks_two_sided_p(statistic, one, one + 1) == pytest.approx(
        ks_two_sided_p(statistic, one, one), abs=0.01
    )


@given(st.data())
def test_only_values_above_each_samples_own_median_are_compared(data: st.DataObject) -> None:
    values = st.one_of(st.integers(-4, 4).map(float), st.just(math.nan))
    matrix = data.draw(arrays(np.float64, st.tuples(st.integers(3, 12), st.just(3)), elements=values))
    pairs = choose_pairs(3, np.random.default_rng(0))
    statistics, p_values = upper_half_statistics(matrix, pairs)
    for (first, second), statistic, p_value in zip(pairs.tolist(), statistics, p_values, strict=True):
        one, other = upper_half(matrix[:, first]), upper_half(matrix[:, second])
        if len(one) and len(other):
            assert statistic == pytest.approx(distance_by_the_book(one, other), abs=1e-12)
            assert p_value == ks_two_sided_p(float(statistic), len(one), len(other))
        else:
            assert (statistic, p_value) == ((1.0, 0.0) if len(one) or len(other) else (0.0, 1.0))


def upper_half(sample: Values) -> Values:
    present = sample[~np.isnan(sample)]
    return present[present > np.median(present)] if len(present) else present


def test_normalized_samples_pass_and_others_are_found() -> None:
    rng = np.random.default_rng(1)
    matrix = rng.normal(8, 2, (4_000, 14))
    normalized = apply_target(matrix, np.sort(rng.normal(7, 2, 3_500)))
    good = check_upper_halves(normalized, np.random.default_rng(0))
    assert good is not None
    assert (good.statistic, good.p_value, good.pairs, good.warning) == (0.0, 1.0, 91, False)
    normalized[:, 5] = matrix[:, 5]
    bad = check_upper_halves(normalized, np.random.default_rng(0), threads=2)
    assert bad is not None
    assert bad.warning and 5 in bad.pair and bad.statistic > 0.1 and bad.p_value < 1e-6


def test_all_pairs_are_compared_up_to_a_hundred_and_as_many_random_ones_beyond() -> None:
    rng = np.random.default_rng(1)
    assert choose_pairs(3, rng).tolist() == [[0, 1], [0, 2], [1, 2]]
    assert len(choose_pairs(14, rng)) == 91
    for columns in (15, 1_000, 100_000):
        pairs = choose_pairs(columns, np.random.default_rng(5))
        assert len({tuple(pair) for pair in pairs.tolist()}) == 100
        assert (pairs[:, 0] >= 0).all() and (pairs[:, 0] < pairs[:, 1]).all() and pairs.max() < columns
        assert pairs.tolist() == choose_pairs(columns, np.random.default_rng(5)).tolist()


def test_fewer_than_two_samples_have_nothing_to_compare() -> None:
    assert check_upper_halves(np.ones((5, 1)), np.random.default_rng(0)) is None
