"""Sensors that keep results up to date by themselves, once somebody has turned them on.

Each looks for a limited time, asks for a few runs a tick, and waits while its earlier runs are unfinished.
"""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from dagster import (
    DagsterInstance,
    DagsterRunStatus,
    DefaultSensorStatus,
    RunRequest,
    RunsFilter,
    SensorDefinition,
    SensorEvaluationContext,
    SensorResult,
    SkipReason,
    sensor,
)

from refinebio_assets.defs.jobs import (
    build_normalized_compendium,
    build_rnaseq_sample_compendium,
    build_target_quantiles,
    process_experiment,
    survey_experiment,
)
from refinebio_assets.defs.partitions import experiment_partitions, organism_partitions
from refinebio_assets.defs.resources import ArchivesResource, LakeResource
from refinebio_assets.defs.run_lookup import PARTITION_TAG
from refinebio_assets.domain import counted, first_lines
from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.store import Lake, utc_now
from refinebio_assets.pipelines.compendia import normalized_compendium
from refinebio_assets.pipelines.compendia.rnaseq_samples import rnaseq_sample_compendium
from refinebio_assets.pipelines.rhythm import (
    in_turn,
    next_attempts,
    oldest_surveys,
    outgrown_compendia,
    outgrown_targets,
    read_attempts,
    write_attempts,
)
from refinebio_assets.pipelines.staleness import amount, passing_failures, search_processed

RUNS_VARIABLE = "REFINEBIO_RUNS_A_TICK"
DEFAULT_RUNS = 5
AGE_VARIABLE = "REFINEBIO_SURVEY_AGE_DAYS"
DEFAULT_AGE_DAYS = 30.0
SECONDS_A_TICK = 30.0
"""Dagster ends a tick after 60 seconds; bringing the catalog up to date takes its share."""

REMEMBERED = 10_000
"""Experiments that are out of date although they were asked for (half a megabyte). Of those before them
Dagster itself knows, by the key of their run, that they were asked for."""

BY_TAG = "refinebio/asked_by"
_REASONS_IN_LOG = 5
_UNFINISHED = [
    DagsterRunStatus.QUEUED,
    DagsterRunStatus.NOT_STARTED,
    DagsterRunStatus.STARTING,
    DagsterRunStatus.STARTED,
]


