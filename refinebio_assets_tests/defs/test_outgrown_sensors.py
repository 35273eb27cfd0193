"""Sensors that make targets and compendia again, evaluated on a real, ephemeral instance."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from dagster import AssetKey, DagsterInstance, DagsterRun, DagsterRunStatus, RunRequest

from refinebio_assets.definitions import build_definitions
from refinebio_assets.defs import outgrown_sensors
from refinebio_assets.defs.asked_runs import asked_by_program
from refinebio_assets.defs.run_lookup import PARTITION_TAG
from refinebio_assets.lake.rows import query_rows
from refinebio_assets.lake.store import utc_now
from refinebio_assets.pipelines.compendia.rnaseq_samples.rnaseq_sample_compendium import (
    build_rnaseq_sample_compendium,
)
from refinebio_assets.pipelines.target_quantiles import build_target
from refinebio_assets.pipelines.targets.settings import decide_samples
from refinebio_assets_tests.defs.ticks import asked, tick
from refinebio_assets_tests.pipelines.study import Study

FISH = "DANIO_RERIO"


@pytest.fixture
def with_target(processed: Study) -> Study:
    """The study with a target of its three samples."""
    decide_samples(processed.lake, FISH, minimum=1)
    build_target(processed.lake, FISH)
    return processed


def process_more(study: Study, experiment: str, samples: int) -> None:
    for number in range(samples):
        study.add_sample(f"{experiment}{number}", number, experiment=experiment)
    study.register()
    study.process(experiment)


def add_unfinished(instance: DagsterInstance, request: RunRequest, job: str) -> DagsterRun:
    """Have a run that a sensor asked for be in progress."""
    tags = {**request.tags, PARTITION_TAG: str(request.partition_key)}
    run = DagsterRun(job_name=job, tags=tags, status=DagsterRunStatus.STARTED)
    instance.add_run(run)
    return run


def carry_out(instance: DagsterInstance, done: Any) -> bool:
    """Run what a tick asks for, and tell whether it succeeded."""
    for partitions in done.dynamic_partitions_requests:
        instance.add_dynamic_partitions(partitions.partitions_def_name, partitions.partition_keys)
    (request,) = done.run_requests
    job = build_definitions().resolve_job_def(request.job_name)
    return job.execute_in_process(
        partition_key=request.partition_key, instance=instance, tags=request.tags, raise_on_error=False
    ).success


def hours_later(monkeypatch: pytest.MonkeyPatch, hours: float) -> None:
    monkeypatch.setattr(outgrown_sensors, "utc_now", lambda: utc_now() + timedelta(hours=hours))


def test_a_target_that_was_not_outgrown_is_left_alone(with_target: Study, instance: DagsterInstance) -> None:
    done = tick(instance, "outgrown_target")
    assert asked(done) == []
    assert done.skip_message == "no target was outgrown"


def test_a_target_that_was_outgrown_is_asked_for_once(with_target: Study, instance: DagsterInstance) -> None:
    process_more(with_target, "LATER", 1)
    grown = tick(instance, "outgrown_target")
    assert asked(grown) == [FISH]
    assert grown.run_requests[0].tags["refinebio/why"] == "1 new sample, made of 3"
    assert grown.run_requests[0].tags["refinebio/amount"] == "1 sample"
    again = tick(instance, "outgrown_target", grown.cursor)
    assert asked(again) == []
    assert f"{FISH}: was asked for already" in again.skip_message
    process_more(with_target, "LAST", 1)
    run = add_unfinished(instance, grown.run_requests[0], "build_target_quantiles")
    assert f"{FISH}: is being made" in tick(instance, "outgrown_target", grown.cursor).skip_message
    instance.delete_run(run.run_id)
    assert asked(tick(instance, "outgrown_target", grown.cursor)) == [FISH]


def test_what_must_fail_again_is_parked_until_its_inputs_change_and_then_waits_its_time(
    with_target: Study, instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide_samples(with_target.lake, FISH, minimum=50)
    process_more(with_target, "LATER", 1)
    first = tick(instance, "outgrown_target")
    assert not carry_out(instance, first)
    hours_later(monkeypatch, 1.1)
    parked = tick(instance, "outgrown_target", first.cursor)
    assert asked(parked) == []
    assert f"{FISH}: parked until its inputs change, as it failed: " in parked.skip_message
    assert "needs 50 samples" in parked.skip_message
    process_more(with_target, "LAST", 1)
    hours_later(monkeypatch, 0.5)
    soon = tick(instance, "outgrown_target", parked.cursor)
    assert asked(soon) == []
    assert "failed (1 time in a row) and is tried again after" in soon.skip_message
    assert "needs 50 samples" in soon.skip_message
    hours_later(monkeypatch, 1.1)
    second = tick(instance, "outgrown_target", parked.cursor)
    assert asked(second) == [FISH]
    assert second.run_requests[0].run_key != first.run_requests[0].run_key
    assert not carry_out(instance, second)
    decide_samples(with_target.lake, FISH, minimum=1)
    twice = tick(instance, "outgrown_target", second.cursor)
    assert "failed (2 times in a row)" in twice.skip_message
    hours_later(monkeypatch, 2.1)
    third = tick(instance, "outgrown_target", twice.cursor)
    assert carry_out(instance, third)
    assert tick(instance, "outgrown_target", third.cursor).skip_message == "no target was outgrown"
    failures = query_rows(with_target.catalog, "SELECT failed_asset, permanent FROM failed_builds")
    assert failures == [{"failed_asset": "target_quantiles", "permanent": True}] * 2


def test_runs_that_end_without_a_reason_are_tried_again_at_longer_and_longer_intervals(
    with_target: Study, instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    process_more(with_target, "LATER", 1)
    cursor, keys = None, set()
    for failures, hours in enumerate([0, 1.1, 2.1, 4.1, 8.1, 16.1, 32.1, 32.1]):
        hours_later(monkeypatch, hours)
        done = tick(instance, "outgrown_target", cursor)
        assert asked(done) == [FISH], f"after {failures} failures: {done.skip_message}"
        keys.add(done.run_requests[0].run_key)
        run = add_unfinished(instance, done.run_requests[0], "build_target_quantiles")
        instance.report_run_failed(run)
        hours_later(monkeypatch, 0.9 * min(32, 2**failures))
        waiting = tick(instance, "outgrown_target", done.cursor)
        assert asked(waiting) == []
        cursor = waiting.cursor
    assert len(keys) == 8, "Dagster starts nothing for a key that it knows"
    canceled = DagsterRun(job_name=run.job_name, tags=run.tags, status=DagsterRunStatus.CANCELED)
    instance.add_run(canceled)
    assert "failed (6 times or more in a row)" in tick(instance, "outgrown_target", cursor).skip_message


def test_what_somebody_is_making_by_hand_is_not_asked_for(
    with_target: Study, instance: DagsterInstance
) -> None:
    process_more(with_target, "LATER", 1)
    partition = {PARTITION_TAG: FISH}
    by_command = DagsterRun(
        job_name="build_target_quantiles",
        tags=partition | asked_by_program("target build"),
        status=DagsterRunStatus.STARTED,
    )
    # The UI's button Materialize on an asset's page.
    by_button = DagsterRun(
        job_name="__ASSET_JOB",
        tags=partition,
        status=DagsterRunStatus.STARTED,
        asset_selection={AssetKey("target_quantiles")},
    )
    for run in (by_command, by_button):
        instance.add_run(run)
        assert f"{FISH}: is being made" in tick(instance, "outgrown_target").skip_message
        instance.delete_run(run.run_id)
    assert asked(tick(instance, "outgrown_target")) == [FISH]


def test_a_compendium_that_was_outgrown_is_asked_for_once(
    processed: Study, instance: DagsterInstance
) -> None:
    lake = processed.lake
    build_rnaseq_sample_compendium(lake, FISH)
    assert asked(tick(instance, "outgrown_compendium")) == []
    process_more(processed, "LATER", 3)
    first = tick(instance, "outgrown_compendium")
    (request,) = first.run_requests
    assert (request.job_name, request.partition_key) == ("build_rnaseq_sample_compendium", FISH)
    assert request.tags["refinebio/why"] == "3 new samples, made of 3"
    assert asked(tick(instance, "outgrown_compendium", first.cursor)) == []
    run = add_unfinished(instance, request, request.job_name)
    assert asked(tick(instance, "outgrown_compendium")) == []
    instance.delete_run(run.run_id)
    assert asked(tick(instance, "outgrown_compendium")) == [FISH]
    build_rnaseq_sample_compendium(lake, FISH)
    assert asked(tick(instance, "outgrown_compendium")) == []
