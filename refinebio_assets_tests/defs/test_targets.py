"""The asset ``target_quantiles`` run by Dagster's engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from dagster import DagsterInstance, ExecuteInProcessResult, instance_for_test

from refinebio_assets.definitions import build_definitions
from refinebio_assets.defs.sample_events import add_keys
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.targets.settings import target_settings
from refinebio_assets_tests.pipelines.expression_making import HGU95, MadeMatrix, put_expression

HUMAN = "HOMO_SAPIENS"


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    monkeypatch.setenv("REFINEBIO_HOME", str(tmp_path / "lake"))
    made = Lake(str(tmp_path / "lake"))
    values = np.random.default_rng(1).normal(size=(40, 3))
    values[0, 2] = np.nan
    put_expression(made, "GSE1", MadeMatrix(["S1", "S2", "S3"], [f"g{n}" for n in range(40)], values))
    return made


@pytest.fixture
def instance() -> Iterator[DagsterInstance]:
    with instance_for_test() as made:
        add_keys(made, "organism", [HUMAN])
        yield made


def run(instance: DagsterInstance, **config: object) -> ExecuteInProcessResult:
    job = build_definitions().resolve_job_def("build_target_quantiles")
    return job.execute_in_process(
        instance=instance,
        partition_key=HUMAN,
        run_config={"ops": {"target_quantiles": {"config": config}}},
        raise_on_error=False,
    )


def test_a_run_shows_the_distribution_the_samples_and_what_was_skipped(
    lake: Lake, instance: DagsterInstance
) -> None:
    result = run(instance, minimum_samples=2)
    assert result.success
    (event,) = result.asset_materializations_for_node("target_quantiles")
    shown = {key: value.value for key, value in event.metadata.items()}
    assert str(shown["distribution"]).startswith("![")
    assert (shown["platform"], shown["samples"], shown["dagster/row_count"]) == (HGU95, 2, 40)
    assert {"samples by experiment", "skipped", "dropped", "why"} <= shown.keys()
    head = lake.head("target_quantiles", HUMAN)
    assert head is not None
    assert (event.tags or {})["dagster/data_version"] == head.version
    assert target_settings(lake, HUMAN).minimum == 2


def test_too_few_samples_fail_with_a_message_that_says_what_to_do(
    lake: Lake, instance: DagsterInstance
) -> None:
    result = run(instance)
    assert not result.success
    (failure,) = result.filter_events(lambda event: event.is_step_failure)
    details = failure.step_failure_data.user_failure_data
    assert details is not None
    assert "needs 100 samples, and 2 of 3 samples" in (details.description or "")
