"""Which samples of an experiment have expression values that a dataset can take, and why others have none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from refinebio_assets.domain import Pipeline, Technology, Verdict
from refinebio_assets.lake.rows import read_rows
from refinebio_assets.lake.store import Commit, Lake
from refinebio_assets.pipelines import experiment_record, gene_expression, sample_quantifications
from refinebio_assets.pipelines.array_values import GENES
from refinebio_assets.pipelines.gene_expression import matrix_samples
from refinebio_assets.pipelines.registry import EXPERIMENT_REGISTRATION, registered_experiment
from refinebio_assets.sources.accessions import spellings


@dataclass(frozen=True, slots=True)
class Candidate:
    """One sample as a dataset sees it.

    ``problem`` says why it has no expression values of genes, ``quant_sf_problem`` why it has no
    ``quant.sf``; each is empty when it has.
    """

    sample: str
    organism: str
    technology: Technology
    problem: str
    quant_sf_problem: str

    @property
    def processed(self) -> bool:
        """Whether it has expression values of genes."""
        return not self.problem


def registered_name(lake: Lake, experiment: str) -> str:
    """Return the name under which an experiment is here, however it was spelled; as given when it is not."""
    names = spellings(experiment)
    return next((name for name in names if lake.head(EXPERIMENT_REGISTRATION, name) is not None), experiment)


def experiment_candidates(lake: Lake, accession: str) -> dict[str, Candidate] | None:
    """Return the samples of an experiment in its order, or None when there is no such experiment."""
    record = lake.head(experiment_record.ASSET, accession)
    if record is None:
        return _registered_only(lake, accession)
    made = lake.head(gene_expression.ASSET, accession)
    quantified = lake.head(sample_quantifications.ASSET, accession)
    return pinned_candidates(lake, accession, record, made, quantified)


def pinned_candidates(
    lake: Lake, accession: str, record: Commit, made: Commit | None, quantified: Commit | None
) -> dict[str, Candidate]:
    """Return the samples of an experiment as these commits of its record, matrices and results have them."""
    problems = _Problems.of(lake, accession, made, quantified)
    return {
        row["sample"]: Candidate(
            row["sample"],
            row["organism"],
            Technology(row["technology"]),
            problems.of_values(row),
            problems.of_quant_sf(row),
        )
        for row in read_rows(lake, record, "samples")
    }


def _registered_only(lake: Lake, accession: str) -> dict[str, Candidate] | None:
    if lake.head(EXPERIMENT_REGISTRATION, accession) is None:
        return None
    experiment, _ = registered_experiment(lake, accession)
    problem = f"it is not processed yet: `refinebio-assets process {accession}`"
    return {
        sample.accession: Candidate(sample.accession, sample.organism, sample.technology, problem, problem)
        for sample in experiment.samples
    }


@dataclass(frozen=True, slots=True)
class _Problems:
    """What is known of an experiment's samples: where their values are, and why some have none."""

    accession: str
    levels: Mapping[str, str]
    dropped: Mapping[str, str]
    results: Mapping[str, Mapping[str, Any]]

    @classmethod
    def of(cls, lake: Lake, accession: str, made: Commit | None, quantified: Commit | None) -> _Problems:
        levels: dict[str, str] = {}
        dropped: dict[str, str] = {}
        if made is not None:
            dropped = {row["item"]: row["reason"] for row in read_rows(lake, made, "dropped")}
            for row in read_rows(lake, made, "matrices"):
                level = row["level"] or GENES
                levels |= dict.fromkeys(matrix_samples(lake, made, row["matrix"]), level)
        results = read_rows(lake, quantified, "results") if quantified is not None else []
        return cls(accession, levels, dropped, {row["sample"]: row for row in results})

    def of_values(self, row: Mapping[str, Any]) -> str:
        """Say why a sample (its row of ``samples``) has no expression values; empty when it has."""
        level = self.levels.get(row["sample"])
        if level is None:
            return self._of_result(row) or self._not_yet
        if level == GENES:
            return ""
        return (
            f"its values are of probe sets, as nothing says which genes the probes of {row['platform']} "
            "measure; give them with `refinebio-assets reference add-platform --brainarray FILE` and "
            f"process {self.accession} again"
        )

    def of_quant_sf(self, row: Mapping[str, Any]) -> str:
        """Say why a sample has no ``quant.sf``; empty when it has."""
        if row["technology"] != Technology.RNA_SEQ:
            return f"it is not RNA-seq but {row['technology']}"
        result = self.results.get(row["sample"])
        if result is not None and result["verdict"] == Verdict.PROCESSED:
            return ""
        return self._of_result(row) or self._not_yet

    def _of_result(self, row: Mapping[str, Any]) -> str:
        """Return the reason on record: of the newest step that said something."""
        result = self.results.get(row["sample"])
        if row["sample"] in self.dropped:
            return self.dropped[row["sample"]]
        if result is not None and result["verdict"] != Verdict.PROCESSED:
            return str(result["reason"] or "")
        if row["pipeline"] == Pipeline.NONE:
            return f"no pipeline serves it: {row['pipeline_reason']}"
        return ""

    @property
    def _not_yet(self) -> str:
        return f"it is not processed yet: `refinebio-assets process {self.accession}`"
