"""Makes the JSON of objects from rows of the holdings, where several endpoints show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import Request

from refinebio_assets.api.holdings.holdings import Row
from refinebio_assets.api.links import index_link
from refinebio_assets.api.services import holdings_of

SAMPLE_IN_EXPERIMENT = (
    *("accession_code", "platform_name", "pretty_platform", "technology", "is_processed"),
    "is_unable_to_be_processed",
)
_SAMPLE = (
    *("id", "title", "accession_code", "source_database", "organism", "platform_accession_code"),
    *("platform_name", "pretty_platform", "technology", "manufacturer", "protocol_info", "annotations"),
    *("results", "source_archive_url", "has_raw", "sex", "age", "specimen_part", "genetic_information"),
    *("developmental_stage", "disease", "disease_stage", "cell_line", "treatment", "race", "subject"),
    *("compound", "time", "is_processed", "is_unable_to_be_processed", "created_at", "last_modified"),
    *("original_files", "computed_files", "last_processor_job", "last_downloader_job"),
    *("most_recent_smashable_file", "most_recent_quant_file", "contributed_metadata"),
    *("contributed_keywords", "experiment_accession_codes"),
)
DATES = ("created_at", "last_modified")
NO_SHA1 = ""
"""The lake knows SHA-256, which /v2 and ETags give; SHA-1 is not computed for the ancestor's field."""


def pick(row: Mapping[str, Any], names: Sequence[str]) -> Row:
    """Return these fields of a row, in this order."""
    return {name: row[name] for name in names}


def annotation_list(data: Row | None, row: Row) -> list[Row]:
    """Return what was said about an object as a list of at most one annotation."""
    dates = {"created_at": row["created_at"], "last_modified": row["last_modified"]}
    return [{"data": data, "is_ccdl": False, **dates}] if data else []


def sample(request: Request, row: Row) -> Row:
    """Return a sample as lists and details show it."""
    made = {
        "organism": {"name": row["organism"], "taxonomy_id": row["taxonomy_id"]},
        "annotations": annotation_list(row["annotations"], row),
        "age": None if row["age"] is None else f"{row['age']:.3f}",
        "results": [_result_of_sample(request, result) for result in row["results"]],
        "last_processor_job": None,
        "last_downloader_job": None,
        "most_recent_smashable_file": _file_of_sample(row["most_recent_smashable_file"]),
        "most_recent_quant_file": _file_of_sample(row["most_recent_quant_file"]),
        "contributed_metadata": row["contributed_metadata"] or {},
        "contributed_keywords": {},
    }
    return {name: made[name] if name in made else row[name] for name in _SAMPLE}


def index(request: Request, index_id: int | None) -> Row | None:
    """Return a Salmon index as it is served, or None where there is none of this id."""
    found = holdings_of(request).indices.get(index_id) if index_id is not None else None
    return dict(found.served) | {"download_url": index_link(request, found)} if found else None


def _result_of_sample(request: Request, result: Row) -> Row:
    return {
        "id": result["id"],
        "processor": holdings_of(request).processors.get(result["processor_id"]),
        "organism_index": index(request, result["index_id"]),
    }


def _file_of_sample(file: Row | None) -> Row | None:
    if file is None:
        return None
    return {
        **pick(file, ("id", "filename", "size_in_bytes", "is_smashable", "is_qc")),
        **{"sha1": NO_SHA1, "s3_bucket": None, "s3_key": None},
        **pick(file, ("created_at", "last_modified")),
    }
