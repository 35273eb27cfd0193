"""Looks up runs on the persistent instance, as plain values."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from threading import Lock
from typing import Any

from dagster import DagsterInstance, DagsterRunStatus, RunsFilter

from refinebio_assets.errors import StorageError
from refinebio_assets.pipelines.runs import Run, RunState

NEWEST = 10_000
SECONDS_REMEMBERED = 2.0
PARTITION_TAG = "dagster/partition"
_WAITING = (DagsterRunStatus.QUEUED, DagsterRunStatus.NOT_STARTED)
_WORKING = (DagsterRunStatus.STARTING, DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING)


class DagsterRuns:
    """The runs of the instance in ``DAGSTER_HOME``, opened when it is first asked. Safe for threads."""

    def __init__(self) -> None:
        self._instance: DagsterInstance | None = None
        self._known: dict[str, tuple[float, list[Run]]] = {}
        self._lock = Lock()

    def runs(self, jobs: Sequence[str]) -> list[Run]:
        """Return the newest 10,000 runs of each of these jobs, newest first, at most 2 s old.

        Raises StorageError when the instance's storage cannot be read.
        """
        found = [run for job in jobs for run in self._of_job(job)]
        return sorted(found, key=lambda run: (run.created, run.run_id), reverse=True)

    def _of_job(self, job: str) -> list[Run]:
        with self._lock:
            asked, known = self._known.get(job, (0.0, []))
            if asked and time.monotonic() - asked < SECONDS_REMEMBERED:
                return known
            try:
                records = self._open().get_run_records(RunsFilter(job_name=job), limit=NEWEST)
            except Exception as error:
                self._instance = None
                raise StorageError(f"Dagster's instance cannot be read: {error}") from error
            runs = [_run(record) for record in records]
            self._known[job] = (time.monotonic(), runs)
            return runs

    def _open(self) -> DagsterInstance:
        if self._instance is None:
            self._instance = DagsterInstance.get()
        return self._instance


def _run(record: Any) -> Run:
    run = record.dagster_run
    return Run(
        run.run_id,
        run.job_name,
        run.tags.get(PARTITION_TAG, ""),
        run_state(run.status),
        record.create_timestamp.astimezone(UTC)
        if record.create_timestamp.tzinfo
        else record.create_timestamp.replace(tzinfo=UTC),
        _moment(record.start_time),
        _moment(record.end_time),
    )


def run_state(status: DagsterRunStatus) -> RunState:
    """Return how a run stands by Dagster's status of it."""
    if status in _WAITING:
        return RunState.QUEUED
    if status in _WORKING:
        return RunState.RUNNING
    return RunState.SUCCEEDED if status == DagsterRunStatus.SUCCESS else RunState.FAILED


def _moment(seconds: float | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None
