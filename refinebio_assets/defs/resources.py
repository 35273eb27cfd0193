"""What assets are given: the lake, and someone to report progress to."""

import os
from typing import Protocol

from dagster import ConfigurableResource, DagsterLogManager, InitResourceContext
from pydantic import Field

from refinebio_assets.defs.instance import process_tags
from refinebio_assets.defs.log_progress import LogProgress
from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.home import DEFAULT_HOME, HOME_VARIABLE, home_url
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.fetch_file import WebSource
from refinebio_assets.pipelines.progress import Progress
from refinebio_assets.sources.archives import Archives, open_archives, web_source
from refinebio_assets.sources.library_rules import library_rules, rules_version


def synced_catalog(store: Lake) -> Catalog:
    """Return the catalog, up to date; another process that syncs it is waited for."""
    catalog = Catalog(store)
    catalog.sync()
    return catalog


class LakeResource(ConfigurableResource):  # type: ignore[type-arg]  # it gives itself, not a value
    """Where everything is stored: a folder or any fsspec URL."""

    url: str = Field(
        default="",
        description=f"Root of the lake. Empty: the variable {HOME_VARIABLE}, else ./{DEFAULT_HOME}.",
    )

    def open(self) -> Lake:
        """Return the lake; nothing is read or written until it is used."""
        return Lake(self.url or home_url())

    def setup_for_execution(self, context: InitResourceContext) -> None:
        """Note which process executes the run, so that it can be told when that process is gone.

        Every step uses the lake, and all steps of a run are executed by one process.
        """
        run, instance = context.run, context.instance
        if run is None or instance is None:
            return
        tags = process_tags(run.run_id)
        if not tags.items() <= run.tags.items():
            instance.add_run_tags(run.run_id, tags)


class ArchivesResource(ConfigurableResource):  # type: ignore[type-arg]  # it gives itself, not a value
    """How the public archives and other web servers are reached: directly, or through a mirror."""

    mirror: str = Field(
        default="",
        description="Folder or index that answers instead of the archives. Empty: the variable "
        "REFINEBIO_MIRROR, else the archives themselves.",
    )

    def open(self) -> Archives:
        """Return the archives; nothing is asked until it is used."""
        return open_archives(self._environment())

    def web(self) -> WebSource:
        """Return a way to the web, for files that are not an archive's."""
        return web_source(self._environment())

    def rules(self) -> str:
        """Return the version of the rules by which sequencing runs are taken."""
        return rules_version(library_rules(os.environ))

    def _environment(self) -> dict[str, str]:
        return {**os.environ, **({"REFINEBIO_MIRROR": self.mirror} if self.mirror else {})}


class ProgressSource(Protocol):
    """Gives each step a progress to report to."""

    def of(self, log: DagsterLogManager) -> Progress:
        """Return the progress for a step that logs to ``log``."""


class LogProgressSource:
    """Progress goes to the step's log, where the UI shows it."""

    def of(self, log: DagsterLogManager) -> Progress:
        """Return a progress that writes to ``log``."""
        return LogProgress(log.info)
