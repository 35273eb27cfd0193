"""Which experiments an RNA-seq sample compendium is made of. Names and numbers are kept of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from refinebio_assets.domain import Technology, Verdict
from refinebio_assets.lake.rows import read_rows
from refinebio_assets.lake.store import Commit, InputRef, Lake, LogEntry
from refinebio_assets.pipelines import experiment_record, harmonized_metadata, sample_quantifications
from refinebio_assets.pipelines.delivery.pins import ExperimentPins, Pins
from refinebio_assets.pipelines.freshness import content_hash
from refinebio_assets.pipelines.metadata_overlays import ATTRIBUTES
from refinebio_assets.pipelines.read_quantification import QUANT_FILE


@dataclass(frozen=True, slots=True)
class ExperimentPart:
    """An experiment of a compendium: the commits it is read from, and how much there is.

    ``samples`` counts its RNA-seq samples of the organism, ``quantified`` those with a ``quant.sf``, whose
    gzipped files have ``size`` bytes in all. ``newest`` is the moment of its newest commit.
    """

    experiment: str
    record: LogEntry
    metadata: LogEntry | None
    results: LogEntry
    inputs: tuple[InputRef, ...]
    samples: int
    quantified: int
    size: int
    newest: str

    def basis(self) -> dict[str, Any]:
        """Return what determines its folder, under words that people understand."""
        versions = {ref.asset: ref.version for ref in self.inputs}
        results = versions.pop(sample_quantifications.ASSET)
        return {
            f"samples of {self.experiment}": [results, self.samples],
            f"metadata of {self.experiment}": content_hash(versions),
        }

    def pins(self, lake: Lake, attributes: tuple[Commit, ...]) -> Pins:
        """Read its commits."""
        pins = ExperimentPins(
            self.experiment,
            lake.read(self.record),
            None if self.metadata is None else lake.read(self.metadata),
            lake.read(self.results),
        )
        return Pins({self.experiment: pins}, attributes)


@dataclass(frozen=True, slots=True)
class Choice:
    """All that an organism's compendium is made of: experiments by name, and what others say of samples."""

    parts: tuple[ExperimentPart, ...]
    attributes: tuple[Commit, ...]

    @property
    def quantified(self) -> int:
        """How many ``quant.sf`` files there are; one of two experiments counts twice."""
        return sum(part.quantified for part in self.parts)

    def basis(self) -> dict[str, Any]:
        """Return what determines the compendium's content."""
        basis: dict[str, Any] = {
            f"{commit.asset} of {commit.partition}": commit.version for commit in self.attributes
        }
        for part in self.parts:
            basis |= part.basis()
        return basis

    def inputs(self) -> Iterator[InputRef]:
        """Yield all commits as inputs of a commit."""
        for part in self.parts:
            yield from part.inputs
        for commit in self.attributes:
            yield InputRef(commit.asset, commit.partition, commit.version)


def choose_experiments(lake: Lake, organism: str) -> Choice:
    """Return the processed experiments with RNA-seq samples of an organism, each at its newest version."""
    parts = (_part(lake, organism, name) for name in lake.partitions(sample_quantifications.ASSET))
    heads = (lake.head(ATTRIBUTES, name) for name in lake.partitions(ATTRIBUTES))
    return Choice(
        tuple(part for part in parts if part is not None),
        tuple(head for head in heads if head is not None),
    )


def sequenced_samples(lake: Lake, record: Commit, organism: str) -> list[str]:
    """Return the RNA-seq samples of an organism that an experiment's record lists, sorted."""
    return sorted(
        row["sample"]
        for row in read_rows(lake, record, "samples")
        if row["organism"] == organism and row["technology"] == Technology.RNA_SEQ
    )


def _part(lake: Lake, organism: str, experiment: str) -> ExperimentPart | None:
    record, results = (
        lake.head(asset, experiment) for asset in (experiment_record.ASSET, sample_quantifications.ASSET)
    )
    if record is None or results is None:
        return None
    samples = set(sequenced_samples(lake, record, organism))
    if not samples:
        return None
    rows = [
        row for row in read_rows(lake, results, "results") if row["sample"] in samples and has_quant_sf(row)
    ]
    metadata = lake.head(harmonized_metadata.ASSET, experiment)
    commits = [commit for commit in (record, metadata, results) if commit is not None]
    return ExperimentPart(
        experiment,
        record.entry,
        None if metadata is None else metadata.entry,
        results.entry,
        tuple(InputRef(commit.asset, commit.partition, commit.version) for commit in commits),
        len(samples),
        len(rows),
        sum(row["file_size"] for row in rows),
        max(commit.created_at for commit in commits).isoformat(),
    )


def has_quant_sf(row: Mapping[str, Any]) -> bool:
    """Tell whether a row of ``results`` is of a sample with a ``quant.sf``."""
    return row["verdict"] == Verdict.PROCESSED and str(row["file_path"]).endswith(QUANT_FILE)
