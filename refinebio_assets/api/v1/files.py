"""``/v1/`` computed files, original files and computational results."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from refinebio_assets.api.answers import add_route, answer, path_parameter
from refinebio_assets.api.holdings.holdings import Holdings, Row
from refinebio_assets.api.links import download_link
from refinebio_assets.api.lists import Listing, list_page
from refinebio_assets.api.models import files as models
from refinebio_assets.api.parameters import Filter, Kind, Selection, numbers, texts, truths, whole_number
from refinebio_assets.api.places import without_places
from refinebio_assets.api.problems import Invalid, bad_request, not_found
from refinebio_assets.api.services import holdings_of, services
from refinebio_assets.api.v1.jobs import DOWNLOADER, PROCESSOR, Job, JobKind, jobs_of, with_files
from refinebio_assets.api.v1.published import TARGET, published_file, published_result
from refinebio_assets.api.v1.references import object_id
from refinebio_assets.api.v1.shaping import NO_SHA1, SAMPLE_IN_EXPERIMENT, index, pick
from refinebio_assets.api.v1.tokens import active_token
from refinebio_assets.errors import StorageError

_OF_SAMPLE = Filter(
    "samples",
    Kind.NUMBER,
    "list_contains(samples, (SELECT accession_code FROM samples WHERE id = ?))",
    "Id of a sample.",
)
_COMPUTED_FILTERS = (
    *numbers("id"),
    _OF_SAMPLE,
    *truths("is_qn_target is_smashable is_qc is_compendia quant_sf_only"),
    Filter("svd_algorithm", condition="? = 'NONE'"),
    *numbers("compendium_version"),
    *texts("created_at last_modified"),
    Filter("result__id", Kind.NUMBER, "result_id = ?"),
    *texts("filename"),
)
_COMPUTED_ORDERINGS = ("id", "created_at", "last_modified", "compendium_version", "filename", "size_in_bytes")
_ORIGINAL_FILTERS = (
    *numbers("id"),
    _OF_SAMPLE,
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
_ORIGINAL_ORDERINGS = (
    *("id", "filename", "size_in_bytes", "source_url", "source_filename", "is_downloaded", "is_archive"),
    *("has_raw", "created_at", "last_modified"),
)
_RESULT_FILTERS = (Filter("processor__id", Kind.NUMBER, "processor_id = ?"),)
_RESULT_ORDERINGS = ("id", "time_start", "time_end", "created_at", "last_modified")
_DATES = ("created_at", "last_modified")
_NOT_IN_S3 = {"sha1": NO_SHA1, "s3_bucket": None, "s3_key": None, "s3_url": None}


def get_computed_file(request: Request, number: str) -> Response:
    """Return a file that was made here, with the result that it belongs to."""
    holdings = holdings_of(request)
    row = holdings.row("SELECT * FROM computed_files WHERE id = ?", [object_id(number)])
    if row is not None:
        (shown,) = _computed_files(request, [row], with_files=True)
        return answer(shown)
    published = holdings.row("SELECT * FROM published WHERE file_id = ?", [object_id(number)])
    if published is None:
        raise not_found()
    return answer(_published_file(request, published))


def list_computed_files(request: Request) -> Response:
    """Return the files that were made here."""
    return list_page(request, _COMPUTED_FILES)


def get_result(request: Request, number: str) -> Response:
    """Return what was run, and the files that it made."""
    holdings = holdings_of(request)
    links = request if active_token(request) else None
    found = _results(holdings, [object_id(number)], with_files=True, links=links)
    if not found:
        raise not_found()
    return answer(found[object_id(number)])


def list_results(request: Request) -> Response:
    """Return what was run, newest first."""
    return list_page(request, _COMPUTATIONAL_RESULTS)


def _shown_results(request: Request, rows: list[Row]) -> list[Row]:
    links = request if active_token(request) else None
    found = _results(holdings_of(request), [row["id"] for row in rows], with_files=True, links=links)
    return [found[row["id"]] for row in rows]


def get_original_file(request: Request, number: str) -> Response:
    """Return a source file with its samples."""
    holdings = holdings_of(request)
    row = holdings.row("SELECT * FROM original_files WHERE id = ?", [object_id(number)])
    if row is None:
        raise not_found()
    samples = _samples(holdings, row["samples"])
    shown = _original_file(row, [pick(sample, SAMPLE_IN_EXPERIMENT) for sample in samples])
    for name, kind in _JOBS.items():
        shown[name] = with_files(request, _known_jobs(request, kind, row["experiments"]))
    names = list(shown)
    names.insert(names.index("is_archive"), "is_downloaded")
    return answer({name: row[name] if name == "is_downloaded" else shown[name] for name in names})


def list_original_files(request: Request) -> Response:
    """Return source files."""
    return list_page(request, _ORIGINAL_FILES)


def _shown_original_files(request: Request, rows: list[Row]) -> list[Row]:
    samples = _samples(holdings_of(request), _all_samples(rows))
    ids = {row["accession_code"]: row["id"] for row in samples}
    found = [_original_file(row, [ids[name] for name in row["samples"] if name in ids]) for row in rows]
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


def _computed_files(request: Request, rows: Sequence[Row], *, with_files: bool = False) -> list[Row]:
    holdings = holdings_of(request)
    show_links = active_token(request)
    samples = {row["accession_code"]: row for row in _samples(holdings, _all_samples(rows))}
    links = request if show_links else None
    ids = [row["result_id"] for row in rows]
    results = _results(holdings, ids, with_files=with_files, links=links)
    return [
        {
            **pick(row, ("id", "filename")),
            "samples": [
                pick(samples[name], SAMPLE_IN_EXPERIMENT) for name in row["samples"] if name in samples
            ],
            **pick(row, ("size_in_bytes", "is_qn_target", "is_smashable", "is_qc", "is_compendia")),
            **pick(row, ("quant_sf_only", "compendium_version")),
            **_NOT_IN_S3,
            **(_link(request, row) if show_links else {}),
            **pick(row, _DATES),
            "result": results.get(row["result_id"]),
        }
        for row in rows
    ]


def _link(request: Request, row: Row) -> Row:
    return {"download_url": download_link(request, "computed_file", row["id"], row["filename"])}


def _published_file(request: Request, row: Row) -> Row:
    """Return the file of a target or compendium as computed files are shown."""
    file = published_file(services(request).lake, row)
    is_target = row["asset"] == TARGET
    shown: Row = {
        **{"id": row["file_id"], "filename": file.name, "samples": [], "size_in_bytes": file.size},
        **{"is_qn_target": is_target, "is_smashable": False, "is_qc": False, "is_compendia": not is_target},
        "quant_sf_only": row["asset"] == "rnaseq_sample_compendium",
        "compendium_version": None if is_target else row["version"],
        **_NOT_IN_S3,
    }
    if active_token(request):
        shown |= _link(request, {"id": row["file_id"], "filename": file.name})
    dates = {"created_at": row["created_at"], "last_modified": row["created_at"]}
    made_by = published_result(row)
    return shown | dates | {"result": {**made_by, "files": []}}


def _results(
    holdings: Holdings, ids: Sequence[int], *, with_files: bool, links: Request | None = None
) -> dict[int, Row]:
    """Return results as served, by id; files with links for the request ``links``."""
    rows = holdings.rows("SELECT * FROM computational_results WHERE id IN (SELECT unnest(?))", [list(ids)])
    files: dict[int, list[Row]] = {row["id"]: [] for row in rows}
    if with_files:
        sql = "SELECT * FROM computed_files WHERE result_id IN (SELECT unnest(?)) ORDER BY id"
        for file in holdings.rows(sql, [list(files)]):
            files[file["result_id"]].append(_file_of_result(file, links))
    return {row["id"]: _result(holdings, row, files[row["id"]] if with_files else None) for row in rows}


def _result(holdings: Holdings, row: Row, files: list[Row] | None) -> Row:
    facts = {name: value for name, value in (row["facts"] or {}).items() if value not in (None, [])}
    dates = pick(row, _DATES)
    annotations: list[Row] = [{"id": row["id"], "data": facts, "is_ccdl": True, **dates}] if facts else []
    found: dict[str, Any] = {
        "id": row["id"],
        "commands": [without_places(command) for command in row["commands"]],
        "processor": holdings.processors.get(row["processor_id"]),
        "is_ccdl": True,
        "annotations": annotations,
    }
    if files is not None:
        found["files"] = files
    return found | {
        "organism_index": index(holdings, row["index_id"]),
        **pick(row, ("time_start", "time_end", *_DATES)),
    }


def _file_of_result(row: Row, links: Request | None) -> Row:
    return {
        **pick(row, ("id", "filename", "size_in_bytes", "is_smashable", "is_qc")),
        **{"sha1": NO_SHA1, "s3_bucket": None, "s3_key": None},
        **(_link(links, row) if links else {}),
        **pick(row, _DATES),
    }


def _original_file(row: Row, samples: list[Any]) -> Row:
    return {
        **pick(row, ("id", "filename", "size_in_bytes")),
        "sha1": None,
        "samples": samples,
        "processor_jobs": [],
        "downloader_jobs": [],
        **pick(row, ("source_url", "source_filename", "is_archive", "has_raw", *_DATES)),
    }


def _all_samples(rows: Sequence[Row]) -> list[str]:
    return sorted({name for row in rows for name in row["samples"]})


def _samples(holdings: Holdings, accessions: Sequence[str]) -> list[Row]:
    """Return what lists of files say of these samples, by accession."""
    selection = Selection()
    selection.add("accession_code IN (SELECT unnest(?))", list(accessions))
    columns = ", ".join(("id", *SAMPLE_IN_EXPERIMENT))
    return holdings.rows(
        f"SELECT {columns} FROM samples {selection.where} ORDER BY accession_code", selection.values
    )


_COMPUTED_FILES = Listing("computed_files", _COMPUTED_FILTERS, _COMPUTED_ORDERINGS, _computed_files)
_ORIGINAL_FILES = Listing(
    "original_files",
    _ORIGINAL_FILTERS,
    _ORIGINAL_ORDERINGS,
    _shown_original_files,
    others=_OTHERS,
    narrow=_narrow_original_files,
)
_COMPUTATIONAL_RESULTS = Listing(
    "computational_results", _RESULT_FILTERS, _RESULT_ORDERINGS, _shown_results, "created_at DESC"
)


def add_to(router: APIRouter) -> None:
    """Add these endpoints."""
    found: dict[str, Any] = {
        "problems": (404,),
        "parameters": [path_parameter("number", "Id of the object.", "1")],
    }
    add_route(router, "/computed_files/{number}", get_computed_file, models.ComputedFile, **found)
    add_route(router, "/original_files/{number}", get_original_file, models.OriginalFile, **found)
    add_route(router, "/computational_results/{number}", get_result, models.ComputationalResult, **found)
    for endpoint, model, listing in (
        (list_computed_files, models.ComputedFilePage, _COMPUTED_FILES),
        (list_original_files, models.OriginalFilePage, _ORIGINAL_FILES),
        (list_results, models.ComputationalResultPage, _COMPUTATIONAL_RESULTS),
    ):
        path, parameters = f"/{listing.table}", listing.parameters
        add_route(router, path, endpoint, model, problems=(400,), parameters=parameters)
