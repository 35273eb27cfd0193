"""Puts the arrays of an experiment side by side: one matrix for each platform, organism and processing.

Arrays are all that has one value a gene from its own sample alone: by SCAN from raw data, Affymetrix or
Illumina, and submitters' own values. The two never share a matrix.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from refinebio_assets.domain import DropKind, Dropped, Experiment, Processing, Verdict
from refinebio_assets.errors import NotFoundError, PermanentError
from refinebio_assets.lake.store import InputRef, Lake, StoredFile
from refinebio_assets.methods.scan.quality import correlation_with_median
from refinebio_assets.pipelines import (
    array_quantification,
    bead_quantification,
    submitted_conversion,
)
from refinebio_assets.pipelines.array_values import GENES, ArrayValues
from refinebio_assets.pipelines.expression_matrix import SCAN, SUBMITTED_LOG2
from refinebio_assets.pipelines.probe_values import read_gene_values
from refinebio_assets.pipelines.references.platform_registry import resolve_platform
from refinebio_assets.platforms.illumina_arrays import illumina_package
from refinebio_assets.platforms.readable import readable

UNLIKE = 0.8
"""Below it an array is worth a look. Chosen by hand: no judgment of it, and nothing is left out."""
LEAST_SAMPLES = 3
"""Of two arrays the median is their mean: both would correlate alike."""
_VALUES_FILE = "values.parquet"
_PROCESSORS = (
    array_quantification.PROCESSOR,
    bead_quantification.PROCESSOR,
    submitted_conversion.PROCESSOR,
)


def is_array_processor(processor: str | None) -> bool:
    """Tell whether a processor makes one sample's values by gene, and no counts of transcripts."""
    return processor in _PROCESSORS


class _Group(NamedTuple):
    """What the samples of one matrix have in common."""

    processing: Processing
    platform: str
    organism: str
    processor: str
    asset: str
    version: str


@dataclass(frozen=True, slots=True)
class ArrayMatrixPlan:
    """The arrays of one matrix, in the experiment's order.

    ``reference`` is the annotation or gene index by which their probes have genes.
    """

    name: str
    processing: Processing
    platform: str
    platform_name: str
    organism: str
    processor: str
    reference: InputRef
    samples: tuple[str, ...]
    files: tuple[StoredFile, ...]

    @property
    def unit(self) -> str:
        """What the values are."""
        return SCAN if self.processing == Processing.FROM_RAW else SUBMITTED_LOG2


@dataclass(frozen=True, slots=True, eq=False)
class ArrayMatrix:
    """Genes (or probe sets) x samples of arrays' values; ``level`` says which of the two.

    NaN where a sample has no value for a gene that others have. ``agreement`` is each sample's correlation
    with the median sample, None where there are not three samples.
    """

    names: tuple[str, ...]
    samples: tuple[str, ...]
    values: npt.NDArray[np.float64]
    level: str
    agreement: Mapping[str, float | None]

    @property
    def missing(self) -> int:
        """How many cells are NaN."""
        return int(np.isnan(self.values).sum())

    @property
    def warnings(self) -> list[str]:
        """Say what is odd about the matrix."""
        odd = "rows are probe sets: no genes are registered for the platform"
        found = [] if self.level == GENES else [odd]
        found += [
            f"sample {sample} is unlike the others: its correlation with their median is {value:.2f}"
            for sample, value in self.agreement.items()
            if value is not None and value < UNLIKE
        ]
        found += [
            f"samples {' and '.join(same)} have exactly the same values: is it the same array?"
            for same in self._equals()
        ]
        if self.missing:
            share = self.missing / self.values.size
            found.append(
                f"{self.missing:,} values ({share:.2%}) are missing: the samples lack these genes' probes"
            )
        return found

    def _equals(self) -> list[list[str]]:
        by_content: dict[bytes, list[str]] = {}
        for number, sample in enumerate(self.samples):
            by_content.setdefault(self.values[:, number].tobytes(), []).append(sample)
        return [samples for samples in by_content.values() if len(samples) > 1]


