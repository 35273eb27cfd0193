"""``/v1/samples/``: samples with their metadata, what processed them, and with which index."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from refinebio_assets.api.answers import add_route, answer, path_parameter
from refinebio_assets.api.datasets.data import all_samples
from refinebio_assets.api.holdings.holdings import Holdings, Row
from refinebio_assets.api.lists import Listing, list_page
from refinebio_assets.api.models import experiments as models
from refinebio_assets.api.parameters import (
    Filter,
    Kind,
    Selection,
    split_codes,
    texts,
    truths,
    whole_number,
)
from refinebio_assets.api.problems import Invalid, bad_request, not_found
from refinebio_assets.api.services import holdings_of
from refinebio_assets.api.v1 import shaping
from refinebio_assets.api.v1.datasets import known_dataset

_NO_CHOICE = "Select a valid choice. That choice is not one of the available choices."
_SEARCHED = (
    *("accession_code", "title", "sex", "specimen_part", "genetic_information", "disease"),
    *("disease_stage", "cell_line", "treatment", "race", "subject", "compound", '"time"'),
)
# A separator that no text has, so that a match never spans two columns.
_CONTAINS = f"contains(lower(concat_ws(chr(1), printf('%.3f', age), {', '.join(_SEARCHED)})), lower(?))"
_FILTERS = (
    *texts("title source_database source_archive_url"),
    *truths("has_raw"),
    *texts("platform_name technology manufacturer sex"),
    Filter("age", Kind.NUMBER),
    *texts("specimen_part genetic_information developmental_stage disease disease_stage cell_line"),
    *texts("treatment race subject compound time"),
    *truths("is_processed is_unable_to_be_processed"),
    Filter("is_public", Kind.TRUTH, "?", "Everything here is public."),
    Filter("organism__name", condition="organism = upper(replace(?, ' ', '_'))"),
    Filter("accession_codes", Kind.CODES, "accession_code IN (SELECT unnest(?))", "Separated by commas."),
)
_OTHERS = (
    ("organism", "NCBI's taxonomy id of the organism."),
    ("ids", "Ids of samples, separated by commas."),
    ("experiment_accession_code", "Accession of an experiment with the sample."),
    ("dataset_id", "Id of a dataset with the sample."),
    ("filter_by", "Text that any of the metadata contains, in any case."),
)
_ORDERINGS = (
    *("id", "accession_code", "title", "source_database", "organism", "platform_name", "technology"),
    *("platform_accession_code", "manufacturer", "source_archive_url", "has_raw", "sex", "age"),
    *("specimen_part", "genetic_information", "developmental_stage", "disease", "disease_stage", "cell_line"),
    *("treatment", "race", "subject", "compound", "time", "is_processed", "is_unable_to_be_processed"),
    *("created_at", "last_modified"),
)


def get_sample(request: Request, accession: str) -> Response:
    """Return a sample."""
    holdings = holdings_of(request)
    row = holdings.document("samples", accession)
    if row is None:
        raise not_found()
    return answer(shaping.sample(request, row))


def list_samples(request: Request) -> Response:
    """Return samples, processed ones first."""
    return list_page(request, _LIST)


def _shown(request: Request, rows: list[Row]) -> list[Row]:
    return [shaping.sample(request, row) for row in rows]


def _narrow(request: Request, selection: Selection) -> None:
    """Add the conditions that need more than a value. Raises ApiProblemError."""
    holdings, given = holdings_of(request), request.query_params
    if given.get("organism"):
        selection.add("organism = ?", _organism(holdings, given["organism"]))
    if given.get("ids"):
        selection.add("id IN (SELECT unnest(?))", _ids(given["ids"]))
    if given.get("experiment_accession_code"):
        selection.add_places(_members(holdings, given["experiment_accession_code"]))
    if given.get("dataset_id"):
        samples = all_samples(known_dataset(request, given["dataset_id"]).data)
        selection.add("accession_code IN (SELECT unnest(?))", samples)
    if given.get("filter_by"):
        selection.add(_CONTAINS, given["filter_by"])


def _organism(holdings: Holdings, text: str) -> str:
    number = whole_number(text)
    for name, row in holdings.organisms.items():
        if number is not None and row["taxonomy_id"] == number:
            return name
    raise bad_request(Invalid("invalid_choice", _NO_CHOICE, "organism"))


def _ids(text: str) -> list[int]:
    found = [whole_number(part) for part in split_codes(text)]
    numbers_only = [number for number in found if number is not None]
    if len(numbers_only) < len(found):
        raise bad_request(Invalid("invalid", "Enter a number.", "ids"))
    return numbers_only


def _members(holdings: Holdings, experiment: str) -> list[int]:
    """Return the places of an experiment's samples. Raises ApiProblemError for an unknown one."""
    rows = holdings.rows("SELECT sample_row FROM members WHERE experiment = ?", [experiment])
    if not rows and not holdings.row("SELECT id FROM experiments WHERE accession_code = ?", [experiment]):
        raise not_found()
    return [row["sample_row"] for row in rows]


# Rows lie in the default order: processed first, then by accession.
_LIST = Listing("samples", _FILTERS, _ORDERINGS, _shown, tie="rowid", others=_OTHERS, narrow=_narrow)


def add_to(router: APIRouter) -> None:
    """Add these endpoints."""
    add_route(
        router,
        "/samples/{accession}",
        get_sample,
        models.Sample,
        problems=(404,),
        parameters=[path_parameter("accession", "Accession of the sample.", "GSM604796")],
    )
    add_route(
        router,
        "/samples",
        list_samples,
        models.SamplePage,
        problems=(400, 404),
        parameters=_LIST.parameters,
    )
