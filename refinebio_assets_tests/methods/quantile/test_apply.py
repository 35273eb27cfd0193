"""What users rely on when a target is applied, whatever the numbers are."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from refinebio_assets.methods.quantile import apply_target, target_departures
from refinebio_assets.methods.quantile.columns import BLOCK, CHUNK

Values = npt.NDArray[np.float64]
VALUES = st.one_of(
    st.sampled_from([0.0, -0.0, 1.0, 1.0 + 2.0**-52, 1.0 + 2.0**-51, 5e-324, math.inf, -math.inf, math.nan]),
    st.floats(-1e6, 1e6),
)
FINITE = st.floats(-1e6, 1e6)


@st.composite
def matrices(draw: st.DrawFn) -> Values:
    shape = draw(array_shapes(min_dims=2, max_dims=2, max_side=12))
    return draw(arrays(np.float64, shape, elements=VALUES))


DISTINCT_TARGETS = st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=20, unique=True).map(
    lambda values: np.array(values, dtype=np.float64)
)
TARGETS = arrays(np.float64, st.integers(1, 20), elements=FINITE)


def apply_by_the_book(sample: list[float], target: list[float]) -> list[float]:
    """Return one sample's values after the definition, one value after the other."""
    ordered = sorted(target)
    present = [value for value in sample if not math.isnan(value)]
    result = []
    for value in sample:
        if math.isnan(value):
            result.append(math.nan)
            continue
        below = sum(other < value for other in present)
        rank = below + (sum(other == value for other in present) + 1) / 2
        if len(present) == 1:
            result.append(ordered[-1])
            continue
        position = 1 + (len(ordered) - 1) * ((rank - 1) / (len(present) - 1))
        whole = math.floor(position + 1e-9)
        share = max(position - whole, 0.0)
        upper = ordered[min(whole, len(ordered) - 1)]
        result.append((1 - share) * ordered[whole - 1] + share * upper)
    return result


@given(matrices(), TARGETS)
def test_any_sample_gets_the_target_at_its_ranks(matrix: Values, target: Values) -> None:
    expected = np.array([apply_by_the_book(sample, target.tolist()) for sample in matrix.T.tolist()]).T
    np.testing.assert_allclose(apply_target(matrix, target), expected, rtol=1e-9, atol=1e-6)


@given(matrices(), DISTINCT_TARGETS)
def test_a_normalized_sample_has_no_departure_from_a_target_of_distinct_values(
    matrix: Values, target: Values
) -> None:
    departures = target_departures(apply_target(matrix, target), target)
    assert departures.shape == (matrix.shape[1],)
    np.testing.assert_allclose(departures, 0.0, atol=1e-9 * max(1.0, np.abs(target).max()))


def test_samples_that_were_not_normalized_depart_from_the_target() -> None:
    rng = np.random.default_rng(1)
    matrix, target = rng.normal(8, 2, (200, 5)), rng.normal(6, 2, 150)
    normalized = apply_target(matrix, target)
    normalized[:, 3] = matrix[:, 3]
    assert np.flatnonzero(target_departures(normalized, target) > 1e-9).tolist() == [3]


def test_ties_take_the_target_at_their_mean_rank() -> None:
    matrix = np.array([[5, 5, 1, 7, 1], [1, 1, 1, 3, 2], [1, 1, 1, math.nan, 3], [9, 1, 5, 5, 4]])
    normalized = apply_target(matrix, [40, 10, 20, 30])
    expected = [[30, 40, 20, 40, 10], [15, 20, 20, 10, 20], [15, 20, 20, math.nan, 30], [40, 20, 40, 25, 40]]
    np.testing.assert_array_equal(normalized, expected)


