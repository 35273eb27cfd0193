"""``/v1/computed_files/``: the files that were made here, those of targets and compendia among them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from refinebio_assets.api.answers import add_route, answer, path_parameter
from refinebio_assets.api.holdings.holdings import Row
from refinebio_assets.api.lists import Listing, list_page
from refinebio_assets.api.models import files as models
from refinebio_assets.api.parameters import Filter, Kind, numbers, texts, truths
from refinebio_assets.api.problems import not_found
from refinebio_assets.api.services import holdings_of, services
from refinebio_assets.api.v1.computational_results import file_link, results_by_id
from refinebio_assets.api.v1.file_samples import OF_SAMPLE, samples_of_files
from refinebio_assets.api.v1.published import TARGET, published_file, published_result
from refinebio_assets.api.v1.references import object_id
from refinebio_assets.api.v1.shaping import DATES, NO_SHA1, SAMPLE_IN_EXPERIMENT, pick
from refinebio_assets.api.v1.tokens import active_token

_FILTERS = (
    *numbers("id"),
    OF_SAMPLE,
    *truths("is_qn_target is_smashable is_qc is_compendia quant_sf_only"),
    Filter("svd_algorithm", condition="? = 'NONE'"),
    *numbers("compendium_version"),
    *texts("created_at last_modified"),
    Filter("result__id", Kind.NUMBER, "result_id = ?"),
    *texts("filename"),
)
_ORDERINGS = ("id", "created_at", "last_modified", "compendium_version", "filename", "size_in_bytes")
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
    return list_page(request, _LIST)


def _computed_files(request: Request, rows: Sequence[Row], *, with_files: bool = False) -> list[Row]:
    show_links = active_token(request)
    samples = samples_of_files(holdings_of(request), rows)
    results = results_by_id(request, [row["result_id"] for row in rows], with_files=with_files)
    return [
        {
            **pick(row, ("id", "filename")),
            "samples": [
                pick(samples[name], SAMPLE_IN_EXPERIMENT) for name in row["samples"] if name in samples
            ],
            **pick(row, ("size_in_bytes", "is_qn_target", "is_smashable", "is_qc", "is_compendia")),
            **pick(row, ("quant_sf_only", "compendium_version")),
            **_NOT_IN_S3,
            **(file_link(request, row) if show_links else {}),
            **pick(row, DATES),
            "result": results.get(row["result_id"]),
        }
        for row in rows
    ]


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
        shown |= file_link(request, {"id": row["file_id"], "filename": file.name})
    dates = {"created_at": row["created_at"], "last_modified": row["created_at"]}
    made_by = published_result(row)
    return shown | dates | {"result": {**made_by, "files": []}}


_LIST = Listing("computed_files", _FILTERS, _ORDERINGS, _computed_files)


def add_to(router: APIRouter) -> None:
    """Add these endpoints."""
    number = path_parameter("number", "Id of the object.", "1")
    one: dict[str, Any] = {"problems": (404,), "parameters": [number]}
    add_route(router, "/computed_files/{number}", get_computed_file, models.ComputedFile, **one)
    many: dict[str, Any] = {"problems": (400,), "parameters": _LIST.parameters}
    add_route(router, "/computed_files", list_computed_files, models.ComputedFilePage, **many)
