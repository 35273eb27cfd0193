"""Parity with plain R on simulated arrays that are committed: see golden/README.md."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from refinebio_assets.methods.scan.kernel import scan, scan_log2, upc
from refinebio_assets.methods.scan.r_random import rnorm
from refinebio_assets.methods.scan.settings import SCAN_FAST, SCAN_ILLUMINA, ScanSettings
from refinebio_assets.methods.scan.summary import group_probes, summarize
from refinebio_assets.methods.scan.two_color import scan_two_color
from refinebio_assets_tests.methods.scan.arrays import (
    GOLDEN,
    TOLERANCE,
    Vector,
    column,
    design_of,
    read_table,
    texts,
)

SAMPLED = replace(SCAN_FAST, sample_goal=2_000, block=500)
CASES = [
    ("fast", "plain", SCAN_FAST),
    ("sampled", "plain", SAMPLED),
    ("full", "plain", replace(SCAN_FAST, threshold=0.01, block=1_000)),
    ("zeros", "zeros", SAMPLED),
    ("ties", "ties", replace(SCAN_FAST, sample_goal=2_500, block=473)),
]


def assert_as_in_r(values: Vector, expected: Vector) -> None:
    assert ((values == 0) == (expected == 0)).all()
    np.testing.assert_allclose(values, expected, rtol=0, atol=TOLERANCE)


def iterations_in_r() -> dict[str, int]:
    table = read_table(GOLDEN / "iterations.tsv")
    return dict(zip(table["case"].to_pylist(), table["iterations"].to_pylist(), strict=True))


@pytest.mark.parametrize(("case", "array", "settings"), CASES, ids=[case for case, *_ in CASES])
def test_probes_have_rs_values_after_as_many_iterations(
    case: str, array: str, settings: ScanSettings
) -> None:
    probes = read_table(GOLDEN / "probes.tsv.gz")
    result = scan(column(probes, array), design_of(texts(probes, "sequence"), settings))
    assert result.iterations == iterations_in_r()[case]
    assert result.converged == (result.iterations < 100)
    assert_as_in_r(result.values, column(read_table(GOLDEN / "probes.expected.tsv.gz"), case))


def test_upc_and_probe_sets_are_as_in_r() -> None:
    probes = read_table(GOLDEN / "probes.tsv.gz")
    intensities = column(probes, "plain")
    design = design_of(texts(probes, "sequence"), SAMPLED)
    result = scan(intensities, design)
    probability = upc(np.log2(intensities), design, result.fit)
    assert_as_in_r(probability, column(read_table(GOLDEN / "probes.expected.tsv.gz"), "upc"))
    sets = group_probes(texts(probes, "set"), np.arange(len(probes)), len(probes))
    expected = read_table(GOLDEN / "sets.expected.tsv.gz")
    r_values = dict(zip(expected["set"].to_pylist(), expected["value"].to_pylist(), strict=True))
    assert set(sets.names) == set(r_values)
    r_order = np.array([r_values[name] for name in sets.names])
    np.testing.assert_allclose(summarize(result.values, sets), r_order, rtol=0, atol=TOLERANCE)


def test_summaries_of_the_same_values_have_the_same_digits_as_in_r() -> None:
    probes = read_table(GOLDEN / "probes.tsv.gz")
    values = column(read_table(GOLDEN / "probes.expected.tsv.gz"), "sampled")
    sets = group_probes(texts(probes, "set"), np.arange(len(probes)), len(probes))
    expected = read_table(GOLDEN / "sets.expected.tsv.gz")
    r_values = dict(zip(expected["set"].to_pylist(), expected["value"].to_pylist(), strict=True))
    ours = summarize(values, sets)
    tied = np.finfo(np.longdouble).nmant < 63  # without R's 80 bits a tie of the rounding may fall otherwise
    differ = np.array([r_values[name] for name in sets.names]) != ours
    assert differ.mean() <= (0.05 if tied else 0)


def test_beads_have_rs_values_with_rs_noise() -> None:
    beads = read_table(GOLDEN / "beads.tsv.gz")
    result = scan_log2(column(beads, "log2"), design_of(texts(beads, "sequence"), SCAN_ILLUMINA))
    assert result.iterations == iterations_in_r()["illumina"]
    assert_as_in_r(result.values, column(read_table(GOLDEN / "beads.expected.tsv.gz"), "illumina"))


def test_two_channels_are_as_in_r() -> None:
    spots = read_table(GOLDEN / "spots.tsv.gz")
    red, green = scan_two_color(column(spots, "red"), column(spots, "green"))
    expected = read_table(GOLDEN / "spots.expected.tsv.gz")
    np.testing.assert_allclose(red, column(expected, "red"), rtol=0, atol=1e-12)
    np.testing.assert_allclose(green, column(expected, "green"), rtol=0, atol=1e-12)


def test_random_numbers_are_rs_to_the_last_bit() -> None:
    table = read_table(GOLDEN / "rnorm.tsv")
    numbers = rnorm(5_000, 20)
    for place, expected in zip(table["place"].to_pylist(), table["seed_20"].to_pylist(), strict=True):
        assert numbers[place - 1] == expected
