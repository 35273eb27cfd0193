"""Datasets in Dagster: asked for in the launchpad or through the inbox, and built in a run."""

from __future__ import annotations

import os
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
from dagster import (
    DagsterInstance,
    ExecuteInProcessResult,
    materialize,
    validate_run_config,
)

from refinebio_assets.definitions import build_definitions
from refinebio_assets.defs.assets.datasets import dataset_request
from refinebio_assets.defs.gate_checks import check_name
from refinebio_assets.defs.resources import LakeResource
from refinebio_assets.pipelines.datasets.registry import registered_dataset
from refinebio_assets.pipelines.delivery.gate import Defect
from refinebio_assets_tests.defs.ticks import tick
from refinebio_assets_tests.pipelines.datasets.test_request import documented_yaml
from refinebio_assets_tests.pipelines.datasets.world import World, arrays, rna_seq
from refinebio_assets_tests.pipelines.study import Study


@pytest.fixture
def processed(study: Study, monkeypatch: pytest.MonkeyPatch) -> Study:
    study.process()
    monkeypatch.setenv("REFINEBIO_HOME", str(study.folder / "lake"))
    return study


def ask(instance: DagsterInstance, study: Study, request: dict[str, Any] | None) -> ExecuteInProcessResult:
    """Materialize the request of the dataset ``d`` as the launchpad does."""
    instance.add_dynamic_partitions("dataset", ["d"])
    return materialize(
        [dataset_request],
        instance=instance,
        partition_key="d",
        resources={"lake": LakeResource(url=study.lake.url)},
        run_config={"ops": {"dataset_request": {"config": {"request": request}}}} if request else None,
        raise_on_error=False,
    )


def failure(result: ExecuteInProcessResult) -> str:
    (event,) = result.filter_events(lambda event: event.is_step_failure)
    assert event.step_failure_data.user_failure_data is not None
    return event.step_failure_data.user_failure_data.description or ""


def test_the_launchpad_asks_for_a_dataset_on_a_new_partition(
    processed: Study, instance: DagsterInstance
) -> None:
    asked = {
        "data": {"STUDY": ["ALL"]},
        "aggregate_by": "SPECIES",
        "scale_by": "MINMAX",
        "notes": "from the UI",
    }
    result = ask(instance, processed, asked)
    assert result.success
    (event,) = result.asset_materializations_for_node("dataset_request")
    registered = registered_dataset(processed.lake, "d")
    assert registered.request.plain() | {"name": ""} == asked | {
        "data": {"STUDY": ["S1", "S2", "S3"]},
        "quantile_normalize": True,
        "quant_sf_only": False,
        "h5ad": False,
        "name": "",
    }
    assert event.metadata["dagster/row_count"].value == 3
    assert ask(instance, processed, None).success, "without a configuration the request stays"
    assert len(processed.lake.history("dataset_request", "d")) == 1


def test_a_request_that_cannot_be_met_fails_with_every_reason(
    processed: Study, instance: DagsterInstance
) -> None:
    said = failure(ask(instance, processed, {"data": {"STUDY": ["S1", "S8"], "NOWHERE": ["ALL"]}}))
    assert "there is no sample S8" in said and "there is no experiment NOWHERE" in said
    assert "there is no dataset d" in failure(ask(instance, processed, None))


def test_the_documented_configuration_is_one_that_the_job_takes() -> None:
    (config,) = [document for document in documented_yaml() if "ops" in document]
    job = build_definitions().resolve_job_def("build_dataset")
    assert validate_run_config(job, config)["ops"]["dataset_request"]["config"]["request"]["data"]


def drop(study: Study, name: str, text: str) -> None:
    path = study.folder / "lake" / "inbox" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    os.utime(path, (time.time() - 60,) * 2)


def test_the_inbox_sensor_adds_the_partition_and_asks_for_one_run(
    processed: Study, instance: DagsterInstance
) -> None:
    drop(processed, "a.yaml", "data: {STUDY: ALL}\nname: zebrafish\n")
    first = tick(instance, "dataset_inbox")
    assert [request.partition_key for request in first.run_requests or []] == ["zebrafish"]
    (added,) = first.dynamic_partitions_requests or []
    assert list(added.partition_keys) == ["zebrafish"]
    lost = tick(instance, "dataset_inbox")
    assert [r.run_key for r in lost.run_requests or []] == [r.run_key for r in first.run_requests or []]
    assert not tick(instance, "dataset_inbox", first.cursor).run_requests


