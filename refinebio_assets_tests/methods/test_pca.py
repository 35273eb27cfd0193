"""Principal components of samples, and what explains them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.decomposition import PCA

from refinebio_assets.methods import pca
from refinebio_assets.methods.pca import explained_by, principal_components

NAN = float("nan")


def two_batches(genes: int = 120, samples: int = 24) -> npt.NDArray[np.float64]:
    rng = np.random.default_rng(5)
    matrix = rng.normal(8, 1, (genes, samples))
    matrix[:, samples // 2 :] += rng.normal(0, 2, (genes, 1))
    matrix[: genes // 4, ::2] += 1.5
    return matrix


@pytest.mark.parametrize(
    ("exact_samples", "leading", "tolerance"), [(2_000, 200, 1e-9), (2_000, 10, 1e-5), (10, 200, 1e-3)]
)
def test_components_are_those_of_scikit_learn(
    exact_samples: int, leading: int, tolerance: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pca, "EXACT_SAMPLES", exact_samples)
    monkeypatch.setattr(pca, "LEADING_SAMPLES", leading)
    monkeypatch.setattr(pca, "_BLOCK_CELLS", 500)
    matrix = two_batches()
    found = principal_components(matrix, 2, np.random.default_rng(1))
    expected = PCA(2).fit(matrix.T)
    np.testing.assert_allclose(found.explained, expected.explained_variance_ratio_, rtol=tolerance)
    np.testing.assert_allclose(
        np.abs(found.scores), np.abs(expected.transform(matrix.T)), rtol=0.03, atol=30 * tolerance
    )
    assert found.genes == 120


def test_the_largest_score_of_a_component_is_positive() -> None:
    scores = principal_components(two_batches(), 5, np.random.default_rng(1)).scores
    assert (scores.max(axis=0) == np.abs(scores).max(axis=0)).all()


def test_missing_values_and_constant_genes_add_nothing() -> None:
    matrix = two_batches()
    odd = np.full((4, matrix.shape[1]), 0.1)
    odd[1], odd[2, 3], odd[3, 1:] = NAN, NAN, np.inf
    with_odd = principal_components(np.vstack([matrix, odd]), 3, np.random.default_rng(1))
    alone = principal_components(matrix, 3, np.random.default_rng(1))
    np.testing.assert_allclose(with_odd.scores, alone.scores, atol=1e-9)
    assert with_odd.genes == alone.genes == 120


@pytest.mark.parametrize("shape", [(5, 1), (5, 0), (0, 4)])
def test_there_are_no_components_of_nothing_or_of_one_sample(shape: tuple[int, int]) -> None:
    found = principal_components(np.ones(shape), 2, np.random.default_rng(1))
    assert found.scores.shape == (shape[1], 0)


@pytest.mark.parametrize("leading", [200, 3])
def test_shares_are_missing_when_nothing_varies(leading: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pca, "LEADING_SAMPLES", leading)
    found = principal_components(np.ones((5, 4)), 2, np.random.default_rng(1))
    assert np.isnan(found.explained).all()
    assert not found.scores.any()


def test_a_factor_explains_the_component_that_separates_its_groups() -> None:
    found = principal_components(two_batches(), 2, np.random.default_rng(1))
    batch, parity = ["a"] * 12 + ["b"] * 12, ["even", "odd"] * 12
    assert explained_by(found.scores, batch)[0] > 0.95
    assert explained_by(found.scores, parity)[0] < 0.05
    assert explained_by(found.scores, parity)[1] > explained_by(found.scores, batch)[1]


def test_eta_squared_is_the_share_of_squares_between_groups() -> None:
    scores = np.array([[1.0, 5.0], [3.0, 5.0], [5.0, 5.0], [7.0, 5.0]])
    shares = explained_by(scores, ["x", "x", "y", "y"])
    np.testing.assert_allclose(shares, [16 / 20, NAN])
    assert explained_by(scores, ["one"] * 4)[0] == 0
    assert explained_by(scores, ["p", "q", "r", "s"])[0] == 1
    with pytest.raises(ValueError, match="3 labels"):
        explained_by(scores, ["p", "q", "r"])
