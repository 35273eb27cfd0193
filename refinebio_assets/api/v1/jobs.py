"""``/v1/jobs/``: Dagster's runs in the ancestor's words.

A run that processes an experiment surveys it, fetches its files and makes its matrices: it is a job of all
three kinds. The newest 10,000 runs are shown.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from refinebio_assets.api.answers import add_route, answer, path_parameter
from refinebio_assets.api.holdings.holdings import Holdings, Row
from refinebio_assets.api.lists import envelope, list_parameters
from refinebio_assets.api.models import jobs as models
from refinebio_assets.api.parameters import Filter, page, select, texts, whole_number
from refinebio_assets.api.problems import not_found
from refinebio_assets.api.services import holdings_of, services
from refinebio_assets.api.v1.references import object_id
from refinebio_assets.metadata.processors import stable_id
from refinebio_assets.pipelines.runs import Run, RunState

_EXPERIMENTS = ("process_experiment",)
_ALSO = "sample_accession_code"
_FILES = "original_files"


@dataclass(frozen=True, slots=True)
class JobKind:
    """One kind of job: the Dagster jobs that do such work, and what is served of a run of them."""

    name: str
    jobs: tuple[str, ...]
    shape: Callable[[Run], Row]
    page_model: Any
    model: Any

    @property
    def fields(self) -> list[str]:
        """The fields that are served, which may be filtered by."""
        return list(self.model.model_fields)


Job = tuple[Run, Row]
"""A run, and what is served of it."""


def jobs_of(request: Request, kind: JobKind, partitions: Collection[str] | None = None) -> list[Job]:
    """Return the jobs of a kind, newest first; of these experiments only, where they are given.

    Raises StorageError when Dagster is away.
    """
    runs = services(request).jobs.runs(kind.jobs)
    return [(run, kind.shape(run)) for run in runs if partitions is None or run.partition in partitions]


def _common(kind: str, run: Run) -> Row:
    finished = run.state in (RunState.SUCCEEDED, RunState.FAILED)
    return {
        "id": stable_id(kind, run.run_id),
        "success": run.state is RunState.SUCCEEDED if finished else None,
        "batch_job_id": run.run_id,
        "batch_job_queue": None,
        "ram_amount": 0,
        "start_time": utc_text(run.started),
        "end_time": utc_text(run.ended),
        "created_at": utc_text(run.created),
        "last_modified": utc_text(run.ended or run.started or run.created),
        "is_queued": run.state is RunState.QUEUED,
    }


def _in_order(model: Any, row: Row) -> Row:
    return {name: row[name] for name in model.model_fields}


def _survey_job(run: Run) -> Row:
    row = _common("survey_job", run) | {"source_type": run.partition}
    return _in_order(models.SurveyJob, row)


def _work(kind: str, run: Run) -> Row:
    failed = "see the run in Dagster" if run.state is RunState.FAILED else None
    return _common(kind, run) | {
        "num_retries": 0,
        "retried": False,
        "worker_id": None,
        "worker_version": None,
        "failure_reason": failed,
        "original_files": [],
    }


def _downloader_job(run: Run) -> Row:
    row = _work("downloader_job", run) | {"downloader_task": "raw_files", "was_recreated": False}
    return _in_order(models.DownloaderJob, row)


def _processor_job(run: Run) -> Row:
    datasets = [run.partition] if run.job == "build_dataset" else []
    row = _work("processor_job", run)
    row |= {"pipeline_applied": run.job, "volume_index": None, "datasets": datasets}
    return _in_order(models.ProcessorJob, row)


SURVEY = JobKind(
    "survey", ("survey_experiment", *_EXPERIMENTS), _survey_job, models.SurveyJobPage, models.SurveyJob
)
DOWNLOADER = JobKind(
    "downloader", _EXPERIMENTS, _downloader_job, models.DownloaderJobPage, models.DownloaderJob
)
PROCESSOR = JobKind(
    "processor",
    (
        *_EXPERIMENTS,
        *("build_transcriptome_index", "build_platform_annotation", "build_gene_index"),
        *("build_target_quantiles", "build_dataset"),
        *("build_normalized_compendium", "build_rnaseq_sample_compendium"),
    ),
    _processor_job,
    models.ProcessorJobPage,
    models.ProcessorJob,
)
KINDS = (SURVEY, DOWNLOADER, PROCESSOR)


def utc_text(moment: datetime | None) -> str | None:
    """Return a moment as all times are served."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if moment else None


