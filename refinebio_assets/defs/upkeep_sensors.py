"""Sensors that keep experiments up to date by themselves, once somebody has turned them on.

Each looks for a limited time, asks for a few runs a tick, and waits while its earlier runs are unfinished.
Those of targets and compendia are in ``outgrown_sensors``.
"""

import json
import os
from collections.abc import Mapping
from datetime import timedelta

from dagster import (
    DefaultSensorStatus,
    RunRequest,
    SensorDefinition,
    SensorEvaluationContext,
    SensorResult,
    SkipReason,
    sensor,
)

from refinebio_assets.defs.asked_runs import (
    AMOUNT_TAG,
    BY_TAG,
    TAG_CHARACTERS,
    WHY_TAG,
    days,
    room,
    said,
    said_busy,
)
from refinebio_assets.defs.jobs import process_experiment, survey_experiment
from refinebio_assets.defs.partitions import experiment_partitions
from refinebio_assets.defs.resources import ArchivesResource, LakeResource, synced_catalog
from refinebio_assets.domain import counted, first_lines
from refinebio_assets.lake.store import utc_now
from refinebio_assets.pipelines.estimate import amount
from refinebio_assets.pipelines.rhythm import (
    ATTEMPTS,
    Attempt,
    in_turn,
    next_attempts,
    oldest_surveys,
    read_attempts,
    write_attempts,
)
from refinebio_assets.pipelines.staleness import Search, passing_failures, search_processed

AGE_VARIABLE = "REFINEBIO_SURVEY_AGE_DAYS"
DEFAULT_AGE_DAYS = 30.0
SECONDS_A_TICK = 30.0
"""Dagster ends a tick after 60 seconds; bringing the catalog up to date takes its share."""

REMEMBERED = 10_000
"""Experiments that are out of date although they were asked for (half a megabyte). Of those before them
Dagster itself knows, by the key of their run, that they were asked for."""

_REASONS_IN_LOG = 5


@sensor(
    job=process_experiment,
    minimum_interval_seconds=300,
    default_status=DefaultSensorStatus.STOPPED,
    description=(
        "Processes experiments again whose code version, program, index, annotation, metadata rules or "
        "files have changed since: those in most datasets first, a few at a time "
        "(REFINEBIO_RUNS_A_TICK). A reason is not asked for twice, unless it was undone and comes again. "
        "Tags of a run say why it was asked for, and for how many samples. `refinebio-assets status --stale` "
        "lists what is out of date without starting anything."
    ),
)
def out_of_date(
    context: SensorEvaluationContext, lake: LakeResource, archives: ArchivesResource
) -> SensorResult | SkipReason:
    """Go on where the last tick stopped; the cursor also holds what was asked for, and why."""
    free = room(context.instance, "out_of_date")
    if free <= 0:
        return SkipReason(said_busy())
    state = json.loads(context.cursor or "{}")
    asked: dict[str, str] = state.get("asked", {})
    store = lake.open()
    found = search_processed(
        store,
        synced_catalog(store),
        asked=asked,
        after=state.get("after", ""),
        limit=free,
        seconds=SECONDS_A_TICK,
        web=archives.web(),
        rules=archives.rules(),
    )
    for unjudged in found.unjudged:
        context.log.warning(f"{unjudged.experiment} could not be judged: {unjudged.problem}")
    for stale in found.found:
        why = "; ".join(first_lines(stale.reasons, _REASONS_IN_LOG))
        context.log.info(f"{stale.experiment}: from {stale.step} on, {stale.amount}, because {why}")
    if found.found:
        context.log.info(f"Asked for {amount([stale.todo for stale in found.found])}")
    asked = {name: why for name, why in asked.items() if name not in found.up_to_date}
    asked |= {stale.experiment: stale.fingerprint for stale in found.found}
    return SensorResult(
        skip_reason=None if found.found else _nothing_new(found, len(asked)),
        run_requests=[
            RunRequest(
                run_key=f"{stale.experiment} {stale.fingerprint}",
                partition_key=stale.experiment,
                tags={
                    BY_TAG: "out_of_date",
                    WHY_TAG: ", ".join(stale.inputs)[:TAG_CHARACTERS],
                    AMOUNT_TAG: stale.amount,
                },
            )
            for stale in found.found
        ],
        dynamic_partitions_requests=[
            experiment_partitions.build_add_request([stale.experiment for stale in found.found])
        ],
        cursor=json.dumps({"after": found.last, "asked": dict(list(asked.items())[-REMEMBERED:])}),
    )


