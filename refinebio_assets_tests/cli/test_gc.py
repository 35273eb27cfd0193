"""``gc`` as users run it: what it says before it does anything, and what it then does."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from refinebio_assets.lake.store import Lake, utc_now
from refinebio_assets_tests.cli.conftest import Run, command_in
from refinebio_assets_tests.lake.making import commit_files


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """Three versions; the first two were superseded a year ago."""
    lake = Lake(str(tmp_path / "lake"), now=lambda: utc_now() - timedelta(days=365))
    commit_files(lake, "index", "HUMAN", {"content": b"first"}, version="1" * 64)
    commit_files(lake, "index", "HUMAN", {"content": b"second"}, version="2" * 64)
    commit_files(lake, "index", "HUMAN", {"content": b"third"}, version="3" * 64)
    return lake


def test_gc_says_what_could_go_and_removes_it_when_told_to(lake: Lake, tmp_path: Path) -> None:
    refinebio: Run = command_in(tmp_path)
    shown = refinebio("gc")
    assert shown.returncode == 0, shown.stderr
    assert "2 can go, 11 bytes. Nothing is changed without --delete.\n" in shown.stdout
    assert len(lake.history("index", "HUMAN")) == 3
    listed = refinebio("gc", "--format", "json", "--delete", "--asset", "index").stdout.splitlines()
    assert [json.loads(line)["version"] for line in listed] == ["1" * 12, "2" * 12]
    assert [commit.version for commit in lake.history("index", "HUMAN")] == ["3" * 64]
    assert refinebio("gc").stdout == "Nothing to remove.\n"
    assert refinebio("gc", "--format", "json").stderr == "Nothing to remove.\n"
    header = "goes\tasset\tpartition\tversion\tmade\tbytes\twhy\tused_by\n"
    assert refinebio("gc", "--format", "tsv", "--delete").stdout == header
    gone = refinebio("lineage", "index:HUMAN@22")
    assert gone.returncode == 1
    assert "version 222222222222 of index of HUMAN was removed on" in gone.stderr


@pytest.mark.parametrize("command", [("gc",), ("lake", "sweep")])
@pytest.mark.parametrize("amount", ["nan", "1e9", "-1"])
def test_an_age_that_is_none_is_refused(
    lake: Lake, tmp_path: Path, command: tuple[str, ...], amount: str
) -> None:
    refused = command_in(tmp_path)(*command, "--older-than", amount)
    assert refused.returncode == 2 and "'--older-than'" in refused.stderr
