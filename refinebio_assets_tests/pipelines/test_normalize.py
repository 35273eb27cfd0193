"""A person's own matrix, normalized to a target."""

from __future__ import annotations

import numpy as np
import pytest

from refinebio_assets.errors import PermanentError, RequestError
from refinebio_assets.formats.numeric_table import NumericTable
from refinebio_assets.methods.quantile import apply_target
from refinebio_assets.pipelines.targets import normalize
from refinebio_assets.pipelines.targets.normalize import normalize_matrix

NAN = float("nan")
TARGET = np.array([1.0, 2.0, 3.0, 4.0, 5.0])


def table(rows: list[str], values: list[list[float]]) -> NumericTable:
    array = np.array(values)
    return NumericTable(tuple(rows), tuple(f"s{number}" for number in range(array.shape[1])), array)


def test_each_sample_gets_the_targets_distribution() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(size=(50, 7))
    values[3, 2] = NAN
    made = normalize_matrix(table([f"g{n}" for n in range(50)], values.tolist()), TARGET)
    np.testing.assert_array_equal(made.values, apply_target(values.astype(np.float32), TARGET))
    assert made.report() == [
        "50 rows and 7 samples",
        "50 genes, and a target of 5 quantiles",
        "1 values are missing and stay so",
    ]
    assert made.warnings() == []


def test_control_probes_nameless_rows_and_duplicates_are_told() -> None:
    rows = ["a.1", "AFFX-x", "a.2_at", "", "b", "c"]
    made = normalize_matrix(table(rows, [[1], [100], [9], [50], [3], [2]]), TARGET, ["a", "b", "x"])
    assert made.genes.to_pylist() == ["a", "b", "c"]
    assert made.values[:, 0].tolist() == [5.0, 3.0, 1.0]
    assert made.report() == [
        "6 rows and 1 sample",
        "1 row of control probes (AFFX-), dropped",
        "1 row without an id, dropped",
        "1 row with the id of another row: means were taken",
        "3 genes, and a target of 5 quantiles",
        "2 of the genes are among the target's",
    ]


def test_what_makes_one_doubt_the_result_is_said() -> None:
    made = normalize_matrix(
        table(["TP53", "B", "C"], [[NAN, 1, 2], [NAN, 1, 3], [NAN, 1, 2]]), TARGET, ["C", "ENSG2"]
    )
    assert made.warnings()[0].startswith("only 1 of 3 genes are among the target's: are these Ensembl ids")
    assert made.warnings()[1:] == [
        "1 sample with no values: s0",
        "1 sample with one and the same value everywhere: s1",
    ]


def test_a_part_of_the_genes_is_told_that_it_is_stretched() -> None:
    rows = [f"g{number}" for number in range(3)]
    (warning,) = normalize_matrix(table(rows, [[1], [2], [3]]), np.arange(7.0)).warnings()
    assert warning.startswith("only 3 genes for 7 quantiles: a part of the genes (a panel, or filtered ones)")
    assert normalize_matrix(table(rows, [[1], [2], [3]]), np.arange(6.0)).warnings() == []


def test_rows_of_which_none_is_a_gene_of_the_target_are_refused_with_a_hint() -> None:
    symbols = table(["TP53", "BRCA1"], [[1.0], [2.0]])
    with pytest.raises(
        RequestError, match=r"2 genes \(ENSG1, ENSG2 .*none among 2 rows \(TP53, BRCA1 .*symbols"
    ):
        normalize_matrix(symbols, TARGET, ["ENSG1", "ENSG2"])
    turned = NumericTable(("s1",), ("ENSG1.4", "ENSG2", "x"), np.ones((1, 3)))
    with pytest.raises(RequestError, match="2 of the 3 columns are its genes: exchange rows and columns"):
        normalize_matrix(turned, TARGET, ["ENSG1", "ENSG2"])


def test_progress_counts_all_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(normalize, "SAMPLES_AT_ONCE", 2)
    told: list[int] = []
    normalize_matrix(table(["a", "b"], [[1.0] * 5, [2.0] * 5]), TARGET, tell=told.append)
    assert told == [2, 2, 1]


def test_a_matrix_without_genes_is_refused() -> None:
    with pytest.raises(PermanentError, match="none of 1 rows has the id of a gene"):
        normalize_matrix(table(["AFFX-1"], [[1.0]]), TARGET)


def test_a_value_beyond_single_precision_is_refused_with_its_place() -> None:
    values = [[1.0, 2.0], [3.0, -3.5e38], [1e39, 4.0]]
    told = r"row B, column s1: expected a number of at most 3\.4e\+38, found -3\.5e\+38, and 1 more"
    with pytest.raises(RequestError, match=told):
        normalize_matrix(table(["A", "B", "C"], values), TARGET)
    largest = normalize_matrix(table(["A", "B", "C"], [[1.0], [3.4e38], [2.0]]), TARGET)
    assert largest.values[:, 0].tolist() == [1.0, 5.0, 3.0]
