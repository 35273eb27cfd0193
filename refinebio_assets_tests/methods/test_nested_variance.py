"""Shares of variance between nested groups are those of a nested analysis of variance."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinebio_assets.methods.nested_variance import nested_shares


def between(matrix: np.ndarray, groups: np.ndarray) -> float:
    """Return the share of the sum of squares that the group means have."""
    fitted = np.empty_like(matrix)
    for group in np.unique(groups):
        own = groups == group
        fitted[:, own] = matrix[:, own].mean(axis=1, keepdims=True)
    center = matrix.mean(axis=1, keepdims=True)
    return float(((fitted - center) ** 2).sum() / ((matrix - center) ** 2).sum())


@given(st.integers(0, 10_000), st.lists(st.integers(0, 11), min_size=2, max_size=30))
def test_shares_are_those_of_the_group_means_and_add_up(seed: int, finest: list[int]) -> None:
    fine = np.array(finest)
    middle, coarse = fine // 2, fine // 6
    matrix = np.random.default_rng(seed).normal(size=(7, len(fine)))
    shares = nested_shares(matrix, [coarse, middle, fine])
    expected = np.diff([0.0, *(between(matrix, level) for level in (coarse, middle, fine))])
    np.testing.assert_allclose(shares.within, expected, atol=1e-9)
    assert sum(shares.within) + shares.left == pytest.approx(1.0)
    assert shares.groups == tuple(len(np.unique(level)) for level in (coarse, middle, fine))


def test_groups_without_meaning_take_what_chance_gives_them() -> None:
    rng = np.random.default_rng(1)
    groups = rng.integers(0, 20, 200)
    shares = nested_shares(rng.normal(size=(300, 200)), [groups])
    assert shares.within[0] == pytest.approx(shares.by_chance[0], rel=0.1)


def test_levels_that_are_not_nested_are_refused() -> None:
    with pytest.raises(ValueError, match="level 2 are not within those of level 1"):
        nested_shares(np.ones((2, 4)), [np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])])


def test_nothing_varies_is_no_number() -> None:
    shares = nested_shares(np.ones((2, 4)), [np.array([0, 0, 1, 1])])
    assert np.isnan(shares.within).all() and np.isnan(shares.left)
