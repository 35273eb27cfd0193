"""Parity with limma's nec, and what holds for every array that is corrected."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from refinebio_assets.errors import PermanentError
from refinebio_assets.methods.nec import (
    OFFSET,
    SMALLEST_SIGNAL_MEAN,
    Background,
    fit_background,
    nec,
    p_values_fall,
    subtract_background,
)
from refinebio_assets_tests.methods.scan.arrays import column, read_table

GOLDEN = Path(__file__).parent / "golden_nec"
TOLERANCE = 1e-10
Vector = npt.NDArray[np.float64]


def array(sample: str) -> tuple[Vector, Vector]:
    """Return the golden sample's signals and its p-values, turned so that they rise."""
    beads = read_table(GOLDEN / "beads.tsv.gz")
    return column(beads, f"{sample}.signal"), 1 - column(beads, f"{sample}.p")


def expected(name: str) -> Vector:
    return column(read_table(GOLDEN / "expected.tsv.gz"), name)


@pytest.mark.parametrize("sample", ["S1", "S2"])
def test_log2_values_are_corrected_as_in_limma(sample: str) -> None:
    signals, p_values = array(sample)
    corrected = nec(np.log2(signals), p_values)
    np.testing.assert_allclose(corrected, expected(f"{sample}.nec"), rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize(("sample", "case"), [("S1", "unlogged1"), ("S2", "unlogged2")])
def test_values_with_a_mean_above_the_floor_are_corrected_as_in_limma(sample: str, case: str) -> None:
    signals, p_values = array(sample)
    assert fit_background(signals, p_values).signal_mean > SMALLEST_SIGNAL_MEAN
    np.testing.assert_allclose(
        nec(signals, p_values), expected(f"{case}.nec"), rtol=TOLERANCE, atol=TOLERANCE
    )


def test_log2_values_always_have_the_floor_for_their_mean_signal() -> None:
    signals, p_values = array("S1")
    assert fit_background(np.log2(signals), p_values).signal_mean == SMALLEST_SIGNAL_MEAN


def test_the_background_is_read_off_where_p_values_change() -> None:
    background = fit_background(np.array([3.0, 1.0, 2.0, 5.0, 9.0]), np.array([0.5, 0.0, 0.0, 0.75, 1.0]))
    # controls: two at (2 + 3) / 2, one at (3 + 5) / 2, one at (5 + 9) / 2
    controls = np.array([2.5, 2.5, 4, 7])
    assert background.mean == pytest.approx(controls.mean())
    assert background.deviation == pytest.approx(controls.std(ddof=1))


def test_p_values_fall_where_the_brightest_probe_has_the_lower_one() -> None:
    assert p_values_fall(np.array([1.0, 5.0, 3.0]), np.array([0.9, 0.0, 0.2]))
    assert not p_values_fall(np.array([1.0, 5.0, 3.0]), np.array([0.1, 1.0, 0.8]))
    assert not p_values_fall(np.array([1.0, 5.0, 3.0]), np.array([0.5, 0.5, 0.1]))


def test_missing_numbers_do_not_tell_whether_p_values_fall() -> None:
    signals = np.array([np.nan, 1.0, 5.0, 8.0])
    assert p_values_fall(signals, np.array([0.0, 0.9, 0.0, np.nan]))
    assert not p_values_fall(np.full(4, np.nan), np.zeros(4))


def test_the_order_of_probes_does_not_matter() -> None:
    signals, p_values = array("S1")
    order = np.random.default_rng(3).permutation(len(signals))
    one, other = (fit_background(signals[rows], p_values[rows]) for rows in (slice(None), order))
    assert one.mean == pytest.approx(other.mean)
    assert one.deviation == pytest.approx(other.deviation)


@given(
    arrays(np.float64, st.integers(1, 40), elements=st.floats(-20, 40)),
    st.floats(-5, 15),
    st.floats(0.05, 3),
)
def test_a_corrected_value_is_positive_and_rises_with_the_value(
    values: Vector, mean: float, deviation: float
) -> None:
    background = Background(mean, deviation, SMALLEST_SIGNAL_MEAN)
    corrected = subtract_background(values, background)
    assert (corrected > 0).all()
    assert (np.diff(corrected[np.argsort(values)]) >= -1e-12 * (1 + np.abs(values).max())).all()
    assert (corrected >= values - mean - deviation**2 / SMALLEST_SIGNAL_MEAN - 1e-12).all()


def test_values_far_below_the_background_are_continued_without_a_step() -> None:
    background = Background(0.0, 1.0, 1e300)
    around = subtract_background(np.array([-30 - 1e-9, -30 + 1e-9]), background)
    assert around[0] == pytest.approx(around[1], abs=1e-11)
    far = subtract_background(np.array([-1e4, -1e8]), background)
    np.testing.assert_allclose(far, [1e-4, 1e-8], rtol=1e-7)


def test_values_far_above_the_background_lose_only_the_background() -> None:
    assert subtract_background(np.array([1000.0]), Background(7.0, 0.2, 10.0))[0] == 1000 - 7 - 0.04 / 10


def test_a_missing_value_stays_missing_and_touches_no_other() -> None:
    background = Background(7.0, 0.2, 10.0)
    values = np.array([7.0, np.nan, 9.0])
    corrected = subtract_background(values, background)
    assert np.isnan(corrected).tolist() == [False, True, False]
    np.testing.assert_array_equal(corrected[[0, 2]], subtract_background(values[[0, 2]], background))


def test_the_offset_is_added_last() -> None:
    signals, p_values = array("S1")
    logs = np.log2(signals)
    without = subtract_background(logs, fit_background(logs, p_values))
    np.testing.assert_array_equal(nec(logs, p_values), without + OFFSET)


@pytest.mark.parametrize(
    ("p_values", "count"),
    [([0.2, 0.2, 0.2], "1 distinct"), ([0.2, 0.2, 0.4], "2 distinct")],
    ids=["one", "two"],
)
def test_p_values_that_hardly_differ_tell_no_background(p_values: list[float], count: str) -> None:
    with pytest.raises(PermanentError, match=count):
        fit_background(np.array([1.0, 2.0, 3.0]), np.array(p_values))


def test_values_that_are_all_the_same_have_no_background() -> None:
    with pytest.raises(PermanentError, match="all its probes have one value"):
        fit_background(np.full(4, 5.0), np.array([0.0, 0.2, 0.4, 1.0]))
