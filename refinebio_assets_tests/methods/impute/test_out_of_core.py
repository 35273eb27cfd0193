"""Matrices in files, and samples in chunks, are imputed as arrays are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from refinebio_assets.formats.row_matrix import RowMatrix
from refinebio_assets.methods.impute.cells import packed_shape
from refinebio_assets.methods.impute.factor_imputation import impute_by_factors
from refinebio_assets.methods.impute.held_out import hold_out
from refinebio_assets.methods.impute.iterative_svd import iterative_svd
from refinebio_assets.methods.impute.known_cells import KnownCells
from refinebio_assets_tests.methods.impute.matrices import by_sample, hide_by_platform, platforms


def in_file(path: Path, values: np.ndarray) -> RowMatrix:
    """Write a matrix to a scratch file."""
    matrix = RowMatrix(path, (values.shape[0], values.shape[1]), values.dtype)
    matrix[slice(None)] = values
    return matrix


def test_iterative_svd_of_a_file_is_that_of_an_array(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    values = by_sample(rng).astype(np.float32)
    values[rng.random(values.shape) < 0.1] = np.nan
    expected = iterative_svd(values)
    matrix = in_file(tmp_path / "m", values)
    bits = RowMatrix(tmp_path / "bits", packed_shape(values.shape), np.uint8)
    found = iterative_svd(matrix, out=matrix, bits=bits)
    assert found.iterations == expected.iterations
    np.testing.assert_array_equal(found.matrix[slice(None)], expected.matrix)
    for file in (matrix, bits):
        file.close()


def test_factors_of_a_file_are_those_of_an_array(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    values = hide_by_platform(by_sample(rng), rng, platforms())
    expected = impute_by_factors(values, np.random.default_rng(2), groups=platforms())
    matrix = in_file(tmp_path / "m", values)
    found = impute_by_factors(matrix, np.random.default_rng(2), groups=platforms(), out=matrix)
    np.testing.assert_array_equal(found.matrix[slice(None)], expected.matrix)
    matrix.close()


def test_a_pilot_of_a_third_of_the_samples_costs_little_accuracy() -> None:
    rng = np.random.default_rng(3)
    values = hide_by_platform(by_sample(rng, samples=240), rng, platforms(240))
    whole, part = (
        impute_by_factors(
            values, np.random.default_rng(4), groups=platforms(240), pilot_samples=count
        ).held_out
        for count in (240, 80)
    )
    assert whole is not None and part is not None
    assert part.random < 1.1 * whole.random and part.block < 1.1 * whole.block


@pytest.mark.parametrize("alike", [True, False])
def test_sums_over_patterns_are_sums_over_cells(alike: bool) -> None:
    rng = np.random.default_rng(5)
    values = by_sample(rng, genes=50)
    values = hide_by_platform(values, rng, platforms())
    if not alike:
        values[rng.random(values.shape) < 0.2] = np.nan
    held_out = hold_out(values, rng, groups=platforms())
    rows = slice(20, 90)
    cells = KnownCells(values[rows], rows, held_out, 8.0)
    hidden = values[rows].copy()
    held_out.hide(hidden, rows)
    known = (~np.isnan(hidden)).astype(np.float64)
    of_genes = rng.standard_normal((50, 4)).astype(np.float32)
    of_samples = rng.standard_normal((70, 4)).astype(np.float32)
    sums = np.zeros((50, 4))
    cells.add_by_gene(of_samples, sums)
    np.testing.assert_allclose(cells.sums_by_sample(of_genes), known @ of_genes, atol=1e-4)
    np.testing.assert_allclose(sums, known.T @ of_samples, atol=1e-4)
    assert cells.count == known.sum()
    np.testing.assert_allclose(cells.values, np.nan_to_num(hidden - 8.0), atol=1e-5)
