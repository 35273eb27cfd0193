"""Discovery in Dagster, on a real, ephemeral instance: search, budget, partitions, each experiment once."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from dagster import DagsterInstance

from refinebio_assets.definitions import build_definitions
from refinebio_assets.defs import discovery
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.discovery import import_accessions
from refinebio_assets.simulate.design import EXPERIMENTS
from refinebio_assets_tests.defs.ticks import asked, tick
from refinebio_assets_tests.pipelines.test_discovery import mirror


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """An empty lake beside archives that answer searches; the rules are those of the simulated world."""
    mirror(tmp_path / "world")
    monkeypatch.setenv("REFINEBIO_HOME", str(tmp_path / "lake"))
    monkeypatch.setenv("REFINEBIO_MIRROR", str(tmp_path / "world" / "mirror.jsonl"))
    monkeypatch.setenv("REFINEBIO_DISCOVERY_RULES", str(tmp_path / "world" / "discovery.yaml"))
    return Lake(str(tmp_path / "lake"))


def test_what_the_job_finds_the_sensor_adds_and_asks_for_once(lake: Lake, instance: DagsterInstance) -> None:
    job = build_definitions().resolve_job_def("discover_experiments")
    assert job.execute_in_process(instance=instance).success
    first = tick(instance, "discovered_experiments")
    assert {each.accession for each in EXPERIMENTS} <= set(asked(first))
    (tags,) = (each.tags for each in first.run_requests if each.partition_key == "SRP900001")
    assert tags["refinebio/why"].startswith("found by ")
    assert tags["refinebio/amount"] == "6 samples"
    (added,) = first.dynamic_partitions_requests
    assert list(added.partition_keys) == asked(first)
    second = tick(instance, "discovered_experiments", first.cursor)
    assert asked(second) == []
    assert "not surveyed yet" in second.skip_message


def test_no_more_a_day_than_the_budget_and_the_rest_on_the_next(
    lake: Lake, instance: DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = tmp_path / "world" / "discovery.yaml"
    rules.write_text(rules.read_text().replace("daily_budget: 20", "daily_budget: 2"))
    listed = tmp_path / "list.txt"
    listed.write_text("GSE1\nGSE2\nGSE3\n")
    import_accessions(lake, listed)
    monday = datetime(2026, 11, 30, 12, tzinfo=UTC)
    monkeypatch.setattr(discovery, "utc_now", lambda: monday)
    first = tick(instance, "discovered_experiments")
    assert asked(first) == ["GSE1", "GSE2"]
    tags = first.run_requests[0].tags
    assert tags["refinebio/why"] == "found by list.txt"
    assert tags["refinebio/amount"] == "known after the survey"
    assert asked(tick(instance, "discovered_experiments", first.cursor)) == []
    monkeypatch.setattr(discovery, "utc_now", lambda: monday.replace(day=1, month=12))
    assert asked(tick(instance, "discovered_experiments", first.cursor)) == ["GSE3"]


def test_the_schedule_searches_weekly_once_turned_on() -> None:
    schedule = build_definitions().resolve_schedule_def("weekly_discovery")
    assert schedule.cron_schedule == "0 3 * * 1"
    assert schedule.default_status.value == "STOPPED"
    assert schedule.description
