"""The references of microarrays made by Dagster's engine: what the UI shows, checks, and failures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from dagster import DagsterInstance, ExecuteInProcessResult, TableMetadataValue, instance_for_test

from refinebio_assets.definitions import build_definitions
from refinebio_assets.defs.partitions import PLATFORM
from refinebio_assets.defs.sample_events import add_keys
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.references.gene_index import GeneIndexInputs, register_gene_index
from refinebio_assets.pipelines.references.platform_annotation import ASSET, find_annotation
from refinebio_assets.pipelines.references.platform_registry import PlatformInputs, register_platform
from refinebio_assets_tests.pipelines import chip
from refinebio_assets_tests.pipelines.beads import ORGANISM, simulate_bead_files

ARRAY = "hgu95av2"


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    monkeypatch.setenv("REFINEBIO_HOME", str(tmp_path / "lake"))
    return Lake(str(tmp_path / "lake"))


@pytest.fixture
def instance(lake: Lake) -> Iterator[DagsterInstance]:
    with instance_for_test() as made:
        add_keys(made, PLATFORM, [ARRAY])
        yield made


def run(
    instance: DagsterInstance, partition: str = ARRAY, name: str = "build_platform_annotation"
) -> ExecuteInProcessResult:
    job = build_definitions().resolve_job_def(name)
    return job.execute_in_process(instance=instance, partition_key=partition, raise_on_error=False)


def checked(result: ExecuteInProcessResult) -> tuple[bool, str]:
    (check,) = result.get_asset_check_evaluations()
    return check.passed, check.description or ""


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


def test_a_run_shows_a_bead_arrays_probes_by_quality_and_how_their_genes_were_chosen(
    lake: Lake, instance: DagsterInstance, tmp_path: Path
) -> None:
    files = simulate_bead_files(tmp_path / "files")
    files.register(lake)
    add_keys(instance, PLATFORM, [files.array.platform])
    result = run(instance, files.array.platform)
    assert result.success
    (event,) = result.asset_materializations_for_node(ASSET)
    shown = {key: value.value for key, value in event.metadata.items()}
    assert shown["dagster/row_count"] == len(files.array) and shown["organism"] == ORGANISM
    for about in ("quality", "gene"):
        table = event.metadata[f"probes by {about}"]
        assert isinstance(table, TableMetadataValue)
        assert sum(int(str(record.data["probes"])) for record in table.records) == len(files.array)
    passed, description = checked(result)
    assert passed and "reliable probes have a gene" in description


def test_a_run_shows_what_a_gene_index_holds_and_a_poor_one_is_a_warning(
    lake: Lake, instance: DagsterInstance, tmp_path: Path
) -> None:
    table = tmp_path / "table.tsv"
    table.write_text("ID\tEnsembl\tTitle\np1\tENSG1\ta\np2\tENSG2\tb\np3\tNA\tc\n", encoding="utf-8")
    register_gene_index(lake, GeneIndexInputs(ARRAY, str(table)))
    result = run(instance, name="build_gene_index")
    (event,) = result.asset_materializations_for_node("gene_index")
    shown = {key: value.value for key, value in event.metadata.items()}
    assert (shown["dagster/row_count"], shown["genes"], shown["rows without gene"]) == (3, 2, 1)
    assert shown["columns left out"] == "Title" and "sources" in shown
    assert checked(result) == (True, "2 of 3 ids in PROBEID have a gene (66.7%)")
    table.write_text("ID\tEnsembl\np1\tENSG1\np2\tNA\np3\tNA\n", encoding="utf-8")
    assert checked(run(instance, name="build_gene_index")) == (
        False,
        "1 of 3 ids in PROBEID have a gene (33.3%)",
    )
