"""Numbers that tell a good array from a bad one."""

from __future__ import annotations

import numpy as np

from refinebio_assets.methods.scan.quality import (
    correlation_with_median,
    intensity_quality,
    value_quartiles,
)


def test_zeros_and_saturated_cells_are_shares_of_all_probes() -> None:
    quality = intensity_quality(np.array([0.0, 0.0, 100.0, 65_499.0, 65_500.0, 65_535.0, 10.0, 5.0]))
    assert (quality.zeros, quality.saturated) == (0.25, 0.25)


def test_an_older_scanners_ceiling_is_where_many_cells_stop() -> None:
    assert intensity_quality(np.array([46_112.0, 46_112.0, 46_112.0, 9.0])).saturated == 0.75
    assert intensity_quality(np.zeros(4)).saturated == 0


def test_quartiles_leave_missing_values_out() -> None:
    assert value_quartiles(np.array([3.0, np.nan, 1.0, 2.0, 5.0, 4.0])) == (1, 2, 3, 4, 5)
    assert np.isnan(value_quartiles(np.array([np.nan]))).all()


def test_an_odd_sample_is_the_one_that_correlates_least_with_the_median() -> None:
    rng = np.random.default_rng(2)
    matrix = rng.normal(size=(500, 1)) + 0.1 * rng.normal(size=(500, 6))
    matrix[:, 4] = rng.normal(size=500)
    matrix[7, 2] = np.nan
    correlation = correlation_with_median(matrix)
    assert correlation.argmin() == 4
    assert (np.delete(correlation, 4) > 0.95).all()


def test_a_flat_sample_or_too_few_genes_have_no_correlation() -> None:
    matrix = np.random.default_rng(4).normal(size=(20, 3))
    matrix[:, 1] = 1.0
    assert np.isnan(correlation_with_median(matrix)).tolist() == [False, True, False]
    assert np.isnan(correlation_with_median(matrix[:2])).all()
