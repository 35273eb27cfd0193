"""What a commit or a lockfile needs of the lake, so that it must not be removed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from refinebio_assets.errors import NotFoundError
from refinebio_assets.lake.naming import encode_name
from refinebio_assets.lake.rows import read_rows
from refinebio_assets.lake.store import Commit, Lake
from refinebio_assets.pipelines import sample_quantification, sample_quantifications
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

    A commit that was removed meanwhile needs nothing, and one that is not the newest nothing more than its
    record says where a table or lockfile that tells more is lost: it cannot be read any more. Raises
    CorruptionError when one is damaged, NotFoundError when that of the newest is lost.
    """
    try:
        return _uses(lake, commit)
    except NotFoundError:
        if lake.storage.size(commit.entry.path) is None:
            return Uses()
        head = lake.head(commit.asset, commit.partition)
        if head is None or head.id == commit.id:
            raise
        return _uses_by_record(commit)


def _uses(lake: Lake, commit: Commit) -> Uses:
    uses = _uses_by_record(commit)
    if _has_results(commit):
        rows = read_rows(lake, commit, "results")
        uses |= Uses(paths=frozenset(row["file_path"] for row in rows if row["file_path"]))
    if commit.asset == dataset_matrices.ASSET:
        uses |= uses_of_lock(dataset_matrices.read_dataset_lock(lake, commit))
    return uses


def _uses_by_record(commit: Commit) -> Uses:
    versions = frozenset((ref.asset, ref.partition, ref.version) for ref in commit.inputs)
    return Uses(versions, frozenset(), frozenset(_paths_of_others(commit)))


def used_assets(commit: Commit) -> set[str]:
    """Return the encoded names of the assets of which a commit uses versions, from its record alone."""
    assets = {encode_name(ref.asset) for ref in commit.inputs}
    paths = (path.split("/", 2) for path in _paths_of_others(commit))
    assets |= {asset for top, asset, _ in paths if top == "assets"}
    return assets | ({sample_quantification.ASSET} if _has_results(commit) else set())


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
    for organism, version in lock.get("targets", {}).items():
        yield TARGETS, organism, version
    for place, reference in lock.get("references", {}).items():
        asset, partition, _ = place.split("/")
        yield asset, partition, reference["version"]


def _paths_of_others(commit: Commit) -> set[str]:
    own = f"{commit.entry.folder}/"
    return {file.path for file in commit.files if not file.path.startswith(own)}


def _has_results(commit: Commit) -> bool:
    return commit.asset == sample_quantifications.ASSET and "results" in commit.tables
