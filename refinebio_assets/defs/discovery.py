"""Discovery in Dagster: a job that searches, its weekly schedule, a sensor that processes what was found."""

import json
import os
from collections.abc import Collection, Mapping
from typing import Any

from dagster import (
    DefaultScheduleStatus,
    DefaultSensorStatus,
    OpExecutionContext,
    RunRequest,
    ScheduleDefinition,
    SensorEvaluationContext,
    SensorResult,
    SkipReason,
    job,
    op,
    sensor,
)

from refinebio_assets.defs.asked_runs import AMOUNT_TAG, BY_TAG, TAG_CHARACTERS, WHY_TAG
from refinebio_assets.defs.failures import explained
from refinebio_assets.defs.jobs import process_experiment
from refinebio_assets.defs.partitions import experiment_partitions
from refinebio_assets.defs.resources import ArchivesResource, LakeResource, synced_catalog
from refinebio_assets.domain import counted
from refinebio_assets.errors import NotFoundError
from refinebio_assets.lake.store import utc_now
from refinebio_assets.pipelines.discovery import discover, waiting_experiments
from refinebio_assets.pipelines.discovery_rules import DEFAULT_BUDGET, read_rules, rules_path
from refinebio_assets.pipelines.estimate import AFTER_SURVEY

CHUNK = 100
"""Experiments that one tick may add: a day's budget comes in several, so that none takes long."""


@op(description="Makes every search of the rules file and keeps what it finds; nothing is downloaded.")
def search_archives(context: OpExecutionContext, lake: LakeResource, archives: ArchivesResource) -> None:
    """Search by each rule in turn; one that fails ends the job after the others before it are kept."""
    store = lake.open()
    with explained():
        rules = read_rules(rules_path(store, os.environ))
        for rule in rules.rules:
            found = discover(store, archives.open().web, rule, exclude=rules.exclude, run_id=context.run_id)
            context.log.info(f"{rule.name}: {found.found:,} experiments, {len(found.new):,} new")


@job(
    description="Ask the archives which experiments there are, by the rules in `discovery.yaml` of the lake."
)
def discover_experiments() -> None:
    """Search the archives."""
    search_archives()


weekly_discovery = ScheduleDefinition(
    name="weekly_discovery",
    job=discover_experiments,
    cron_schedule="0 3 * * 1",
    tags={BY_TAG: "weekly_discovery"},
    default_status=DefaultScheduleStatus.STOPPED,
    description="Searches the archives for new experiments every Monday at 3 o'clock (UTC).",
)


@sensor(
    job=process_experiment,
    minimum_interval_seconds=300,
    default_status=DefaultSensorStatus.STOPPED,
    description=(
        "Adds experiments that discovery found, or a list named, as partitions and processes them: first "
        "found first, each once, no more a day than `daily_budget` in the rules of discovery (20)."
    ),
)
def discovered_experiments(context: SensorEvaluationContext, lake: LakeResource) -> SensorResult | SkipReason:
    """The cursor holds the day, how many were asked for on it, and every experiment that was asked for."""
    store = lake.open()
    catalog = synced_catalog(store)
    state = json.loads(context.cursor or "{}")
    today = utc_now().date().isoformat()
    used = state.get("used", 0) if state.get("day") == today else 0
    asked = dict.fromkeys(state.get("asked", ()))
    try:
        budget = read_rules(rules_path(store, os.environ)).daily_budget
    except NotFoundError:
        budget = DEFAULT_BUDGET
    waiting = {row["accession"]: row for row in waiting_experiments(catalog)}
    room = min(CHUNK, budget - used)
    names = [name for name in waiting if name not in asked][: max(0, room)]
    if not names:
        return SkipReason(_nothing_new(used, budget, waiting, asked))
    # Those that were surveyed need not be remembered: the lake knows them.
    remembered = [name for name in asked if name in waiting]
    return SensorResult(
        dynamic_partitions_requests=[experiment_partitions.build_add_request(names)],
        run_requests=[
            RunRequest(run_key=f"discovered {name}", partition_key=name, tags=_tags(waiting[name]))
            for name in names
        ],
        cursor=json.dumps({"day": today, "used": used + len(names), "asked": [*remembered, *names]}),
    )


def _tags(found: Mapping[str, Any]) -> dict[str, str]:
    """Return a run's tags: by which rules its experiment was found, and the samples that a search counts."""
    samples = found["samples"]
    return {
        BY_TAG: "discovered_experiments",
        WHY_TAG: f"found by {found['rules']}"[:TAG_CHARACTERS],
        AMOUNT_TAG: AFTER_SURVEY if samples is None else counted(samples, "sample"),
    }


def _nothing_new(used: int, budget: int, waiting: Collection[str], asked: Collection[str]) -> str:
    """Say why no experiment is asked for: none waits, all were asked for, or the day's budget is used up."""
    before = sum(name in asked for name in waiting)
    parts = []
    if len(waiting) > before:
        left = counted(len(waiting) - before, "experiment")
        parts.append(f"{left} wait for tomorrow: {used:,} were asked for today, `daily_budget` is {budget:,}")
    elif not before:
        parts.append("nothing waits: every experiment that discovery found and took was surveyed")
    if before:
        parts.append(
            f"{counted(before, 'experiment')} asked for before, not surveyed yet: their runs are not done "
            "or failed"
        )
    return "; ".join(parts)
