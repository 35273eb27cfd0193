"""BioSamples: what submitters say of the biological samples behind runs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from refinebio_assets.errors import NotFoundError, PermanentError
from refinebio_assets.sources.sra.parallel import fetch_each
from refinebio_assets.sources.web.client import Web

BIOSAMPLES = "https://www.ebi.ac.uk/biosamples/samples"


def find_biosamples(web: Web, accessions: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return the documents of samples (``SAM...``), asked for a few at a time; unknown ones are left out.

    A sample that BioSamples does not have costs its run some metadata and nothing else. Any other failure
    is raised, or the same experiment would lose its metadata one day and have it back the next.
    """
    documents = fetch_each(accessions, lambda accession: _find(web, accession))
    return {accession: document for accession, document in documents.items() if document}


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
