"""The exact commits that a delivery is made from: the newest ones, or those that a lockfile names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from shlex import quote
from typing import Any

from refinebio_assets.errors import NotFoundError
from refinebio_assets.lake.removals import Asked, removal_notes
from refinebio_assets.lake.store import Commit, InputRef, Lake
from refinebio_assets.pipelines import (
    experiment_record,
    gene_expression,
    harmonized_metadata,
    sample_quantifications,
)
from refinebio_assets.pipelines.metadata_overlays import ATTRIBUTES

STEPS = {
    "record": experiment_record.ASSET,
    "metadata": harmonized_metadata.ASSET,
    "quantified": sample_quantifications.ASSET,
    "expression": gene_expression.ASSET,
}
"""Which asset each of an experiment's pins is a commit of."""


@dataclass(frozen=True, slots=True)
class ExperimentPins:
    """The commits of one experiment; None for a step that was not made yet."""

    accession: str
    record: Commit
    metadata: Commit | None = None
    quantified: Commit | None = None
    expression: Commit | None = None

    def commits(self) -> Iterator[tuple[str, Commit]]:
        """Yield (step, commit) of the steps that were made."""
        for step in STEPS:
            commit = getattr(self, step)
            if commit is not None:
                yield step, commit


@dataclass(frozen=True, slots=True)
class Pins:
    """All commits that determine a delivery: those of its experiments, and what others say of samples."""

    experiments: Mapping[str, ExperimentPins]
    attributes: tuple[Commit, ...] = ()

    def commits(self) -> list[Commit]:
        """Return all of them."""
        own = [commit for pins in self.experiments.values() for _, commit in pins.commits()]
        return [*own, *self.attributes]

    def inputs(self) -> list[InputRef]:
        """Return all of them as inputs of a commit."""
        return [InputRef(commit.asset, commit.partition, commit.version) for commit in self.commits()]

    def basis(self) -> dict[str, Any]:
        """Return their versions under words that people understand."""
        return {f"{commit.asset} of {commit.partition}": commit.version for commit in self.commits()}


def newest_pins(lake: Lake, experiments: Sequence[str]) -> Pins:
    """Return what would be made from these experiments now.

    Raises NotFoundError naming every experiment that has no record.
    """
    found = {name: {step: lake.head(asset, name) for step, asset in STEPS.items()} for name in experiments}
    pinned = {
        name: ExperimentPins(name, record, commits["metadata"], commits["quantified"], commits["expression"])
        for name, commits in found.items()
        if (record := commits["record"]) is not None
    }
    unknown = [name for name in experiments if name not in pinned]
    if unknown:
        raise NotFoundError(f"nothing is known of {', '.join(unknown)}: process them first")
    heads = [head for name in lake.partitions(ATTRIBUTES) if (head := lake.head(ATTRIBUTES, name))]
    _require_whole(lake, pinned.values(), heads)
    return Pins(pinned, tuple(heads))


def _require_whole(lake: Lake, pinned: Iterable[ExperimentPins], attributes: Iterable[Commit]) -> None:
    """Raise NotFoundError that names what is lost of the newest commits, and what makes it again."""
    lost = []
    for pins in pinned:
        assets = [commit.asset for _, commit in pins.commits() if lake.missing_files(commit)]
        if assets:
            command = f"refinebio-assets process {quote(pins.accession)}"
            lost.append(f"`{command}` makes again {', '.join(assets)} of {pins.accession}")
    lost += [
        f"`refinebio-assets metadata import-attributes {quote(commit.info['origin'])} "
        f"--source {quote(commit.partition)}` makes its attributes again"
        for commit in attributes
        if lake.missing_files(commit)
    ]
    if lost:
        raise NotFoundError("\n  - ".join(["what it is made from is no longer whole in the lake:", *lost]))


def exact_pins(
    lake: Lake,
    experiments: Mapping[str, Mapping[str, str]],
    attributes: Mapping[str, str],
) -> Pins:
    """Return the commits with these ids: experiment -> step -> id, and import of attributes -> id.

    Raises NotFoundError naming every one that is no longer in the lake, with its files.
    """
    missing: list[str] = []
    gone: list[Asked] = []
    pinned = {}
    for name, ids in experiments.items():
        commits = {
            step: _exact(lake, Asked(STEPS[step], name, commit_id=ids[step]), gone, missing)
            for step in STEPS
            if step in ids
        }
        record = commits.pop("record", None)
        if record is not None:
            pinned[name] = ExperimentPins(name, record, **commits)
        elif "record" not in ids:
            missing.append(f"experiment_record of {name}")
    imports = [
        _exact(lake, Asked(ATTRIBUTES, name, commit_id=commit_id), gone, missing)
        for name, commit_id in attributes.items()
    ]
    missing += [
        f"{item.asset} of {item.partition}, commit {item.commit_id}{note}"
        for item, note in zip(gone, removal_notes(lake, gone), strict=True)
    ]
    if missing:
        listed = "\n".join(f"  - {line}" for line in missing)
        raise NotFoundError(f"what the lockfile names is no longer in the lake:\n{listed}")
    return Pins(pinned, tuple(commit for commit in imports if commit is not None))


def _exact(lake: Lake, wanted: Asked, gone: list[Asked], missing: list[str]) -> Commit | None:
    commit = lake.find(wanted.asset, wanted.partition, wanted.commit_id)
    if commit is None:
        gone.append(wanted)
        return None
    lost = lake.missing_files(commit)
    missing += [f"{name} of {commit}" for name in lost]
    return commit
