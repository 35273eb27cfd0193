"""The JSON form of an experiment, as registrations and records keep it; storing it is not done here.

Equal experiments give equal JSON. Format 1, which held sample sheets only, stays readable.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import PurePath
from typing import Any

from refinebio_assets.domain import (
    DropKind,
    Dropped,
    Experiment,
    FileRole,
    Manufacturer,
    Metadata,
    Platform,
    Protocol,
    Publication,
    Sample,
    SourceFile,
    Technology,
)
from refinebio_assets.errors import FormatError

JSON_FORMAT = 2
"""Version of the form; later readers must still read this one."""

READABLE_FORMATS = (1, 2)


def experiment_to_json(experiment: Experiment) -> dict[str, Any]:
    """Return the canonical form of an experiment for JSON."""
    document: dict[str, Any] = _plain(asdict(experiment))
    return {"format": JSON_FORMAT, **document}


def experiment_from_json(document: object, *, file: str | PurePath = "experiment record") -> Experiment:
    """Return the experiment that ``experiment_to_json`` wrote, or raise FormatError naming ``file``."""
    try:
        return _experiment(document)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FormatError(
            file, expected=f"an experiment record of format {JSON_FORMAT}", found=repr(error)
        ) from error


def _plain(value: Any) -> Any:
    """Return nested values as JSON has them: lists for tuples, and text for enumerations."""
    if isinstance(value, dict):
        # Names of columns came later, and few files have any: older records stay what they are.
        kept = {key: item for key, item in value.items() if key != "columns" or item}
        return {key: _plain(item) for key, item in kept.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, str) else value


def _experiment(document: Any) -> Experiment:
    if document["format"] not in READABLE_FORMATS:
        raise ValueError(f"format {document['format']!r}")
    if document["format"] == 1:
        return _experiment_of_format_1(document)
    return Experiment(
        accession=_text(document["accession"]),
        source=_text(document["source"]),
        samples=tuple(_sample(sample) for sample in document["samples"]),
        title=_text(document["title"]),
        description=_text(document["description"]),
        url=_text(document["url"]),
        alternates=_texts(document["alternates"]),
        published=_text(document["published"]),
        updated=_text(document["updated"]),
        institution=_text(document["institution"]),
        publication=_publication(document["publication"]),
        protocols=_protocols(document["protocols"]),
        metadata=_metadata(document["metadata"]),
        left_out=tuple(_dropped(item) for item in document["left_out"]),
    )


def _sample(document: Any) -> Sample:
    return Sample(
        accession=_text(document["accession"]),
        organism=_text(document["organism"]),
        technology=Technology(document["technology"]),
        platform=_platform(document["platform"]),
        files=tuple(_file(file) for file in document["files"]),
        metadata=_metadata(document["metadata"]),
        title=_text(document["title"]),
        has_raw=_truth(document["has_raw"]),
        taxonomy_id=_number(document["taxonomy_id"]),
        protocols=_protocols(document["protocols"]),
        excluded=_text(document["excluded"]),
    )


def _experiment_of_format_1(document: Any) -> Experiment:
    """Read a sample sheet's experiment as the first version of this software wrote it."""
    return Experiment(
        accession=_text(document["accession"]),
        source=_text(document["source"]),
        samples=tuple(_sample_of_format_1(sample) for sample in document["samples"]),
        title=_text(document["title"]),
        description=_text(document["description"]),
    )


def _sample_of_format_1(document: Any) -> Sample:
    files = [SourceFile(FileRole(file["role"]), _text(file["location"])) for file in document["files"]]
    metadata = _metadata(list(document["metadata"].items()))
    return Sample(
        accession=_text(document["accession"]),
        organism=_text(document["organism"]),
        technology=Technology(document["technology"]),
        platform=Platform(name=_text(document["platform"])),
        files=tuple(files),
        metadata=metadata,
        title=dict(metadata).get("title", ""),
    )


def _file(document: Any) -> SourceFile:
    return SourceFile(
        role=FileRole(document["role"]),
        location=_text(document["location"]),
        member=_text(document["member"]),
        size=_number(document["size"]),
        md5=_text(document["md5"]),
        columns=_texts(document.get("columns", ())),
    )


def _platform(document: Any) -> Platform:
    return Platform(
        accession=_text(document["accession"]),
        name=_text(document["name"]),
        manufacturer=Manufacturer(document["manufacturer"]),
        source_accession=_text(document["source_accession"]),
    )


def _publication(document: Any) -> Publication:
    return Publication(
        pubmed_id=_text(document["pubmed_id"]),
        doi=_text(document["doi"]),
        title=_text(document["title"]),
        authors=_texts(document["authors"]),
    )


def _protocols(documents: Any) -> tuple[Protocol, ...]:
    return tuple(Protocol(**_text_values(document)) for document in documents)


def _dropped(document: Any) -> Dropped:
    return Dropped(
        kind=DropKind(document["kind"]),
        item=_text(document["item"]),
        step=_text(document["step"]),
        reason=_text(document["reason"]),
        permanent=_truth(document["permanent"]),
    )


def _metadata(pairs: Any) -> Metadata:
    return tuple((_text(key), _text(value)) for key, value in pairs)


def _text_values(document: Mapping[str, object]) -> dict[str, str]:
    return {key: _text(value) for key, value in document.items()}


def _texts(values: Any) -> tuple[str, ...]:
    return tuple(_text(value) for value in values)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not text")
    return value


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{value!r} is neither true nor false")
    return value


def _number(value: object) -> int | None:
    if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
        raise TypeError(f"{value!r} is not a whole number")
    return value
