"""What differs between two versions of a dataset, or two datasets, and which input caused it.

`diff_datasets` compares what was built; `what_would_change` tells before a build what newer inputs there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from refinebio_assets.domain import as_argument
from refinebio_assets.errors import NotFoundError
from refinebio_assets.lake.removals import removal_note
from refinebio_assets.lake.store import Commit, Lake
from refinebio_assets.pipelines.datasets.causes import explain_locks
from refinebio_assets.pipelines.datasets.contents import read_contents
from refinebio_assets.pipelines.datasets.dataset_matrices import (
    ASSET,
    CODE_VERSION,
    assess_dataset,
    dataset_versions,
    read_dataset_lock,
)
from refinebio_assets.pipelines.datasets.lockfile import make_lock
from refinebio_assets.pipelines.datasets.matrix_file import (
    COLUMNS_AT_ONCE,
    matrix_columns,
    matrix_file_name,
    read_dataset_matrix,
)
from refinebio_assets.pipelines.datasets.registry import VERSION_MARK, registered_dataset


@dataclass(frozen=True, slots=True)
class SampleChange:
    """How a sample's values differ in the genes that both have: how many, and by how much at most."""

    sample: str
    changed: int
    largest: float


@dataclass(frozen=True, slots=True)
class MatrixDifference:
    """How one matrix differs. A matrix that only one side has lists all its genes and samples."""

    key: str
    genes_added: tuple[str, ...] = ()
    genes_removed: tuple[str, ...] = ()
    samples_added: tuple[str, ...] = ()
    samples_removed: tuple[str, ...] = ()
    genes_compared: int = 0
    changes: tuple[SampleChange, ...] = ()

    def __bool__(self) -> bool:
        """Tell whether anything differs."""
        lists = (self.genes_added, self.genes_removed, self.samples_added, self.samples_removed)
        return any(lists) or bool(self.changes)


@dataclass(frozen=True, slots=True)
class MetadataChange:
    """A value of the metadata table that differs, of a sample that both have; "" where there is none."""

    sample: str
    column: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class DatasetDifference:
    """How two datasets differ, and why: ``causes`` are sentences about inputs, options and code."""

    matrices: tuple[MatrixDifference, ...]
    causes: tuple[str, ...]
    metadata: tuple[MetadataChange, ...] = ()

    def __bool__(self) -> bool:
        """Tell whether any matrix or metadata differ."""
        return any(self.matrices) or bool(self.metadata)


def dataset_version(lake: Lake, name: str) -> Commit:
    """Return a version of a dataset: ``ID`` is its newest, ``ID@3`` the third.

    Raises NotFoundError, which says what versions there are.
    """
    dataset, separator, number = name.rpartition(VERSION_MARK)
    if not separator or not number.isdecimal():
        dataset, number = name, ""
    versions = dataset_versions(lake, dataset)
    if not versions:
        command = f"refinebio-assets dataset build {as_argument(registered_dataset(lake, dataset).dataset)}"
        raise NotFoundError(f"dataset {dataset} is not built yet: `{command}`")
    if not number:
        return versions[-1]
    for commit in reversed(versions):
        if commit.info["number"] == int(number):
            return commit
    numbers = [str(commit.info["number"]) for commit in versions]
    listed = f"version {numbers[0]}" if len(numbers) == 1 else f"versions {', '.join(numbers)}"
    gone = removal_note(lake, ASSET, dataset) if int(number) < versions[-1].info["number"] else ""
    raise NotFoundError(f"dataset {dataset} has {listed}, and no {number}{gone}")


def diff_datasets(lake: Lake, before: Commit, after: Commit) -> DatasetDifference:
    """Compare two versions of ``dataset_matrices``, of one dataset or of two."""
    old, new = read_dataset_lock(lake, before), read_dataset_lock(lake, after)
    keys = sorted(old["matrices"].keys() | new["matrices"].keys())
    compared = (_compare_matrix(lake, key, before, old, after, new) for key in keys)
    matrices, causes = tuple(item for item in compared if item), explain_locks(old, new)
    try:
        metadata = tuple(_metadata_changes(lake, before, after))
    except NotFoundError as error:
        return DatasetDifference(matrices, (*causes, f"metadata cannot be compared: {error}"))
    return DatasetDifference(matrices, tuple(causes), metadata)


