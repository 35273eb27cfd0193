"""What holds for every normalized array, and what happens to arrays that cannot be normalized."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from refinebio_assets.errors import PermanentError
from refinebio_assets.methods.scan.design import Design, prepare_design
from refinebio_assets.methods.scan.kernel import scan, scan_log2, upc
from refinebio_assets.methods.scan.mixture import assign_bins
from refinebio_assets.methods.scan.settings import SCAN_FAST, SCAN_FULL
from refinebio_assets.methods.scan.standardize import standardize
from refinebio_assets_tests.methods.scan.arrays import Vector, simulate_intensities, simulate_letters

PROBES = 6_100


@pytest.fixture(scope="module")
def array() -> tuple[Design, Vector]:
    rng = np.random.default_rng(77)
    letters = simulate_letters(PROBES, 25, rng)
    return prepare_design(letters, replace(SCAN_FAST, block=1_000)), simulate_intensities(letters, rng)


def test_an_array_twice_as_bright_has_nearly_the_same_values(array: tuple[Design, Vector]) -> None:
    design, intensities = array
    values = scan(intensities, design).values
    brighter = scan(intensities * 2, design)
    assert np.corrcoef(values, brighter.values)[0, 1] > 0.99  # the change that ends the fit is relative


def test_the_probes_of_lowest_background_are_zero_and_no_others(array: tuple[Design, Vector]) -> None:
    design, intensities = array
    result = scan(intensities, design)
    assert np.count_nonzero(result.values == 0) == 999
    predicted = design.predictor.predict(result.fit.background.coefficients)
    assert predicted[result.values == 0].max() <= predicted[result.values != 0].min()


def test_the_background_share_is_that_of_the_probes_without_signal(array: tuple[Design, Vector]) -> None:
    design, intensities = array
    assert scan(intensities, design).background_share == pytest.approx(0.65, abs=0.1)


def test_probes_with_signal_have_higher_values_and_probabilities(array: tuple[Design, Vector]) -> None:
    design, intensities = array
    result = scan(intensities, design)
    probability = upc(np.log2(intensities), design, result.fit)
    assert ((probability >= 0) & (probability <= 1)).all()
    assert np.corrcoef(result.values, probability)[0, 1] > 0.7


def test_full_scan_iterates_until_little_changes(array: tuple[Design, Vector]) -> None:
    design, intensities = array
    full = replace(design, settings=replace(SCAN_FULL, block=1_000))
    result = scan(intensities, full)
    assert result.iterations > scan(intensities, design).iterations
    assert result.converged == (result.fit.changes[-1] <= 0.01)


def test_a_scan_leaves_its_input_as_it_was_and_repeats_exactly(array: tuple[Design, Vector]) -> None:
    design, intensities = array
    before = intensities.copy()
    first, second = scan(intensities, design), scan(intensities, design)
    assert (intensities == before).all()
    assert (first.values == second.values).all()


def test_one_percent_of_zeros_is_taken_and_more_is_refused(array: tuple[Design, Vector]) -> None:
    design, intensities = array
    dark = intensities.copy()
    dark[:61] = 0
    assert np.isfinite(scan(dark, design).values).all()
    dark[61] = 0
    with pytest.raises(PermanentError, match=r"62 of 6,100 probes \(1.0%\) have intensity 0"):
        scan(dark, design)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.nan, "the intensity of 1 of 6,100 probes is not a finite number"),
        (np.inf, "the intensity of 1 of 6,100 probes is not a finite number"),
        (-3.0, "1 of 6,100 probes have a negative intensity"),
    ],
)
def test_an_impossible_intensity_is_refused(array: tuple[Design, Vector], value: float, message: str) -> None:
    design, intensities = array
    broken = intensities.copy()
    broken[17] = value
    with pytest.raises(PermanentError, match=message):
        scan(broken, design)


def test_a_missing_log_value_is_refused(array: tuple[Design, Vector]) -> None:
    design, intensities = array
    logs = np.log2(intensities)
    logs[3] = np.nan
    with pytest.raises(PermanentError, match="the log2 intensity of 1 of 6,100 probes"):
        scan_log2(logs, design)


def test_an_array_of_one_value_is_refused(array: tuple[Design, Vector]) -> None:
    with pytest.raises(PermanentError, match="SCAN's model cannot be fitted"):
        scan(np.full(PROBES, 100.0), array[0])


def test_values_of_another_platform_are_a_mistake_of_the_caller(array: tuple[Design, Vector]) -> None:
    with pytest.raises(ValueError, match=r"\(10,\) values, its platform 6,100 probes"):
        scan(np.ones(10), array[0])


def test_blocks_share_a_rank_that_the_later_block_sets() -> None:
    residuals = np.array([9.0, 9.0, 1.0, 2.0, 3.0, 4.0, 5.0])
    predicted = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0])
    first, second = np.sqrt((1 + 4 + 9 + 16) / 4), np.sqrt((16 + 25) / 2)
    expected = [0, 0, 1 / first, 2 / first, 3 / first, 4 / second, 5 / second]
    np.testing.assert_allclose(standardize(residuals, predicted, 3), expected)


def test_the_last_probe_of_an_exact_number_of_blocks_is_one_alone() -> None:
    residuals = np.array([1.0, -2.0, 3.0, -4.0])
    np.testing.assert_allclose(standardize(residuals, np.arange(4.0), 2)[3], -1)


def test_probes_of_one_prediction_are_ranked_in_their_order() -> None:
    result = standardize(np.arange(1.0, 9.0), np.zeros(8), 4)
    assert (result[:3] == 0).all()
    assert (result[3:] != 0).all()


def test_values_that_are_mostly_the_same_still_fill_all_bins() -> None:
    values = np.repeat([5.0, 6.0, 7.0], [400, 50, 50])
    bins = assign_bins(values, SCAN_FAST)
    assert sorted(set(bins.tolist())) == list(range(25))
    assert (
        bins[values == 5].max()
        <= bins[values == 6].min()
        <= bins[values == 6].max()
        <= bins[values == 7].min()
    )


def test_distinct_values_are_cut_into_bins_of_equally_many() -> None:
    values = np.random.default_rng(9).normal(size=500)
    assert (np.bincount(assign_bins(values, SCAN_FAST)) == 20).all()
