"""The platform on its real services: launched from the UI, stored in Postgres, asked for by Dagster's CLI."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import psycopg2
import pytest
from dagster import DagsterInstance

from refinebio_assets.defs.dagster_home import prepare_dagster_home
from refinebio_assets.defs.storage import POSTGRES_VARIABLE, postgres_url
from refinebio_assets_tests.cli.conftest import command_in
from refinebio_assets_tests.conftest import REPOSITORY
from refinebio_assets_tests.defs.servers import Ui, dagster_ui, postgres, wait_until
from refinebio_assets_tests.pipelines.study import Study

PARTITIONS = """query {
    assetNodes(assetKeys: [{path: ["gene_expression"]}, {path: ["sample_quantification"]}])
    { assetKey { path } partitionKeys } }"""
LAUNCH = """mutation($params: ExecutionParams!) { launchRun(executionParams: $params) { __typename
    ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
    ... on RunConfigValidationInvalid { errors { message } } } }"""
STATUS = "query($run: ID!) { runOrError(runId: $run) { ... on Run { status } } }"


def environment(study: Study) -> dict[str, str]:
    """Return the environment of an operator's shell for the study's lake."""
    home = {"REFINEBIO_HOME": str(study.folder / "lake"), "PYTHONPATH": str(REPOSITORY)}
    return {key: value for key, value in os.environ.items() if key != "DAGSTER_HOME"} | home


def launch(ui: Ui, partition: str, **ops: object) -> str:
    """Materialize an experiment as the UI's button does and return the status in which the run ended."""
    params = {
        "selector": {
            "repositoryLocationName": "refinebio_assets",
            "repositoryName": "__repository__",
            "jobName": "process_experiment",
        },
        "runConfigData": json.dumps({"ops": {name: {"config": config} for name, config in ops.items()}}),
        "executionMetadata": {"tags": [{"key": "dagster/partition", "value": partition}]},
    }
    launched = ui.ask(LAUNCH, params=params)["launchRun"]
    assert launched["__typename"] == "LaunchRunSuccess", launched
    run = launched["run"]["runId"]

    def status() -> str:
        return str(ui.ask(STATUS, run=run)["runOrError"]["status"])

    wait_until(lambda: status() in {"SUCCESS", "FAILURE", "CANCELED"}, "the run")
    return status()


def partitions(ui: Ui) -> dict[str, list[str]]:
    nodes = ui.ask(PARTITIONS)["assetNodes"]
    return {node["assetKey"]["path"][0]: sorted(node["partitionKeys"]) for node in nodes}


def test_an_experiment_is_there_in_the_ui_and_materializes_with_its_samples(study: Study) -> None:
    study.write("S2.sf", "nonsense\n")
    assert command_in(study.folder)("process", "STUDY").returncode == 3
    with dagster_ui(study.folder, environment(study)) as ui:
        assert partitions(ui)["gene_expression"] == ["STUDY"]
        study.add_sample("S2", 1)
        study.rows.pop()
        assert launch(ui, "STUDY", sample_quantifications={"samples": ["S1"]}) == "SUCCESS"
        assert partitions(ui)["sample_quantification"] == ["S1", "S2", "S3"]
    states = [commit.info["basis"] for commit in study.lake.history("sample_quantifications", "STUDY")]
    assert len(states) == 2
    assert len(study.lake.history("sample_quantification", "S1")) == 2


def test_dagsters_own_command_materializes_an_experiment(study: Study) -> None:
    home = study.folder / "lake" / "dagster"
    registered = command_in(study.folder)("process", "--sample-sheet", study.sheet)
    assert registered.returncode == 0
    study.add_sample("S4", 4)
    study.register()
    run = subprocess.run(
        [
            *(sys.executable, "-m", "dagster", "asset", "materialize", "-m", "refinebio_assets.definitions"),
            *("--select", "experiment_record,raw_files,sample_quantifications,gene_expression"),
            *("--partition", "STUDY"),
        ],
        env=environment(study) | {"DAGSTER_HOME": str(home)},
        cwd=study.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    commit = study.lake.head("gene_expression", "STUDY")
    assert commit is not None
    assert study.lake.read_table(commit, "matrices").column("samples").to_pylist() == [4]


def test_postgres_holds_dagsters_storage_when_its_url_is_given(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    with postgres() as url:
        run = command_in(study.folder)("process", "--sample-sheet", study.sheet, env={POSTGRES_VARIABLE: url})
        assert run.returncode == 0, run.stdout + run.stderr
        home = study.folder / "lake" / "dagster"
        assert not (home / "storage" / "runs").exists()
        with psycopg2.connect(url) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM runs")
            assert cursor.fetchone() == (1,)
        monkeypatch.setenv("DAGSTER_HOME", str(home))
        monkeypatch.setenv(POSTGRES_VARIABLE, url)
        with DagsterInstance.get() as instance:
            assert [run.is_success for run in instance.get_runs()] == [True]
            assert set(instance.get_dynamic_partitions("sample")) == {"S1", "S2", "S3"}


def test_writers_of_dagsters_sqlite_wait_for_each_other_half_a_minute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", "")
    monkeypatch.delenv(POSTGRES_VARIABLE, raising=False)
    prepare_dagster_home(str(tmp_path / "lake"))
    with DagsterInstance.get() as instance:
        for storage in (instance.run_storage, instance.schedule_storage):
            with storage.connect() as connection:  # type: ignore[union-attr]
                waits = connection.exec_driver_sql("PRAGMA busy_timeout").scalar()
            assert waits == 30_000
        assert instance.get_runs_count() == 0


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_a_postgres_url_gets_the_driver_that_dagster_needs(scheme: str) -> None:
    assert postgres_url(f"{scheme}://u:p@h:5432/d?x=1") == "postgresql+psycopg2://u:p@h:5432/d?x=1"
