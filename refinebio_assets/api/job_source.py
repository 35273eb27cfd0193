"""Where the API looks up runs. Who asks Dagster is injected: nothing here imports it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from refinebio_assets.pipelines.runs import Run


class JobSource(Protocol):
    """Where runs are looked up. Methods raise StorageError when Dagster's storage cannot be reached."""

    def runs(self, jobs: Sequence[str]) -> list[Run]:
        """Return the newest runs of these jobs, newest first."""


class NoJobs:
    """Where there is no Dagster instance there are no runs."""

    def runs(self, jobs: Sequence[str]) -> list[Run]:
        """Return nothing."""
        return []
