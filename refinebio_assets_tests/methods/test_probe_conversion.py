"""Foreign ids to genes as refine.bio converts them, means of genes, and the log2 scale."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinebio_assets.errors import PermanentError
from refinebio_assets.formats.gene_index import make_gene_index, read_gene_index
from refinebio_assets.formats.processed_table import read_processed_table
from refinebio_assets.methods.probe_conversion import (
    PreparedIndex,
    convert_to_genes,
    detect_log2,
    id_overlaps,
    mean_by_gene,
    prepare_index,
    quality_problems,
    to_log2,
)

NAN = float("nan")


def index(**columns: list[str | None]) -> PreparedIndex:
    return prepare_index(make_gene_index(columns).columns)


@pytest.fixture(scope="module")
def small_index() -> PreparedIndex:
    return index(
        PROBEID=["p2", "p1", "p1", "p1", "p3", "p4"],
        ENSEMBL=["G2", "G1", "G1", "G9", "G2", None],
        ENTREZID=["22", "11", "11", None, "22", "44"],
    )


def test_a_value_goes_to_every_gene_of_its_id_in_the_order_of_the_index(small_index: PreparedIndex) -> None:
    result = convert_to_genes(["p1", "p2", "p3", "x"], np.array([1.0, 2, 3, 4]), small_index)
    assert result.genes == ("G2", "G1", "G9", "G2")
    assert result.values.tolist() == [2, 1, 1, 3]
    assert result.rows.tolist() == [1, 0, 0, 2]
    assert result.unmapped.tolist() == [3]
    assert (result.id_column, result.overlap) == ("PROBEID", 0.75)
    assert result.overlaps == {"PROBEID": 0.75, "ENSEMBL": 0, "ENTREZID": 0}


def test_ids_that_are_numbers_are_compared_as_text(small_index: PreparedIndex) -> None:
    result = convert_to_genes(["11", "22"], np.array([1.0, 2]), small_index)
    assert result.id_column == "ENTREZID"
    assert dict(zip(result.genes, result.values.tolist(), strict=True)) == {"G1": 1, "G2": 2}


def test_ensembl_ids_are_converted_to_themselves(small_index: PreparedIndex) -> None:
    result = convert_to_genes(["G2", "G1"], np.array([1.0, NAN]), small_index)
    assert result.id_column == "ENSEMBL"
    assert result.genes == ("G2", "G1")
    np.testing.assert_array_equal(result.values, [1, NAN])


def test_half_of_the_rows_is_enough_and_less_is_not(small_index: PreparedIndex) -> None:
    assert convert_to_genes(["p1", "x"], np.zeros(2), small_index).overlap == 0.5
    message = r"50% of 3 submitted ids .*PROBEID 33.3%, ENSEMBL 0.0%.*begin with 'p1', 'x', 'y'$"
    with pytest.raises(PermanentError, match=message):
        convert_to_genes(["p1", "x", "y"], np.zeros(3), small_index)


def test_duplicates_and_empty_ids_count_among_the_rows(small_index: PreparedIndex) -> None:
    assert id_overlaps(["p1", "p1", "p2", ""], small_index)["PROBEID"] == 0.5
    result = convert_to_genes(["p2", "p2", "", "p3"], np.array([1.0, 2, 3, 4]), small_index)
    assert result.values.tolist() == [1, 2, 4]
    assert result.unmapped.tolist() == [2]


def test_an_id_without_a_gene_is_found_but_unmapped(small_index: PreparedIndex) -> None:
    result = convert_to_genes(["p4", "p2"], np.zeros(2), small_index)
    assert result.overlap == 1
    assert result.unmapped.tolist() == [0]


def test_the_first_of_equal_columns_is_taken() -> None:
    twins = index(ENSEMBL=["G1"], A=["x"], B=["x"])
    assert convert_to_genes(["x"], np.zeros(1), twins).id_column == "A"


def test_a_missing_id_of_the_index_matches_nothing() -> None:
    assert id_overlaps(["NA", ""], index(ENSEMBL=["G1", "G2"], SYMBOL=["NA", ""])) == {
        "ENSEMBL": 0,
        "SYMBOL": 0,
    }


def test_no_ids_at_all_are_not_enough(small_index: PreparedIndex) -> None:
    with pytest.raises(PermanentError, match="0 submitted ids"):
        convert_to_genes([], np.empty(0), small_index)


def test_versions_are_not_cut_but_named_as_the_likely_reason() -> None:
    refseq = index(ENSEMBL=["G1", "G2"], REFSEQ=["NM_1", "NM_2"])
    with pytest.raises(PermanentError, match=r"Without the version after the dot 100.0% are in REFSEQ"):
        convert_to_genes(["NM_1.3", "NM_2.1"], np.zeros(2), refseq)


def test_ids_and_values_must_fit(small_index: PreparedIndex) -> None:
    with pytest.raises(ValueError, match="2 ids have"):
        convert_to_genes(["p1", "p2"], np.zeros(3), small_index)
    with pytest.raises(ValueError, match="no gene index"):
        prepare_index({})


def test_genes_become_the_mean_of_their_values_and_missing_ones_do_not_count() -> None:
    genes, means = mean_by_gene(["b", "a", "b", "b", "c"], np.array([1.0, 5, NAN, 4, NAN]))
    assert genes == ("a", "b", "c")
    np.testing.assert_array_equal(means, [5, 2.5, NAN])


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(-1e6, 1e6)), min_size=1))
def test_means_of_genes_equal_numpys(rows: list[tuple[str, float]]) -> None:
    genes, means = mean_by_gene([gene for gene, _ in rows], np.array([value for _, value in rows]))
    for gene, mean in zip(genes, means, strict=True):
        assert mean == pytest.approx(np.mean([value for each, value in rows if each == gene]), abs=1e-6)


pairs = st.lists(st.tuples(st.sampled_from("ABCD"), st.sampled_from(["p", "q", "r", "s"])), min_size=1)


@given(pairs, st.lists(st.sampled_from(["p", "q", "r", "s", "x"]), min_size=1))
def test_a_conversion_is_the_join_of_distinct_pairs_with_the_rows(
    table: list[tuple[str, str]], ids: list[str]
) -> None:
    prepared = index(ENSEMBL=[gene for gene, _ in table], PROBEID=[probe for _, probe in table])
    values = np.arange(float(len(ids)))
    expected = [
        (gene, row) for gene, probe in dict.fromkeys(table) for row, each in enumerate(ids) if each == probe
    ]
    found = len({probe for _, probe in table} & set(ids))
    if 2 * found < len(ids):
        with pytest.raises(PermanentError):
            convert_to_genes(ids, values, prepared)
    else:
        result = convert_to_genes(ids, values, prepared)
        assert list(zip(result.genes, result.values.tolist(), strict=True)) == expected
        assert set(result.rows) | set(result.unmapped) == set(range(len(ids)))


def test_a_value_above_100_says_that_the_scale_is_linear() -> None:
    evidence = detect_log2(np.array([1.0, 50, 100.5, NAN, np.inf]))
    assert not evidence.on_log_scale
    assert evidence.reason == "at least one is above 100: the largest is 100.5"
    assert (evidence.values, evidence.minimum, evidence.maximum) == (3, 1, 100.5)
    assert evidence.share_above_limit == pytest.approx(1 / 3)


def test_100_itself_and_negative_values_are_a_log_scale() -> None:
    evidence = detect_log2(np.array([-2.0, 3, 5, 12]))
    assert evidence.on_log_scale
    assert evidence.doubts == ()
    assert evidence.share_negative == 0.25
    assert detect_log2(np.array([1.0, 100])).on_log_scale


def test_signs_against_the_rule_are_kept_as_doubts() -> None:
    outlier = np.append(np.linspace(2, 14, 5000), 9999.0)
    assert "few outliers decide" in detect_log2(outlier).doubts[0]
    assert "negative and have no log2" in detect_log2(np.array([-5.0, 10, 2000])).doubts[0]
    assert "beyond the log2 of what a scanner reads" in detect_log2(np.array([1.0, 70])).doubts[0]


def test_no_values_are_said_to_be_none() -> None:
    evidence = detect_log2(np.array([NAN]))
    assert (evidence.values, evidence.reason) == (0, "there are no values")


def test_log2_of_what_has_none_is_missing_and_counted() -> None:
    values, lost = to_log2(np.array([8.0, 0, -1, NAN, 1]))
    np.testing.assert_array_equal(values, [3, NAN, NAN, NAN, 0])
    assert lost == 2


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([], "none of 0 values"),
        ([NAN, np.inf], "none of 2 values"),
        ([1, 2, NAN, NAN, NAN], "only 2 of 5 values"),
        ([7, 7], "all 2 values are the same, 7"),
    ],
)
def test_values_that_cannot_be_used_are_told(values: list[float], message: str) -> None:
    assert message in quality_problems(np.array(values))[0]


def test_usable_values_have_no_problems() -> None:
    assert quality_problems(np.array([1.0, 2, NAN])) == ()


def conversion_cases(shared_data: Path) -> list[dict[str, str | None]]:
    lines = (shared_data / "metadata_oracles" / "no_op.jsonl").read_text().splitlines()
    return [case for case in map(json.loads, lines) if case["function"] == "gene_convert.R"]


BETTER = {"gene_convert:y_entrez": "ENTREZID"}
"""Where refine.bio fails and this does not: R joined numbers with texts, which is an error there."""


def test_every_conversion_of_refinebio_gives_the_same_rows_in_the_same_order(shared_data: Path) -> None:
    cases = conversion_cases(shared_data)
    assert len(cases) == 8
    prepared = {
        name: prepare_index(read_gene_index(shared_data / "gene_indexes" / name).columns)
        for name in {str(case["gene_index"]) for case in cases}
    }
    for case in cases:
        folder = shared_data / "metadata_oracles"
        table = read_processed_table(folder / str(case["input"]))
        of_platform = prepared[str(case["gene_index"])]
        if case["id"] in BETTER:
            result = convert_to_genes(table.ids, table.values, of_platform)
            assert (result.id_column, result.overlap) == (BETTER[str(case["id"])], 1)
            assert not len(result.unmapped)
        elif case["expected"] is None:
            with pytest.raises(PermanentError, match="fewer than 50%"):
                convert_to_genes(table.ids, table.values, of_platform)
        else:
            lines = (folder / str(case["expected"])).read_text().splitlines()[1:]
            result = convert_to_genes(table.ids, table.values, of_platform)
            shown = [f"{gene}\t{value:g}" for gene, value in zip(result.genes, result.values, strict=True)]
            assert shown == [f"{line.split(chr(9))[0]}\t{float(line.split(chr(9))[1]):g}" for line in lines]
