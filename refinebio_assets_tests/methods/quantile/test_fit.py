"""What users rely on when a target is made, whatever the numbers are."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from refinebio_assets.methods.quantile import TargetAccumulator, fit_target

Values = npt.NDArray[np.float64]
MATRICES = array_shapes(min_dims=2, max_dims=2, max_side=40).flatmap(
    lambda shape: arrays(np.float64, shape, elements=st.floats(-1e9, 1e9))
)


@given(MATRICES)
def test_the_target_is_the_mean_of_the_sorted_samples(matrix: Values) -> None:
    expected = np.sort(matrix, axis=0).mean(axis=1)
    np.testing.assert_allclose(fit_target(matrix), expected, rtol=1e-12, atol=1e-4)


@given(MATRICES, st.integers(1, 7), st.integers(1, 3))
def test_samples_added_a_few_at_a_time_make_the_same_target_to_the_last_bit(
    matrix: Values, step: int, threads: int
) -> None:
    accumulator = TargetAccumulator(matrix.shape[0])
    for start in range(0, matrix.shape[1], step):
        assert accumulator.add(matrix[:, start : start + step], threads=threads).all()
    assert accumulator.samples == matrix.shape[1]
    np.testing.assert_array_equal(accumulator.target(), fit_target(matrix))
    np.testing.assert_array_equal(accumulator.target(13), fit_target(matrix, 13))


def test_many_samples_make_the_same_target_on_any_number_of_threads_and_in_any_layout() -> None:
    rng = np.random.default_rng(1)
    matrix = rng.gamma(2, 2, (700, 100)).astype(np.float32)
    matrix[rng.random(matrix.shape) < 0.001] = np.nan
    expected = fit_target(matrix, threads=1)
    for layout in (matrix, np.asfortranarray(matrix), matrix.astype(np.float64)):
        for threads in (2, 5, None):
            np.testing.assert_array_equal(fit_target(layout, threads=threads), expected)


def test_missing_values_are_filled_by_interpolation() -> None:
    target = fit_target(np.array([[1.0, math.nan], [3.0, 10.0], [2.0, 20.0]]))
    assert target.tolist() == [5.5, 8.5, 11.5]


def test_a_sample_without_values_is_not_counted_and_said_so() -> None:
    matrix = np.array([[1.0, math.nan, 3.0], [2.0, math.nan, 4.0]])
    accumulator = TargetAccumulator(2)
    assert accumulator.add(matrix).tolist() == [True, False, True]
    assert accumulator.samples == 2
    assert accumulator.target().tolist() == fit_target(matrix).tolist() == [2.0, 3.0]


def test_a_target_of_nothing_is_refused() -> None:
    for matrix in (np.full((3, 2), math.nan), np.empty((3, 0))):
        with pytest.raises(ValueError, match="at least one sample"):
            fit_target(matrix)
    with pytest.raises(ValueError, match="at least one gene"):
        fit_target(np.empty((0, 3)))
    with pytest.raises(ValueError, match="length"):
        fit_target(np.ones((3, 2)), 0)


def test_samples_with_other_genes_are_refused() -> None:
    with pytest.raises(ValueError, match="expected 3 genes, got 4"):
        TargetAccumulator(3).add(np.ones((4, 2)))
