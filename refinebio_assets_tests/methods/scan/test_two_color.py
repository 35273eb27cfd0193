"""Two-channel arrays: what whitening promises, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinebio_assets.errors import PermanentError
from refinebio_assets.methods.scan.two_color import scan_two_color, unique_probe_names


@given(st.integers(0, 10_000), st.floats(0.01, 3))
def test_channels_become_uncorrelated_with_mean_0_and_variance_1(seed: int, independence: float) -> None:
    rng = np.random.default_rng(seed)
    shared = rng.normal(8, 2, 50)
    red, green = (2 ** (shared + independence * rng.normal(size=50)) for _ in range(2))
    normalized = np.array(scan_two_color(red, green))
    np.testing.assert_allclose(normalized.mean(axis=1), 0, atol=1e-6)
    np.testing.assert_allclose(np.cov(normalized), np.eye(2), atol=1e-6)


def test_exchanged_channels_give_exchanged_values() -> None:
    red, green = 2 ** np.random.default_rng(3).normal(8, 2, (2, 40))
    np.testing.assert_allclose(scan_two_color(green, red)[::-1], scan_two_color(red, green))


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, np.inf])
def test_a_signal_without_logarithm_is_refused(bad: float) -> None:
    red = np.arange(1.0, 9.0)
    green = red[::-1].copy()
    green[2] = bad
    with pytest.raises(PermanentError, match="1 of 8 probes have no positive green signal"):
        scan_two_color(red, green)


def test_channels_that_are_the_same_are_refused() -> None:
    red = np.arange(1.0, 9.0)
    with pytest.raises(PermanentError, match="do not vary independently"):
        scan_two_color(red, 2 * red)


def test_two_probes_are_too_few() -> None:
    with pytest.raises(PermanentError, match="at least 3 probes; there are 2"):
        scan_two_color(np.array([1.0, 2.0]), np.array([2.0, 1.0]))


def test_channels_of_different_lengths_are_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match=r"\(2,\) values, the green \(3,\)"):
        scan_two_color(np.ones(2), np.ones(3))


def test_repeated_names_are_numbered_by_one_count_in_file_order() -> None:
    names = ["a", "b", "a", "c", "b", "a"]
    assert unique_probe_names(names) == ["a_1", "b_2", "a_3", "c", "b_4", "a_5"]
