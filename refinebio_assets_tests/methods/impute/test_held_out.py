"""Which values are hidden, and the errors told of them."""

from __future__ import annotations

import numpy as np
import pytest

from refinebio_assets.errors import PermanentError
from refinebio_assets.methods.impute.held_out import gene_means, held_out_errors, hold_out
from refinebio_assets_tests.methods.impute.matrices import by_sample, hide_by_platform, platforms


def test_only_known_values_are_hidden_and_no_gene_loses_all() -> None:
    rng = np.random.default_rng(0)
    matrix = hide_by_platform(by_sample(rng), rng, platforms())
    matrix[1:, 5] = np.nan
    held_out = hold_out(matrix, rng, groups=platforms(), random_share=0.5, block_genes=0.5)
    np.testing.assert_array_equal(held_out.values, matrix[held_out.samples, held_out.genes])
    assert not np.isnan(held_out.values).any()
    held_out.hide(matrix, slice(0, len(matrix)))
    assert (~np.isnan(matrix)).any(axis=0).all()


def test_a_block_is_all_known_values_of_a_gene_in_one_group() -> None:
    rng = np.random.default_rng(1)
    matrix, groups = by_sample(rng), np.array(platforms())
    held_out = hold_out(matrix, rng, groups=platforms())
    genes = held_out.genes[held_out.in_block]
    assert 0.05 < len(np.unique(genes)) / matrix.shape[1] < 0.15
    for gene in np.unique(genes):
        hidden = held_out.samples[(held_out.genes == gene) & held_out.in_block]
        (group,) = set(groups[hidden])
        np.testing.assert_array_equal(hidden, np.flatnonzero(groups == group))


def test_the_same_seed_hides_the_same_values() -> None:
    matrix = by_sample(np.random.default_rng(2))
    first, second = (hold_out(matrix, np.random.default_rng(7)) for _ in range(2))
    np.testing.assert_array_equal(first.genes, second.genes)
    np.testing.assert_array_equal(first.samples, second.samples)


def test_errors_are_those_of_the_values_a_method_fills_in() -> None:
    rng = np.random.default_rng(3)
    matrix = by_sample(rng)
    held_out = hold_out(matrix, rng, groups=platforms())
    errors = held_out_errors(
        matrix, held_out, lambda hidden: np.where(np.isnan(hidden), matrix + 2.0, hidden)
    )
    assert errors.random == pytest.approx(2.0) and errors.block == pytest.approx(2.0)
    assert errors.block_bias == pytest.approx(2.0)
    for in_block in (True, False):
        by_gene, counts = errors.by_gene(in_block=in_block)
        np.testing.assert_allclose(by_gene[counts > 0], 2.0)
        assert np.isnan(by_gene[counts == 0]).all()
        assert counts.sum() == np.count_nonzero(held_out.in_block == in_block)


def test_the_gene_mean_is_that_of_the_values_left() -> None:
    matrix = np.array([[1.0, np.nan, 4.0], [3.0, np.nan, 4.0], [np.nan, np.nan, 10.0]])
    np.testing.assert_allclose(gene_means(matrix), [2.0, 22 / 5, 6.0])
    rng = np.random.default_rng(4)
    wide = by_sample(rng)
    held_out = hold_out(wide, rng)
    hidden = wide.copy()
    held_out.hide(hidden, slice(0, len(hidden)))
    np.testing.assert_allclose(gene_means(wide, held_out), np.nanmean(hidden, axis=0))


def test_groups_must_be_as_many_as_samples() -> None:
    with pytest.raises(PermanentError, match="120 samples, found 3"):
        hold_out(by_sample(np.random.default_rng(5)), np.random.default_rng(5), groups=["a", "b", "c"])