def what_would_change(lake: Lake, dataset: str) -> list[str]:
    """Say what a build would be made from that the newest version was not; empty when nothing is newer."""
    assessed = assess_dataset(lake, dataset)
    head = assessed.situation.head
    if head is None:
        return ["it is not built yet"]
    if not assessed.situation.reasons:
        return []
    lock = make_lock(
        lake,
        dataset=dataset,
        number=0,
        requested_at=assessed.requested_at,
        request=assessed.request,
        code_version=CODE_VERSION,
        pins=assessed.pins,
        targets=assessed.targets,
        selection=assessed.selection,
    )
    return explain_locks(read_dataset_lock(lake, head), lock) or list(assessed.situation.reasons)


def _compare_matrix(
    lake: Lake, key: str, before: Commit, old: Mapping[str, Any], after: Commit, new: Mapping[str, Any]
) -> MatrixDifference:
    first, second = old["matrices"].get(key), new["matrices"].get(key)
    if first == second:
        return MatrixDifference(key)
    sides = [
        _Side.read(lake, commit, key) if matrix is not None else _Side((), ())
        for commit, matrix in ((before, first), (after, second))
    ]
    common = sorted(set(sides[0].genes) & set(sides[1].genes))
    return MatrixDifference(
        key,
        genes_added=_only(sides[1].genes, sides[0].genes),
        genes_removed=_only(sides[0].genes, sides[1].genes),
        samples_added=_only(sides[1].samples, sides[0].samples),
        samples_removed=_only(sides[0].samples, sides[1].samples),
        genes_compared=len(common),
        changes=tuple(_value_changes(lake, key, (before, after), sides, common)),
    )


def _metadata_changes(lake: Lake, before: Commit, after: Commit) -> Iterator[MetadataChange]:
    """Compare what is delivered about samples, column by column. Raises what ``read_contents`` does."""
    old, new = (read_contents(lake, commit).metadata.samples for commit in (before, after))
    for sample in sorted(old.keys() & new.keys()):
        sides = [{**side[sample].refinebio, **side[sample].submitted} for side in (old, new)]
        for column in sorted(sides[0].keys() | sides[1].keys()):
            first, second = (str(side.get(column, "")) for side in sides)
            if first != second:
                yield MetadataChange(sample, column, first, second)


@dataclass(frozen=True, slots=True)
class _Side:
    genes: Sequence[str]
    samples: Sequence[str]

    @classmethod
    def read(cls, lake: Lake, commit: Commit, key: str) -> _Side:
        path = lake.local(commit.file(matrix_file_name(key)))
        genes, _ = read_dataset_matrix(path, [])
        return cls(genes, matrix_columns(path))


def _only(names: Sequence[str], others: Sequence[str]) -> tuple[str, ...]:
    known = set(others)
    return tuple(name for name in names if name not in known)


def _value_changes(
    lake: Lake, key: str, commits: tuple[Commit, Commit], sides: Sequence[_Side], common: Sequence[str]
) -> Iterator[SampleChange]:
    """Compare the samples that both have, some at a time."""
    shared = [name for name in sides[0].samples if name in set(sides[1].samples)]
    if not common:
        return
    places = [{gene: number for number, gene in enumerate(side.genes)} for side in sides]
    rows = [np.array([place[gene] for gene in common]) for place in places]
    paths = [lake.local(commit.file(matrix_file_name(key))) for commit in commits]
    for start in range(0, len(shared), COLUMNS_AT_ONCE):
        chunk = shared[start : start + COLUMNS_AT_ONCE]
        first, second = (
            read_dataset_matrix(path, chunk)[1][own].astype(np.float64)
            for path, own in zip(paths, rows, strict=True)
        )
        both_missing = np.isnan(first) & np.isnan(second)
        changed = (first != second) & ~both_missing
        sizes = np.where(changed, np.abs(first - second), 0.0)
        largest = np.where(np.isnan(sizes), np.inf, sizes).max(axis=0, initial=0.0)
        for name, count, size in zip(chunk, changed.sum(axis=0).tolist(), largest.tolist(), strict=True):
            if count:
                yield SampleChange(name, count, size)