@pytest.mark.parametrize("genes", [1, 2, BLOCK, BLOCK + 1, 2 * BLOCK + 3])
@pytest.mark.parametrize("samples", [0, 1, CHUNK, 2 * CHUNK + 1])
def test_samples_are_independent_of_each_other_of_layout_and_of_threads(genes: int, samples: int) -> None:
    rng = np.random.default_rng(genes)
    matrix = np.round(rng.normal(8, 2, (genes, samples)), 2)
    matrix[rng.random(matrix.shape) < 0.01] = np.nan
    target = rng.normal(8, 2, 700)
    alone = [apply_target(matrix[:, [sample]], target)[:, 0] for sample in range(samples)]
    expected = np.array(alone).reshape(samples, genes).T
    for layout in (matrix, np.asfortranarray(matrix), np.repeat(matrix, 2, axis=1)[:, ::2]):
        for threads in (1, 2, 7, None):
            np.testing.assert_array_equal(apply_target(layout, target, threads=threads), expected)


def test_values_that_differ_in_the_last_bit_are_not_tied() -> None:
    steps = np.random.default_rng(2).permutation(5_000)
    target = np.sort(np.random.default_rng(3).normal(0, 1, 5_000))
    for sample in (1.0 + steps * 2.0**-52, -2.0 + steps * 2.0**-52, steps * 5e-324):
        np.testing.assert_array_equal(apply_target(sample[:, None], target)[:, 0], target[steps])


def test_float32_is_ranked_as_it_is_and_becomes_float64() -> None:
    rng = np.random.default_rng(3)
    matrix = rng.normal(8, 2, (3_000, 3)).astype(np.float32)
    target = rng.normal(8, 2, 2_900)
    normalized = apply_target(matrix, target)
    assert normalized.dtype == np.float64
    np.testing.assert_array_equal(normalized, apply_target(matrix.astype(np.float64), target))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("order", ["C", "F"])
def test_a_matrix_can_be_normalized_in_place(dtype: type, order: str) -> None:
    rng = np.random.default_rng(4)
    matrix = np.array(rng.normal(8, 2, (600, 40)), dtype, order=order)  # type: ignore[call-overload]
    target = rng.normal(8, 2, 500)
    expected = apply_target(matrix, target).astype(dtype)
    assert apply_target(matrix, target, out=matrix) is matrix
    np.testing.assert_array_equal(matrix, expected)


def test_the_input_stays_as_it_was() -> None:
    matrix, target = np.array([[3.0, -0.0], [1.0, 5.0]]), np.array([2.0, 1.0])
    apply_target(matrix, target)
    assert matrix.tolist() == [[3.0, -0.0], [1.0, 5.0]]
    assert target.tolist() == [2.0, 1.0]


def test_a_sample_without_values_stays_without_values() -> None:
    normalized = apply_target(np.full((3, 1), np.nan), [1.0, 2.0])
    assert np.isnan(normalized).all()
    assert target_departures(normalized, [1.0, 2.0]).tolist() == [0.0]


def test_a_matrix_without_genes_stays_without_genes() -> None:
    assert apply_target(np.empty((0, 3)), [1.0, 2.0]).shape == (0, 3)
    assert target_departures(np.empty((0, 3)), [1.0, 2.0]).tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("target", [[], [math.nan]])
def test_a_target_without_values_is_refused(target: list[float]) -> None:
    with pytest.raises(ValueError, match="the target has no values"):
        apply_target(np.ones((3, 2)), target)


def test_what_is_not_a_matrix_or_vector_of_real_numbers_is_refused() -> None:
    with pytest.raises(ValueError, match="genes x samples"):
        apply_target(np.ones(3), [1.0])
    with pytest.raises(ValueError, match="one axis"):
        apply_target(np.ones((3, 2)), np.ones((3, 2)))
    with pytest.raises(TypeError, match="complex128"):
        apply_target(np.ones((3, 2), complex), [1.0])
    with pytest.raises(ValueError, match="shape"):
        apply_target(np.ones((3, 2)), [1.0], out=np.empty((2, 3)))
    with pytest.raises(TypeError, match="int64"):
        apply_target(np.ones((3, 2)), [1.0], out=np.empty((3, 2), np.int64))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at least one thread"):
        apply_target(np.ones((3, 2)), [1.0], threads=0)
