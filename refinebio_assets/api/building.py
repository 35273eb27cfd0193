"""Has datasets built, and keeps what became of them. Who starts Dagster's runs is injected."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha1
from threading import Timer
from typing import Protocol

from refinebio_assets.api.state.datasets import Dataset, Datasets, DatasetState, Product
from refinebio_assets.errors import NotFoundError, RefinebioError
from refinebio_assets.lake.store import Commit, Lake

BUNDLE = "dataset_bundle"
SECONDS_TO_WRITE_AGAIN = 10.0
"""When the end of a build is written down that could not be, as the disk was full."""
_CHUNK = 1 << 20
_MAX_REASON = 4000
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Built:
    """How a run ended; ``problem`` is empty on success."""

    success: bool
    problem: str = ""


class DatasetBuilder(Protocol):
    """What starts runs that build datasets."""

    def start(self, dataset: str, done: Callable[[Built], None]) -> None:
        """Have a registered dataset built, and call ``done`` once when the run has ended.

        Returns at once. Raises StorageError when no run can be started now.
        """

    def stop(self) -> None:
        """End what is running; it is built when it is started again."""


class NoBuilder:
    """Where nothing can be built: a server that is read-only."""

    def start(self, dataset: str, done: Callable[[Built], None]) -> None:
        """Say at once that nothing is built."""
        done(Built(False, f"this server builds no datasets, and not {dataset}"))

    def stop(self) -> None:
        """Do nothing."""


class Building:
    """Starts builds and writes down how they end, so that they are found again after a restart."""

    def __init__(self, lake: Lake, datasets: Datasets, builder: DatasetBuilder) -> None:
        self._lake, self._datasets, self._builder = lake, datasets, builder

    def start(self, dataset: str) -> None:
        """Have a dataset built that is marked as processing. Raises StorageError."""
        self._builder.start(dataset, lambda built: self._end(dataset, built))

    def resume(self) -> None:
        """Start again what was being built when the server ended."""
        try:
            for dataset in self._datasets.in_state(DatasetState.PROCESSING):
                self.start(dataset)
        except RefinebioError as error:
            _logger.warning("datasets that were being built are not started again: %s", error)

    def stop(self) -> None:
        """End builds with the server."""
        self._builder.stop()

    def _end(self, dataset: str, built: Built) -> None:
        try:
            product = self._product(dataset) if built.success else None
            problem = built.problem
        except RefinebioError as error:
            product, problem = None, str(error)
        try:
            self._datasets.change(dataset, lambda before: _ended(before, product, problem))
        except RefinebioError as error:
            _logger.warning("how dataset %s ended could not be written down yet: %s", dataset, error)
            again = Timer(SECONDS_TO_WRITE_AGAIN, self._end, [dataset, built])
            again.daemon = True
            again.start()

    def _product(self, dataset: str) -> Product:
        commit = self._lake.head(BUNDLE, dataset)
        if commit is None:
            raise NotFoundError(f"the run of dataset {dataset} succeeded without a bundle")
        file = commit.file(bundle_file(commit))
        digest = sha1(usedforsecurity=False)
        with self._lake.open(file) as stream:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
        return Product(
            commit.id, file.name, file.size, digest.hexdigest(), file.sha256, self._datasets.moment()
        )


def bundle_file(commit: Commit) -> str:
    """Return the name of the zip in a bundle's commit."""
    return str(commit.info["file"])


def _ended(dataset: Dataset, product: Product | None, problem: str) -> Dataset:
    if product is not None:
        return replace(dataset, state=DatasetState.DONE, product=product, failure_reason="")
    reason = (problem or "the run failed")[:_MAX_REASON]
    return replace(dataset, state=DatasetState.FAILED, failure_reason=reason)
