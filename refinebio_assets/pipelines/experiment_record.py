"""Makes ``experiment_record``: what the source says of one experiment, kept whole."""

from __future__ import annotations

from typing import Any

from refinebio_assets.domain import Experiment
from refinebio_assets.lake.store import Commit, InputRef, Lake
from refinebio_assets.pipelines.freshness import content_hash, explain_changes
from refinebio_assets.pipelines.outcome import Outcome, Situation
from refinebio_assets.pipelines.registry import EXPERIMENT_REGISTRATION, registered_experiment
from refinebio_assets.sources.experiment_json import experiment_from_json, experiment_to_json

ASSET = "experiment_record"
CODE_VERSION = "1"


def assess_record(lake: Lake, accession: str) -> Situation:
    """Return how an experiment's record stands against its registration."""
    experiment, registration = registered_experiment(lake, accession)
    basis = {"code version": CODE_VERSION, "registration": registration}
    head = lake.head(ASSET, accession)
    reasons = explain_changes(head.info["basis"] if head else None, basis)
    if head is not None and head.info["basis"].get("registration") != registration:
        reasons += _changed_samples(recorded_experiment(head), experiment)
    return Situation(head, basis, tuple(reasons))


def record_experiment(lake: Lake, accession: str, *, run_id: str = "") -> Outcome:
    """Write the record of a registered experiment, or return the one that is already right."""
    situation = assess_record(lake, accession)
    if situation.current is not None:
        return Outcome(situation.current, changed=False)
    experiment, registration = registered_experiment(lake, accession)
    content = experiment_to_json(experiment)
    with lake.draft(ASSET, accession) as draft:
        draft.write_table("experiments", [_experiment_row(experiment)])
        draft.write_table("samples", _sample_rows(experiment))
        draft.write_table("sample_metadata", _metadata_rows(experiment))
        commit = draft.commit(
            version=content_hash(content),
            code_version=CODE_VERSION,
            inputs=[InputRef(EXPERIMENT_REGISTRATION, accession, registration)],
            info={"basis": situation.basis, "experiment": content},
            run_id=run_id,
        )
    return Outcome(commit, changed=True, reasons=situation.reasons)


def recorded_experiment(commit: Commit) -> Experiment:
    """Return the experiment that a record's commit holds."""
    return experiment_from_json(commit.info["experiment"])


def _changed_samples(old: Experiment, new: Experiment) -> list[str]:
    """Say which samples a new registration adds, removes or describes differently."""
    before = {sample.accession: sample for sample in old.samples}
    now = {sample.accession: sample for sample in new.samples}
    return [
        *(f"sample {name} added" for name in now if name not in before),
        *(f"sample {name} removed" for name in before if name not in now),
        *(f"sample {name} changed" for name in now if name in before and before[name] != now[name]),
    ]


def _experiment_row(experiment: Experiment) -> dict[str, Any]:
    return {
        "experiment": experiment.accession,
        "source": experiment.source,
        "title": experiment.title,
        "description": experiment.description,
        "organisms": experiment.organisms,
        "technologies": [str(technology) for technology in experiment.technologies],
        "sample_count": len(experiment.samples),
    }


def _sample_rows(experiment: Experiment) -> list[dict[str, Any]]:
    return [
        {
            "experiment": experiment.accession,
            "sample": sample.accession,
            "organism": sample.organism,
            "technology": str(sample.technology),
            "platform": sample.platform.name,
            "title": sample.title,
        }
        for sample in experiment.samples
    ]


def _metadata_rows(experiment: Experiment) -> list[dict[str, Any]]:
    return [
        {"experiment": experiment.accession, "sample": sample.accession, "key": key, "value": value}
        for sample in experiment.samples
        for key, value in sample.metadata
    ]
