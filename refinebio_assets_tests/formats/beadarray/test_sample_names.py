"""Whatever a submitter called the samples of a table, each finds its own column and no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from refinebio_assets.formats.beadarray import Role, SampleNames
from refinebio_assets_tests.formats.beadarray.small_table import (
    P_VALUES,
    PLAIN,
    ROWS,
    VALUES,
    A,
    B,
    assert_whole,
    complaint,
    headed,
    read,
    text,
)


@pytest.mark.parametrize(
    "names",
    [
        "{}|{} Detection Pval",
        "{}.AVG_Signal|{}.Detection Pval",
        "{}.AVG_Signal.AVG_Signal|{}.Detection_Pval",
        "AVG_Signal-{}|Detection Pval-{}",
        "Signal-{}|Detection-{}",
        "{}:AVG_Signal|{}:Detection",
        "{} Raw_Value|{} p-value",
        "{}_avg_signal|{}_pvalue",
        "{} (raw signal)|{} (Detection P-Value)",
        "{}.AVG_Signal|{}.DetectionPval",
        "{}|Detection Pval",
        "{}|DETECTION PVAL",
        "{}|Detection_PVal",
        "{}|Detection-Pval",
        "{}|Detection.Pval",
        "{}|DetectionPval",
        "{}|detection p-value",
        "{}|Detection P value",
        "{}|Detection",
        "{}|P-Value",
        "{}|pval",
        "RNA of {}.AVG_Signal|RNA of {}.Detection Pval",
    ],
)
@pytest.mark.parametrize("known_as", ["title", "accession", "description"])
def test_samples_and_their_p_values_are_found_under_every_spelling(
    tmp_path: Path, names: str, known_as: str
) -> None:
    if known_as == "description" and "RNA" in names:
        pytest.skip("descriptions are prose: one that is part of a header says nothing")
    samples = {
        "title": (A, B),
        "accession": (SampleNames("Liver 1", "x"), SampleNames("Liver 2", "y")),
        "description": (
            SampleNames("GSM1", "x", ("none", "Liver 1")),
            SampleNames("GSM2", "y", ("Liver 2",)),
        ),
    }[known_as]
    header = [each.format(name) for name in ("Liver 1", "Liver 2") for each in names.split("|")]
    table = read(tmp_path, headed(*header), samples)
    assert [each.sample != "" for each in table.columns] == [False, True, True, True, True]
    assert table.values.tolist() == VALUES.tolist()
    assert [None if each is None else each.tolist() for each in table.detection] == P_VALUES.T.tolist()


@pytest.mark.parametrize(
    "names",
    [
        ["GSE9.Liver.1", "Detection.Pval", "GSE9.Liver.2", "Detection.Pval.1"],
        ["GSE9_Liver_1", "Detection", "gse9 LIVER  2", "Detection.1"],
        ["GSE9_Liver_1.AVG_Signal", "GSE9_Liver_1.Detection", "GSE9 Liver-2 Signal", "GSE9 Liver-2 Pval"],
    ],
)
def test_names_that_software_has_changed_are_found(tmp_path: Path, names: list[str]) -> None:
    samples = (SampleNames("GSM1", "GSE9 Liver 1"), SampleNames("GSM2", "GSE9 Liver 2"))
    assert_whole(read(tmp_path, headed(*names), samples))


def test_a_title_that_ends_in_the_header_is_found(tmp_path: Path) -> None:
    samples = (SampleNames("GSM1", "Mouse_Liver 1"), SampleNames("GSM2", "Mouse_Liver 2"))
    assert_whole(read(tmp_path, PLAIN, samples))


def test_the_number_of_an_array_in_a_description_is_found(tmp_path: Path) -> None:
    names = ["X4343238066_A.AVG_Signal", "X4343238066_A.Detection", "4343238066_B_AVG_Signal", "Detection"]
    samples = (
        SampleNames("GSM1", "Liver 1", ("Hybridized to array 4343238066_A of a chip",)),
        SampleNames("GSM2", "Liver 2", ("4343238066_B",)),
    )
    assert_whole(read(tmp_path, headed(*names), samples))


def test_a_title_with_the_word_bead_is_a_title(tmp_path: Path) -> None:
    names = [
        "Bead prep 1.AVG_Signal",
        "Bead prep 1.Detection",
        "Bead prep 2.AVG_Signal",
        "Bead prep 2.Detection",
    ]
    assert_whole(
        read(
            tmp_path, headed(*names), (SampleNames("GSM1", "bead prep 1"), SampleNames("GSM2", "bead prep 2"))
        )
    )


def test_s1_is_not_s10(tmp_path: Path) -> None:
    samples = (SampleNames("GSM1", "S1"), SampleNames("GSM2", "S10"))
    table = read(
        tmp_path, headed("S10.AVG_Signal", "S10.Detection", "S11.AVG_Signal", "S11.Detection"), samples
    )
    assert table.samples == ("GSM2",)
    assert [each.accession for each in table.unmatched] == ["GSM1"]
    assert (
        "CD34+"
        not in read(tmp_path, headed("CD34", "x", "CD34+ b", "y"), (SampleNames("GSM1", "CD34"),))
        .columns[3]
        .sample
    )


def test_the_raw_values_of_a_sample_are_preferred_to_others(tmp_path: Path) -> None:
    table = read(tmp_path, headed("Liver 1 normalized", "Liver 1 Raw", "Liver 1", "Detection"), (A,))
    assert [each.header for each in table.columns if each.role == Role.VALUES] == ["Liver 1 Raw"]


def test_two_columns_that_name_one_sample_equally_are_no_values_of_it(tmp_path: Path) -> None:
    table = read(tmp_path, headed("Liver 1", "Liver 1", "Liver 2", "Detection"))
    assert table.samples == ("GSM2",)
    assert table.unmatched[0].reason == "several columns may hold its values: 'Liver 1', 'Liver 1'"


def test_a_description_that_samples_share_names_none(tmp_path: Path) -> None:
    samples = (SampleNames("GSM1", "x", ("Liver 1",)), SampleNames("GSM2", "y", ("Liver 1",)))
    assert "expected a column of values for a sample ('x', 'y')" in complaint(tmp_path, PLAIN, samples)


@pytest.mark.parametrize("name", ["RAW_VALUE", "Raw Value", "AVG_Signal", "SAMPLE 1", "X9.AVG_Signal"])
def test_the_only_column_of_values_is_the_only_samples(tmp_path: Path, name: str) -> None:
    rows = [[row[0], "7.5", *row[1:3]] for row in ROWS]
    table = read(tmp_path, text(["ID_REF", "VALUE", name, "Detection Pval"], rows), (A,))
    assert table.values[:, 0].tolist() == VALUES[:, 0].tolist()
    assert table.detection[0] is not None


def test_one_sample_of_several_columns_is_not_guessed(tmp_path: Path) -> None:
    assert "'ID_REF | SAMPLE 1" in complaint(
        tmp_path, headed("SAMPLE 1", "Detection", "SAMPLE 2", "Detection"), (A,)
    )
