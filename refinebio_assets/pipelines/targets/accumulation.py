"""Adds up the samples of a target, a few at a time: memory does not grow with their number."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from refinebio_assets.domain import DropKind, Dropped, Technology
from refinebio_assets.errors import PermanentError
from refinebio_assets.lake.store import Lake
from refinebio_assets.methods.gene_ids import SanitizedIds, mean_of_duplicates, sanitize_gene_ids
from refinebio_assets.methods.log_scale import log2_of_abundances
from refinebio_assets.methods.quantile import TargetAccumulator
from refinebio_assets.pipelines.expression_matrix import GENE_COLUMN, column_values
from refinebio_assets.pipelines.gene_expression import read_expression
from refinebio_assets.pipelines.targets.source import SourceMatrix, TargetSource
from refinebio_assets.pipelines.targets.target import ASSET

SAMPLES_AT_ONCE = 64
"""32 MB of float64 for 60,000 genes, twice that while they are sorted."""

Matrix = npt.NDArray[np.float32]
Vector = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class UsedSample:
    """A sample that counts in a target, and the matrix its values are from."""

    sample: str
    matrix: SourceMatrix


@dataclass(frozen=True, slots=True, eq=False)
class AddedUp:
    """A target's quantiles and genes (sorted), and what became of each sample of its source."""

    values: Vector
    genes: list[str]
    used: tuple[UsedSample, ...]
    dropped: tuple[Dropped, ...]


@dataclass(slots=True)
class _Genes:
    """The rows of one matrix as sanitized genes; ``key`` is the same for the same set of genes."""

    sanitized: SanitizedIds
    key: str
    count: int


@dataclass(slots=True)
class _Fate:
    """What is known so far of each sample: used, or why not (the last reason)."""

    used: dict[str, SourceMatrix] = field(default_factory=dict)
    reasons: dict[str, tuple[str, bool]] = field(default_factory=dict)

    def drop(self, samples: Sequence[str], reason: str, *, permanent: bool = True) -> None:
        self.reasons |= dict.fromkeys(samples, (reason, permanent))

    def dropped(self) -> Iterator[Dropped]:
        for sample, (reason, permanent) in self.reasons.items():
            if sample not in self.used:
                yield Dropped(DropKind.SAMPLE, sample, ASSET, reason, permanent)


def add_up(lake: Lake, source: TargetSource, tell: Callable[[int], None], *, threads: int) -> AddedUp:
    """Return the mean of the sorted values of a source's samples, as refine.bio makes its targets.

    Gene ids are sanitized as for datasets, and values rounded to float32 before anything else; RNA-seq
    becomes log2(x + 1). The gene set is the one that most samples have; samples of other sets, with a
    missing or infinite value, or in a matrix that cannot be read, are dropped. A sample that several matrices
    have counts once. ``tell`` is told how many samples were looked at since the last time.

    Raises PermanentError when no sample is left.
    """
    fate = _Fate()
    known: dict[str, _Genes] = {}
    genes = {matrix: found for matrix in source.matrices if (found := _genes_of(lake, matrix, fate, known))}
    key = _most_common_set(genes)
    chosen = next((found for found in genes.values() if found.key == key), None)
    if chosen is None:
        raise PermanentError(_nothing_left(source, fate))
    accumulator = TargetAccumulator(chosen.count)
    for matrix, found in genes.items():
        if found.key == key:
            _add_matrix(lake, matrix, found.sanitized, accumulator, fate, tell, threads)
        else:
            reason = f"its {found.count:,} genes are not the {chosen.count:,} that most samples have"
            fate.drop(matrix.samples, reason)
            tell(len(matrix.samples))
    if not accumulator.samples:
        raise PermanentError(_nothing_left(source, fate))
    used = tuple(UsedSample(sample, matrix) for sample, matrix in fate.used.items())
    names = sorted(str(gene) for gene in pc.unique(chosen.sanitized.ids).to_pylist())
    return AddedUp(accumulator.target(), names, used, tuple(fate.dropped()))


