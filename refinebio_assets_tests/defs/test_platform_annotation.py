"""The asset ``platform_annotation`` run by Dagster's engine: what the UI shows, and failures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from dagster import DagsterInstance, ExecuteInProcessResult, instance_for_test

from refinebio_assets.definitions import build_definitions
from refinebio_assets.defs.launch import register_platform_partition
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.platform_annotation import ASSET, find_annotation
from refinebio_assets.pipelines.platform_registry import PlatformInputs, register_platform
from refinebio_assets_tests.pipelines import chip

ARRAY = "hgu95av2"


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    monkeypatch.setenv("REFINEBIO_HOME", str(tmp_path / "lake"))
    return Lake(str(tmp_path / "lake"))


@pytest.fixture
def instance(lake: Lake) -> Iterator[DagsterInstance]:
    with instance_for_test() as made:
        register_platform_partition(ARRAY)
        yield made


def run(instance: DagsterInstance) -> ExecuteInProcessResult:
    job = build_definitions().resolve_job_def("build_platform_annotation")
    return job.execute_in_process(instance=instance, partition_key=ARRAY, raise_on_error=False)


def test_a_run_shows_what_the_annotation_holds_and_keeps_its_version(
    lake: Lake, instance: DagsterInstance, tmp_path: Path
) -> None:
    rows = (*chip.PROBES, ("1003_at", 3, 1, "ACGT"))
    probes, genes = chip.probe_tab(tmp_path / "a.tab", rows), chip.brainarray(tmp_path / "b.tab")
    register_platform(lake, PlatformInputs(ARRAY, probe_tab=probes, brainarray=genes))
    result = run(instance)
    assert result.success
    (event,) = result.asset_materializations_for_node(ASSET)
    shown = {key: value.value for key, value in event.metadata.items()}
    assert (shown["dagster/row_count"], shown["genes"], shown["left out"]) == (5, 2, 1)
    assert shown["dropped count"] == 1 and "sources" in shown
    annotation = find_annotation(lake, ARRAY)
    assert annotation is not None and annotation.commit.run_id == result.run_id
    assert (event.tags or {})["dagster/data_version"] == annotation.version
    again = run(instance)
    (event,) = again.asset_materializations_for_node(ASSET)
    assert "up to date" in str(event.metadata["why"].value)


def test_an_unregistered_array_fails_with_the_command_that_registers_it(instance: DagsterInstance) -> None:
    result = run(instance)
    assert not result.success
    (failure,) = result.filter_events(lambda event: event.is_step_failure)
    details = failure.step_failure_data.user_failure_data
    assert details is not None and "add-platform --platform hgu95av2" in (details.description or "")
