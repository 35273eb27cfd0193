"""The assets run by Dagster's engine on a real instance: versions, partitions, checks, failures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from dagster import (
    AssetKey,
    DagsterEvent,
    DagsterEventType,
    DagsterInstance,
    ExecuteInProcessResult,
    TableMetadataValue,
    build_sensor_context,
    instance_for_test,
)
from sqlalchemy import Engine, event

from refinebio_assets.definitions import build_definitions
from refinebio_assets.defs.instance import PROCESS_TAG, end_dead_runs, process_tags
from refinebio_assets.defs.killed_runs import killed_runs
from refinebio_assets.defs.sample_events import LIMIT_VARIABLE, add_keys
from refinebio_assets.pipelines.sample_quantifications import sample_code_version
from refinebio_assets_tests.pipelines.study import Study

CHAIN = ["experiment_record", "raw_files", "sample_quantifications", "gene_expression"]


@pytest.fixture
def instance(study: Study, monkeypatch: pytest.MonkeyPatch) -> Iterator[DagsterInstance]:
    monkeypatch.setenv("REFINEBIO_HOME", str(study.folder / "lake"))
    with instance_for_test() as made:
        add_keys(made, "experiment", ["STUDY"])
        yield made


def run(instance: DagsterInstance, *, samples: Sequence[str] = ()) -> ExecuteInProcessResult:
    job = build_definitions().resolve_job_def("process_experiment")
    config = {"ops": {"sample_quantifications": {"config": {"samples": list(samples)}}}}
    return job.execute_in_process(
        instance=instance, partition_key="STUDY", run_config=config, raise_on_error=False
    )


def test_a_key_that_another_run_adds_at_the_same_moment_is_there_once() -> None:
    with instance_for_test() as instance, DagsterInstance.from_ref(instance.get_ref()) as other:
        before: list[str] = []

        def add_by_another(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            if "INSERT INTO dynamic_partitions" in statement and not before:
                before.append(statement)
                other.add_dynamic_partitions("dataset", ["liver"])

        with listening(Engine, "before_cursor_execute", add_by_another):
            add_keys(instance, "dataset", ["liver", "spleen"])
        assert before
        assert sorted(instance.get_dynamic_partitions("dataset")) == ["liver", "spleen"]


@contextmanager
def listening(target: Any, name: str, listener: Callable[..., None]) -> Iterator[None]:
    event.listen(target, name, listener)
    try:
        yield
    finally:
        event.remove(target, name, listener)


def metadata_of(result: ExecuteInProcessResult, asset: str) -> dict[str, object]:
    (event,) = result.asset_materializations_for_node(asset)
    return {key: value.value for key, value in event.metadata.items()}


def versions_of(result: ExecuteInProcessResult) -> dict[str, str]:
    return {
        asset: str((result.asset_materializations_for_node(asset)[0].tags or {})["dagster/data_version"])
        for asset in CHAIN
        if asset != "sample_quantifications"
    }


def test_a_run_makes_the_chain_and_passes_its_checks(study: Study, instance: DagsterInstance) -> None:
    result = run(instance)
    assert result.success
    checks = {check.check_name: check.passed for check in result.get_asset_check_evaluations()}
    assert checks == {"matrices_are_whole": True, "every_sample_quantified": True}
    shown = metadata_of(result, "gene_expression")
    assert shown["dagster/row_count"] == 10
    assert str(shown["distribution"]).startswith("![")
    assert {"preview", "matrices", "why", "commit", "dagster/column_schema", "warnings"} <= shown.keys()


def test_a_second_run_keeps_every_version(study: Study, instance: DagsterInstance) -> None:
    first, second = run(instance), run(instance)
    assert versions_of(first) == versions_of(second)
    assert "up to date" in str(metadata_of(second, "gene_expression")["why"])


def test_every_processed_sample_is_a_partition_of_the_external_asset(
    study: Study, instance: DagsterInstance
) -> None:
    study.write("S3.sf", "nonsense\n")
    run(instance)
    key = AssetKey("sample_quantification")
    assert set(instance.get_dynamic_partitions("sample")) == {"S1", "S2", "S3"}
    assert instance.get_materialized_partitions(key) == {"S1", "S2"}
    event = instance.fetch_materializations(key, limit=10).records[0].asset_materialization
    assert event is not None and event.tags is not None
    commit = study.lake.head("sample_quantification", event.partition or "")
    assert commit is not None
    assert event.tags["dagster/data_version"] == commit.version
    assert event.tags["dagster/code_version"] == sample_code_version()
    assert event.metadata["verdict"].value == "processed"
    assert event.metadata["processor"].value == "submitted"


def test_a_reused_sample_gets_no_second_event_and_a_redone_one_does(
    study: Study, instance: DagsterInstance
) -> None:
    run(instance)
    run(instance, samples=["S2"])
    records = instance.fetch_materializations(AssetKey("sample_quantification"), limit=10).records
    assert sorted(str(record.partition_key) for record in records) == ["S1", "S2", "S2", "S3"]


def test_sample_events_are_bounded_by_a_setting(
    study: Study, instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(LIMIT_VARIABLE, "1")
    assert run(instance).success
    assert len(instance.get_dynamic_partitions("sample")) == 1


def test_dropped_samples_are_shown_with_their_reason(study: Study, instance: DagsterInstance) -> None:
    study.write("S2.sf", "nonsense\n")
    result = run(instance)
    assert result.success
    (event,) = result.asset_materializations_for_node("gene_expression")
    dropped = event.metadata["dropped"]
    assert isinstance(dropped, TableMetadataValue)
    (record,) = [record.data for record in dropped.records if record.data["kind"] == "sample"]
    assert record["item"] == "S2" and "S2.sf" in str(record["reason"])
    checks = {check.check_name: check.passed for check in result.get_asset_check_evaluations()}
    assert checks["every_sample_quantified"] is False


def test_a_permanent_failure_shows_its_message_and_is_not_retried(
    study: Study, instance: DagsterInstance
) -> None:
    for name in ("S1", "S2", "S3"):
        study.write(f"{name}.sf", "nonsense\n")
    result = run(instance)
    assert not result.success
    (failure,) = result.filter_events(lambda event: event.is_step_failure)
    details = failure.step_failure_data.user_failure_data
    assert details is not None and "no sample of STUDY could be quantified" in (details.description or "")
    assert not result.filter_events(lambda e: e.event_type == DagsterEventType.STEP_UP_FOR_RETRY)


def started(instance: DagsterInstance, of_run: str = "", process: str = "") -> str:
    """Record a run as started; its tag says that ``process`` of this machine executes ``of_run``."""
    job = build_definitions().resolve_job_def("process_experiment")
    made = instance.create_run_for_job(job)
    tag = process_tags(of_run or made.run_id)[PROCESS_TAG]
    if process:
        tag = " ".join([*tag.split(" ")[:2], process])
    instance.add_run_tags(made.run_id, {PROCESS_TAG: tag})
    event = DagsterEvent(DagsterEventType.RUN_START.value, made.job_name)
    instance.report_dagster_event(event, run_id=made.run_id)
    return made.run_id


def test_runs_whose_process_was_killed_are_ended_by_the_next_and_by_the_sensor(
    study: Study, instance: DagsterInstance
) -> None:
    gone, alive = started(instance, process="4194304@1"), started(instance)
    # A run that is executed again has the tags of the one before until its own process starts.
    again = started(instance, of_run=gone, process="4194304@1")
    assert end_dead_runs(instance) == [gone]
    second = started(instance, process="4194304@1")
    killed_runs(build_sensor_context(instance=instance))
    statuses = {made.run_id: made.status.value for made in instance.get_runs()}
    assert statuses == {gone: "FAILURE", second: "FAILURE", alive: "STARTED", again: "STARTED"}


def test_a_run_says_which_process_executes_it(study: Study, instance: DagsterInstance) -> None:
    run_id = run(instance).run_id
    made = instance.get_run_by_id(run_id)
    assert made is not None and process_tags(run_id).items() <= made.tags.items()
