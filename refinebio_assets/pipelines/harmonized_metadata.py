"""Makes ``harmonized_metadata``: 14 fields of every sample of an experiment, beside the submitter's own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from refinebio_assets.domain import Experiment, Sample
from refinebio_assets.lake.store import InputRef, Lake
from refinebio_assets.metadata.corrections import Correction, apply_corrections
from refinebio_assets.metadata.harmonize import harmonize_sample
from refinebio_assets.metadata.harmonized import HARMONIZED_FIELDS, Harmonized
from refinebio_assets.metadata.source_keys import FIELDS
from refinebio_assets.pipelines import experiment_record
from refinebio_assets.pipelines.costs import TABLE as COSTS
from refinebio_assets.pipelines.costs import Meter
from refinebio_assets.pipelines.experiment_record import recorded_experiment
from refinebio_assets.pipelines.freshness import content_hash
from refinebio_assets.pipelines.metadata_overlays import corrections_of
from refinebio_assets.pipelines.outcome import Outcome, Situation, require_head, situation_of
from refinebio_assets.sources.experiment_json import experiment_to_json

ASSET = "harmonized_metadata"
CODE_VERSION = "1"


@dataclass(frozen=True, slots=True)
class Assessment:
    """How an experiment's harmonized metadata stand, with what is needed to bring them up to date."""

    situation: Situation
    experiment: Experiment
    corrections: Mapping[str, Sequence[Correction]]
    inputs: tuple[InputRef, ...]


def assess_metadata(lake: Lake, accession: str) -> Assessment:
    """Return how an experiment's harmonized metadata stand against its record and the corrections."""
    record = require_head(lake, experiment_record.ASSET, accession)
    experiment = recorded_experiment(lake, record)
    corrections, imports = corrections_of(lake, [sample.accession for sample in experiment.samples])
    situation = _judge(lake, accession, record.version, corrections)
    inputs = (InputRef(experiment_record.ASSET, accession, record.version), *imports)
    return Assessment(situation, experiment, corrections, inputs)


def metadata_situation(lake: Lake, experiment: Experiment) -> Situation:
    """Return how the harmonized metadata would stand if this were what is recorded of the experiment."""
    corrections, _ = corrections_of(lake, [sample.accession for sample in experiment.samples])
    return _judge(lake, experiment.accession, content_hash(experiment_to_json(experiment)), corrections)


def _judge(
    lake: Lake, accession: str, record_version: str, corrections: Mapping[str, Sequence[Correction]]
) -> Situation:
    head = lake.head(ASSET, accession)
    basis = {
        "code version": CODE_VERSION,
        "experiment record": record_version,
        "corrections": _described(corrections),
    }
    return situation_of(lake, head, basis)


def harmonize_experiment(lake: Lake, accession: str, *, run_id: str = "") -> Outcome:
    """Harmonize the metadata of an experiment's samples, or return the commit that is already right."""
    assessed = assess_metadata(lake, accession)
    situation, experiment = assessed.situation, assessed.experiment
    if situation.current is not None:
        return Outcome(situation.current, changed=False)
    meter = Meter()
    made = [
        (
            sample.accession,
            _harmonize(experiment.source, sample, assessed.corrections.get(sample.accession, ())),
        )
        for sample in experiment.samples
    ]
    rows = [_row(accession, sample, harmonized) for sample, harmonized in made]
    sources = [row for sample, harmonized in made for row in _source_rows(accession, sample, harmonized)]
    with lake.draft(ASSET, accession) as draft:
        draft.write_table("harmonized_metadata", rows)
        draft.write_table("harmonized_sources", sources)
        draft.write_table(COSTS, [meter.row(accession, samples=len(rows))])
        commit = draft.commit(
            version=content_hash([rows, sources]),
            code_version=CODE_VERSION,
            inputs=assessed.inputs,
            info={"basis": situation.basis},
            run_id=run_id,
        )
    return Outcome(commit, changed=True, reasons=situation.reasons)


def filled_fields(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return for each field how many of these rows have a value, and the most frequent values."""
    summary = []
    for name in FIELDS:
        values = [row[name] for row in rows if row[name] not in ("", None)]
        shown = "; ".join(f"{value} ({count:,})" for value, count in Counter(values).most_common(3))
        summary.append({"field": name, "samples": len(values), "most frequent": shown})
    return summary


def _harmonize(source: str, sample: Sample, corrections: Sequence[Correction]) -> Harmonized:
    harmonized = harmonize_sample(source, sample.metadata)
    return apply_corrections(harmonized, corrections) if corrections else harmonized


def _described(corrections: Mapping[str, Sequence[Correction]]) -> str:
    """Return how many corrections there are, and a hash of them, in words that people can compare."""
    if not corrections:
        return "none"
    content = content_hash(
        [
            [getattr(correction, field.name) for field in fields(correction)]
            for own in corrections.values()
            for correction in own
        ]
    )
    count = sum(len(own) for own in corrections.values())
    return f"{count:,} of {len(corrections):,} samples ({content[:12]})"


def _row(experiment: str, sample: str, harmonized: Harmonized) -> dict[str, Any]:
    named = {name: getattr(harmonized, name) for name in HARMONIZED_FIELDS}
    return {"experiment": experiment, "sample": sample, **named}


def _source_rows(experiment: str, sample: str, harmonized: Harmonized) -> list[dict[str, Any]]:
    return [
        {
            "experiment": experiment,
            "sample": sample,
            "field": source.field,
            "value": source.value,
            "key": source.key,
            "text": source.text,
            "origin": source.origin,
        }
        for source in harmonized.sources
    ]
