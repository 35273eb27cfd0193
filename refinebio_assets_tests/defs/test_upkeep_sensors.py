"""Sensors that keep results up to date, evaluated on a real, ephemeral instance."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from dagster import DagsterInstance, DagsterRun, DagsterRunStatus

from refinebio_assets.definitions import build_definitions
from refinebio_assets.defs import upkeep_sensors
from refinebio_assets.lake.store import utc_now
from refinebio_assets.pipelines import gene_expression
from refinebio_assets.pipelines.compendia.rnaseq_samples.rnaseq_sample_compendium import (
    build_rnaseq_sample_compendium,
)
from refinebio_assets_tests.defs.ticks import asked, tick
from refinebio_assets_tests.pipelines.study import Study


@pytest.fixture
def processed(study: Study, monkeypatch: pytest.MonkeyPatch) -> Study:
    study.process()
    monkeypatch.setenv("REFINEBIO_HOME", str(study.folder / "lake"))
    monkeypatch.setenv("REFINEBIO_MIRROR", str(study.folder))
    return study


def test_a_raised_code_version_is_asked_for_once(
    processed: Study, instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert asked(tick(instance, "out_of_date")) == []
    monkeypatch.setattr(gene_expression, "CODE_VERSION", "next")
    first = tick(instance, "out_of_date")
    assert asked(first) == ["STUDY"]
    assert first.run_requests[0].tags["refinebio/why"] == "code version"
    assert asked(tick(instance, "out_of_date", first.cursor)) == []
    monkeypatch.setattr(gene_expression, "CODE_VERSION", "the one after")
    assert asked(tick(instance, "out_of_date", first.cursor)) == ["STUDY"]


def test_what_was_never_processed_is_not_out_of_date(processed: Study, instance: DagsterInstance) -> None:
    processed.add_sample("T1", 3, experiment="ONLY_REGISTERED")
    processed.register()
    assert asked(tick(instance, "out_of_date")) == []


def test_no_more_is_asked_while_earlier_runs_are_unfinished(
    processed: Study, instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gene_expression, "CODE_VERSION", "next")
    monkeypatch.setenv(upkeep_sensors.RUNS_VARIABLE, "1")
    tags = {upkeep_sensors.BY_TAG: "out_of_date"}
    run = DagsterRun(job_name="process_experiment", tags=tags, status=DagsterRunStatus.STARTED)
    instance.add_run(run)
    waiting = tick(instance, "out_of_date")
    assert asked(waiting) == []
    assert "not finished" in waiting.skip_message
    instance.delete_run(run.run_id)
    assert asked(tick(instance, "out_of_date")) == ["STUDY"]


def test_a_passing_failure_is_tried_again_after_its_wait(
    processed: Study, instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    with processed.lake.draft("raw_files", "AWAY") as draft:
        dropped = {"kind": "sample", "item": "A1", "step": "raw_files", "reason": "the server was away"}
        draft.write_table("dropped", [dropped | {"permanent": False}])
        draft.commit(version="v", code_version="1")
    first = tick(instance, "passing_failures_again")
    assert asked(first) == []
    monkeypatch.setattr(upkeep_sensors, "utc_now", lambda: utc_now() + timedelta(hours=2))
    second = tick(instance, "passing_failures_again", first.cursor)
    assert asked(second) == ["AWAY"]
    assert asked(tick(instance, "passing_failures_again", second.cursor)) == []


def test_an_old_survey_is_repeated_and_not_at_once_again(
    processed: Study, instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    with processed.lake.draft("experiment_record", "SRP1") as draft:
        row = {"experiment": "SRP1", "source": "SRA", "organisms": [], "technologies": [], "sample_count": 1}
        draft.write_table("experiments", [row])
        draft.commit(version="v", code_version="1")
    assert asked(tick(instance, "source_changes")) == []
    monkeypatch.setenv(upkeep_sensors.AGE_VARIABLE, "0")
    first = tick(instance, "source_changes")
    assert asked(first) == ["SRP1"]
    assert first.run_requests[0].run_config["ops"]["experiment_record"]["config"]["survey_again"]
    monkeypatch.setenv(upkeep_sensors.AGE_VARIABLE, "1")
    assert asked(tick(instance, "source_changes", first.cursor)) == []
    assert set(json.loads(first.cursor)) == {"SRP1"}


def test_a_target_that_was_not_outgrown_is_left_alone(processed: Study, instance: DagsterInstance) -> None:
    assert asked(tick(instance, "outgrown_target")) == []


def test_each_sensor_explains_itself_and_waits_to_be_turned_on() -> None:
    for sensor in upkeep_sensors.UPKEEP_SENSORS:
        assert sensor.default_status.value == "STOPPED"
        assert sensor.description and len(sensor.description) > 80


def test_the_ledger_check_proves_that_every_sample_is_accounted_for(
    processed: Study, instance: DagsterInstance
) -> None:
    job = build_definitions().resolve_job_def("check_ledger")
    result = job.execute_in_process(instance=instance)
    (check,) = result.get_asset_check_evaluations()
    assert check.passed
    assert check.metadata["surveyed"].value == 3


def test_a_compendium_that_was_outgrown_is_asked_for_once(
    processed: Study, instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = processed.lake
    build_rnaseq_sample_compendium(lake, "DANIO_RERIO")
    assert asked(tick(instance, "outgrown_compendium")) == []
    for number in range(3):
        processed.add_sample(f"T{number}", number, experiment="LATER")
    processed.register()
    processed.process("LATER")
    first = tick(instance, "outgrown_compendium")
    (request,) = first.run_requests
    assert (request.job_name, request.partition_key) == ("build_rnaseq_sample_compendium", "DANIO_RERIO")
    assert request.tags["refinebio/why"] == "3 samples processed since"
    assert asked(tick(instance, "outgrown_compendium", first.cursor)) == []
    build_rnaseq_sample_compendium(lake, "DANIO_RERIO")
    assert asked(tick(instance, "outgrown_compendium")) == []
