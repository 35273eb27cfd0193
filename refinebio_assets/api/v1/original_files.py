"""``/v1/original_files/``: the source files of samples, and the jobs that dealt with them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from refinebio_assets.api.answers import add_route, answer, path_parameter
from refinebio_assets.api.holdings.holdings import Row
from refinebio_assets.api.lists import Listing, list_page
from refinebio_assets.api.models import files as models
from refinebio_assets.api.parameters import Filter, Selection, numbers, texts, truths, whole_number
from refinebio_assets.api.problems import Invalid, bad_request, not_found
from refinebio_assets.api.services import holdings_of
from refinebio_assets.api.v1.file_samples import OF_SAMPLE, samples_of_files
from refinebio_assets.api.v1.jobs import DOWNLOADER, PROCESSOR, Job, JobKind, jobs_of, with_files
from refinebio_assets.api.v1.references import object_id
from refinebio_assets.api.v1.shaping import DATES, SAMPLE_IN_EXPERIMENT, pick
from refinebio_assets.errors import StorageError

_FILTERS = (
    *numbers("id"),
    OF_SAMPLE,
    *texts("filename"),
    *numbers("size_in_bytes"),
    Filter("sha1", condition="? = ''"),
    *texts("source_url source_filename"),
    *truths("is_downloaded is_archive has_raw"),
    *texts("created_at last_modified"),
)
_OTHERS = (
    ("processor_jobs", "Id of a job that processed the file."),
    ("downloader_jobs", "Id of a job that fetched the file."),
)
_JOBS = {"processor_jobs": PROCESSOR, "downloader_jobs": DOWNLOADER}
_ORDERINGS = (
    *("id", "filename", "size_in_bytes", "source_url", "source_filename", "is_downloaded", "is_archive"),
    *("has_raw", "created_at", "last_modified"),
)


def get_original_file(request: Request, number: str) -> Response:
    """Return a source file with its samples."""
    holdings = holdings_of(request)
    row = holdings.row("SELECT * FROM original_files WHERE id = ?", [object_id(number)])
    if row is None:
        raise not_found()
    samples = samples_of_files(holdings, [row]).values()
    shown = _original_file(row, [pick(sample, SAMPLE_IN_EXPERIMENT) for sample in samples])
    for name, kind in _JOBS.items():
        shown[name] = with_files(request, _known_jobs(request, kind, row["experiments"]))
    names = list(shown)
    names.insert(names.index("is_archive"), "is_downloaded")
    return answer({name: row[name] if name == "is_downloaded" else shown[name] for name in names})


def list_original_files(request: Request) -> Response:
    """Return source files."""
    return list_page(request, _LIST)


def _shown_original_files(request: Request, rows: list[Row]) -> list[Row]:
    of = samples_of_files(holdings_of(request), rows)
    found = [_original_file(row, [of[name]["id"] for name in row["samples"] if name in of]) for row in rows]
    for name, kind in _JOBS.items():
        jobs = _known_jobs(request, kind, {name for row in rows for name in row["experiments"]})
        for row, shown in zip(rows, found, strict=True):
            shown[name] = [job["id"] for run, job in jobs if run.partition in row["experiments"]]
    return found


def _known_jobs(request: Request, kind: JobKind, experiments: Collection[str]) -> list[Job]:
    """Return the jobs of a kind that dealt with experiments; none while Dagster is away."""
    try:
        return jobs_of(request, kind, experiments)
    except StorageError:
        return []


def _narrow_original_files(request: Request, selection: Selection) -> None:
    """Select the files of the jobs that are asked for."""
    for name, kind in _JOBS.items():
        text = request.query_params.get(name)
        if text:
            wanted = whole_number(text)
            if wanted is None:
                raise bad_request(Invalid("invalid", "Enter a number.", name))
            partitions = [run.partition for run, job in jobs_of(request, kind) if job["id"] == wanted]
            selection.add("list_has_any(experiments, ?)", partitions)


def _original_file(row: Row, samples: list[Any]) -> Row:
    return {
        **pick(row, ("id", "filename", "size_in_bytes")),
        "sha1": None,
        "samples": samples,
        "processor_jobs": [],
        "downloader_jobs": [],
        **pick(row, ("source_url", "source_filename", "is_archive", "has_raw", *DATES)),
    }


_LIST = Listing(
    "original_files",
    _FILTERS,
    _ORDERINGS,
    _shown_original_files,
    others=_OTHERS,
    narrow=_narrow_original_files,
)


def add_to(router: APIRouter) -> None:
    """Add these endpoints."""
    number = path_parameter("number", "Id of the object.", "1")
    one: dict[str, Any] = {"problems": (404,), "parameters": [number]}
    add_route(router, "/original_files/{number}", get_original_file, models.OriginalFile, **one)
    many: dict[str, Any] = {"problems": (400,), "parameters": _LIST.parameters}
    add_route(router, "/original_files", list_original_files, models.OriginalFilePage, **many)
