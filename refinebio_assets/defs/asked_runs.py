"""Who asked for a run, by its tags; of the runs that sensors asked for, how many are unfinished or failed."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from itertools import takewhile

from dagster import DagsterInstance, DagsterRunStatus, RunsFilter

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


def asked_by_program(name: str) -> dict[str, str]:
    """Return the tags of a run that a command (``dataset build``) or the web API (``api``) asked for."""
    return {BY_TAG: name, LAUNCHED_BY_TAG: name}


def limit_of_runs() -> int:
    """Return how many runs a sensor may have that are not finished."""
    return int(os.environ.get(RUNS_VARIABLE, DEFAULT_RUNS))


def room(instance: DagsterInstance, sensor: str) -> int:
    """Return how many more runs a sensor may ask for: its limit less those that are not finished."""
    return limit_of_runs() - instance.get_runs_count(RunsFilter(statuses=_UNFINISHED, tags={BY_TAG: sensor}))


def unfinished(instance: DagsterInstance, sensor: str) -> set[tuple[str, str]]:
    """Return job and partition of the runs that a sensor asked for and that are not finished."""
    runs = instance.get_runs(filters=RunsFilter(statuses=_UNFINISHED, tags={BY_TAG: sensor}))
    return {(run.job_name, run.tags.get(PARTITION_TAG, "")) for run in runs}


def failures_in_a_row(
    instance: DagsterInstance, sensor: str, job: str, partition: str
) -> tuple[int, datetime | None]:
    """Return how many of a sensor's newest runs of a job and partition failed, and when to try again.

    The moment is None where none failed. A success ends the row; canceled runs are passed over. No more than
    ``ATTEMPTS`` are counted, from where on the wait stays the same.
    """
    asked = RunsFilter(job_name=job, tags={BY_TAG: sensor, PARTITION_TAG: partition})
    records = instance.get_run_records(asked, limit=ATTEMPTS)
    ended = [record for record in records if record.dagster_run.status is not DagsterRunStatus.CANCELED]
    failed = list(takewhile(lambda record: record.dagster_run.status is DagsterRunStatus.FAILURE, ended))
    if not failed:
        return 0, None
    moment = failed[0].end_time or failed[0].update_timestamp.timestamp()
    return len(failed), datetime.fromtimestamp(moment, UTC) + wait_after(len(failed))


def said(moment: datetime) -> str:
    """Return a moment as skip messages show it."""
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def said_busy() -> str:
    """Return the skip message of a sensor that has no room for another run."""
    return f"earlier runs are not finished yet: {RUNS_VARIABLE} allows {limit_of_runs():,} at a time"


def days(age: timedelta) -> str:
    """Return an age in days, as messages show it."""
    return f"{age / timedelta(days=1):,g} days"
