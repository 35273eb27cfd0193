"""``/v2/`` lineage, versions, a sample's provenance, and what a dataset was made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from refinebio_assets.api.answers import add_route, answer, path_parameter, query_parameter
from refinebio_assets.api.models import v2 as models
from refinebio_assets.api.parameters import whole_number
from refinebio_assets.api.places import without_places
from refinebio_assets.api.problems import Invalid, bad_request, not_found
from refinebio_assets.api.services import services
from refinebio_assets.errors import NotFoundError
from refinebio_assets.lake.rows import query_rows
from refinebio_assets.pipelines.datasets import dataset_matrices
from refinebio_assets.pipelines.datasets.dataset_matrices import read_dataset_lock
from refinebio_assets.pipelines.lineage import Lineage, trace
from refinebio_assets.pipelines.lineage_facts import describe
from refinebio_assets.pipelines.lineage_start import starting_things
from refinebio_assets.pipelines.overview import sample_details

_MOST_SHOWN = 100
_OF = "`experiment:GSE1`, `sample:GSM1`, `dataset:ID` or `ASSET:PARTITION`."
_DIRECTION = "`up` to what it was made from (default), or `down`."
_LIMIT = "How many of an asset are shown beside each other: 5, at most 100."
_PLACES = ("origin", "text", "command")
"""Fields that may name a file of the server."""


def lineage(request: Request) -> Response:
    """Return what a thing was made from, or what was made from it, with what is known of each."""
    given = request.query_params
    down = given.get("direction", "up")
    limit = whole_number(given.get("limit", "5"))
    if down not in ("up", "down"):
        raise bad_request(Invalid("invalid_choice", "It is `up` or `down`.", "direction"))
    if limit is None or not 0 < limit <= _MOST_SHOWN:
        raise bad_request(Invalid("invalid", f"A number from 1 to {_MOST_SHOWN}.", "limit"))
    catalog = services(request).catalog
    try:
        roots = starting_things(catalog, given.get("of", ""))
    except NotFoundError as error:
        raise not_found() from error
    found = trace(catalog, roots, down=down == "down", limit=limit)
    facts = describe(catalog, found.things())
    return answer(
        {
            "roots": [asdict(thing) for thing in found.roots],
            "things": [asdict(thing) | {"facts": _plain(facts.get(thing, {}))} for thing in found.things()],
            "edges": _edges(found),
        }
    )


def versions(request: Request, asset: str, partition: str) -> Response:
    """Return all versions of an asset's partition, newest first."""
    rows = query_rows(
        services(request).catalog,
        """SELECT id, version, code_version, created_at, run_id, is_current FROM commits
           WHERE asset = $asset AND "partition" = $partition ORDER BY id DESC""",
        {"asset": asset, "partition": partition},
    )
    if not rows:
        raise not_found()
    return answer(_plain(rows))


def provenance(request: Request, accession: str) -> Response:
    """Return, for each experiment with a sample, what was said, harmonized, fetched and computed."""
    found = sample_details(services(request).catalog, accession)
    if not found:
        raise not_found()
    return answer([_plain(asdict(details)) for details in found])


def lockfile(request: Request, dataset: str) -> Response:
    """Return everything that determined the newest version of a dataset."""
    lake = services(request).lake
    head = lake.head(dataset_matrices.ASSET, dataset)
    if head is None:
        raise not_found()
    return answer(read_dataset_lock(lake, head))


def gene_loss(request: Request, dataset: str) -> Response:
    """Return which genes each technology or platform cost a dataset's matrices."""
    catalog = services(request).catalog
    if services(request).lake.head(dataset_matrices.ASSET, dataset) is None:
        raise not_found()
    rows = query_rows(
        catalog,
        """SELECT matrix, measured_with, samples, genes, alone_removed FROM gene_loss
           WHERE dataset = $dataset ORDER BY matrix, measured_with""",
        {"dataset": dataset},
    )
    return answer(rows)


def _edges(found: Lineage) -> list[dict[str, Any]]:
    """Return who is beside whom, with how many there are beyond those that are shown."""
    return [
        {
            "from": asdict(thing),
            "asset": group.asset,
            "count": group.count,
            "to": [asdict(neighbor) for neighbor in group.shown],
        }
        for thing, groups in found.next.items()
        for group in groups
    ]


def _plain(value: Any, name: str = "") -> Any:
    """Return a value as JSON has it: times as texts, and files of the server by their names alone."""
    if isinstance(value, Mapping):
        return {key: _plain(item, str(key)) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, name) for item in value]
    if isinstance(value, datetime | date):
        return value.isoformat()
    return without_places(value) if name in _PLACES and isinstance(value, str) else value


def add_to(router: APIRouter) -> None:
    """Add these endpoints."""
    dataset = path_parameter("dataset", "Id of the dataset.", "5d2ba9c5-3cbb-4f4e-a1d7-0fe0a3e9f0b1")
    add_route(
        router,
        "/lineage",
        lineage,
        models.Lineage,
        problems=(400, 404),
        parameters=[
            query_parameter("of", _OF, {"type": "string", "pattern": "^[^:]+:.+$"}, required=True),
            query_parameter("direction", _DIRECTION, {"enum": ["up", "down"]}),
            query_parameter("limit", _LIMIT, {"type": "integer", "minimum": 1, "maximum": _MOST_SHOWN}),
        ],
    )
    add_route(
        router,
        "/versions/{asset}/{partition}",
        versions,
        list[models.Version],
        problems=(404,),
        parameters=[
            path_parameter("asset", "Asset.", "gene_expression"),
            path_parameter("partition", "Its partition.", "GSE1"),
        ],
    )
    accession = path_parameter("accession", "Accession of the sample.", "GSM1")
    add_route(
        router,
        "/samples/{accession}/provenance",
        provenance,
        list[dict[str, Any]],
        problems=(404,),
        parameters=[accession],
    )
    add_route(
        router,
        "/datasets/{dataset}/lockfile",
        lockfile,
        dict[str, Any],
        problems=(404,),
        parameters=[dataset],
    )
    add_route(
        router,
        "/datasets/{dataset}/gene-loss",
        gene_loss,
        list[models.GeneLoss],
        problems=(404,),
        parameters=[dataset],
    )
