"""How samples are named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinebio_assets.domain import accession_problem
from refinebio_assets.sources.arrayexpress.names import (
    distinct_accessions,
    name_of_sample,
    sample_accession,
)


@pytest.mark.parametrize(
    ("source", "assay", "file", "name"),
    [
        ("donor A islets", "1009003-C30057", "C30057.CEL", "1009003-C30057"),
        ("GSM1 1", "GSM1", "GSM1.CEL", "GSM1 1"),
        ("GSM74295 1", "GSM74295", "GSM74295_sample_table.txt", "GSM74295"),
        ("liver", "hyb 1", "x.CEL", "liver"),
        ("liver", "hybridization", "x.CEL", "hybridization"),
        ("liver", "array", "x.CEL", "liver"),
        ("liver 1", "array 12", "x.CEL", "array 12"),
        ("a.b", "b.b.b", "a.b.CEL", "a.b"),
        ("liver", "CEL-array", "CEL", "CEL-array"),
        ("liver", "", "", "liver"),
    ],
)
def test_a_sample_is_named_by_its_source_or_its_assay(source: str, assay: str, file: str, name: str) -> None:
    assert name_of_sample(source, assay, file) == name


def test_the_ancestors_rule_gives_the_same_accessions(shared_data: Path) -> None:
    lines = (shared_data / "metadata_oracles" / "functions.jsonl").read_text(encoding="utf-8").splitlines()
    cases = [case["case"] for case in map(json.loads, lines) if case["function"] == "ae_sample_accession"]
    assert cases
    assert [sample_accession(*arguments) for arguments, _ in cases] == [expected for _, expected in cases]


def test_characters_that_accessions_must_not_have_are_replaced() -> None:
    assert sample_accession("E-X-1", 'a/b,c|d"e..f\\g\th', "", "") == "E-X-1-a_b_c_d_e__f_g_h"


@given(st.text(max_size=300), st.text(max_size=300), st.text(max_size=30))
def test_whatever_the_names_are_the_accession_is_usable(source: str, assay: str, file: str) -> None:
    assert accession_problem(sample_accession("E-MTAB-1", source, assay, file)) is None


def test_names_that_samples_share_get_their_files_names_whatever_the_order() -> None:
    candidates = [("E-Col", "A1"), ("E-Col", "B1"), ("E-wt", "C1")]
    assert distinct_accessions(candidates) == ["E-Col-A1", "E-Col-B1", "E-wt"]
    assert distinct_accessions(candidates[::-1]) == ["E-wt", "E-Col-B1", "E-Col-A1"]


def test_names_that_are_the_same_with_their_files_are_numbered() -> None:
    candidates = [("E-a", "x"), ("E-a", "x"), ("E-a-x", ""), ("E-a", "x")]
    assert distinct_accessions(candidates) == ["E-a-x-2", "E-a-x-3", "E-a-x", "E-a-x-4"]


@given(
    st.lists(
        st.tuples(st.sampled_from(["E-a", "E-b", "E-" + "c" * 198]), st.sampled_from(["", "x", "y" * 250]))
    )
)
def test_accessions_are_never_the_same(candidates: list[tuple[str, str]]) -> None:
    chosen = distinct_accessions(candidates)
    assert len(set(chosen)) == len(candidates)
    assert not any(map(accession_problem, chosen))
