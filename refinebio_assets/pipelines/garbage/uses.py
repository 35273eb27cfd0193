"""What a commit or a lockfile needs of the lake, so that it must not be removed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from refinebio_assets.lake.rows import read_rows
from refinebio_assets.lake.store import Commit, Lake
from refinebio_assets.pipelines import sample_quantifications
from refinebio_assets.pipelines.datasets import dataset_matrices
from refinebio_assets.pipelines.delivery.pins import STEPS
from refinebio_assets.pipelines.metadata_overlays import ATTRIBUTES
from refinebio_assets.pipelines.targets.target import ASSET as TARGETS

Version = tuple[str, str, str]
"""Asset, partition, version."""


@dataclass(frozen=True, slots=True)
class Uses:
    """Versions, commits by their id, and files by their path in the lake."""

    versions: frozenset[Version] = frozenset()
    commits: frozenset[str] = frozenset()
    paths: frozenset[str] = frozenset()

    def __or__(self, other: Uses) -> Uses:
        """Return what either needs."""
        return Uses(self.versions | other.versions, self.commits | other.commits, self.paths | other.paths)


def uses_of_commit(lake: Lake, commit: Commit) -> Uses:
    """Return what a commit was made from, the files of others that it lists, and what its lockfile pins.

    Raises CorruptionError or NotFoundError when a table or lockfile that tells cannot be read.
    """
    own = f"{commit.entry.folder}/"
    paths = {file.path for file in commit.files if not file.path.startswith(own)}
    if commit.asset == sample_quantifications.ASSET and "results" in commit.tables:
        paths |= {row["file_path"] for row in read_rows(lake, commit, "results") if row["file_path"]}
    versions = frozenset((ref.asset, ref.partition, ref.version) for ref in commit.inputs)
    uses = Uses(versions, frozenset(), frozenset(paths))
    if commit.asset == dataset_matrices.ASSET:
        uses |= uses_of_lock(dataset_matrices.read_dataset_lock(lake, commit))
    return uses


def uses_of_lock(lock: Mapping[str, Any]) -> Uses:
    """Return what a lockfile pins: commits of experiments and attributes, targets, references."""
    steps = [step for pinned in lock["experiments"].values() for step in pinned.values()]
    commits = {step["commit"] for step in [*steps, *lock.get("attributes", {}).values()]}
    return Uses(frozenset(_pinned_versions(lock)), frozenset(commits), frozenset())


def _pinned_versions(lock: Mapping[str, Any]) -> Iterator[Version]:
    for experiment, steps in lock["experiments"].items():
        for step, pinned in steps.items():
            yield STEPS[step], experiment, pinned["version"]
    for name, pinned in lock.get("attributes", {}).items():
        yield ATTRIBUTES, name, pinned["version"]
    for organism, version in lock["targets"].items():
        yield TARGETS, organism, version
    for place, reference in lock.get("references", {}).items():
        asset, partition, _ = place.split("/")
        yield asset, partition, reference["version"]