def _genes_of(lake: Lake, matrix: SourceMatrix, fate: _Fate, known: dict[str, _Genes]) -> _Genes | None:
    """Return a matrix's genes; matrices whose rows have the same ids share what ``known`` keeps of them."""
    try:
        ids = read_expression(lake, matrix.commit, matrix.name, ()).column(GENE_COLUMN)
    except PermanentError as error:
        fate.drop(matrix.samples, f"the matrix {matrix.name} of {matrix.experiment} cannot be read: {error}")
        return None
    rows = _ids_hash(ids)
    if rows in known:
        return known[rows]
    sanitized = sanitize_gene_ids(ids)
    distinct = pc.unique(sanitized.ids)
    if not len(distinct):
        fate.drop(matrix.samples, f"the matrix {matrix.name} of {matrix.experiment} has no genes")
        return None
    key = _ids_hash(distinct.take(pc.array_sort_indices(distinct)))
    known[rows] = _Genes(sanitized, key, len(distinct))
    return known[rows]


def _ids_hash(ids: pa.Array[Any] | pa.ChunkedArray[Any]) -> str:
    return hashlib.sha256("\n".join(map(str, ids.to_pylist())).encode()).hexdigest()


def _most_common_set(genes: dict[SourceMatrix, _Genes]) -> str:
    """Return the key of the gene set that most samples have; of equally common ones, the largest."""
    samples: dict[str, set[str]] = {}
    counts = {found.key: found.count for found in genes.values()}
    for matrix, found in genes.items():
        samples.setdefault(found.key, set()).update(matrix.samples)
    return min(samples, key=lambda key: (-len(samples[key]), -counts[key], key), default="")


def _add_matrix(
    lake: Lake,
    matrix: SourceMatrix,
    genes: SanitizedIds,
    accumulator: TargetAccumulator,
    fate: _Fate,
    tell: Callable[[int], None],
    threads: int,
) -> None:
    wanted = [sample for sample in matrix.samples if sample not in fate.used]
    tell(len(matrix.samples) - len(wanted))
    for start in range(0, len(wanted), SAMPLES_AT_ONCE):
        samples = wanted[start : start + SAMPLES_AT_ONCE]
        try:
            table = read_expression(lake, matrix.commit, matrix.name, samples)
        except PermanentError as error:
            fate.drop(samples, f"the matrix {matrix.name} of {matrix.experiment} cannot be read: {error}")
        else:
            values = _values(table, samples, genes, matrix.technology)
            whole = _whole_samples(values, samples, fate)
            accumulator.add(values[:, whole], threads=threads)
            fate.used |= dict.fromkeys([samples[place] for place in whole.tolist()], matrix)
        tell(len(samples))


def _values(table: pa.Table, samples: Sequence[str], genes: SanitizedIds, technology: Technology) -> Matrix:
    """Return genes x samples as a target takes them."""
    columns = [column_values(table, sample).astype(np.float32) for sample in samples]
    kept = np.column_stack(columns)[genes.kept]
    values = mean_of_duplicates(genes.ids, kept)[1]
    if technology == Technology.RNA_SEQ:
        log2_of_abundances(values, values)
    return values


def _whole_samples(values: Matrix, samples: Sequence[str], fate: _Fate) -> npt.NDArray[np.intp]:
    """Return the places of samples without a missing value."""
    missing = np.count_nonzero(~np.isfinite(values), axis=0)
    for place in np.flatnonzero(missing).tolist():
        reason = f"{missing[place]:,} of its {len(values):,} genes have no finite value"
        fate.drop([samples[place]], reason)
    return np.flatnonzero(missing == 0)


def _nothing_left(source: TargetSource, fate: _Fate) -> str:
    examples = [f"  - {item.item}: {item.reason}" for item in list(fate.dropped())[:5]]
    return "\n".join([f"none of {source.samples:,} samples of {source.name} can be used", *examples])
