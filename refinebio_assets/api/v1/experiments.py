"""``/v1/experiments/``: one experiment with its samples, and all of them."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from refinebio_assets.api.answers import add_route, answer, path_parameter
from refinebio_assets.api.holdings.holdings import Row
from refinebio_assets.api.lists import Listing, list_page
from refinebio_assets.api.models import experiments as models
from refinebio_assets.api.parameters import Filter, Kind, texts, truths
from refinebio_assets.api.problems import not_found
from refinebio_assets.api.services import holdings_of
from refinebio_assets.api.v1.shaping import SAMPLE_IN_EXPERIMENT, annotation_list, pick

_ABOUT = ("id", "title", "description")
_DETAIL = (
    *("accession_code", "alternate_accession_code", "source_database", "source_url", "has_publication"),
    *("publication_title", "publication_doi", "publication_authors", "pubmed_id", "source_first_published"),
    *("source_last_modified", "submitter_institution", "last_modified", "created_at", "organism_names"),
)
_NUMBERS = ("num_total_samples", "num_processed_samples", "num_downloadable_samples")
_ROW = (
    *("processed_samples", "has_publication", "publication_title", "publication_doi", "publication_authors"),
    *("pubmed_id", "organism_names", "submitter_institution", "created_at", "last_modified"),
    *("source_first_published", "source_last_modified"),
)
_FILTERS = (
    *texts("title description accession_code alternate_accession_code source_database source_url"),
    *truths("has_publication"),
    *texts("publication_title publication_doi pubmed_id submitter_institution"),
    Filter("organism_names", condition="list_contains(organism_names, ?)", description="`HOMO_SAPIENS`"),
    Filter("technology", condition="list_contains(technologies, upper(?))", description="`RNA-SEQ`"),
    Filter("accession_codes", Kind.CODES, "accession_code IN (SELECT unnest(?))", "Separated by commas."),
)
_ORDERINGS = (
    *("id", "accession_code", "title", "created_at", "last_modified", "source_first_published"),
    *_NUMBERS,
)


def get_experiment(request: Request, accession: str) -> Response:
    """Return an experiment with its samples."""
    holdings = holdings_of(request)
    row = holdings.document("experiments", accession)
    if row is None:
        raise not_found()
    columns = ", ".join(SAMPLE_IN_EXPERIMENT)
    samples = holdings.rows(
        f"SELECT {columns} FROM members WHERE experiment = ? ORDER BY accession_code", [accession]
    )
    return answer(
        {
            **pick(row, _ABOUT),
            "annotations": annotation_list(row["annotations"], row),
            "samples": samples,
            "protocol_description": row["protocol_description"],
            **pick(row, _DETAIL),
            "sample_metadata": row["sample_metadata_fields"],
            **pick(row, _NUMBERS),
        }
    )


def list_experiments(request: Request) -> Response:
    """Return experiments; search/ finds them by words."""
    return list_page(request, _LIST)


def _shown(_: Request, rows: list[Row]) -> list[Row]:
    return [
        {
            **pick(row, (*_ABOUT, *_DETAIL[:4])),
            "platforms": row["platform_names"],
            "pretty_platforms": row["pretty_platforms"],
            **pick(row, _ROW),
            "sample_metadata": row["sample_metadata_fields"],
            "technologies": row["technologies"],
        }
        for row in rows
    ]


_LIST = Listing("experiments", _FILTERS, _ORDERINGS, _shown, tie="rowid")


def add_to(router: APIRouter) -> None:
    """Add these endpoints."""
    add_route(
        router,
        "/experiments/{accession}",
        get_experiment,
        models.Experiment,
        problems=(404,),
        parameters=[path_parameter("accession", "Accession of the experiment.", "GSE24528")],
    )
    add_route(
        router,
        "/experiments",
        list_experiments,
        models.ExperimentPage,
        problems=(400,),
        parameters=_LIST.parameters,
    )
