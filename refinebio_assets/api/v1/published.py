"""``/v1/compendia/`` and ``/v1/qn_targets/``: what organisms have beside their samples."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from refinebio_assets.api.answers import add_route, answer, path_parameter
from refinebio_assets.api.holdings.holdings import Row
from refinebio_assets.api.links import download_link
from refinebio_assets.api.lists import Listing, list_page
from refinebio_assets.api.models import files as models
from refinebio_assets.api.models import references
from refinebio_assets.api.parameters import Filter, Kind, numbers, truths
from refinebio_assets.api.problems import not_found
from refinebio_assets.api.services import holdings_of, services
from refinebio_assets.api.v1.references import object_id
from refinebio_assets.api.v1.shaping import NO_SHA1, pick
from refinebio_assets.api.v1.tokens import active_token
from refinebio_assets.errors import NotFoundError
from refinebio_assets.lake.naming import encode_name
from refinebio_assets.lake.records import LogEntry, StoredFile
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.targets.target import ASSET, VALUES_FILE

TARGET = ASSET
_COMPENDIUM_FILTERS = (
    Filter("primary_organism__name", condition="primary_organism_name = upper(replace(?, ' ', '_'))"),
    *numbers("compendium_version"),
    *truths("quant_sf_only"),
    Filter("result__id", Kind.NUMBER, "result_id = ?"),
    Filter("latest_version", condition="? <> '' AND is_current", description="Any text: newest ones only."),
)
_ORDERINGS = ("id", "primary_organism_name", "compendium_version", "quant_sf_only")


def get_compendium(request: Request, number: str) -> Response:
    """Return a compendium."""
    row = holdings_of(request).row("SELECT * FROM compendia WHERE id = ?", [object_id(number)])
    if row is None:
        raise not_found()
    return answer(_compendium(request, row))


def list_compendia(request: Request) -> Response:
    """Return compendia, by organism."""
    return list_page(request, _LIST)


def list_targets(request: Request) -> Response:
    """Return the organisms that have a target for quantile normalization, without paging."""
    organisms = holdings_of(request).organisms.values()
    return answer([_short(row) for row in organisms if row["has_target"]])


def get_target(request: Request, name: str) -> Response:
    """Return the newest target of an organism."""
    sql = "SELECT * FROM published WHERE asset = ? AND organism = ? AND is_current"
    row = holdings_of(request).row(sql, [TARGET, name])
    if row is None:
        raise not_found()
    file = published_file(services(request).lake, row)
    link = download_link(request, "computed_file", row["file_id"], file.name)
    return answer(
        {
            **{"id": row["file_id"], "filename": file.name, "size_in_bytes": file.size},
            **{"is_qn_target": True, "sha1": NO_SHA1},
            # The client cannot bear nulls here.
            **{"s3_bucket": "refinebio-assets", "s3_key": file.path, "s3_url": link},
            **{"created_at": row["created_at"], "last_modified": row["created_at"]},
            "result": published_result(row),
        }
    )


def published_file(lake: Lake, row: Row) -> StoredFile:
    """Return the file that a target or compendium consists of. Raises NotFoundError when there is none."""
    entry = LogEntry(encode_name(row["asset"]), encode_name(row["organism"]), row["commit_id"])
    commit = lake.read(entry)
    if row["asset"] == TARGET:
        return commit.file(VALUES_FILE)
    found = next((file for file in commit.files if file.name.endswith(".zip")), None)
    if found is None:
        raise NotFoundError(f"{commit} has no zip")
    return found


def published_result(row: Row) -> Row:
    """Return what made a target or compendium, as results are shown, without files."""
    facts = {"asset": row["asset"], "organism": row["organism"], "commit": row["commit_id"]}
    dates = {"created_at": row["created_at"], "last_modified": row["created_at"]}
    return {
        **{"id": row["result_id"], "commands": [], "processor": None, "is_ccdl": True},
        "annotations": [{"id": row["result_id"], "data": facts, "is_ccdl": True, **dates}],
        **{"organism_index": None, "time_start": None, "time_end": row["created_at"]},
        **dates,
    }


def _short(row: Row) -> Row:
    return {"name": row["name"], "taxonomy_id": row["taxonomy_id"]}


def _compendium(request: Request, row: Row) -> Row:
    file = published_file(services(request).lake, row)
    shown: Row = {
        **{"id": row["file_id"], "filename": file.name, "size_in_bytes": file.size},
        **{"is_smashable": False, "is_qc": False, "sha1": NO_SHA1, "s3_bucket": None, "s3_key": None},
    }
    if active_token(request):
        shown["download_url"] = download_link(request, "computed_file", row["file_id"], file.name)
    shown |= {"created_at": row["created_at"], "last_modified": row["created_at"]}
    return {
        "id": row["id"],
        "primary_organism_name": row["primary_organism_name"],
        **pick(row, ("organism_names", "svd_algorithm", "quant_sf_only", "compendium_version")),
        "computed_file": shown,
    }


def _compendia(request: Request, rows: list[Row]) -> list[Row]:
    return [_compendium(request, row) for row in rows]


_DEFAULT_ORDER = "primary_organism_name, quant_sf_only, compendium_version DESC"
_LIST = Listing("compendia", _COMPENDIUM_FILTERS, _ORDERINGS, _compendia, _DEFAULT_ORDER)


def add_to(router: APIRouter) -> None:
    """Add these endpoints."""
    found: dict[str, Any] = {"problems": (404,)}
    number = path_parameter("number", "Id of the compendium.", "1")
    name = path_parameter("name", "Name of the organism.", "HOMO_SAPIENS")
    add_route(router, "/compendia/{number}", get_compendium, models.Compendium, parameters=[number], **found)
    add_route(
        router,
        "/compendia",
        list_compendia,
        models.CompendiumPage,
        problems=(400,),
        parameters=_LIST.parameters,
    )
    add_route(router, "/qn_targets/{name}", get_target, models.QNTarget, parameters=[name], **found)
    add_route(router, "/qn_targets", list_targets, list[references.OrganismInSample])