def test_a_refused_request_is_told_in_the_tick_and_asks_for_nothing(
    processed: Study, instance: DagsterInstance
) -> None:
    drop(processed, "a.yaml", "data: {NOWHERE: ALL}\n")
    done = tick(instance, "dataset_inbox")
    assert not done.run_requests and done.skip_message and "a.yaml was refused" in done.skip_message


def test_the_inbox_sensor_runs_only_when_somebody_turned_it_on() -> None:
    sensor = build_definitions().resolve_sensor_def("dataset_inbox")
    assert sensor.default_status.value == "STOPPED" and sensor.description


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    made = World(tmp_path)
    made.add("GSE1", arrays(["GSM1", "GSM2"]))
    made.add("SRP1", rna_seq(["SRR1", "SRR2"], seed=1), failed={"SRR3": "its reads are cut off"})
    made.target()
    monkeypatch.setenv("REFINEBIO_HOME", str(tmp_path / "lake"))
    return made


def build(instance: DagsterInstance, ops: dict[str, Any]) -> ExecuteInProcessResult:
    instance.add_dynamic_partitions("dataset", ["d"])
    job = build_definitions().resolve_job_def("build_dataset")
    return job.execute_in_process(
        instance=instance, partition_key="d", run_config={"ops": ops}, raise_on_error=False
    )


def asked(request: dict[str, Any]) -> dict[str, Any]:
    return {"dataset_request": {"config": {"request": request}}}


def test_a_run_builds_what_the_launchpad_asks_for_and_shows_it(
    world: World, instance: DagsterInstance
) -> None:
    result = build(instance, asked({"data": {"GSE1": ["ALL"], "SRP1": ["ALL"]}, "aggregate_by": "SPECIES"}))
    assert result.success
    checks = {check.check_name: check.passed for check in result.get_asset_check_evaluations()}
    assert checks == {check_name(defect): True for defect in Defect}
    (matrices,) = result.asset_materializations_for_node("dataset_matrices")
    assert {"summary", "gene loss", "warnings", "lock"} <= set(matrices.metadata)
    assert "data:image/png" in str(matrices.metadata["distribution of HOMO_SAPIENS"].value)
    assert "data:image/png" in str(matrices.metadata["components of HOMO_SAPIENS"].value)
    (zipped,) = result.asset_materializations_for_node("dataset_bundle")
    assert Path(str(zipped.metadata["zip"].value)).is_file()
    again = build(instance, {})
    assert [e.metadata["why"].value for e in again.asset_materializations_for_node("dataset_bundle")] == [
        "up to date: the earlier result stands"
    ]


def test_a_bundle_that_was_damaged_fails_the_check_that_names_the_defect(
    world: World, instance: DagsterInstance
) -> None:
    assert build(instance, asked({"data": {"GSE1": ["GSM1", "GSM2"]}})).success
    head = world.lake.head("dataset_bundle", "d")
    assert head is not None
    path = world.lake.local(head.file("d.zip"))
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    size = path.stat().st_size
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content.replace(b"GSM2", b"GSMX") if "metadata_" in name else content)
    with path.open("ab") as stream:
        stream.write(b"\0" * max(0, size - path.stat().st_size))
    os.truncate(path, size)
    failed = {
        check.check_name: check.description or ""
        for check in build(instance, {}).get_asset_check_evaluations()
        if not check.passed
    }
    assert "only in the matrix: GSM2" in failed["columns_differ_from_metadata_rows"]
    assert "GSE1/metadata_GSE1.tsv" in failed["checksum_differs_from_manifest"]


def test_a_build_without_a_target_fails_with_what_to_do_and_leaves_the_version_before(
    world: World, instance: DagsterInstance
) -> None:
    assert build(instance, asked({"data": {"GSE1": ["ALL"]}})).success
    before = world.lake.head("dataset_bundle", "d")
    world.add("GSE2", arrays(["MUS1", "MUS2"], organism="MUS_MUSCULUS"))
    result = build(instance, asked({"data": {"GSE2": ["ALL"]}}))
    assert not result.success and "refinebio-assets target build" in failure(result)
    assert world.lake.head("dataset_bundle", "d") == before
