"""Genes scaled as scikit-learn's scalers do it."""

from __future__ import annotations

import warnings

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler

from refinebio_assets.domain import ScaleBy
from refinebio_assets.methods import scaling
from refinebio_assets.methods.scaling import scale_genes

NAN = float("nan")
SCALERS = {ScaleBy.MINMAX: MinMaxScaler, ScaleBy.STANDARD: StandardScaler, ScaleBy.ROBUST: RobustScaler}
# Few digits, so that ranges are not so small beside the values that both sides round to noise.
VALUES = st.integers(-(10**6), 10**6).map(lambda number: number / 64) | st.sampled_from([0.0, 0.1, 3.3, NAN])


def by_scikit_learn(values: npt.NDArray[np.float64], scale_by: ScaleBy) -> npt.NDArray[np.float64]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # genes without any value
        return SCALERS[scale_by]().fit_transform(values.T).T


@pytest.mark.parametrize("scale_by", SCALERS)
@given(arrays(np.float64, array_shapes(min_dims=2, max_dims=2, max_side=9), elements=VALUES))
def test_scaled_genes_are_those_of_scikit_learn(scale_by: ScaleBy, values: npt.NDArray[np.float64]) -> None:
    expected = by_scikit_learn(values, scale_by)
    scaled = scale_genes(values, scale_by)
    np.testing.assert_array_equal(np.isnan(scaled), np.isnan(expected))
    # scikit-learn computes x * (1 / range) - min * (1 / range), whose rounding grows with min / range.
    size = np.nanmax(np.abs(np.concatenate([expected, np.ones((len(values), 1))], axis=1)), axis=1)
    spread = np.fmax.reduce(values, axis=1) - np.fmin.reduce(values, axis=1)
    size += np.nan_to_num(np.abs(np.fmin.reduce(values, axis=1)) / np.where(spread > 0, spread, 1.0))
    assert (np.nan_to_num(np.abs(scaled - expected)) <= 1e-12 * size[:, None]).all()


@pytest.mark.parametrize("scale_by", SCALERS)
def test_expression_values_are_scaled_as_by_scikit_learn_to_a_trillionth(scale_by: ScaleBy) -> None:
    rng = np.random.default_rng(2)
    values = rng.normal(8, 2, (400, 31))
    values[rng.random(values.shape) < 0.1] = NAN
    values[:3] = [[0.1], [NAN], [7e5]]
    np.testing.assert_allclose(
        scale_genes(values, scale_by), by_scikit_learn(values, scale_by), rtol=1e-12, atol=1e-12
    )


@pytest.mark.parametrize("scale_by", SCALERS)
@pytest.mark.parametrize("constant", [0.0, 0.1, -7.3, 1e6])
def test_constant_genes_become_zero(scale_by: ScaleBy, constant: float) -> None:
    assert scale_genes(np.full((1, 7), constant), scale_by).tolist() == [[0.0] * 7]


def test_a_gene_constant_but_for_few_samples_is_only_centered_by_robust_scaling() -> None:
    assert scale_genes(np.array([[0.0, 0, 0, 0, 0, 0, 0, 12.0]]), ScaleBy.ROBUST)[0, -1] == 12.0


@pytest.mark.parametrize("scale_by", ScaleBy)
def test_a_matrix_is_scaled_in_place_in_blocks_and_keeps_its_type(
    scale_by: ScaleBy, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = np.asfortranarray(np.random.default_rng(3).normal(size=(23, 5)).astype(np.float32))
    expected = scale_genes(values, scale_by)
    monkeypatch.setattr(scaling, "_BLOCK_CELLS", 20)
    assert scale_genes(values, scale_by, values) is values
    assert values.dtype == np.float32
    np.testing.assert_array_equal(values, expected)


def test_infinite_values_are_refused_with_their_row() -> None:
    values = np.ones((3, 2))
    values[1, 1] = -np.inf
    with pytest.raises(ValueError, match="row 1 has an infinite value"):
        scale_genes(values, ScaleBy.MINMAX)


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0)])
@pytest.mark.parametrize("scale_by", ScaleBy)
def test_an_empty_matrix_stays_empty(scale_by: ScaleBy, shape: tuple[int, int]) -> None:
    assert scale_genes(np.empty(shape), scale_by).shape == shape
