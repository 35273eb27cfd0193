"""``/v1/`` organisms, platforms, institutions, processors and transcriptome indices."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from refinebio_assets.api.answers import add_route, answer, path_parameter
from refinebio_assets.api.holdings.holdings import Holdings, Row
from refinebio_assets.api.lists import Listing, envelope, list_page, list_parameters
from refinebio_assets.api.models import references as models
from refinebio_assets.api.parameters import Filter, numbers, page, select, texts, truths, whole_number
from refinebio_assets.api.problems import not_found
from refinebio_assets.api.services import holdings_of
from refinebio_assets.api.v1.shaping import index

_ORGANISM_FILTERS = truths("has_compendia has_quantfile_compendia")
_INDEX_FILTERS = (
    Filter(
        "organism__name", condition="organism_name = upper(replace(?, ' ', '_'))", description="In any case."
    ),
    Filter("length", condition="length = lower(?)", description="`short` or `long`"),
    *texts("index_type"),
    Filter("salmon_version", condition="? IN (salmon_version, salmon)"),
    *numbers("result_id"),
)
_INDEX_ORDERINGS = ("id", "organism_name", "salmon_version", "last_modified", "release_version")
_ID = path_parameter("number", "Id of the object.", "1")


def get_organism(request: Request, name: str) -> Response:
    """Return an organism."""
    row = holdings_of(request).organisms.get(name)
    if row is None:
        raise not_found()
    return answer(_organism(row))


def list_organisms(request: Request) -> Response:
    """Return all organisms, by name."""
    holdings = holdings_of(request)
    selection = select(request.query_params, _ORGANISM_FILTERS)
    wanted = page(request.query_params)
    sql = f"SELECT * FROM organisms {selection.where} ORDER BY name"
    rows = holdings.remember(("organisms", *selection.key), lambda: holdings.rows(sql, selection.values))
    shown = [_organism(row) for row in rows[wanted.offset : wanted.offset + wanted.limit]]
    return envelope(request, wanted, len(rows), shown)


def list_platforms(request: Request) -> Response:
    """Return the platforms that samples were measured on, without paging."""
    holdings = holdings_of(request)
    return answer(holdings.remember("platforms", lambda: _platforms(holdings)))


def list_institutions(request: Request) -> Response:
    """Return who submitted experiments, without paging."""
    holdings = holdings_of(request)
    return answer(holdings.remember("institutions", lambda: _institutions(holdings)))


def get_processor(request: Request, number: str) -> Response:
    """Return a processor."""
    row = holdings_of(request).processors.get(object_id(number))
    if row is None:
        raise not_found()
    return answer(row)


def list_processors(request: Request) -> Response:
    """Return the processors that the lake's samples were really made with."""
    wanted = page(request.query_params)
    rows = sorted(holdings_of(request).processors.values(), key=lambda row: (row["name"], row["version"]))
    return envelope(request, wanted, len(rows), rows[wanted.offset : wanted.offset + wanted.limit])


def get_index(request: Request, number: str) -> Response:
    """Return a Salmon index."""
    found = index(request, object_id(number))
    if found is None:
        raise not_found()
    return answer(found)


def list_indices(request: Request) -> Response:
    """Return Salmon indices: of each organism one for short reads and one for long reads."""
    return list_page(request, _INDICES)


def _shown_indices(request: Request, rows: list[Row]) -> list[Row]:
    return [found for row in rows if (found := index(request, row["id"])) is not None]


_INDICES = Listing(
    "transcriptome_indices", _INDEX_FILTERS, _INDEX_ORDERINGS, _shown_indices, "organism_name, length"
)


def object_id(text: str) -> int:
    """Return the id in a path. Raises ApiProblemError when no object can have it."""
    number = whole_number(text)
    if number is None:
        raise not_found()
    return number


def _organism(row: Row) -> Row:
    names = ("name", "taxonomy_id", "has_compendia", "has_quantfile_compendia")
    return {name: row[name] for name in names}


def _platforms(holdings: Holdings) -> list[Row]:
    return holdings.rows(
        """SELECT platform_accession_code, any_value(platform_name) AS platform_name FROM samples
           WHERE platform_accession_code <> '' GROUP BY ALL ORDER BY ALL"""
    )


def _institutions(holdings: Holdings) -> list[Row]:
    return holdings.rows(
        """SELECT DISTINCT submitter_institution FROM experiments
           WHERE submitter_institution <> '' ORDER BY ALL"""
    )


def add_to(router: APIRouter) -> None:
    """Add these endpoints."""
    found: dict[str, Any] = {"problems": (404,), "parameters": [_ID]}
    name = path_parameter("name", "Name of the organism.", "HOMO_SAPIENS")
    add_route(router, "/organisms/{name}", get_organism, models.Organism, problems=(404,), parameters=[name])
    parameters = list_parameters(_ORGANISM_FILTERS)
    add_route(
        router, "/organisms", list_organisms, models.OrganismPage, problems=(400,), parameters=parameters
    )
    add_route(router, "/platforms", list_platforms, list[models.Platform])
    add_route(router, "/institutions", list_institutions, list[models.Institution])
    add_route(router, "/processors/{number}", get_processor, models.Processor, **found)
    add_route(router, "/processors", list_processors, models.ProcessorPage, parameters=list_parameters(()))
    add_route(router, "/transcriptome_indices/{number}", get_index, models.TranscriptomeIndex, **found)
    add_route(
        router,
        "/transcriptome_indices",
        list_indices,
        models.TranscriptomeIndexPage,
        problems=(400,),
        parameters=_INDICES.parameters,
    )
