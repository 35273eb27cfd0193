"""BioSamples: what submitters say of the biological samples behind runs, without who they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from refinebio_assets.errors import NotFoundError, PermanentError
from refinebio_assets.sources.sra.parallel import fetch_each
from refinebio_assets.sources.web.client import Web

BIOSAMPLES = "https://www.ebi.ac.uk/biosamples/samples"
_MEANS_ANOTHER_THING = ("accession", "status")
"""Fields that mean something else than ENA's fields of the same name."""
_NOT_OF_THE_SAMPLE = ("contact", "submittedVia", "webinSubmissionAccountId", "_links")
"""Who handed the record in (personal data that nobody needs here) and how, and addresses of the interface."""
_LEFT_OUT = frozenset(name.lower() for name in (*_MEANS_ANOTHER_THING, *_NOT_OF_THE_SAMPLE))
_ORGANIZATION, _KEPT_OF_ORGANIZATION = "organization", "name"


def find_biosamples(web: Web, accessions: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return the documents of samples (``SAM...``), asked for a few at a time; unknown ones are left out.

    A sample that BioSamples does not have costs its run some metadata and nothing else. Any other failure
    is raised, or the same experiment would lose its metadata one day and have it back the next.
    """
    documents = fetch_each(accessions, lambda accession: _find(web, accession))
    return {accession: document for accession, document in documents.items() if document}


def what_is_said(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a document says of its sample; of organizations only the names are kept.

    Their e-mail and postal addresses, and the persons to contact, are personal data.
    """
    return {
        name: _names_alone(value) if name.lower() == _ORGANIZATION else value
        for name, value in document.items()
        if name.lower() not in _LEFT_OUT
    }


def _names_alone(organizations: Any) -> list[dict[str, Any]]:
    listed = organizations if isinstance(organizations, list) else [organizations]
    return [
        {name: value for name, value in one.items() if name.lower() == _KEPT_OF_ORGANIZATION}
        for one in listed
        if isinstance(one, Mapping)
    ]


def _find(web: Web, accession: str) -> dict[str, Any]:
    url = f"{BIOSAMPLES}/{accession}"
    try:
        document = web.json(url, params={"format": "json"})
    except NotFoundError:
        return {}
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise PermanentError(f"{url} answered {str(document)[:200]!r}, not a sample")
    return document
