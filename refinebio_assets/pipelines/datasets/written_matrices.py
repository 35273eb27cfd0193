"""Makes a dataset's matrices, one after the other, and writes them into its draft."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from refinebio_assets.domain import ScaleBy
from refinebio_assets.lake.store import Draft, Lake
from refinebio_assets.pipelines.datasets.aggregation import (
    BuiltMatrix,
    NothingMeasuredError,
    build_matrix,
)
from refinebio_assets.pipelines.datasets.dataset_rows import gene_loss_rows, matrix_row
from refinebio_assets.pipelines.datasets.matrix_file import (
    gene_set_hash,
    matrix_file_name,
    values_hash,
    write_dataset_matrix,
)
from refinebio_assets.pipelines.datasets.request import DatasetRequest
from refinebio_assets.pipelines.datasets.selection import Filtered, Group
from refinebio_assets.pipelines.datasets.targets import Targets
from refinebio_assets.pipelines.progress import Progress


@dataclass(frozen=True, slots=True)
class WrittenMatrix:
    """What stays of a matrix when it is written: everything but its values.

    ``row`` and ``loss_rows`` are for the lake's tables, ``locked`` for the lockfile, ``overview`` for plots;
    ``ks`` is the statistic and p-value of the worst pair that was compared.
    """

    key: str
    row: Mapping[str, Any]
    loss_rows: Sequence[Mapping[str, Any]]
    locked: Mapping[str, Any]
    overview: Mapping[str, Any]
    warnings: Sequence[str]
    ks: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class WrittenMatrices:
    """All matrices of a dataset, and the samples that turned out to have no values in them."""

    matrices: tuple[WrittenMatrix, ...]
    filtered: tuple[Filtered, ...]

    @property
    def warnings(self) -> list[str]:
        """What is odd, each sentence with its matrix."""
        return [f"{item.key}: {line}" for item in self.matrices for line in item.warnings]

    @property
    def worst(self) -> tuple[float, float] | None:
        """The statistic and p-value of the worst pair of all matrices."""
        checks = [item.ks for item in self.matrices if item.ks is not None]
        return max(checks, key=lambda pair: (pair[0], -pair[1]), default=None)


def write_matrices(
    lake: Lake,
    draft: Draft,
    groups: Iterable[Group],
    request: DatasetRequest,
    targets: Targets,
    progress: Progress,
) -> WrittenMatrices:
    """Make and write one matrix after the other, so that only one is in memory.

    A group of samples without any value is left out. Raises what ``build_matrix`` does otherwise.
    """
    quantiles = targets.values(lake)
    written: list[WrittenMatrix] = []
    filtered: list[Filtered] = []
    for group in groups:
        task = f"aggregate {group.key}"
        progress.start(task, len(group.members), "samples")
        try:
            matrix = build_matrix(lake, group, request, quantiles, tell=_teller(progress, task))
        except NothingMeasuredError as error:
            filtered += error.filtered
            continue
        filtered += matrix.filtered
        scaled = request.scale_by is not ScaleBy.NONE
        written.append(_written(draft, matrix, scaled=scaled))
    return WrittenMatrices(tuple(written), tuple(filtered))


def _teller(progress: Progress, task: str) -> Callable[[int], None]:
    return lambda samples: progress.advance(task, amount=samples)


def _written(draft: Draft, matrix: BuiltMatrix, *, scaled: bool) -> WrittenMatrix:
    name = matrix_file_name(matrix.key)
    genes, samples = matrix.genes, matrix.samples
    write_dataset_matrix(draft.folder / name, genes, samples, matrix.values)
    gene_set, values = gene_set_hash(genes), values_hash(genes, samples, matrix.values)
    locked: dict[str, Any] = {
        "genes": len(genes),
        "samples": len(samples),
        "type": str(matrix.values.dtype),
        "gene_set": gene_set,
        "values_sha256": values,
    }
    if scaled and matrix.departures:
        # Scaling hides the distribution, so that nobody could measure them again.
        locked["departures"] = dict(zip(samples, matrix.departures, strict=True))
    return WrittenMatrix(
        key=matrix.key,
        row=matrix_row(draft.partition, matrix, name, gene_set, values),
        loss_rows=list(gene_loss_rows(draft.partition, matrix)),
        locked=locked,
        overview={
            "samples": samples,
            "before": matrix.before.plain(),
            "after": matrix.after.plain(),
            "picture": matrix.picture.plain(),
        },
        warnings=(*matrix.warnings, *matrix.picture.warnings),
        ks=(matrix.check.statistic, matrix.check.p_value) if matrix.check else None,
    )
