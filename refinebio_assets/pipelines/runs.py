"""Dagster's runs as plain values, for those that show or await them. Looking them up is not done here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class RunState(StrEnum):
    """How a run stands."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Run:
    """One run: of which job, for which partition, how it stands, and when (UTC)."""

    run_id: str
    job: str
    partition: str
    state: RunState
    created: datetime
    started: datetime | None = None
    ended: datetime | None = None
