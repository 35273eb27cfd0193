"""Parity with preprocessCore, bit for bit: golden cases, and the shared acceptance cases where present."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from refinebio_assets.methods.quantile import apply_target, fit_target
from refinebio_assets_tests.methods.quantile.r_cases import (
    Vector,
    assert_same_bits,
    read_column,
    read_golden,
    read_table,
)

EXTENDED = np.finfo(np.longdouble).nmant == 63
MISSING = ("plain", "counts", "zeros", "constant", "float32", "close", "negative", "tiny", "plain_missing")
MATRICES = {
    "plain": ("plain", "negative", "float32"),
    "ties": ("counts", "zeros", "constant", "close"),
    "wild": ("plain", "wild"),
    "missing": (*MISSING, "counts_missing", "zeros_missing", "close_missing", "one_value", "two_values"),
    "one_sample": ("plain_missing",),
}
NOT_REPRODUCED = "90_NaN_not_NA"


def matrix_of(name: str) -> Vector:
    samples = read_golden("samples.tsv")
    return np.column_stack([samples[sample] for sample in MATRICES[name]])


def assert_same_means(ours: npt.NDArray[np.floating], expected: Vector) -> None:
    """Means are equal to the last bit where this platform can add as R does."""
    if EXTENDED:
        assert_same_bits(ours, expected)
    else:
        np.testing.assert_allclose(ours, expected, rtol=1e-15)


@pytest.mark.parametrize("target", [*read_golden("targets.tsv")])
def test_samples_get_the_target_bit_for_bit_as_in_r(target: str) -> None:
    samples, expected = read_golden("samples.tsv"), read_golden("use_target.tsv.gz")
    ours = apply_target(np.column_stack([*samples.values()]), read_golden("targets.tsv")[target])
    assert_same_bits(ours, np.column_stack([expected[f"{target} {sample}"] for sample in samples]))


@pytest.mark.parametrize("target", [*read_golden("targets.tsv")])
def test_samples_of_one_to_three_genes_get_the_target_as_in_r(target: str) -> None:
    expected = read_golden("use_target.tsv.gz")
    for name, sample in read_golden("few_samples.tsv").items():
        ours = apply_target(sample[:, None], read_golden("targets.tsv")[target])
        assert_same_bits(ours[:, 0], expected[f"{target} {name}"])


@pytest.mark.parametrize("case", [*read_golden("determine_target.tsv.gz")])
def test_targets_are_those_of_r(case: str) -> None:
    matrix, length = case.split(" ")
    expected = read_golden("determine_target.tsv.gz")[case]
    assert_same_means(fit_target(matrix_of(matrix), int(length)), expected)
    if length == "64":
        assert_same_means(fit_target(matrix_of(matrix)), expected)


@pytest.mark.parametrize("name", [*MATRICES])
def test_matrices_normalized_to_their_own_target_are_those_of_r(name: str) -> None:
    expected = read_golden("normalize_quantiles.tsv.gz")
    matrix = matrix_of(name)
    ours = apply_target(matrix, fit_target(matrix))
    assert_same_means(ours, np.column_stack([expected[f"{name} {sample}"] for sample in MATRICES[name]]))


def test_every_shared_case_is_bit_for_bit_that_of_r(shared_data: Path) -> None:
    folder = shared_data / "quantile_cases"
    with (folder / "cases.tsv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if (folder / row["case"]).is_dir()]
    assert len(rows) > 20
    for row in rows:
        if row["case"] == NOT_REPRODUCED:
            continue
        case = folder / row["case"]
        matrix = read_table(case / "x.tsv")
        if row["op"] == "use_target":
            ours = apply_target(matrix, read_column(case / "target.tsv"))
            assert_same_bits(ours, read_table(case / "out.tsv"))
        elif row["op"] == "determine_target":
            length = None if row["target_length"] == "NA" else int(row["target_length"])
            assert_same_means(fit_target(matrix, length), read_column(case / "out.tsv"))
        else:
            assert_same_means(apply_target(matrix, fit_target(matrix)), read_table(case / "out.tsv"))


def test_nan_is_missing_where_r_through_rpy2_misplaces_the_sample(shared_data: Path) -> None:
    case = shared_data / "quantile_cases" / NOT_REPRODUCED
    ours = apply_target(read_table(case / "x.tsv"), read_column(case / "target.tsv"))
    assert np.array_equal(np.isnan(ours), np.isnan(read_table(case / "x.tsv")))
