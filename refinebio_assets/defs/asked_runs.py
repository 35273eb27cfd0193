"""Who asked for a run, by its tags; what is in progress, and what failed of that which sensors asked for."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import takewhile

from dagster import AssetKey, DagsterInstance, DagsterRunStatus, RunsFilter

from refinebio_assets.defs.run_lookup import PARTITION_TAG
from refinebio_assets.pipelines.rhythm import ATTEMPTS, wait_after

RUNS_VARIABLE = "REFINEBIO_RUNS_A_TICK"
DEFAULT_RUNS = 5
BY_TAG = "refinebio/asked_by"
WHY_TAG = "refinebio/why"
AMOUNT_TAG = "refinebio/amount"
TAG_CHARACTERS = 200
LAUNCHED_BY_TAG = "user"
"""What the UI shows in its column "Launched by", which otherwise says "Manually launched"."""

_UNFINISHED = [
    DagsterRunStatus.QUEUED,
    DagsterRunStatus.NOT_STARTED,
    DagsterRunStatus.STARTING,
    DagsterRunStatus.STARTED,
    DagsterRunStatus.CANCELING,
]
_NOT_CANCELED = [status for status in DagsterRunStatus if status is not DagsterRunStatus.CANCELED]


def asked_by_program(name: str) -> dict[str, str]:
    """Return the tags of a run that a command (``dataset build``) or the web API (``api``) asked for."""
    return {BY_TAG: name, LAUNCHED_BY_TAG: name}


def limit_of_runs() -> int:
    """Return how many runs a sensor may have that are not finished."""
    return int(os.environ.get(RUNS_VARIABLE, DEFAULT_RUNS))


def room(instance: DagsterInstance, sensor: str) -> int:
    """Return how many more runs a sensor may ask for: its limit less those that are not finished."""
    return limit_of_runs() - instance.get_runs_count(RunsFilter(statuses=_UNFINISHED, tags={BY_TAG: sensor}))


def is_in_progress(instance: DagsterInstance, asset: str, job: str, partition: str) -> bool:
    """Tell whether a run makes a partition of an asset, by its job or alone, whoever asked for it."""
    runs = instance.get_runs(RunsFilter(statuses=_UNFINISHED, tags={PARTITION_TAG: partition}))
    return any(run.job_name == job or AssetKey(asset) in (run.asset_selection or ()) for run in runs)


@dataclass(frozen=True, slots=True)
class Failures:
    """Runs that failed in a row: how many, at most ``ATTEMPTS``, the newest, and when to try again."""

    count: int
    newest: str
    again: datetime


def failures_in_a_row(instance: DagsterInstance, sensor: str, job: str, partition: str) -> Failures | None:
    """Return the newest runs of a job and partition that a sensor asked for, if they failed.

    A success ends the row; canceled runs are passed over.
    """
    tags = {BY_TAG: sensor, PARTITION_TAG: partition}
    asked = RunsFilter(job_name=job, tags=tags, statuses=_NOT_CANCELED)
    records = instance.get_run_records(asked, limit=ATTEMPTS)
    failed = list(takewhile(lambda record: record.dagster_run.status is DagsterRunStatus.FAILURE, records))
    if not failed:
        return None
    moment = failed[0].end_time or failed[0].update_timestamp.timestamp()
    again = datetime.fromtimestamp(moment, UTC) + wait_after(len(failed))
    return Failures(len(failed), failed[0].dagster_run.run_id, again)


def said(moment: datetime) -> str:
    """Return a moment as skip messages show it."""
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def said_busy() -> str:
    """Return the skip message of a sensor that has no room for another run."""
    return f"earlier runs are not finished yet: {RUNS_VARIABLE} allows {limit_of_runs():,} at a time"


def days(age: timedelta) -> str:
    """Return an age in days, as messages show it."""
    return f"{age / timedelta(days=1):,g} days"
