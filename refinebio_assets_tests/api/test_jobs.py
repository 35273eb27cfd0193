"""Dagster's runs as jobs, and the files that they dealt with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from refinebio_assets.api.models import files as file_models
from refinebio_assets.api.models import jobs as models
from refinebio_assets.api.v1.jobs import KINDS
from refinebio_assets.definitions import build_definitions
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.runs import Run, RunState
from refinebio_assets_tests.api.serving import serving, wait_until_ready
from refinebio_assets_tests.api.test_dataset_life import DeadDagster

START = datetime(2026, 1, 2, tzinfo=UTC)


class KnownRuns:
    """An instance with these runs."""

    def __init__(self, *runs: Run) -> None:
        self._runs = sorted(runs, key=lambda run: run.created, reverse=True)

    def runs(self, jobs: Sequence[str]) -> list[Run]:
        return [run for run in self._runs if run.job in jobs]


def run(number: int, job: str, partition: str, state: RunState = RunState.SUCCEEDED) -> Run:
    moment = START + timedelta(hours=number)
    return Run(f"run-{number}", job, partition, state, moment, moment, moment + timedelta(minutes=3))


@pytest.fixture(scope="module")
def client(world: Lake) -> Iterator[httpx.Client]:
    known = KnownRuns(
        run(1, "survey_experiment", "SRP4"),
        run(2, "process_experiment", "GSE1"),
        run(3, "process_experiment", "SRP2", RunState.FAILED),
        run(4, "build_dataset", "some-dataset"),
    )
    with serving(world, jobs=known) as found:
        wait_until_ready(found)
        yield found


def get(client: httpx.Client, path: str, status: int = 200) -> Any:
    answer = client.get(f"/v1/{path}")
    assert answer.status_code == status, answer.text
    return answer.json()


def test_a_run_that_processes_an_experiment_is_a_job_of_all_kinds(client: httpx.Client) -> None:
    for kind, model, expected in (
        ("survey", models.SurveyJobPage, 3),
        ("downloader", models.DownloaderJobPage, 2),
        ("processor", models.ProcessorJobPage, 3),
    ):
        page = get(client, f"jobs/{kind}/")
        model.model_validate(page)
        assert page["count"] == expected
        for job in page["results"]:
            assert get(client, f"jobs/{kind}/{job['id']}/") == job
    newest, failed, done = get(client, "jobs/processor/")["results"]
    assert [job["pipeline_applied"] for job in (newest, done)] == ["build_dataset", "process_experiment"]
    assert (newest["datasets"], newest["original_files"]) == (["some-dataset"], [])
    assert (failed["success"], done["success"], failed["failure_reason"]) == (
        False,
        True,
        "see the run in Dagster",
    )


def test_jobs_and_the_files_of_their_experiment_lead_to_each_other(client: httpx.Client) -> None:
    (job,) = get(client, "jobs/processor/?sample_accession_code=A2")["results"]
    assert len(job["original_files"]) == 3
    number = job["original_files"][0]
    detail = get(client, f"original_files/{number}/")
    file_models.OriginalFile.model_validate(detail)
    assert [found["id"] for found in detail["processor_jobs"]] == [job["id"]]
    assert detail["downloader_jobs"][0]["original_files"] == job["original_files"]
    files = get(client, f"original_files/?processor_jobs={job['id']}&limit=2")
    assert files["count"] == 3
    assert [row["processor_jobs"] for row in files["results"]] == [[job["id"]]] * 2
    assert get(client, f"jobs/processor/?original_files={number}")["results"] == [job]
    assert get(client, "jobs/processor/?original_files=5&ordering=id")["count"] == 0
    assert get(client, "original_files/?downloader_jobs=5")["count"] == 0
    assert get(client, "original_files/?downloader_jobs=x", 400)["details"] == "downloader_jobs"


def test_jobs_are_filtered_and_ordered_by_what_they_show(client: httpx.Client) -> None:
    def found(query: str) -> list[str]:
        return [job["batch_job_id"] for job in get(client, f"jobs/processor/?{query}")["results"]]

    assert found("success=False") == ["run-3"]
    assert found("pipeline_applied=process_experiment&ordering=created_at") == ["run-2", "run-3"]
    assert found("ordering=-pipeline_applied,created_at") == ["run-2", "run-3", "run-4"]


def test_files_are_shown_while_dagster_is_away(world: Lake) -> None:
    with serving(world, jobs=DeadDagster()) as client:
        wait_until_ready(client)
        row = get(client, "original_files/")["results"][0]
        assert row["processor_jobs"] == []
        assert get(client, "original_files/?processor_jobs=5", 503)["status_code"] == 503


def test_the_jobs_that_are_shown_are_those_that_dagster_has() -> None:
    defined = {job.name for job in build_definitions().resolve_all_job_defs()}
    assert {name for kind in KINDS for name in kind.jobs} <= defined
