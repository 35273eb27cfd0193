"""Runs of the wrong kind, and runs on a blacklist, are left out in words that say why."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from refinebio_assets.errors import FormatError, NotFoundError
from refinebio_assets.platforms.sra_rules import SraRules, exclusion, read_blacklist


@pytest.mark.parametrize(
    ("strategy", "source"), [("RNA-Seq", "TRANSCRIPTOMIC"), ("rna-seq", "Other"), ("RNA-Seq", " OTHER ")]
)
def test_an_rna_seq_run_may_be_used(strategy: str, source: str) -> None:
    assert exclusion("SRR1", strategy, source, SraRules()) == ""


@pytest.mark.parametrize(
    ("strategy", "source", "reason"),
    [
        ("WGS", "GENOMIC", "Its library strategy is WGS; only RNA-Seq is processed."),
        (
            "RNA-Seq",
            "TRANSCRIPTOMIC SINGLE CELL",
            "Its library source is TRANSCRIPTOMIC SINGLE CELL; only TRANSCRIPTOMIC or OTHER is processed.",
        ),
        ("", "TRANSCRIPTOMIC", "Its library strategy is not given; only RNA-Seq is processed."),
    ],
)
def test_a_run_of_another_kind_is_left_out_with_the_reason(strategy: str, source: str, reason: str) -> None:
    assert exclusion("SRR1", strategy, source, SraRules()) == reason


def test_the_wanted_kinds_are_a_setting() -> None:
    rules = SraRules(strategies=("miRNA-Seq",), sources=("TRANSCRIPTOMIC SINGLE CELL",))

    assert exclusion("SRR1", "miRNA-Seq", "transcriptomic single cell", rules) == ""
    assert "miRNA-Seq" in exclusion("SRR1", "RNA-Seq", "TRANSCRIPTOMIC", rules)


def test_a_blacklisted_run_is_left_out() -> None:
    rules = SraRules(blacklist=frozenset({"SRR013560"}))

    reason = exclusion("srr013560", "RNA-Seq", "TRANSCRIPTOMIC", rules)
    assert reason == "srr013560 is on the blacklist of runs that cannot be processed."


@pytest.mark.parametrize("head", ["", "run\n", "\ufeff", "Run\r\n\r\n"])
def test_a_first_line_that_is_a_run_is_not_taken_for_a_header(tmp_path: Path, head: str) -> None:
    path = tmp_path / "runs.csv"
    path.write_text(head + 'SRR013560\n"err000001"\n\nDRR12\n', encoding="utf-8")

    assert read_blacklist(path) == {"SRR013560", "ERR000001", "DRR12"}


def test_a_compressed_blacklist_is_read_whatever_its_name(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    path.write_bytes(gzip.compress(b"SRR1\nSRR2\n"))

    assert read_blacklist(path) == {"SRR1", "SRR2"}


def test_an_empty_blacklist_lists_nothing(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    path.write_text("")

    assert read_blacklist(path) == frozenset()


def test_bad_lines_are_named(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    path.write_text("run\nSRR1\nSRP2\nSRR3\nSRR4,yes\n")

    with pytest.raises(
        FormatError, match=r"runs.csv, line 3: expected one run accession.*'SRP2'; also bad: lines 5$"
    ):
        read_blacklist(path)


def test_many_bad_lines_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    path.write_text("SRR1\n" + "x\n" * 10)

    with pytest.raises(FormatError, match=r"line 2: .*also bad: lines 3, 4, 5, 6, 7 and 4 more$"):
        read_blacklist(path)


def test_a_cut_gzip_blacklist_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv.gz"
    path.write_bytes(gzip.compress(b"SRR1\n" * 1000)[:-12])

    with pytest.raises(FormatError, match="a whole gzip file"):
        read_blacklist(path)


def test_a_missing_blacklist_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"none\.csv"):
        read_blacklist(tmp_path / "none.csv")
