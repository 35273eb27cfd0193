"""What each column of a table is taken for: probe ids, values, p-values, or nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from refinebio_assets.formats.beadarray import Role
from refinebio_assets_tests.formats.beadarray.small_table import (
    NAMES,
    PLAIN,
    ROWS,
    A,
    assert_whole,
    headed,
    read,
    text,
)


def test_what_every_column_was_taken_for_is_told(tmp_path: Path) -> None:
    table = read(tmp_path, PLAIN, (A,))
    roles = [(each.index, each.header, each.role, each.sample) for each in table.columns]
    assert roles == [
        (0, "ID_REF", Role.PROBE_ID, ""),
        (1, "Liver 1", Role.VALUES, "GSM1"),
        (2, "Detection Pval", Role.DETECTION, "GSM1"),
        (3, "Liver 2", Role.IGNORED, ""),
        (4, "Detection Pval", Role.IGNORED, ""),
    ]
    assert all(each.reason for each in table.columns)


def test_a_missing_first_header_is_that_of_the_probe_ids(tmp_path: Path) -> None:
    table = read(tmp_path, text(NAMES[1:]))
    assert_whole(table)
    assert table.columns[0].header == "ID_REF"
    assert "lacks its first name" in table.notes[0]


def test_an_empty_first_header_is_that_of_the_probe_ids(tmp_path: Path) -> None:
    assert_whole(read(tmp_path, text(["", *NAMES[1:]])))


def test_a_missing_first_header_is_seen_when_samples_are_named_by_accession(tmp_path: Path) -> None:
    names = ["GSM1.AVG_Signal", "GSM1.Detection Pval", "GSM2.AVG_Signal", "GSM2.Detection Pval"]
    assert_whole(read(tmp_path, text(names)))


@pytest.mark.parametrize(
    "name", ["id_ref ", "PROBE_ID", "IDREF", "ProbeID", "REF_ID", "refid", "IDPROBE", "Id_Probe"]
)
def test_the_column_of_probe_ids_has_many_names(tmp_path: Path, name: str) -> None:
    assert_whole(read(tmp_path, text([name, *NAMES[1:]])))


@pytest.mark.parametrize("before", [["TARGETID"], ["", ""], ["", "Target_ID"], ["TargetID", "ProbeID"]])
def test_columns_before_the_probe_ids_are_passed_over(tmp_path: Path, before: list[str]) -> None:
    cells = [name and ("6450255" if name == "ProbeID" else "EZH2") for name in before]
    names = [*before, "PROBE_ID", *NAMES[1:]]
    table = read(tmp_path, text(names, [[*cells, *row] for row in ROWS]))
    assert_whole(table)
    assert table.columns[len(before)].role == Role.PROBE_ID


def test_target_ids_serve_where_nothing_else_does(tmp_path: Path) -> None:
    assert_whole(read(tmp_path, text(["TargetID", *NAMES[1:]])))


def test_blank_columns_and_those_about_probes_are_ignored(tmp_path: Path) -> None:
    names = [*NAMES, "", "SYMBOL", "ENTREZ_GENE_ID", "", ""]
    table = read(tmp_path, text(names, [[*row, "", "EZH2", "2146"] for row in ROWS]))
    assert_whole(table)
    assert [each.role for each in table.columns[5:8]] == [Role.IGNORED] * 3
    table = read(tmp_path, text(NAMES, [[*row, "", ""] for row in ROWS]))
    assert_whole(table)


def test_columns_of_beads_are_between_values_and_their_p_values(tmp_path: Path) -> None:
    names = ["ID_REF"]
    for name in ("Liver 1", "Liver 2"):
        names += [f"MIN_Signal-{name}", f"AVG_Signal-{name}", f"NARRAYS-{name}", f"ARRAY_STDEV-{name}"]
        names += [f"BEAD_STDERR-{name}", f"Avg_NBEADS-{name}", f"Detection-{name}"]
    filler = ["9", "1", "0.5", "0.25", "30"]
    rows = [
        [row[0], *(cell for at in (1, 3) for cell in ["7", row[at], *filler[1:], row[at + 1]])]
        for row in ROWS
    ]
    assert_whole(read(tmp_path, text(names, rows)))
    bare = ["ID_REF", *(name.split("-")[0] for name in names[1:])]
    bare[2], bare[9] = "Liver 1", "Liver 2"
    assert_whole(read(tmp_path, text(bare, rows)))


@pytest.mark.parametrize("order", [[1, 3, 2, 4], [2, 1, 4, 3]])
def test_p_values_may_come_before_their_values_or_after_all(tmp_path: Path, order: list[int]) -> None:
    names = [NAMES[place] for place in [0, *order]]
    assert_whole(read(tmp_path, text(names, [[row[place] for place in [0, *order]] for row in ROWS])))


def test_p_values_given_as_one_minus_p_are_turned_round(tmp_path: Path) -> None:
    rows = [[row[0], row[1], str(1 - float(row[2])), row[3], str(1 - float(row[4]))] for row in ROWS]
    table = read(tmp_path, text(NAMES, rows))
    assert_whole(table)
    assert [each.reason.endswith("given as 1 - p, turned round") for each in table.columns[1:]] == [
        False, True, False, True,
    ]  # fmt: skip


def test_a_sample_without_p_values_has_none_of_its_own(tmp_path: Path) -> None:
    table = read(tmp_path, headed("Liver 1", "Detection Pval", "Liver 2", "BEAD_STDEV"))
    assert table.detection[0] is not None
    assert table.detection[1] is None


def test_calls_and_scores_are_no_p_values(tmp_path: Path) -> None:
    rows = [[row[0], row[1], "P", row[3], "87.5"] for row in ROWS]
    table = read(tmp_path, text(NAMES, rows))
    assert table.detection == (None, None)
    assert table.columns[2].role == table.columns[4].role == Role.IGNORED
