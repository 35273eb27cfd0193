"""Turns an experiment into rows of the lake's tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from refinebio_assets.domain import Experiment, Metadata, Protocol, Sample
from refinebio_assets.platforms.pipeline_choice import choose_pipeline


def experiment_row(experiment: Experiment) -> dict[str, Any]:
    """Return the row for ``experiments``."""
    publication = experiment.publication
    return {
        "experiment": experiment.accession,
        "source": experiment.source,
        "title": experiment.title,
        "description": experiment.description,
        "organisms": experiment.organisms,
        "technologies": [str(technology) for technology in experiment.technologies],
        "sample_count": len(experiment.samples),
        "url": experiment.url,
        "alternates": list(experiment.alternates),
        "published": experiment.published,
        "updated": experiment.updated,
        "institution": experiment.institution,
        "pubmed_id": publication.pubmed_id,
        "doi": publication.doi,
        "publication_title": publication.title,
        "authors": list(publication.authors),
    }


def experiment_metadata_rows(experiment: Experiment) -> list[dict[str, Any]]:
    """Return the rows for ``experiment_metadata``, one a key and value."""
    return [
        {"experiment": experiment.accession, "position": number, "key": key, "value": value}
        for number, (key, value) in enumerate(experiment.metadata)
    ]


def protocol_rows(experiment: Experiment) -> list[dict[str, Any]]:
    """Return the rows for ``protocols``: what a sample says of its own, else what the experiment says."""
    owners: list[tuple[str, tuple[Protocol, ...]]] = [("", experiment.protocols)]
    owners += [(sample.accession, sample.protocols) for sample in experiment.samples]
    return [
        {
            "experiment": experiment.accession,
            "sample": owner,
            "accession": protocol.accession,
            "kind": protocol.kind,
            "text": protocol.text,
            "reference": protocol.reference,
        }
        for owner, protocols in owners
        for protocol in protocols
    ]


def sample_rows(experiment: Experiment) -> list[dict[str, Any]]:
    """Return the rows for ``samples``, each with the pipeline that serves it or the reason why none does."""
    return [_sample_row(experiment.accession, sample) for sample in experiment.samples]


def sample_metadata_rows(experiment: Experiment) -> Iterable[dict[str, Any]]:
    """Return the rows for ``sample_metadata``, one a sample, key and value."""
    return [row for sample in experiment.samples for row in _pairs(experiment, sample)]


def _sample_row(accession: str, sample: Sample) -> dict[str, Any]:
    choice = choose_pipeline(sample)
    return {
        "experiment": accession,
        "sample": sample.accession,
        "organism": sample.organism,
        "technology": str(sample.technology),
        "platform": sample.platform.name,
        "title": sample.title,
        "platform_accession": sample.platform.accession,
        "source_platform": sample.platform.source_accession,
        "manufacturer": str(sample.platform.manufacturer),
        "has_raw": sample.has_raw,
        "taxonomy_id": sample.taxonomy_id,
        "pipeline": str(choice.pipeline),
        "pipeline_reason": choice.reason,
    }


def _pairs(experiment: Experiment, sample: Sample) -> Iterator[dict[str, Any]]:
    metadata: Metadata = sample.metadata
    for number, (key, value) in enumerate(metadata):
        yield {
            "experiment": experiment.accession,
            "sample": sample.accession,
            "position": number,
            "key": key,
            "value": value,
        }
