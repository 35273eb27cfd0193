"""What assets are given: the lake, and someone to report progress to."""

from typing import Protocol

from dagster import ConfigurableResource, DagsterLogManager
from pydantic import Field

from refinebio_assets.defs.log_progress import LogProgress
from refinebio_assets.lake.home import DEFAULT_HOME, HOME_VARIABLE, home_url
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.progress import Progress


class LakeResource(ConfigurableResource):  # type: ignore[type-arg]  # it gives itself, not a value
    """Where everything is stored: a folder or any fsspec URL."""

    url: str = Field(
        default="",
        description=f"Root of the lake. Empty: the variable {HOME_VARIABLE}, else ./{DEFAULT_HOME}.",
    )

    def open(self) -> Lake:
        """Return the lake; nothing is read or written until it is used."""
        return Lake(self.url or home_url())


class ProgressSource(Protocol):
    """Gives each step a progress to report to."""

    def of(self, log: DagsterLogManager) -> Progress:
        """Return the progress for a step that logs to ``log``."""


class LogProgressSource:
    """Progress goes to the step's log, where the UI shows it."""

    def of(self, log: DagsterLogManager) -> Progress:
        """Return a progress that writes to ``log``."""
        return LogProgress(log.info)