@sensor(
    job=process_experiment,
    minimum_interval_seconds=600,
    default_status=DefaultSensorStatus.STOPPED,
    description=(
        "Tries experiments again that have samples which failed for a reason that may pass (a server that "
        "was away, a killed program): after 1, 2, 4, 8, 16 and 32 hours, then they are parked. Failures "
        "that stay as they are wait for a person; `refinebio-assets status --ledger experiment` counts them."
    ),
)
def passing_failures_again(context: SensorEvaluationContext, lake: LakeResource) -> SensorResult:
    """Keep each failing experiment's number of tries and next moment in the cursor."""
    free = max(0, room(context.instance, "passing_failures_again"))
    failing = passing_failures(synced_catalog(lake.open()))
    due, kept = next_attempts(failing, read_attempts(context.cursor), utc_now(), free)
    names = [attempt.experiment for attempt in due]
    reasons = {row["experiment"]: str(row["reason"]) for row in failing}
    for attempt in due:
        why = reasons[attempt.experiment]
        context.log.info(f"{attempt.experiment}: try {attempt.number} of {ATTEMPTS}, after: {why}")
    return SensorResult(
        skip_reason=None if due else (_waiting_failures(kept, reasons) if free else said_busy()),
        run_requests=[
            RunRequest(
                run_key=f"{attempt.experiment} {attempt.number} {attempt.not_before.isoformat()}",
                partition_key=attempt.experiment,
                tags={
                    BY_TAG: "passing_failures_again",
                    WHY_TAG: reasons[attempt.experiment][:TAG_CHARACTERS],
                },
            )
            for attempt in due
        ],
        dynamic_partitions_requests=[experiment_partitions.build_add_request(names)],
        cursor=write_attempts(kept),
    )


@sensor(
    job=survey_experiment,
    minimum_interval_seconds=3600,
    default_status=DefaultSensorStatus.STOPPED,
    description=(
        "Asks archives again about experiments that were not surveyed for 30 days "
        "(REFINEBIO_SURVEY_AGE_DAYS), a few an hour, and so notices changed and withdrawn records. What "
        "differs is processed by `out_of_date`."
    ),
)
def source_changes(context: SensorEvaluationContext, lake: LakeResource) -> SensorResult:
    """Keep when each experiment was asked about in the cursor."""
    now = utc_now()
    age = timedelta(days=float(os.environ.get(AGE_VARIABLE, DEFAULT_AGE_DAYS)))
    asked: dict[str, str] = json.loads(context.cursor or "{}")
    free = max(0, room(context.instance, "source_changes"))
    names = oldest_surveys(synced_catalog(lake.open()), asked, now, age, free)
    again = {"ops": {"experiment_record": {"config": {"survey_again": True}}}}
    return SensorResult(
        skip_reason=None if names else (_asked_lately(age) if free else said_busy()),
        run_requests=[
            RunRequest(
                run_key=f"{name} {now.isoformat()}",
                partition_key=name,
                run_config=again,
                tags={
                    BY_TAG: "source_changes",
                    WHY_TAG: f"not surveyed for {days(age)}",
                },
            )
            for name in names
        ],
        dynamic_partitions_requests=[experiment_partitions.build_add_request(names)],
        cursor=in_turn(names, asked, now, age),
    )


UPKEEP_SENSORS: list[SensorDefinition] = [out_of_date, passing_failures_again, source_changes]


def _nothing_new(found: Search, asked: int) -> str:
    """Say why a look at all experiments, or at some of them, asks for nothing."""
    until = f"as far as {found.last}; the next look goes on there" if found.last else "to the last one"
    parts = [f"looked at processed experiments {until}: nothing is newly out of date"]
    if asked:
        parts.append(f"{counted(asked, 'experiment')} out of date that was asked for before, see its runs")
    if found.unjudged:
        parts.append(f"{counted(len(found.unjudged), 'experiment')} could not be judged, see the log")
    return "; ".join(parts)


def _waiting_failures(kept: Mapping[str, Attempt], reasons: Mapping[str, str]) -> str:
    """Say which failure is tried again next, and how many are parked."""
    if not kept:
        return "no sample failed for a reason that may pass"
    waiting = [attempt for attempt in kept.values() if attempt.number < ATTEMPTS]
    parked = len(kept) - len(waiting)
    parts = []
    if waiting:
        first = min(waiting, key=lambda attempt: attempt.not_before)
        parts.append(
            f"{counted(len(waiting), 'experiment')} with failures that may pass; the next, "
            f"{first.experiment}, is tried again after {said(first.not_before)} "
            f"(try {first.number + 1} of {ATTEMPTS}), as: {reasons[first.experiment]}"
        )
    if parked:
        parts.append(f"{counted(parked, 'experiment')} parked: {ATTEMPTS} tries were in vain")
    return "; ".join(parts)


def _asked_lately(age: timedelta) -> str:
    return f"every archive was asked in the last {days(age)}, or is being asked"
