"""Which samples make an organism's target: those of its most populous Affymetrix array, or its RNA-seq.

Only what was processed from raw data takes part. How samples are added up is in ``accumulation``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from refinebio_assets.domain import Manufacturer, Processing, Technology, counted
from refinebio_assets.errors import PermanentError
from refinebio_assets.lake.rows import read_rows
from refinebio_assets.lake.store import Commit, Lake
from refinebio_assets.pipelines import gene_expression
from refinebio_assets.pipelines.array_values import GENES
from refinebio_assets.pipelines.gene_expression import matrix_samples
from refinebio_assets.pipelines.targets.settings import AUTOMATIC
from refinebio_assets.platforms.illumina_arrays import illumina_package
from refinebio_assets.platforms.microarrays import find_microarray
from refinebio_assets.platforms.readable import accession_in


@dataclass(frozen=True, slots=True, eq=False)
class SourceMatrix:
    """One matrix of an experiment, with its samples; ``reference`` is the index that made it, or empty."""

    commit: Commit
    name: str
    version: str
    technology: Technology
    platform: str
    reference: str
    samples: tuple[str, ...]

    @property
    def experiment(self) -> str:
        """The experiment it is of."""
        return self.commit.partition

    @property
    def origin(self) -> str:
        """What its samples must share with others to be in one target: array, or index of transcripts."""
        return accession_in(self.platform) if self.technology == Technology.MICROARRAY else self.reference


@dataclass(frozen=True, slots=True, eq=False)
class TargetSource:
    """The matrices that a target is made of; each sample is counted in the first that has it.

    ``platform`` is the array's name for people (empty for RNA-seq), ``reference`` the version of the
    transcriptome index.
    """

    technology: Technology
    platform: str
    reference: str
    matrices: tuple[SourceMatrix, ...]

    @property
    def samples(self) -> int:
        """How many different samples the matrices have."""
        return _samples(self.matrices)

    @property
    def name(self) -> str:
        """What the samples are of, for messages."""
        if self.technology == Technology.MICROARRAY:
            return self.platform
        return f"RNA-seq by the index or gene map {self.reference[:12]}" if self.reference else "RNA-seq"


def target_source(lake: Lake, organism: str, technology: str = AUTOMATIC) -> TargetSource:
    """Return what an organism's target is made of.

    ``technology`` is one of ``settings.TECHNOLOGIES``; automatic takes RNA-seq only for an organism
    without an Affymetrix sample. Of several arrays, or indices, the one with the most samples is taken.

    Raises PermanentError when the lake has no sample that could take part, saying why none of those that
    it has could.
    """
    matrices, unfit = _organism_matrices(lake, organism)
    for wanted in (Technology.MICROARRAY, Technology.RNA_SEQ):
        fitting = [matrix for matrix in matrices if matrix.technology == wanted]
        if fitting and technology in (AUTOMATIC, str(wanted)):
            return _most_populous(fitting)
    wanted_samples = "" if technology == AUTOMATIC else f" {technology}"
    reasons = "".join(f"\n  - {_are(samples)} {reason}" for reason, samples in unfit.items())
    others = _samples(matrices)
    if others:
        reasons += f"\n  - {_are(others)} of another technology than was asked for"
    raise PermanentError(
        f"{organism} has no{wanted_samples} samples that a target is made of: Affymetrix arrays or RNA-seq, "
        f"processed from raw data to genes{reasons or _meant(lake, organism)}"
    )


def _are(samples: int) -> str:
    return f"{counted(samples, 'sample')} {'is' if samples == 1 else 'are'}"


def _meant(lake: Lake, organism: str) -> str:
    """Ask whether an organism of the lake was meant by a name of which it has nothing."""
    heads = [
        lake.head(gene_expression.ASSET, experiment) for experiment in lake.partitions(gene_expression.ASSET)
    ]
    known = {
        row["organism"] for head in heads if head is not None for row in read_rows(lake, head, "matrices")
    }
    near = get_close_matches(organism, sorted(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""


def _most_populous(matrices: Sequence[SourceMatrix]) -> TargetSource:
    groups: dict[str, list[SourceMatrix]] = {}
    for matrix in matrices:
        groups.setdefault(matrix.origin, []).append(matrix)
    # Of equally populous ones the first by name, so that the choice does not depend on the order.
    origin = min(groups, key=lambda key: (-_samples(groups[key]), key))
    chosen, first = groups[origin], groups[origin][0]
    arrays = first.technology == Technology.MICROARRAY
    return TargetSource(first.technology, first.platform if arrays else "", first.reference, tuple(chosen))


def _samples(matrices: Iterable[SourceMatrix]) -> int:
    return len({sample for matrix in matrices for sample in matrix.samples})


def _organism_matrices(lake: Lake, organism: str) -> tuple[list[SourceMatrix], dict[str, int]]:
    """Return the matrices that could make a target, and how many samples are unfit for which reason."""
    found = []
    unfit: dict[str, int] = {}
    for experiment in lake.partitions(gene_expression.ASSET):
        commit = lake.head(gene_expression.ASSET, experiment)
        if commit is None:
            continue
        for row in read_rows(lake, commit, "matrices"):
            if row["organism"] != organism:
                continue
            reason = _why_unfit(row)
            if reason:
                unfit[reason] = unfit.get(reason, 0) + row["samples"]
            else:
                found.append(_source_matrix(lake, commit, row))
    return found, unfit


def _source_matrix(lake: Lake, commit: Commit, row: Mapping[str, Any]) -> SourceMatrix:
    return SourceMatrix(
        commit=commit,
        name=row["matrix"],
        version=row["version"],
        technology=Technology(row["technology"]),
        platform=row["platform"] or "",
        reference=row["reference"] or "",
        samples=tuple(matrix_samples(lake, commit, row["matrix"])),
    )


def _why_unfit(row: Mapping[str, Any]) -> str:
    """Say what keeps a matrix's samples from making a target; empty when nothing does."""
    if (row["processing"] or Processing.FROM_RAW) != Processing.FROM_RAW:
        return "submitter-processed"
    if (row["level"] or GENES) != GENES:
        return f"of probe sets, not genes ({row['platform']})"
    if row["technology"] == Technology.MICROARRAY and not _is_affymetrix(row["platform"] or ""):
        return f"of arrays that are not Affymetrix ({row['platform']})"
    return ""


def _is_affymetrix(platform: str) -> bool:
    """Tell whether a matrix's platform is an Affymetrix array; unlisted ones have come as CEL files."""
    accession = accession_in(platform)
    listed = find_microarray(accession)
    if listed is not None:
        return listed.manufacturer == Manufacturer.AFFYMETRIX
    return illumina_package(accession) is None
