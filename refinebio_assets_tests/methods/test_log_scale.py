"""Abundances and microarray values on a log2 scale."""

from __future__ import annotations

import numpy as np
import pytest

from refinebio_assets.methods.log_scale import log2_of_abundances, log2_where_linear

NAN = float("nan")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_abundances_become_log2_of_one_more(dtype: type[np.floating]) -> None:
    values = np.array([[0, 1, 3], [7, NAN, -0.5]], dtype)
    result = log2_of_abundances(values)
    np.testing.assert_array_equal(result.values, np.array([[0, 1, 2], [3, NAN, NAN]], dtype))
    assert result.values.dtype == dtype
    assert result.without_log.tolist() == [0, 0, 1]
    assert values[0, 2] == 3


def test_only_samples_with_a_value_above_100_become_logarithms() -> None:
    values = np.array([[2, 4, 100, 128], [1, 101, 3, 0], [NAN, 0, -3, -1], [3, 256, np.inf, NAN]])
    result = log2_where_linear(values)
    assert result.changed.tolist() == [False, True, False, True]
    np.testing.assert_array_equal(result.values[:, [0, 2]], values[:, [0, 2]])
    np.testing.assert_array_equal(result.values[:, 1], [2, np.log2(101), NAN, 8])
    np.testing.assert_array_equal(result.values[:, 3], [7, NAN, NAN, NAN])
    assert result.without_log.tolist() == [0, 1, 0, 2]


@pytest.mark.parametrize("put_on_log_scale", [log2_of_abundances, log2_where_linear])
def test_values_may_be_replaced_in_place(put_on_log_scale) -> None:
    values = np.asfortranarray(np.random.default_rng(1).uniform(0, 1000, (50, 4)))
    expected = put_on_log_scale(values.copy()).values
    assert put_on_log_scale(values, values).values is values
    np.testing.assert_array_equal(values, expected)


def test_a_result_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="out of shape"):
        log2_where_linear(np.ones((2, 2)), np.ones((2, 3)))
    with pytest.raises(ValueError, match="genes x samples"):
        log2_of_abundances(np.ones(3))
