"""What a use case reports back: which commit holds its result, whether it is new, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from refinebio_assets.domain import DropKind, Dropped, first_lines
from refinebio_assets.errors import AllFailedError, AllFailedForNowError, NotFoundError
from refinebio_assets.lake.rows import read_rows
from refinebio_assets.lake.store import Commit, Lake
from refinebio_assets.pipelines.freshness import Basis, explain_changes


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one step for one partition.

    ``changed`` is False when the newest commit already held this result and nothing was written.
    ``reasons`` say why work was done, one sentence each. ``sample_reasons`` say it a sample.
    """

    commit: Commit
    changed: bool
    reasons: tuple[str, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    sample_reasons: Mapping[str, str] = field(default_factory=dict)

    @property
    def dropped_samples(self) -> list[Dropped]:
        """What was dropped, samples only."""
        return [item for item in self.dropped if item.kind == DropKind.SAMPLE]


@dataclass(frozen=True, slots=True)
class Situation:
    """How a partition stands: its newest commit, what it should be made of now, and what differs."""

    head: Commit | None
    basis: Basis
    reasons: tuple[str, ...]

    @property
    def current(self) -> Commit | None:
        """The newest commit if it needs no work, else None."""
        return None if self.reasons else self.head


def situation_of(lake: Lake, head: Commit | None, basis: Basis) -> Situation:
    """Return how a partition stands whose newest commit is ``head``: what differs, and if files are lost."""
    reasons = explain_changes(head.info["basis"] if head else None, basis)
    if not is_whole(lake, head):
        reasons.append(NOT_WHOLE)
    return Situation(head, basis, tuple(reasons))


def is_whole(lake: Lake, commit: Commit | None) -> bool:
    """Tell whether no file of a commit is lost or cut; no commit lacks nothing."""
    return commit is None or not lake.missing_files(commit)


NOT_WHOLE = "its files are no longer whole in the lake"
MEANWHILE = ("another build made it meanwhile",)
"""The reasons of an outcome that another process's commit is."""


def made_meanwhile(lake: Lake, asset: str, partition: str, situation: Situation) -> Commit | None:
    """Return what another build made of the same inputs since a situation was assessed, if there is such."""
    before, head = situation.head, lake.head(asset, partition)
    if head is None or (before is not None and head.id == before.id):
        return None
    return head if head.info["basis"] == situation.basis and is_whole(lake, head) else None


MAX_REASONS = 20
"""Samples named in a message; all of them are in the table ``dropped``."""


def all_failed(what: str, dropped: Sequence[Dropped]) -> AllFailedError | AllFailedForNowError:
    """Return the error for a step that left no sample: transient if any of them may succeed later."""
    lines = first_lines([f"{item.item}: {item.reason}" for item in dropped], MAX_REASONS)
    message = "\n  - ".join([f"{what}:", *lines])
    if all(item.permanent for item in dropped):
        return AllFailedError(message)
    return AllFailedForNowError(message)


def require_head(lake: Lake, asset: str, partition: str) -> Commit:
    """Return the newest commit of an asset's partition; NotFoundError when there is none."""
    head = lake.head(asset, partition)
    if head is None:
        raise NotFoundError(f"{partition} has no {asset} yet; materialize it first")
    return head


def require_commit(lake: Lake, asset: str, partition: str, commit_id: str) -> Commit:
    """Return a commit by its id; NotFoundError when it is no longer in the lake."""
    commit = lake.find(asset, partition, commit_id)
    if commit is None:
        raise NotFoundError(f"commit {commit_id} of {asset} of {partition} is no longer in the lake")
    return commit


def commit_of_version(lake: Lake, asset: str, partition: str, version: str) -> Commit | None:
    """Return the newest commit with this version that is whole, else the newest with it, or None."""
    found = [commit for commit in reversed(lake.history(asset, partition)) if commit.version == version]
    whole = (commit for commit in found if not lake.missing_files(commit))
    return next(whole, found[0] if found else None)


def dropped_rows(dropped: Sequence[Dropped]) -> list[dict[str, object]]:
    """Return rows for the lake's table ``dropped``."""
    return [
        {
            "kind": str(item.kind),
            "item": item.item,
            "step": item.step,
            "reason": item.reason,
            "permanent": item.permanent,
        }
        for item in dropped
    ]


def dropped_before(lake: Lake, commit: Commit) -> tuple[Dropped, ...]:
    """Return what an earlier commit recorded as dropped."""
    if "dropped" not in commit.tables:
        return ()
    return tuple(
        Dropped(DropKind(row["kind"]), row["item"], row["step"], row["reason"], row["permanent"])
        for row in read_rows(lake, commit, "dropped")
    )