@sensor(
    job=process_experiment,
    minimum_interval_seconds=300,
    default_status=DefaultSensorStatus.STOPPED,
    description=(
        "Processes experiments again whose code version, program, index, annotation, metadata rules or "
        "files have changed since: those in most datasets first, a few at a time "
        "(REFINEBIO_RUNS_A_TICK), and never twice for the same reason. `refinebio-assets status --stale` "
        "lists them without starting anything."
    ),
)
def out_of_date(
    context: SensorEvaluationContext, lake: LakeResource, archives: ArchivesResource
) -> SensorResult | SkipReason:
    """Go on where the last tick stopped; the cursor also holds what was asked for, and why."""
    room = _room(context.instance, "out_of_date")
    if room <= 0:
        return SkipReason("the runs that were asked for before are not finished yet")
    state = json.loads(context.cursor or "{}")
    asked: dict[str, str] = state.get("asked", {})
    store = lake.open()
    found = search_processed(
        store,
        _synced(store),
        asked=asked,
        after=state.get("after", ""),
        limit=room,
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
        context.log.info(f"Asked for {amount(found.found)}")
    asked = {name: why for name, why in asked.items() if name not in found.up_to_date}
    asked |= {stale.experiment: stale.fingerprint for stale in found.found}
    until = f"as far as {found.last}; the next look goes on there" if found.last else "of all experiments"
    return SensorResult(
        skip_reason=None if found.found else f"nothing is newly out of date, {until}",
        run_requests=[
            RunRequest(
                run_key=f"{stale.experiment} {stale.fingerprint}",
                partition_key=stale.experiment,
                tags={
                    BY_TAG: "out_of_date",
                    "refinebio/why": ", ".join(stale.inputs)[:200],
                    "refinebio/amount": stale.amount,
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
    room = max(0, _room(context.instance, "passing_failures_again"))
    failing = passing_failures(_synced(lake.open()))
    due, kept = next_attempts(failing, read_attempts(context.cursor), utc_now(), room)
    names = [attempt.experiment for attempt in due]
    waiting = f"{counted(len(kept), 'experiment')} with failures that may pass: none is due for another try"
    return SensorResult(
        skip_reason=None if due else waiting,
        run_requests=[
            RunRequest(
                run_key=f"{attempt.experiment} {attempt.number} {attempt.not_before.isoformat()}",
                partition_key=attempt.experiment,
                tags={BY_TAG: "passing_failures_again"},
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
    room = max(0, _room(context.instance, "source_changes"))
    names = oldest_surveys(_synced(lake.open()), asked, now, age, room)
    again = {"ops": {"experiment_record": {"config": {"survey_again": True}}}}
    return SensorResult(
        skip_reason=None
        if names
        else f"every archive was asked in the last {age.days} days, or is being asked",
        run_requests=[
            RunRequest(
                run_key=f"{name} {now.isoformat()}",
                partition_key=name,
                run_config=again,
                tags={BY_TAG: "source_changes"},
            )
            for name in names
        ],
        dynamic_partitions_requests=[experiment_partitions.build_add_request(names)],
        cursor=in_turn(names, asked, now, age),
    )


@sensor(
    job=build_target_quantiles,
    minimum_interval_seconds=3600,
    default_status=DefaultSensorStatus.STOPPED,
    description=(
        "Makes an organism's quantile target again when a fifth more of its samples are processed than the "
        "target was made of. Earlier targets stay, and datasets keep the one they were made with."
    ),
)
def outgrown_target(context: SensorEvaluationContext, lake: LakeResource) -> SensorResult:
    """Ask once for each target that was outgrown; the cursor holds the number of new samples then."""
    found = [
        _Outgrown(
            name=row["organism"],
            state=f"{row['commit_id']} {row['new']}",
            job=build_target_quantiles.name,
            organism=row["organism"],
        )
        for row in outgrown_targets(_synced(lake.open()))
    ]
    return _ask_once(context, found, sensor_name="outgrown_target", what="target")


_COMPENDIA = {
    normalized_compendium.ASSET: (build_normalized_compendium, normalized_compendium.CODE_VERSION),
    rnaseq_sample_compendium.ASSET: (build_rnaseq_sample_compendium, rnaseq_sample_compendium.CODE_VERSION),
}
"""The job that makes a compendium, and its code version, by asset."""


@sensor(
    jobs=[job for job, _ in _COMPENDIA.values()],
    minimum_interval_seconds=3600,
    default_status=DefaultSensorStatus.STOPPED,
    description=(
        "Makes an organism's compendia again when samples were processed since that are a fifth of those in "
        "it, or when its target or the code changed. Earlier versions stay. `refinebio-assets status "
        "--stale` lists compendia that differ by less."
    ),
)
def outgrown_compendium(context: SensorEvaluationContext, lake: LakeResource) -> SensorResult:
    """Ask once for each compendium that was outgrown; the cursor holds the number of new samples then."""
    versions = {asset: version for asset, (_, version) in _COMPENDIA.items()}
    found = [
        _Outgrown(
            name=f"{row['asset']} {row['organism']}",
            state=f"{row['commit_id']} {row['new']} {row['why']}",
            job=_COMPENDIA[row["asset"]][0].name,
            organism=row["organism"],
            tags={"refinebio/why": ", ".join(row["why"])[:200]},
        )
        for row in outgrown_compendia(_synced(lake.open()), versions)
    ]
    return _ask_once(context, found, sensor_name="outgrown_compendium", what="compendium")


UPKEEP_SENSORS: list[SensorDefinition] = [
    out_of_date,
    passing_failures_again,
    source_changes,
    outgrown_target,
    outgrown_compendium,
]


@dataclass(frozen=True, slots=True)
class _Outgrown:
    """What was outgrown, in which state, and the run that makes it again."""

    name: str
    state: str
    job: str
    organism: str
    tags: Mapping[str, str] = field(default_factory=dict)


def _ask_once(
    context: SensorEvaluationContext, found: Iterable[_Outgrown], *, sensor_name: str, what: str
) -> SensorResult:
    """Ask for what was not asked for in its state before and is not being made; the cursor holds states."""
    asked: dict[str, str] = json.loads(context.cursor or "{}")
    busy = _unfinished(context.instance, sensor_name)
    wanted = [
        item for item in found if asked.get(item.name) != item.state and (item.job, item.organism) not in busy
    ]
    return SensorResult(
        skip_reason=None if wanted else f"no {what} was outgrown since it was asked for last",
        run_requests=[
            RunRequest(
                run_key=f"{item.name} {item.state}",
                partition_key=item.organism,
                job_name=item.job,
                tags={BY_TAG: sensor_name, **item.tags},
            )
            for item in wanted
        ],
        dynamic_partitions_requests=[
            organism_partitions.build_add_request([item.organism for item in wanted])
        ],
        cursor=json.dumps(asked | {item.name: item.state for item in wanted}),
    )


def _room(instance: DagsterInstance, name: str) -> int:
    """Return how many more runs a sensor may ask for: its limit less those that are not finished."""
    limit = int(os.environ.get(RUNS_VARIABLE, DEFAULT_RUNS))
    unfinished = RunsFilter(statuses=_UNFINISHED, tags={BY_TAG: name})
    return limit - instance.get_runs_count(unfinished)


def _unfinished(instance: DagsterInstance, name: str) -> set[tuple[str, str]]:
    """Return job and partition of the runs that a sensor asked for and that are not finished."""
    runs = instance.get_runs(filters=RunsFilter(statuses=_UNFINISHED, tags={BY_TAG: name}))
    return {(run.job_name, run.tags.get(PARTITION_TAG, "")) for run in runs}


def _synced(store: Lake) -> Catalog:
    """Return the catalog, up to date; another process that syncs it is waited for."""
    catalog = Catalog(store)
    catalog.sync()
    return catalog
