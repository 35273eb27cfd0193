"""Sensors that keep results up to date, evaluated on a real, ephemeral instance."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from dagster import DagsterInstance, DagsterRun, DagsterRunStatus

from refinebio_assets.definitions import build_definitions
from refinebio_assets.defs import outgrown_sensors, upkeep_sensors
from refinebio_assets.defs.asked_runs import BY_TAG, RUNS_VARIABLE
from refinebio_assets.lake.rows import query_rows
from refinebio_assets.lake.store import utc_now
from refinebio_assets.pipelines import gene_expression
from refinebio_assets.pipelines.metadata_overlays import import_corrections
from refinebio_assets_tests.defs.ticks import asked, tick
from refinebio_assets_tests.pipelines.study import Study


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


def run_key_of(done: Any) -> str:
    (request,) = done.run_requests
    return str(request.run_key)


def test_a_code_version_that_was_reverted_and_is_raised_again_is_asked_for_again(
    processed: Study, instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    cursor, keys = "", []
    for version in ("next", gene_expression.CODE_VERSION, "next"):
        monkeypatch.setattr(gene_expression, "CODE_VERSION", version)
        done = tick(instance, "out_of_date", cursor)
        assert run_key_of(tick(instance, "out_of_date", cursor)) == run_key_of(done)
        keys.append(run_key_of(done))
        processed.process()
        cursor = done.cursor
    assert len(set(keys)) == 3


def test_a_correction_that_was_undone_and_is_done_again_is_asked_for_again(
    processed: Study, instance: DagsterInstance
) -> None:
    file = processed.folder / "corrections.tsv"
    header = "sample\tfield\tvalue\tsource\tnote\n"
    row = "S1\tspecimen_part\tliver\tcurator\t\n"
    cursor, keys = "", []
    for text in (header + row, header, header + row):
        file.write_text(text, encoding="utf-8")
        import_corrections(processed.lake, file, "mine")
        done = tick(instance, "out_of_date", cursor)
        keys.append(run_key_of(done))
        processed.process()
        cursor = done.cursor
    assert len(set(keys)) == 3


def test_what_was_never_processed_is_not_out_of_date(processed: Study, instance: DagsterInstance) -> None:
    processed.add_sample("T1", 3, experiment="ONLY_REGISTERED")
    processed.register()
    assert asked(tick(instance, "out_of_date")) == []


def test_no_more_is_asked_while_earlier_runs_are_unfinished(
    processed: Study, instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gene_expression, "CODE_VERSION", "next")
    monkeypatch.setenv(RUNS_VARIABLE, "1")
    tags = {BY_TAG: "out_of_date"}
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


def test_an_experiment_is_summarized_without_waiting_and_again_when_more_arrives(
    processed: Study, instance: DagsterInstance
) -> None:
    processed.write("S2.sf", "still being uploaded\n")
    processed.process()
    assert columns_of(processed) == 2
    assert asked(tick(instance, "out_of_date")) == []
    processed.add_sample("S2", 1)
    processed.rows.pop()
    assert asked(tick(instance, "out_of_date")) == ["STUDY"]
    processed.process()
    assert columns_of(processed) == 3


def columns_of(study: Study) -> int:
    (row,) = query_rows(study.catalog, "SELECT samples FROM matrices")
    return int(row["samples"])


def test_the_cursor_forgets_what_is_up_to_date_again(
    processed: Study, instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gene_expression, "CODE_VERSION", "next")
    first = tick(instance, "out_of_date")
    assert set(json.loads(first.cursor)["asked"]) == {"STUDY"}
    processed.process()
    second = tick(instance, "out_of_date", first.cursor)
    assert (asked(second), json.loads(second.cursor)) == ([], {"after": "", "asked": {}})


def test_a_run_and_the_log_say_how_much_there_is_to_do(
    processed: Study, instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gene_expression, "CODE_VERSION", "next")
    (request,) = tick(instance, "out_of_date").run_requests
    assert request.tags["refinebio/amount"] == "summarize 3 samples; less than a second"


def test_a_raised_code_version_does_again_what_it_must_and_nothing_else(
    processed: Study, instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = processed.lake
    monkeypatch.setattr(gene_expression, "CODE_VERSION", "next")
    before = {asset: len(lake.history(asset, "STUDY")) for asset in lake.assets()}
    samples = {name: len(lake.history("sample_quantification", name)) for name in ("S1", "S2", "S3")}
    found = tick(instance, "out_of_date")
    (request,) = found.run_requests
    for partitions in found.dynamic_partitions_requests:
        instance.add_dynamic_partitions(partitions.partitions_def_name, partitions.partition_keys)
    job = build_definitions().resolve_job_def(request.job_name or "process_experiment")
    done = job.execute_in_process(partition_key=request.partition_key, instance=instance)
    assert done.success
    after = {asset: len(lake.history(asset, "STUDY")) for asset in lake.assets()}
    assert {asset for asset in after if after[asset] != before[asset]} == {"gene_expression"}
    assert {name: len(lake.history("sample_quantification", name)) for name in samples} == samples
    assert asked(tick(instance, "out_of_date")) == []


def test_each_sensor_explains_itself_and_waits_to_be_turned_on() -> None:
    for sensor in (*upkeep_sensors.UPKEEP_SENSORS, *outgrown_sensors.OUTGROWN_SENSORS):
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
