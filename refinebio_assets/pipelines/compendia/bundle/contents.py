"""A compendium read back from the lake, with the metadata of its samples, one experiment at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from refinebio_assets.domain import DropKind, Dropped
from refinebio_assets.formats.compendium_store import CompendiumStore
from refinebio_assets.lake.rows import read_rows
from refinebio_assets.lake.store import Commit, Lake
from refinebio_assets.pipelines import gene_expression
from refinebio_assets.pipelines.compendia.findings import read_findings
from refinebio_assets.pipelines.compendia.lock import considered, read_compendium_lock
from refinebio_assets.pipelines.compendia.normalized_compendium import FOLDER
from refinebio_assets.pipelines.delivery.lock_entries import pinned, pinned_references
from refinebio_assets.pipelines.delivery.metadata import (
    SampleMetadata,
    attributes_of,
    experiment_metadata,
    experiment_samples,
)
from refinebio_assets.pipelines.delivery.metadata_files import ACCESSION
from refinebio_assets.pipelines.delivery.pins import Pins, newest_pins
from refinebio_assets.pipelines.experiment_record import recorded_experiment
from refinebio_assets.pipelines.outcome import dropped_before

SHARE = "refinebio_share_imputed"
"""The column that says which share of a sample's values was imputed."""


@dataclass(frozen=True, slots=True)
class Contents:
    """One version of a compendium; ``pins`` are what its metadata are read from."""

    lake: Lake
    commit: Commit
    row: Mapping[str, Any]
    lock: Mapping[str, Any]
    findings: Mapping[str, Any]
    store: CompendiumStore
    pins: Pins
    dropped: tuple[Dropped, ...]

    @property
    def organism(self) -> str:
        """The organism, which names the files."""
        return self.commit.partition

    @property
    def imputed(self) -> bool:
        """Whether any value was imputed."""
        return bool(self.row["share_missing"] and self.row["imputation"] != "none")

    def whole_lock(self) -> dict[str, Any]:
        """Return the compendium's lock with what its metadata are read from."""
        return {
            **self.lock,
            "experiments": {
                name: {step: pinned(commit) for step, commit in own.commits()}
                for name, own in self.pins.experiments.items()
            },
            "attributes": {commit.partition: pinned(commit) for commit in self.pins.attributes},
            "references": dict(pinned_references(self.lake, self.pins)),
            "result": {"version": self.commit.version, "genes": self.row["genes"]},
        }

    def dropped_genes(self) -> list[Dropped]:
        """Return the genes that are left out."""
        return [item for item in self.dropped if item.kind == DropKind.GENE]

    def filtered(self) -> dict[str, dict[str, str]]:
        """Return the reason why samples are left out: experiment -> sample -> reason."""
        reasons = {item.item: item.reason for item in self.dropped if item.kind == DropKind.SAMPLE}
        found = {
            experiment: {name: reasons[name] for name in samples if name in reasons}
            for experiment, samples in considered(self.lock).items()
        }
        return {experiment: samples for experiment, samples in found.items() if samples}


@dataclass(frozen=True, slots=True)
class Described:
    """An experiment of a compendium, and those of its samples that are in it, in the store's order."""

    accession: str
    experiment: Mapping[str, Any]
    samples: list[SampleMetadata]


def read_contents(lake: Lake, commit: Commit) -> Contents:
    """Read a compendium, to be described by the newest metadata.

    Raises NotFoundError that names the experiments without a record.
    """
    lock = read_compendium_lock(lake, commit)
    (row,) = read_rows(lake, commit, "compendia")
    store = CompendiumStore(lake.local_folder(commit, FOLDER))
    pins = compendium_pins(lake, lock)
    dropped = dropped_before(lake, commit)
    return Contents(lake, commit, row, lock, read_findings(lake, commit), store, pins, dropped)


def compendium_pins(lake: Lake, lock: Mapping[str, Any]) -> Pins:
    """Return the newest metadata of a compendium's experiments, beside the matrices it was made from."""
    commits = {matrix["experiment"]: matrix["commit"] for matrix in lock["matrices"]}
    pins = newest_pins(lake, sorted(considered(lock)))
    own = {
        name: replace(item, expression=_matrices_of(lake, name, commits.get(name)))
        for name, item in pins.experiments.items()
    }
    return Pins(own, pins.attributes)


def described(contents: Contents) -> Iterator[Described]:
    """Yield the experiments with the metadata of their samples, in the order of the store."""
    store = contents.store
    columns = [store.samples.column(name).to_pylist() for name in ("sample", "experiment", "share_missing")]
    others = attributes_of(contents.lake, contents.pins.attributes, set(map(str, columns[0])))
    share = 1.0 if contents.imputed else 0.0
    for experiment, run in groupby(zip(*columns, strict=True), key=lambda row: str(row[1])):
        shares = {str(name): float(missing) * share for name, _, missing in run}
        yield _described(contents, experiment, shares, others)


def described_filtered(contents: Contents) -> Iterator[tuple[SampleMetadata, str, str]]:
    """Yield the samples that are left out, each with its experiment and the reason."""
    filtered = contents.filtered()
    names = {name for samples in filtered.values() for name in samples}
    others = attributes_of(contents.lake, contents.pins.attributes, names)
    for experiment, reasons in filtered.items():
        for sample in _described(contents, experiment, dict.fromkeys(reasons, 0.0), others).samples:
            yield sample, experiment, reasons[sample.sample]


def _described(
    contents: Contents, experiment: str, shares: Mapping[str, float], others: Mapping[str, Mapping[str, str]]
) -> Described:
    pins = contents.pins.experiments[experiment]
    record = recorded_experiment(contents.lake, pins.record)
    found = {
        item.sample: item for item in experiment_samples(contents.lake, pins, record, list(shares), others)
    }
    samples = [
        _with_share(found.get(name) or SampleMetadata(name, {ACCESSION: name}, {}, ()), share)
        for name, share in shares.items()
    ]
    return Described(experiment, experiment_metadata(record), samples)


def _with_share(sample: SampleMetadata, share: float) -> SampleMetadata:
    return replace(sample, refinebio={**sample.refinebio, SHARE: round(share, 6)})


def _matrices_of(lake: Lake, experiment: str, commit: str | None) -> Commit | None:
    """Return the matrices that a compendium was made from; None for an experiment all left out."""
    return lake.find(gene_expression.ASSET, experiment, commit) if commit else None