def plan_array_matrices(
    experiment: Experiment, results: Sequence[Mapping[str, Any]]
) -> list[ArrayMatrixPlan]:
    """Group the arrays that were processed by processing, platform, organism and reference.

    Raises NotFoundError when the results are of another registration than today's, or of an older release.
    """
    sample_of = {sample.accession: sample for sample in experiment.samples}
    groups: dict[_Group, list[Mapping[str, Any]]] = {}
    for row in results:
        if row["verdict"] != Verdict.PROCESSED or not is_array_processor(row["processor"]):
            continue
        sample = sample_of.get(row["sample"])
        if sample is None or not row.get("platform"):
            raise NotFoundError(
                f"sample {row['sample']} is no longer part of {experiment.accession}, or was processed by an "
                "older release: materialize sample_quantifications first"
            )
        group = _Group(
            Processing(row["processing"]),
            row["platform"],
            sample.organism,
            row["processor"],
            row["reference_asset"],
            row["reference"],
        )
        groups.setdefault(group, []).append(row)
    return [_plan(group, rows, list(groups)) for group, rows in groups.items()]


def read_array_matrix(
    lake: Lake, plan: ArrayMatrixPlan, *, step: str, tell: Callable[[], None]
) -> tuple[ArrayMatrix | None, list[Dropped]]:
    """Return the matrix of a plan, None when no sample is left, and the samples that were left out.

    A sample whose values are lost or damaged in the lake, or of other probe sets than the first's, is left
    out. A gene that only some samples have is NaN for the others.
    """
    read: dict[str, ArrayValues] = {}
    lost = []
    for sample, stored in zip(plan.samples, plan.files, strict=True):
        try:
            values = read_gene_values(lake.local(stored))
            _check_alike(values, next(iter(read.values()), values), plan)
            read[sample] = values
        except PermanentError as error:
            reason = f"{error}; redo it with --sample {sample}"
            lost.append(Dropped(DropKind.SAMPLE, sample, step, reason))
        tell()
    if not read:
        return None, lost
    names, matrix = _side_by_side(list(read.values()))
    samples, level = tuple(read), next(iter(read.values())).level
    return ArrayMatrix(names, samples, matrix, level, _agreement(samples, matrix)), lost


def _side_by_side(
    columns: Sequence[ArrayValues],
) -> tuple[tuple[str, ...], npt.NDArray[np.float64]]:
    """Return all names that have a value in any column, sorted as they are, and the values."""
    if all(column.names == columns[0].names for column in columns):
        names, matrix = columns[0].names, np.column_stack([column.values for column in columns])
    else:
        names = tuple(sorted({name for column in columns for name in column.names}))
        place = {name: row for row, name in enumerate(names)}
        matrix = np.full((len(names), len(columns)), np.nan)
        for number, column in enumerate(columns):
            rows = np.fromiter((place[name] for name in column.names), np.intp, len(column.names))
            matrix[rows, number] = column.values
    known = ~np.isnan(matrix).all(axis=1)
    if known.all():
        return names, matrix
    return tuple(np.array(names, dtype=object)[known].tolist()), matrix[known]


def _agreement(samples: Sequence[str], values: npt.NDArray[np.float64]) -> dict[str, float | None]:
    if len(samples) < LEAST_SAMPLES:
        return dict.fromkeys(samples)
    pairs = zip(samples, correlation_with_median(values).tolist(), strict=True)
    return {sample: None if np.isnan(value) else value for sample, value in pairs}


def _plan(group: _Group, rows: Sequence[Mapping[str, Any]], groups: Sequence[_Group]) -> ArrayMatrixPlan:
    kind = "microarray" if group.processing == Processing.FROM_RAW else str(group.processing)
    name = f"{kind}_{group.platform.lower()}"
    if sum(other[:2] == group[:2] for other in groups) > 1:
        name += f"_{group.organism.lower()}"
    if sum(other[:3] == group[:3] for other in groups) > 1:
        name += f"_{group.version[:8]}"
    return ArrayMatrixPlan(
        name=name,
        processing=group.processing,
        platform=group.platform,
        platform_name=_platform_name(group.platform),
        organism=group.organism,
        processor=group.processor,
        reference=InputRef(group.asset, group.platform, group.version),
        samples=tuple(row["sample"] for row in rows),
        files=tuple(
            StoredFile(_VALUES_FILE, row["file_path"], row["file_size"], row["file_sha256"]) for row in rows
        ),
    )


def _platform_name(platform: str) -> str:
    """Return the name for people of refine.bio's platform, or of what an Illumina package serves."""
    package = illumina_package(platform)
    found = resolve_platform(platform)
    if package is None:
        return readable(found) if found.name.lower() != found.accession else platform
    return f"{readable(resolve_platform(package.platform))} ({platform})"


def _check_alike(values: ArrayValues, first: ArrayValues, plan: ArrayMatrixPlan) -> None:
    whole = plan.processor == array_quantification.PROCESSOR
    if values.level != first.level or (whole and values.names != first.names):
        raise PermanentError("its values are of other genes than those of the experiment's other arrays")
