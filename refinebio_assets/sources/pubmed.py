"""Looks a paper up in PubMed, for any archive's survey. Which paper it is, the archive's record says."""

from __future__ import annotations

from typing import Any

from refinebio_assets.domain import Publication
from refinebio_assets.errors import PermanentError, TransientError
from refinebio_assets.sources.web.client import Web
from refinebio_assets.sources.web.refused_key import KeyRefusedError, says_key_refused

ESUMMARY = "https://eutils.ncbi.nlm.nih.gov/entrez/eutils/esummary.fcgi"
_QUOTED_CHARACTERS = 200


def find_publication(web: Web, pubmed_id: str) -> Publication:
    """Return the paper with this PubMed id: title and authors (``Chen X``) as PubMed writes them, and DOI.

    Only ``pubmed_id`` is set when PubMed does not know it or refuses to answer: no experiment is lost over
    its paper. Raises KeyRefusedError when the user's key is at fault, TransientError when PubMed cannot be
    asked now.
    """
    pubmed_id = pubmed_id.strip()
    known = Publication(pubmed_id=pubmed_id)
    if not (pubmed_id.isascii() and pubmed_id.isdigit()):
        return known
    query = {"db": "pubmed", "id": pubmed_id, "retmode": "json"}
    try:
        answer = web.json(ESUMMARY, params=query)
    except KeyRefusedError:
        raise
    except PermanentError:
        return known
    summary = _summary(web, answer, pubmed_id)
    return _publication(pubmed_id, summary) if summary else known


def _summary(web: Web, answer: Any, pubmed_id: str) -> dict[str, Any]:
    """Return PubMed's summary of one paper; empty when it has none.

    An impossible id is answered with ``esummaryresult``, an unknown one with an ``error`` in its summary.
    """
    if isinstance(answer, dict) and isinstance(answer.get("result"), dict):
        summary = answer["result"].get(pubmed_id)
        return summary if isinstance(summary, dict) and "error" not in summary else {}
    if isinstance(answer, dict) and "esummaryresult" in answer:
        return {}
    said = web.discreet(str(answer))[:_QUOTED_CHARACTERS]
    kind = KeyRefusedError if says_key_refused(said) else TransientError
    raise kind(f"PubMed's answer about {pubmed_id} has no result: {said}")


def _publication(pubmed_id: str, summary: dict[str, Any]) -> Publication:
    names = (author.get("name") for author in summary.get("authors") or [])
    dois = (entry.get("value") for entry in summary.get("articleids") or [] if entry.get("idtype") == "doi")
    return Publication(
        pubmed_id=pubmed_id,
        doi=next((doi for doi in dois if doi), ""),
        title=summary.get("title") or "",
        authors=tuple(name for name in names if name),
    )