def _one(kind: JobKind) -> Callable[[Request, str], Response]:
    def get_job(request: Request, number: str) -> Response:
        """Return a job."""
        wanted = object_id(number)
        found = next((job for job in jobs_of(request, kind) if job[1]["id"] == wanted), None)
        if found is None:
            raise not_found()
        (shown,) = with_files(request, [found])
        return answer(shown)

    return get_job


def with_files(request: Request, jobs: Sequence[Job]) -> list[Row]:
    """Return jobs as they are shown, with the files of their experiments."""
    experiments = list({run.partition for run, shown in jobs if _FILES in shown})
    rows = holdings_of(request).rows(
        """SELECT experiment, list(id ORDER BY id) AS ids FROM experiment_files
           WHERE experiment IN (SELECT unnest(?)) GROUP BY experiment""",
        [experiments],
    )
    files = {row["experiment"]: row["ids"] for row in rows}
    return [
        {**shown, _FILES: files.get(run.partition, [])} if _FILES in shown else shown for run, shown in jobs
    ]


def _all(kind: JobKind) -> Callable[[Request], Response]:
    def list_jobs(request: Request) -> Response:
        """Return jobs, newest first."""
        given = request.query_params
        select(given, _filters(kind), [_ALSO] if kind.name != "survey" else [])
        found = _matching(jobs_of(request, kind, _partitions(holdings_of(request), given)), kind, given)
        wanted = page(given)
        shown = found[wanted.offset : wanted.offset + wanted.limit]
        return envelope(request, wanted, len(found), with_files(request, shown))

    return list_jobs


def _filters(kind: JobKind) -> tuple[Filter, ...]:
    return texts(" ".join(kind.fields))


def _partitions(holdings: Holdings, given: Mapping[str, str]) -> set[str] | None:
    """Return the experiments of the sample and the file that are asked for; None where none is.

    Raises ApiProblemError for an unknown sample.
    """
    wanted: list[set[str]] = []
    if accession := given.get(_ALSO):
        sql = "SELECT experiment_accession_codes AS names FROM samples WHERE accession_code = ?"
        row = holdings.row(sql, [accession])
        if row is None:
            raise not_found()
        wanted.append(set(row["names"]))
    if file := given.get(_FILES):
        row = holdings.row("SELECT experiments FROM original_files WHERE id = ?", [whole_number(file)])
        wanted.append(set(row["experiments"]) if row else set())
    return set.intersection(*wanted) if wanted else None


def _matching(jobs: list[Job], kind: JobKind, given: Mapping[str, str]) -> list[Job]:
    """Keep the jobs whose fields have the given values as texts, in the order that is asked for."""
    wanted = {name: given[name].lower() for name in kind.fields if given.get(name) and name != _FILES}
    kept = [job for job in jobs if all(_text(job[1][name]) == text for name, text in wanted.items())]
    terms = dict.fromkeys(term.strip() for term in given.get("ordering", "").split(","))
    for term in reversed(terms):
        name = term.removeprefix("-")
        if name in kind.fields:
            kept = _sorted_by(kept, name, reverse=term.startswith("-"))
    return kept


def _sorted_by(jobs: list[Job], name: str, *, reverse: bool) -> list[Job]:
    return sorted(jobs, key=lambda job: _sortable(job[1][name]), reverse=reverse)


def _text(value: Any) -> str:
    return "" if value is None else str(value).lower()


def _sortable(value: Any) -> tuple[bool, float, str]:
    number = float(value) if isinstance(value, int | float) else 0.0
    return value is not None, number, _text(value)


def add_to(router: APIRouter) -> None:
    """Add these endpoints."""
    for kind in KINDS:
        path = path_parameter("number", "Id of the job.", "1")
        add_route(
            router,
            f"/jobs/{kind.name}/{{number}}",
            _one(kind),
            kind.model,
            problems=(404,),
            parameters=[path],
        )
        others = [(_ALSO, "Accession of a sample of the experiment.")] if kind.name != "survey" else []
        parameters = list_parameters(_filters(kind), *others, ordering=kind.fields)
        add_route(
            router,
            f"/jobs/{kind.name}",
            _all(kind),
            kind.page_model,
            problems=(400, 404),
            parameters=parameters,
        )
