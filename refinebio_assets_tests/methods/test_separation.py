"""Which groups can be told apart from experiments: as linear models say."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinebio_assets.methods.separation import separate

PAIRS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 4)), min_size=1, max_size=40)


def estimable(groups: np.ndarray, experiments: np.ndarray, one: int, other: int) -> bool:
    """Tell whether a linear model of groups and experiments determines the difference of two groups."""
    design = np.column_stack((np.eye(6)[groups], np.eye(5)[experiments]))
    contrast = np.zeros(design.shape[1])
    contrast[one], contrast[other] = 1.0, -1.0
    return bool(np.linalg.matrix_rank(design) == np.linalg.matrix_rank(np.vstack((design, contrast))))


@given(PAIRS)
def test_groups_are_connected_just_when_a_linear_model_can_compare_them(pairs: list[tuple[int, int]]) -> None:
    groups, experiments = np.array(pairs).T
    found = separate(groups, experiments)
    place_of = {group: place for place, held in enumerate(found.connected) for group in held}
    assert sorted(place_of) == sorted(set(groups.tolist()))
    for one, other in combinations(place_of, 2):
        assert (place_of[one] == place_of[other]) == estimable(groups, experiments, one, other)


def test_joining_experiments_are_counted_the_largest_first() -> None:
    groups = np.array([0, 0, 1, 1, 2, 0, 1, 1])
    experiments = np.array([0, 0, 1, 1, 2, 3, 3, 3])
    found = separate(groups, experiments)
    assert found.connected == ((0, 1), (2,))
    assert (found.joining, found.samples) == ((3,), 3)


def test_each_sample_needs_an_experiment() -> None:
    with pytest.raises(ValueError, match="2 samples have 1 experiments"):
        separate(np.array([0, 1]), np.array([0]))
