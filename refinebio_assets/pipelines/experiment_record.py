"""Makes ``experiment_record``: what the source says of one experiment, kept whole.

A sample sheet's experiment was registered by a person. An archive's is surveyed here, when it has no
registration yet, when the rules of the survey have changed, or when somebody asks for it again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from shlex import quote
from typing import Any

from refinebio_assets.domain import Experiment
from refinebio_assets.errors import NotAtSourceError, NotFoundError, RequestError
from refinebio_assets.lake.store import Commit, InputRef, Lake
from refinebio_assets.pipelines.costs import TABLE as COSTS
from refinebio_assets.pipelines.costs import Meter
from refinebio_assets.pipelines.experiment_changes import explain_experiment
from refinebio_assets.pipelines.experiment_file import read_experiment, write_experiment
from refinebio_assets.pipelines.experiment_rows import (
    experiment_metadata_rows,
    experiment_row,
    protocol_rows,
    sample_metadata_rows,
    sample_rows,
)
from refinebio_assets.pipelines.freshness import content_hash
from refinebio_assets.pipelines.outcome import (
    NOT_WHOLE,
    Outcome,
    Situation,
    dropped_rows,
    is_whole,
    situation_of,
)
from refinebio_assets.pipelines.registry import (
    EXPERIMENT_REGISTRATION,
    SurveyTerms,
    register_experiment,
    registered_accessions,
    registered_experiment,
)
from refinebio_assets.sources.accessions import SURVEY_VERSION, Archive, geo_twin, recognize
from refinebio_assets.sources.experiment_json import experiment_to_json

ASSET = "experiment_record"
SOURCE_STATE = "source_state"
"""The asset, one partition an experiment, that keeps whether its archive still has it."""
GONE, THERE = "gone", "there"
CODE_VERSION = "2"

Survey = Callable[[str], Experiment]
"""Asks an archive what it knows of an experiment now."""


def survey_reasons(lake: Lake, accession: str, *, again: bool = False, rules: str = "") -> list[str]:
    """Say why an archive has to be asked; empty when it need not be, or nobody but a person can tell.

    ``rules`` is the version of the rules by which runs are taken. Raises NotFoundError for what is neither
    registered nor an archive's experiment, RequestError for an accession in another spelling than its own.
    """
    head = lake.head(EXPERIMENT_REGISTRATION, accession)
    if head is None:
        known = recognize(accession)
        if known is None:
            registered_experiment(lake, accession)
        elif known.text != accession:
            raise RequestError(f"{accession!r} is written {known.text}")
        return ["not surveyed before"]
    version = head.info.get("survey_version", "")
    if not is_whole(lake, head):
        return [_lost_registration(head)]
    if version and again:
        return ["a new survey was asked for"]
    if version and version != SURVEY_VERSION:
        return [f"survey version changed: {version} -> {SURVEY_VERSION}"]
    if version and head.info["origin"] == Archive.SRA and head.info.get("rules", "") != rules:
        return ["the rules by which runs are taken have changed"]
    return []


def _lost_registration(head: Commit) -> str:
    """Say that a registration has to be made again; NotFoundError where a person has to do that."""
    lost = f"the registration of {head.partition} is no longer whole in the lake"
    if head.info.get("survey_version"):
        return lost
    sheet = quote(head.info.get("origin") or "FILE")
    raise NotFoundError(
        f"{lost}; its sample sheet makes it again: `refinebio-assets process --sample-sheet {sheet}`"
    )


def assess_record(lake: Lake, accession: str, *, survey_again: bool = False, rules: str = "") -> Situation:
    """Return how an experiment's record stands against its registration, or that it must be surveyed."""
    reasons = survey_reasons(lake, accession, again=survey_again, rules=rules)
    if reasons:
        return Situation(lake.head(ASSET, accession), {}, tuple(reasons))
    return _assess_registered(lake, accession)


def record_experiment(
    lake: Lake,
    accession: str,
    *,
    survey: Survey | None = None,
    asked: str = "",
    survey_again: bool = False,
    rules: str = "",
    run_id: str = "",
) -> Outcome:
    """Write the record of an experiment, or return the one that is already right.

    ``survey`` is asked where ``assess_record`` says so, by the accession ``asked`` (by default the
    experiment's own, or the one it was asked for before); nothing is written when it fails. Raises what the
    survey raises, and NotFoundError when a survey is needed and there is none.
    """
    meter = Meter()
    reasons = survey_reasons(lake, accession, again=survey_again, rules=rules)
    if reasons:
        if survey is None:
            raise NotFoundError(f"experiment {accession} is not registered and no archive can be asked")
        _register_survey(lake, accession, asked, survey, rules)
    situation = _assess_registered(lake, accession)
    if situation.current is not None:
        return Outcome(situation.current, changed=False)
    return _write(lake, accession, situation, run_id, meter)


