"""Puts the arrays of an experiment side by side: one matrix for each platform and organism."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from refinebio_assets.domain import DropKind, Dropped, Experiment, FileRole, Verdict
from refinebio_assets.errors import NotFoundError, PermanentError
from refinebio_assets.lake.store import Lake, StoredFile
from refinebio_assets.methods.scan.quality import correlation_with_median
from refinebio_assets.pipelines.array_quantification import PROCESSOR, VALUES_FILE
from refinebio_assets.pipelines.array_values import GENES, ArrayValues, read_array_values
from refinebio_assets.pipelines.platform_registry import resolve_platform
from refinebio_assets.pipelines.raw_file import RawFile
from refinebio_assets.pipelines.raw_files import files_by_sample
from refinebio_assets.platforms.readable import readable

UNLIKE = 0.8
"""Below it an array is worth a look. Chosen by hand: no judgment of it, and nothing is left out."""
LEAST_SAMPLES = 3
"""Of two arrays the median is their mean: both would correlate alike."""


@dataclass(frozen=True, slots=True)
class ArrayMatrixPlan:
    """The arrays of one matrix, in the experiment's order; ``version`` is the annotation's."""

    name: str
    platform: str
    platform_name: str
    organism: str
    version: str
    samples: tuple[str, ...]
    files: tuple[StoredFile, ...]


@dataclass(frozen=True, slots=True, eq=False)
class ArrayMatrix:
    """Genes (or probe sets) x samples of SCAN values; ``level`` says which of the two.

    ``agreement`` is each sample's correlation with the median sample, None where there are not three samples.
    """

    names: tuple[str, ...]
    samples: tuple[str, ...]
    values: np.ndarray[Any, np.dtype[np.float64]]
    level: str
    agreement: Mapping[str, float | None]

    @property
    def warnings(self) -> list[str]:
        """Say what is odd about the matrix."""
        unlike = [
            f"sample {sample} is unlike the others: its correlation with their median is {value:.2f}"
            for sample, value in self.agreement.items()
            if value is not None and value < UNLIKE
        ]
        unlike += [
            f"samples {' and '.join(same)} have exactly the same values: is it the same array?"
            for same in self._equals()
        ]
        odd = "rows are probe sets: no genes are registered for the platform"
        return unlike if self.level == GENES else [odd, *unlike]

    def _equals(self) -> list[list[str]]:
        by_content: dict[bytes, list[str]] = {}
        for number, sample in enumerate(self.samples):
            by_content.setdefault(self.values[:, number].tobytes(), []).append(sample)
        return [samples for samples in by_content.values() if len(samples) > 1]


def plan_array_matrices(
    experiment: Experiment, raw: Sequence[RawFile], results: Sequence[Mapping[str, Any]]
) -> list[ArrayMatrixPlan]:
    """Group the arrays that were processed by platform, organism and annotation.

    Raises NotFoundError when the results are of another registration than today's.
    """
    sample_of = {sample.accession: sample for sample in experiment.samples}
    files = files_by_sample(raw)
    groups: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for row in results:
        if row["verdict"] != Verdict.PROCESSED or row["processor"] != PROCESSOR:
            continue
        sample, cel = sample_of.get(row["sample"]), files.get(row["sample"], {}).get(FileRole.CEL)
        if sample is None or cel is None:
            raise NotFoundError(
                f"sample {row['sample']} is no longer part of {experiment.accession}, or no array: "
                "materialize sample_quantifications first"
            )
        key = (resolve_platform(cel.chip_type).accession, sample.organism, row["reference"])
        groups.setdefault(key, []).append(row)
    return [_plan(key, rows, list(groups)) for key, rows in groups.items()]


def read_array_matrix(
    lake: Lake, plan: ArrayMatrixPlan, *, step: str, tell: Callable[[], None]
) -> tuple[ArrayMatrix | None, list[Dropped]]:
    """Return the matrix of a plan, None when no sample is left, and the samples that were left out.

    A sample whose values are lost or damaged in the lake, or of other genes than the first's, is left out.
    """
    read: dict[str, ArrayValues] = {}
    lost = []
    for sample, stored in zip(plan.samples, plan.files, strict=True):
        try:
            values = read_array_values(lake.local(stored))
            _check_same_names(values, next(iter(read.values()), values))
            read[sample] = values
        except PermanentError as error:
            reason = f"{error}; redo it with --sample {sample}"
            lost.append(Dropped(DropKind.SAMPLE, sample, step, reason))
        tell()
    if not read:
        return None, lost
    first = next(iter(read.values()))
    matrix = np.column_stack([values.values for values in read.values()])
    samples = tuple(read)
    return ArrayMatrix(first.names, samples, matrix, first.level, _agreement(samples, matrix)), lost


def _agreement(
    samples: Sequence[str], values: np.ndarray[Any, np.dtype[np.float64]]
) -> dict[str, float | None]:
    if len(samples) < LEAST_SAMPLES:
        return dict.fromkeys(samples)
    pairs = zip(samples, correlation_with_median(values).tolist(), strict=True)
    return {sample: None if np.isnan(value) else value for sample, value in pairs}


def _plan(
    key: tuple[str, str, str], rows: Sequence[Mapping[str, Any]], keys: Sequence[tuple[str, str, str]]
) -> ArrayMatrixPlan:
    platform, organism, version = key
    name = f"microarray_{platform.lower()}"
    if sum(other[0] == platform for other in keys) > 1:
        name += f"_{organism.lower()}"
    if sum(other[:2] == key[:2] for other in keys) > 1:
        name += f"_{version[:8]}"
    found = resolve_platform(platform)
    return ArrayMatrixPlan(
        name=name,
        platform=platform,
        platform_name=readable(found),
        organism=organism,
        version=version,
        samples=tuple(row["sample"] for row in rows),
        files=tuple(
            StoredFile(VALUES_FILE, row["file_path"], row["file_size"], row["file_sha256"]) for row in rows
        ),
    )


def _check_same_names(values: ArrayValues, first: ArrayValues) -> None:
    if values.names != first.names or values.level != first.level:
        raise PermanentError("its values are of other genes than those of the experiment's other arrays")
