"""What is known of a delivery's samples and experiments, in the words and order of refine.bio's downloads.

A sample's metadata are a flat mapping: ``refinebio_*`` first, the submitter's columns beside. How tables
and JSON are written from it is in `metadata_files.py`.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from refinebio_assets.domain import Experiment, Sample, Verdict, distinct
from refinebio_assets.lake.rows import read_rows
from refinebio_assets.lake.store import Commit, Lake
from refinebio_assets.metadata.delivered import annotation, submitted_columns
from refinebio_assets.metadata.processors import delivered_name, processor_id
from refinebio_assets.metadata.source_keys import FIELDS
from refinebio_assets.pipelines.delivery.pins import ExperimentPins, Pins
from refinebio_assets.pipelines.experiment_record import recorded_experiment
from refinebio_assets.pipelines.metadata_overlays import ATTRIBUTES
from refinebio_assets.platforms.readable import readable

NO_PROTOCOL = "Protocol was never provided."


@dataclass(frozen=True, slots=True)
class SampleMetadata:
    """One sample: what we say of it, what its submitter and others say, as columns."""

    sample: str
    refinebio: Mapping[str, Any]
    submitted: Mapping[str, str]
    annotations: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class DeliveredMetadata:
    """All that is known of samples, each once, and of their experiments."""

    samples: Mapping[str, SampleMetadata]
    experiments: Mapping[str, Mapping[str, Any]]


def delivered_metadata(lake: Lake, pins: Pins, samples: Mapping[str, str]) -> DeliveredMetadata:
    """Read what the pinned commits say. ``samples`` gives for each sample the experiment that tells of it."""
    wanted: dict[str, list[str]] = {}
    for sample, experiment in samples.items():
        wanted.setdefault(experiment, []).append(sample)
    found: dict[str, SampleMetadata] = {}
    experiments = {}
    others = attributes_of(lake, pins.attributes, samples)
    for name, own in pins.experiments.items():
        record = recorded_experiment(lake, own.record)
        experiments[name] = experiment_metadata(record)
        for item in experiment_samples(lake, own, record, wanted.get(name, ()), others):
            found[item.sample] = item
    return DeliveredMetadata({name: found[name] for name in samples if name in found}, experiments)


def experiment_metadata(experiment: Experiment) -> dict[str, Any]:
    """Return what a download says of an experiment."""
    publication = experiment.publication
    protocols = distinct(protocol.text for protocol in _protocols(experiment) if protocol.text)
    return {
        "accession_code": experiment.accession,
        "description": experiment.description,
        "has_publication": bool(publication),
        "organisms": experiment.organisms,
        "platforms": distinct(sorted(readable(sample.platform) for sample in experiment.samples)),
        "protocol_description": "\n".join(protocols) or NO_PROTOCOL,
        "publication_doi": publication.doi,
        "publication_title": publication.title,
        "pubmed_id": publication.pubmed_id,
        "sample_accession_codes": [sample.accession for sample in experiment.samples],
        "source_database": experiment.source,
        "source_first_published": _moment(experiment.published),
        "source_last_modified": _moment(experiment.updated),
        "submitter_institution": experiment.institution,
        "technology": ";".join(str(technology) for technology in experiment.technologies),
        "title": experiment.title,
    }


def _protocols(experiment: Experiment) -> Iterator[Any]:
    yield from experiment.protocols
    for sample in experiment.samples:
        yield from sample.protocols


def _moment(date: str) -> str | None:
    """Return a date as downloads write it, with a time: ``2014-02-12T00:00:00``."""
    return f"{date}T00:00:00" if len(date) == len("2014-02-12") else date or None


def experiment_samples(
    lake: Lake,
    pins: ExperimentPins,
    record: Experiment,
    wanted: Iterable[str],
    others: Mapping[str, Mapping[str, str]],
) -> Iterator[SampleMetadata]:
    """Yield what is known of some samples of an experiment; ``others`` are columns by sample."""
    of = {sample.accession: sample for sample in record.samples}
    harmonized = _by_sample(lake, pins.metadata, "harmonized_metadata")
    results = _by_sample(lake, pins.quantified, "results")
    for name in wanted:
        sample = of.get(name)
        if sample is not None:
            columns = {**submitted_columns(record.source, sample.metadata), **others.get(name, {})}
            described = _described(record, sample, harmonized.get(name, {}), results.get(name, {}))
            annotations = (annotation(sample.metadata),) if sample.metadata else ()
            yield SampleMetadata(name, described, columns, annotations)


def _described(
    record: Experiment, sample: Sample, harmonized: Mapping[str, Any], result: Mapping[str, Any]
) -> dict[str, Any]:
    values = {f"refinebio_{field}": harmonized.get(field) for field in FIELDS}
    age = values.pop("refinebio_age")
    name, version = delivered_name(result.get("processor") or ""), result.get("processor_version") or ""
    return {
        "refinebio_accession_code": sample.accession,
        "refinebio_age": "" if age is None else float(age),
        **{key: value or "" for key, value in values.items()},
        "refinebio_organism": sample.organism,
        "refinebio_platform": readable(sample.platform),
        "refinebio_processed": result.get("verdict") == Verdict.PROCESSED,
        "refinebio_processor_id": processor_id(name, version) if name else "",
        "refinebio_processor_name": name,
        "refinebio_processor_version": version,
        "refinebio_source_archive_url": _addresses(sample),
        "refinebio_source_database": record.source,
    }


def _addresses(sample: Sample) -> str:
    """Return where its raw data are in the archive; a path on somebody's disk tells others nothing."""
    locations = distinct(file.location for file in sample.files if "://" in file.location)
    return ";".join(locations)


def _by_sample(lake: Lake, commit: Commit | None, table: str) -> dict[str, Mapping[str, Any]]:
    return {row["sample"]: row for row in read_rows(lake, commit, table)} if commit is not None else {}


def attributes_of(
    lake: Lake, commits: Iterable[Commit], samples: Container[str]
) -> dict[str, dict[str, str]]:
    """Return what others say of samples: columns ``<source>_<name>``, several values joined with "; "."""
    found: dict[str, dict[str, list[str]]] = {}
    for commit in commits:
        for row in read_rows(lake, commit, ATTRIBUTES):
            if row["sample"] in samples:
                column = f"{row['source']}_{row['name'] or row['ontology_term']}"
                text = row["value"] or row["ontology_term"] or row["name"]
                values = found.setdefault(row["sample"], {}).setdefault(column, [])
                if text not in values:
                    values.append(text)
    return {
        sample: {column: "; ".join(texts) for column, texts in columns.items()}
        for sample, columns in found.items()
    }