def recorded_experiment(lake: Lake, commit: Commit) -> Experiment:
    """Return the experiment that a record's commit holds."""
    return read_experiment(lake, commit)


def _register_survey(lake: Lake, accession: str, asked: str, survey: Survey, rules: str) -> None:
    twin = geo_twin(accession)
    head = lake.head(EXPERIMENT_REGISTRATION, accession)
    if head is None and twin in registered_accessions(lake):
        raise RequestError(f"{accession} is {twin} under another name, which is here already: use {twin}")
    asked = asked or (head.info.get("asked", "") if head else "") or accession
    try:
        experiment = survey(asked)
    except NotAtSourceError as error:
        if head is None:
            raise
        mark_source(lake, accession, GONE, str(error))
        raise NotAtSourceError(
            f"{error}. What was recorded of {accession} before stays, and is marked: `refinebio-assets show`"
        ) from error
    if experiment.accession != accession:
        if head is not None:
            mark_source(lake, accession, GONE, f"it belongs to {experiment.accession}")
        raise NotFoundError(f"{accession} belongs to {experiment.accession}: process that experiment")
    mark_source(lake, accession, THERE)
    terms = SurveyTerms(asked, SURVEY_VERSION, rules)
    register_experiment(lake, experiment, origin=experiment.source, terms=terms)


def mark_source(lake: Lake, accession: str, state: str, reason: str = "") -> None:
    """Keep whether an archive still has an experiment, where that is news; ``THERE`` is none at first."""
    head = lake.head(SOURCE_STATE, accession)
    before = head.info["state"] if head else THERE
    if state == before and is_whole(lake, head):
        return
    row = {"experiment": accession, "state": state, "reason": reason, "noticed_at": lake.now()}
    with lake.draft(SOURCE_STATE, accession) as draft:
        draft.write_table("source_states", [row])
        draft.commit(version=state, code_version="1", info={"state": state})


def _change_rows(lake: Lake, accession: str, situation: Situation) -> list[dict[str, Any]]:
    """Return what differs from the record before, for the table ``record_changes``."""
    if situation.head is None or not is_whole(lake, situation.head):
        return []
    before, now = read_experiment(lake, situation.head), registered_experiment(lake, accession)[0]
    noticed = lake.now()
    return [
        {"experiment": accession, "change": change, "noticed_at": noticed}
        for change in explain_experiment(before, now)
    ]


def _assess_registered(lake: Lake, accession: str) -> Situation:
    experiment, registration = registered_experiment(lake, accession)
    basis = {"code version": CODE_VERSION, "registration": registration.version}
    head = lake.head(ASSET, accession)
    situation = situation_of(lake, head, basis)
    if head is None or not situation.reasons or NOT_WHOLE in situation.reasons:
        return situation
    changes = explain_experiment(read_experiment(lake, head), experiment)
    return replace(situation, reasons=(*situation.reasons, *changes))


def _write(lake: Lake, accession: str, situation: Situation, run_id: str, meter: Meter) -> Outcome:
    experiment, registration = registered_experiment(lake, accession)
    content = experiment_to_json(experiment)
    with lake.draft(ASSET, accession) as draft:
        write_experiment(draft, content)
        draft.write_table("experiments", [experiment_row(experiment)])
        draft.write_table("experiment_metadata", experiment_metadata_rows(experiment))
        draft.write_table("protocols", protocol_rows(experiment))
        draft.write_table("samples", sample_rows(experiment))
        draft.write_table("sample_metadata", sample_metadata_rows(experiment))
        draft.write_table("dropped", dropped_rows(experiment.left_out))
        draft.write_table("record_changes", _change_rows(lake, accession, situation))
        draft.write_table(COSTS, [meter.row(accession, samples=len(experiment.samples))])
        commit = draft.commit(
            version=content_hash(content),
            code_version=CODE_VERSION,
            inputs=[InputRef(EXPERIMENT_REGISTRATION, accession, registration.version)],
            info={"basis": situation.basis},
            run_id=run_id,
        )
    return Outcome(commit, changed=True, reasons=situation.reasons, dropped=experiment.left_out)
