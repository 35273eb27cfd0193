"""Reads answers of ArrayExpress's JSON interface, version 3, which was retired in 2022.

Only recorded answers are left. They know a little more than the MAGE-TAB files: when a record last
changed, and the protocols as the archive's curators had them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from refinebio_assets.domain import Protocol
from refinebio_assets.errors import PermanentError
from refinebio_assets.sources.arrayexpress import addresses
from refinebio_assets.sources.web.client import Web


@dataclass(frozen=True, slots=True)
class RetiredRecord:
    """What the retired interface said of an experiment; empty where it said nothing. Dates are ISO 8601."""

    title: str = ""
    description: str = ""
    published: str = ""
    updated: str = ""
    alternates: tuple[str, ...] = ()
    array_designs: tuple[str, ...] = ()
    protocols: tuple[Protocol, ...] = ()


def find_retired_record(web: Web, accession: str) -> RetiredRecord:
    """Return what is left of an experiment's JSON; an empty record where nothing is.

    Raises TransientError when the server cannot be asked now.
    """
    experiments = _part(_ask(web, addresses.retired_record(accession)), "experiments", "experiment")
    record = experiments[0] if experiments else {}
    url = addresses.retired_record(accession, "protocols")
    return RetiredRecord(
        title=_text(record.get("name")),
        description="\n".join(_text(entry.get("text")) for entry in _objects(record.get("description"))),
        published=_text(record.get("releasedate")),
        updated=_text(record.get("lastupdatedate")),
        alternates=tuple(map(_text, _listed(record.get("secondaryaccession")))),
        array_designs=tuple(_text(design.get("accession")) for design in _objects(record.get("arraydesign"))),
        protocols=read_protocols(_ask(web, url), reference=url),
    )


def read_protocols(document: Any, *, reference: str) -> tuple[Protocol, ...]:
    """Return the protocols of a document that have an accession and a text, each once.

    A text may be a list, in which line breaks are objects: its strings are joined with blanks.
    """
    found = (
        Protocol(_text(entry.get("accession")), _text(entry.get("type")), _text(entry.get("text")), reference)
        for entry in _part(document, "protocols", "protocol")
    )
    return tuple(dict.fromkeys(protocol for protocol in found if protocol.accession and protocol.text))


def _ask(web: Web, url: str) -> Any:
    """Return an answer, None where the interface refuses one, or answers with a page."""
    try:
        return web.json(url)
    except PermanentError:
        return None


def _part(document: Any, *path: str) -> list[dict[str, Any]]:
    """Return the objects at the end of a path; where there is one alone, the interface makes no list."""
    for name in path:
        document = document.get(name) if isinstance(document, dict) else None
    return _objects(document)


def _objects(value: Any) -> list[dict[str, Any]]:
    return [entry for entry in _listed(value) if isinstance(entry, dict)]


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _text(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(entry.strip() for entry in value if isinstance(entry, str) and entry.strip())
    return "" if value is None else str(value).strip()
