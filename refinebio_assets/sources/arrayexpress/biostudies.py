"""Asks BioStudies for its record of an ArrayExpress experiment: title, dates, links, and the files it has.

BioStudies describes any study by nested sections; what an experiment is made of, its MAGE-TAB files say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from refinebio_assets.errors import FormatError, NotFoundError, PermanentError
from refinebio_assets.sources.arrayexpress import addresses
from refinebio_assets.sources.web.client import Web

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_MILLISECONDS = re.compile(r"\d{11,14}")
_FILE_LIST = "File List"


@dataclass(frozen=True, slots=True)
class StudyFile:
    """A file that a study has: its path in the study, and its size in bytes (None when not given)."""

    path: str
    size: int | None


@dataclass(frozen=True, slots=True)
class Study:
    """BioStudies' record; unknown texts are empty, dates are ISO 8601.

    ``files`` are all files of the study, by their name without folders; ``links`` what it links to in other
    archives, by their accessions, sorted. Nothing depends on the order in which the record lists things.
    """

    title: str = ""
    description: str = ""
    published: str = ""
    updated: str = ""
    links: tuple[str, ...] = ()
    files: Mapping[str, StudyFile] = field(default_factory=dict)


def find_study(web: Web, accession: str) -> Study | None:
    """Return BioStudies' record of an experiment, or None when it has none.

    Raises PermanentError when it refuses the record, as it does for a private one, FormatError for an
    answer that is no record, TransientError when it cannot be asked now.
    """
    url = addresses.study(accession)
    try:
        document = web.json(url)
    except NotFoundError:
        return None
    except PermanentError as error:
        raise PermanentError(
            f"ArrayExpress does not give {accession}, which may be private: {error}"
        ) from error
    if not isinstance(document, dict) or not isinstance(document.get("section"), dict):
        raise FormatError(url, expected="a study with a section", found=str(document)[:80])
    section = document["section"]
    attributes = _attributes(section) | {key: value for key, value in _attributes(document).items() if value}
    return Study(
        title=attributes.get("Title", ""),
        description=_attributes(section).get("Description", ""),
        published=_iso_date(attributes.get("ReleaseDate", "")),
        updated=_last_change(web, accession),
        links=tuple(sorted({str(link["url"]).strip() for link in _nodes(section, "url")})),
        files=_files(web, accession, section),
    )


def _files(web: Web, accession: str, section: Any) -> dict[str, StudyFile]:
    """Return the files of a study: those in its record, and those in lists that are files themselves.

    Of several of one name in several folders the first path in the alphabet counts.
    """
    found = list(_nodes(section, "path"))
    for name in _file_lists(section):
        # The record may name the list by either of the forms it is kept in, or by none.
        path = re.sub(r"\.(json|tsv|xlsx?)$", "", name) + ".json"
        found += _nodes(web.json(addresses.file(accession, path)), "path")
    files = (StudyFile(str(node["path"]), _size(node.get("size"))) for node in found)
    ordered = sorted(files, key=lambda file: (file.path, file.size or 0), reverse=True)
    return {file.path.rsplit("/", 1)[-1]: file for file in ordered}


def _file_lists(section: Any) -> list[str]:
    named = (node for node in _nodes(section, "value") if node.get("name") == _FILE_LIST)
    return list(dict.fromkeys(str(node["value"]).strip() for node in named))


def _nodes(document: Any, key: str) -> Iterator[dict[str, Any]]:
    """Yield the objects in a document, at any depth and in order, that have a text under ``key``."""
    if isinstance(document, dict):
        if isinstance(document.get(key), str) and document[key].strip():
            yield document
        for child in document.values():
            yield from _nodes(child, key)
    elif isinstance(document, list):
        for child in document:
            yield from _nodes(child, key)


def _attributes(node: Mapping[str, Any]) -> dict[str, str]:
    """Return the attributes of one section; of several values of one name the first in the alphabet."""
    found: dict[str, str] = {}
    entries = node.get("attributes")
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, dict) and isinstance(entry.get("value"), str):
            name, value = str(entry.get("name")), entry["value"].strip()
            found[name] = min(found.get(name, value), value)
    return found


def _last_change(web: Web, accession: str) -> str:
    """Return the date of the last change, empty where BioStudies does not tell."""
    try:
        info = web.json(addresses.study_info(accession))
    except PermanentError:
        return ""
    return _iso_date(str(info.get("modified") or "")) if isinstance(info, dict) else ""


def _iso_date(text: str) -> str:
    """Return the date of a time in milliseconds since 1970, or that a text starts with, or ""."""
    if _MILLISECONDS.fullmatch(text):
        return datetime.fromtimestamp(int(text) / 1000, UTC).date().isoformat()
    match = _DATE.match(text)
    return match[0] if match else ""


def _size(value: Any) -> int | None:
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() else None
