"""``/v1/computational_results/``: what was run, when, by what, and which files it made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from refinebio_assets.api.answers import add_route, answer, path_parameter
from refinebio_assets.api.holdings.holdings import Row
from refinebio_assets.api.links import download_link
from refinebio_assets.api.lists import Listing, list_page
from refinebio_assets.api.models import files as models
from refinebio_assets.api.parameters import Filter, Kind
from refinebio_assets.api.places import without_places
from refinebio_assets.api.problems import not_found
from refinebio_assets.api.services import holdings_of
from refinebio_assets.api.v1.references import object_id
from refinebio_assets.api.v1.shaping import DATES, NO_SHA1, index, pick
from refinebio_assets.api.v1.tokens import active_token

_FILTERS = (Filter("processor__id", Kind.NUMBER, "processor_id = ?"),)
_ORDERINGS = ("id", "time_start", "time_end", "created_at", "last_modified")


def get_result(request: Request, number: str) -> Response:
    """Return what was run, and the files that it made."""
    found = results_by_id(request, [object_id(number)], with_files=True)
    if not found:
        raise not_found()
    return answer(found[object_id(number)])


def list_results(request: Request) -> Response:
    """Return what was run, newest first."""
    return list_page(request, _LIST)


def _shown_results(request: Request, rows: list[Row]) -> list[Row]:
    found = results_by_id(request, [row["id"] for row in rows], with_files=True)
    return [found[row["id"]] for row in rows]


def results_by_id(request: Request, ids: Sequence[int], *, with_files: bool) -> dict[int, Row]:
    """Return results as served, by id."""
    holdings = holdings_of(request)
    links = request if active_token(request) else None
    rows = holdings.rows("SELECT * FROM computational_results WHERE id IN (SELECT unnest(?))", [list(ids)])
    files: dict[int, list[Row]] = {row["id"]: [] for row in rows}
    if with_files:
        sql = "SELECT * FROM computed_files WHERE result_id IN (SELECT unnest(?)) ORDER BY id"
        for file in holdings.rows(sql, [list(files)]):
            files[file["result_id"]].append(_file_of_result(file, links))
    return {row["id"]: _result(request, row, files[row["id"]] if with_files else None) for row in rows}


def _result(request: Request, row: Row, files: list[Row] | None) -> Row:
    facts = {name: value for name, value in (row["facts"] or {}).items() if value not in (None, [])}
    dates = pick(row, DATES)
    annotations: list[Row] = [{"id": row["id"], "data": facts, "is_ccdl": True, **dates}] if facts else []
    found: dict[str, Any] = {
        "id": row["id"],
        "commands": [without_places(command) for command in row["commands"]],
        "processor": holdings_of(request).processors.get(row["processor_id"]),
        "is_ccdl": True,
        "annotations": annotations,
    }
    if files is not None:
        found["files"] = files
    return found | {
        "organism_index": index(request, row["index_id"]),
        **pick(row, ("time_start", "time_end", *DATES)),
    }


def _file_of_result(row: Row, links: Request | None) -> Row:
    return {
        **pick(row, ("id", "filename", "size_in_bytes", "is_smashable", "is_qc")),
        **{"sha1": NO_SHA1, "s3_bucket": None, "s3_key": None},
        **(file_link(links, row) if links else {}),
        **pick(row, DATES),
    }


def file_link(request: Request, row: Row) -> Row:
    """Return the field that says where a computed file is downloaded; it is shown with an active token."""
    return {"download_url": download_link(request, "computed_file", row["id"], row["filename"])}


_LIST = Listing("computational_results", _FILTERS, _ORDERINGS, _shown_results, "created_at DESC")


def add_to(router: APIRouter) -> None:
    """Add these endpoints."""
    number = path_parameter("number", "Id of the object.", "1")
    one: dict[str, Any] = {"problems": (404,), "parameters": [number]}
    add_route(router, "/computational_results/{number}", get_result, models.ComputationalResult, **one)
    many: dict[str, Any] = {"problems": (400,), "parameters": _LIST.parameters}
    add_route(router, "/computational_results", list_results, models.ComputationalResultPage, **many)
