"""The default imputation: better than the gene's mean in both ways, and honest about its errors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from refinebio_assets.errors import PermanentError
from refinebio_assets.methods.impute.factor_imputation import impute_by_factors
from refinebio_assets.methods.impute.held_out import held_out_errors
from refinebio_assets.methods.impute.iterative_svd import iterative_svd
from refinebio_assets_tests.methods.impute.matrices import (
    by_sample,
    hide_by_platform,
    platforms,
    two_technologies,
)


def test_it_beats_iterative_svd_and_the_gene_mean_at_random_and_in_blocks() -> None:
    rng = np.random.default_rng(0)
    matrix = hide_by_platform(by_sample(rng), rng, platforms())
    errors = impute_by_factors(matrix, rng, groups=platforms()).held_out
    assert errors is not None
    ancestor = held_out_errors(matrix, errors.cells, lambda hidden: iterative_svd(hidden).matrix)
    assert errors.random < min(ancestor.random, 0.5 * errors.gene_mean_random)
    assert errors.block < min(ancestor.block, 0.5 * errors.gene_mean_block)
    assert abs(errors.block_bias) < 0.1


def test_the_error_told_is_the_error_made_where_values_are_really_missing() -> None:
    rng = np.random.default_rng(1)
    truth = by_sample(rng)
    matrix = hide_by_platform(truth, rng, platforms())
    result = impute_by_factors(matrix, rng, groups=platforms())
    missing = np.isnan(matrix)
    made = np.sqrt(np.mean((result.matrix - truth)[missing] ** 2))
    assert result.held_out is not None
    assert made == pytest.approx(result.held_out.block, rel=0.15)


def test_more_samples_do_not_make_blocks_much_worse_where_technologies_differ_otherwise() -> None:
    blocks = []
    for samples in (200, 1_600):
        matrix, groups = two_technologies(np.random.default_rng(0), samples)
        errors = impute_by_factors(matrix, np.random.default_rng(1), groups=groups, ranks=(10,)).held_out
        assert errors is not None
        blocks.append(errors.block)
    assert blocks[1] < 1.4 * blocks[0]


def test_it_finds_the_rank_of_the_data() -> None:
    rng = np.random.default_rng(2)
    matrix = by_sample(rng, rank=5)
    matrix[rng.random(matrix.shape) < 0.1] = np.nan
    result = impute_by_factors(matrix, rng)
    assert result.rank == 5 and result.settled
    assert [trial.rank for trial in result.trials] == [0, 2, 5, 10, 20, 40]


def test_noise_without_structure_gets_the_gene_mean() -> None:
    rng = np.random.default_rng(3)
    matrix = by_sample(rng, rank=0)
    matrix[rng.random(matrix.shape) < 0.2] = np.nan
    result = impute_by_factors(matrix, rng)
    missing = np.isnan(matrix)
    expected = np.broadcast_to(np.nanmean(matrix, axis=0), matrix.shape)
    assert result.rank == 0
    np.testing.assert_allclose(result.matrix[missing], expected[missing], atol=0.02)


def test_a_gene_missing_on_a_technology_shifts_as_other_genes_of_its_level_do() -> None:
    rng = np.random.default_rng(4)
    truth, groups = by_sample(rng), ["array"] * 60 + ["sequencing"] * 60
    truth[60:] = 1.5 * truth[60:] - 3.0
    matrix = truth.copy()
    matrix[60:, :80] = np.nan
    result = impute_by_factors(matrix, rng, groups=groups)
    assert np.sqrt(np.mean((result.matrix - truth)[60:, :80] ** 2)) < 1.0
    means = np.nanmean(matrix[:, :80], axis=0)
    assert np.sqrt(np.mean((means - truth[60:, :80]) ** 2)) > 2.0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_observed_values_stay_and_the_type_too(dtype: type[np.floating], tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    matrix = by_sample(rng, 150, 40).astype(dtype)
    matrix[rng.random(matrix.shape) < 0.3] = np.nan
    matrix[3] = np.nan
    matrix[:, 7] = np.nan
    room = np.lib.format.open_memmap(tmp_path / "out.npy", "w+", matrix.dtype, matrix.shape)
    result = impute_by_factors(matrix, rng, out=room)
    known = ~np.isnan(matrix)
    assert result.matrix is room and room.dtype == dtype
    np.testing.assert_array_equal(room[known], matrix[known])
    assert np.isfinite(room).all()


def test_the_same_seed_gives_the_same_result() -> None:
    rng = np.random.default_rng(6)
    matrix = by_sample(rng, 100, 30)
    matrix[rng.random(matrix.shape) < 0.2] = np.nan
    first, second = (impute_by_factors(matrix, np.random.default_rng(9)).matrix for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_small_matrices_are_imputed_too() -> None:
    for shape in ((1, 2), (2, 1), (3, 3), (5, 2)):
        matrix = np.arange(1.0, shape[0] * shape[1] + 1).reshape(shape)
        matrix[-1, -1] = np.nan
        filled = impute_by_factors(matrix, np.random.default_rng(0)).matrix
        assert np.isfinite(filled).all()


def test_without_missing_values_nothing_is_tried() -> None:
    matrix = by_sample(np.random.default_rng(7))
    result = impute_by_factors(matrix, np.random.default_rng(7))
    np.testing.assert_array_equal(result.matrix, matrix)
    assert result.iterations == 0 and result.held_out is None and result.trials == ()


def test_a_matrix_without_any_value_is_refused() -> None:
    with pytest.raises(PermanentError, match="nothing to impute"):
        impute_by_factors(np.full((3, 4), np.nan), np.random.default_rng(0))
    with pytest.raises(PermanentError, match="no rank"):
        impute_by_factors(np.array([[1.0, np.nan]]), np.random.default_rng(0), ranks=(4,))
