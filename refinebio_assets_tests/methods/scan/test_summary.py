"""Probe sets: who is in them, and their trimmed means."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinebio_assets.methods.scan.r_round import round_as_r
from refinebio_assets.methods.scan.summary import gene_ids, group_probes, match_cells, summarize


def integers(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.intp)


def test_a_probe_of_three_genes_feeds_all_three_and_a_repeated_one_counts_twice() -> None:
    sets = group_probes(pa.array(["b", "a", "c", "b", "b"]), integers(0, 0, 0, 1, 1), 3)
    assert sets.names == ("a", "b", "c")
    assert sets.sizes.tolist() == [1, 3, 1]
    np.testing.assert_allclose(summarize(np.array([1.0, 4.0, 100.0]), sets), [1.0, 3.0, 1.0])


def test_a_tenth_is_trimmed_at_both_ends_from_ten_probes_on() -> None:
    names = pa.array(["nine"] * 9 + ["ten"] * 10)
    sets = group_probes(names, np.arange(19), 19)
    values = np.array([*range(8), 1_000, -1_000, *range(8), 1_000], dtype=np.float64)
    np.testing.assert_allclose(summarize(values, sets), [(28 + 1_000) / 9, 3.5], atol=1e-8)


def test_without_trimming_it_is_the_mean() -> None:
    sets = group_probes(pa.array(["one"] * 20), np.arange(20), 20)
    assert summarize(np.arange(20.0), sets, trim=0).tolist() == [9.5]


@given(
    st.lists(
        st.tuples(st.sampled_from(["x", "Y", "z_at", "1_at"]), st.integers(0, 29)), min_size=1, max_size=120
    )
)
def test_groups_are_those_of_a_dictionary(pairs: list[tuple[str, int]]) -> None:
    values = np.random.default_rng(1).normal(size=30)
    members: dict[str, list[float]] = {}
    for name, row in pairs:
        members.setdefault(name, []).append(values[row])
    expected = {}
    for name, group in members.items():
        cut = len(group) // 10
        expected[name] = np.mean(sorted(group)[cut : len(group) - cut])
    sets = group_probes(pa.array([name for name, _ in pairs]), integers(*(row for _, row in pairs)), 30)
    assert sets.names == tuple(sorted(expected))
    np.testing.assert_allclose(summarize(values, sets), [expected[name] for name in sets.names], atol=1e-8)


@given(st.lists(st.integers(0, 8), max_size=30), st.lists(st.integers(0, 8), max_size=30))
def test_cells_are_paired_as_in_an_inner_join(cells: list[int], table_cells: list[int]) -> None:
    rows, table_rows = match_cells(integers(*cells), integers(*table_cells))
    expected = {
        (i, j) for i, cell in enumerate(cells) for j, other in enumerate(table_cells) if cell == other
    }
    assert len(rows) == len(expected)
    assert set(zip(rows.tolist(), table_rows.tolist(), strict=True)) == expected


def test_a_missing_probe_value_makes_its_sets_missing_even_where_it_would_be_trimmed() -> None:
    values = np.arange(12.0)
    values[11] = np.nan
    sets = group_probes(pa.array(["a"] * 11 + ["b"] * 10), integers(*range(1, 12), *range(10)), 12)
    assert np.isnan(summarize(values, sets)).tolist() == [True, False]


@pytest.mark.parametrize("row", [-1, 3])
def test_a_row_outside_the_design_is_a_mistake_of_the_caller(row: int) -> None:
    with pytest.raises(ValueError, match="not all among 3 probes"):
        group_probes(pa.array(["a"]), integers(row), 3)


def test_a_missing_name_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="2 rows have 1 names"):
        group_probes(pa.array(["a", None]), integers(0, 1), 3)


def test_values_of_another_platform_are_a_mistake_of_the_caller() -> None:
    sets = group_probes(pa.array(["a"]), integers(0), 3)
    with pytest.raises(ValueError, match="its platform 3 probes"):
        summarize(np.zeros(4), sets)


def test_names_of_sets_become_gene_ids() -> None:
    assert gene_ids(("ENSG00000000003_at", "ENSG00000000005")) == ("ENSG00000000003", "ENSG00000000005")


def test_ties_are_rounded_as_in_r() -> None:
    # R 4.2.2: mapply(round, c(0.15, 0.25, 0.35, 0.45, 2.675, -0.15, 1e-9), c(1, 1, 1, 1, 2, 1, 8))
    values, decimals = (0.15, 0.25, 0.35, 0.45, 2.675, -0.15, 1e-9), (1, 1, 1, 1, 2, 1, 8)
    rounded = [float(round_as_r(np.array([v]), d)[0]) for v, d in zip(values, decimals, strict=True)]
    assert rounded == [0.1, 0.2, 0.3, 0.4, 2.67, -0.1, 0.0]


def test_what_is_not_a_number_stays_so_when_rounded() -> None:
    rounded = round_as_r(np.array([np.nan, np.inf, -np.inf]), 8)
    assert np.isnan(rounded[0])
    assert rounded[1:].tolist() == [np.inf, -np.inf]
