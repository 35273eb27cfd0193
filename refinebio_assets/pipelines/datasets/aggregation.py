"""One matrix of a dataset: genes joined, put on one scale, normalized, scaled; and what that cost.

The order of the steps and the rules are those of refine.bio. Values are float32 up to normalization, which
makes float64; without it they stay float32.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from refinebio_assets.domain import AggregateBy, ScaleBy, Technology, distinct, organism_title
from refinebio_assets.errors import PermanentError
from refinebio_assets.lake.store import Lake
from refinebio_assets.methods.gene_ids import SanitizedIds, mean_of_duplicates, sanitize_gene_ids
from refinebio_assets.methods.gene_join import GeneLoss, join_genes
from refinebio_assets.methods.log_scale import log2_of_abundances, log2_where_linear
from refinebio_assets.methods.quantile import (
    UpperHalfCheck,
    apply_target,
    check_upper_halves,
    target_departures,
)
from refinebio_assets.methods.scaling import scale_genes
from refinebio_assets.pipelines.datasets.explanations import (
    disjoint_genes,
    few_genes,
    ks_warning,
    mixed_processing,
    nothing_measured,
    scaled_alone,
)
from refinebio_assets.pipelines.datasets.picture import Picture, Spread, picture_of, spread_of
from refinebio_assets.pipelines.datasets.request import DatasetRequest
from refinebio_assets.pipelines.datasets.selection import Filtered, Group, Member, Source
from refinebio_assets.pipelines.expression_matrix import (
    GENE_COLUMN,
    LENGTH_SCALED_TPM,
    column_values,
    matrix_unit,
)
from refinebio_assets.pipelines.gene_expression import read_expression

SAMPLES_AT_ONCE = 256
"""Samples read at a time: 40 MB for 20,000 genes."""
SEED = 123
"""Of the choice of pairs that are compared, and of large principal components."""
FEW_GENES = 0.5
"""Below this share of the genes that any sample has, a dataset warns of the loss. Chosen by hand."""

NO_VALUE = "it has no value for any of the genes that the samples share"
NO_GENE = "none of the ids that it was measured for is that of a gene"

Matrix = npt.NDArray[np.floating[Any]]
Targets = Mapping[str, npt.NDArray[np.float64]]


@dataclass(frozen=True, slots=True, eq=False)
class BuiltMatrix:
    """A matrix as it is delivered, genes x samples, and how it came about.

    ``departures`` tell how far each sample was from its target's distribution before genes were scaled;
    empty where they were not, as the distribution can then be seen in the values. ``check`` is the worst
    pair of the Kolmogorov-Smirnov tests.
    """

    key: str
    genes: pa.StringArray
    members: tuple[Member, ...]
    values: Matrix
    loss: GeneLoss
    check: UpperHalfCheck | None
    departures: tuple[float, ...]
    before: Spread
    after: Spread
    picture: Picture
    warnings: tuple[str, ...]
    filtered: tuple[Filtered, ...] = ()

    @property
    def samples(self) -> list[str]:
        """The samples, in the order of the columns."""
        return [member.sample for member in self.members]


class NothingMeasuredError(PermanentError):
    """No sample of a matrix has a value; ``filtered`` are all of them, with the reason."""

    def __init__(self, key: str, filtered: Sequence[Filtered]) -> None:
        super().__init__(nothing_measured(key, [item.sample for item in filtered]))
        self.filtered = tuple(filtered)


@dataclass(slots=True)
class _Remarks:
    """What is odd about values, gathered while they are read."""

    without_log: int = 0
    infinite: int = 0
    logged: int = 0

    def sentences(self) -> Iterator[str]:
        if self.logged:
            yield f"{self.logged:,} microarray samples had values above 100 and were put on a log2 scale"
        if self.without_log:
            yield f"{self.without_log:,} values are zero or negative, have no logarithm and are missing"
        if self.infinite:
            yield f"{self.infinite:,} infinite values are missing"


def build_matrix(
    lake: Lake,
    group: Group,
    request: DatasetRequest,
    targets: Targets,
    *,
    tell: Callable[[int], None] = lambda samples: None,
) -> BuiltMatrix:
    """Make one matrix of a dataset. ``tell`` is given the numbers of samples as they are read.

    ``targets`` has every organism of the group where normalization is asked for. Memory is the matrix and a
    few hundred samples. A sample without a single value is filtered.

    Raises PermanentError, naming who has no gene in common, when no gene is left; NothingMeasuredError when
    no sample has values.
    """
    sources = _Sources.read(lake, group)
    group, filtered = sources.measurable(group)
    if filtered:
        sources = _Sources.read(lake, group)
    dtype = np.float64 if request.quantile_normalize else np.float32
    genes, rows, loss = sources.join(group)
    values: Matrix = np.empty((len(genes), len(group.members)), dtype, order="F")
    remarks = _Remarks()
    to_log = _abundances_need_logs(group, request.aggregate_by)
    for source, places in sources.members.items():
        for chunk in _chunks(places):
            loaded = sources.load(lake, source, [group.members[place].sample for place in chunk])
            _on_one_scale(loaded, sources.unit(source), to_log, remarks)
            values[:, chunk] = loaded[rows[source.name]]
            tell(len(chunk))
    kept = _with_values(values)
    members = tuple(group.members[place] for place in kept)
    filtered += _filtered(group, kept, NO_VALUE)
    if not members:
        raise NothingMeasuredError(group.key, filtered)
    if len(kept) < len(group.members):
        values = np.asfortranarray(values[:, kept])
    before = spread_of(values)
    check = _normalize(values, members, targets) if request.quantile_normalize else None
    after = spread_of(values)
    picture = picture_of(_for_picture(values, request), members, np.random.default_rng(SEED))
    departures: tuple[float, ...] = ()
    if request.scale_by is not ScaleBy.NONE:
        departures = _departures(values, members, targets) if request.quantile_normalize else ()
        scale_genes(values, request.scale_by, out=values)
    warnings = (
        *_gene_warnings(loss),
        *_processing_warnings(members),
        *_scale_warnings(members, request.scale_by),
        *remarks.sentences(),
        *_check_warnings(check, members),
    )
    return BuiltMatrix(
        group.key,
        genes,
        members,
        values,
        loss,
        check,
        departures,
        before,
        after,
        picture,
        warnings,
        tuple(filtered),
    )


@dataclass(frozen=True, slots=True)
class _Sources:
    """The matrices that a group's samples are in, their sanitized ids, and places of their members."""

    members: Mapping[Source, list[int]]
    ids: Mapping[str, SanitizedIds]
    units: Mapping[str, str]

    @classmethod
    def read(cls, lake: Lake, group: Group) -> _Sources:
        members: dict[Source, list[int]] = {}
        for place, member in enumerate(group.members):
            if member.source is None:
                raise ValueError(f"{member.sample} has no values to aggregate")
            members.setdefault(member.source, []).append(place)
        ids, units = {}, {}
        for source in members:
            table = read_expression(lake, source.commit, source.matrix, [])
            ids[source.name] = sanitize_gene_ids(table.column(GENE_COLUMN))
            units[source.name] = matrix_unit(table)
        return cls(members, ids, units)

    def measurable(self, group: Group) -> tuple[Group, list[Filtered]]:
        """Return the group's samples that have genes at all, and the others with the reason.

        Raises NothingMeasuredError when none has.
        """
        kept = [
            place
            for source, places in self.members.items()
            for place in places
            if len(self.ids[source.name].ids)
        ]
        filtered = _filtered(group, kept, NO_GENE)
        if not kept:
            raise NothingMeasuredError(group.key, filtered)
        return Group(group.key, tuple(group.members[place] for place in sorted(kept))), filtered

    def unit(self, source: Source) -> str:
        return self.units[source.name]

    def join(self, group: Group) -> tuple[pa.StringArray, Mapping[str, npt.NDArray[np.intp]], GeneLoss]:
        """Return the genes that all sources have, and the rows of each that hold them."""
        unique: dict[str, Any] = {name: ids.ids.unique() for name, ids in self.ids.items()}
        labels = {
            source.name: source_label(group, group.members[places[0]])
            for source, places in self.members.items()
        }
        join = join_genes(unique, labels)
        if not len(join.genes):
            raise PermanentError(disjoint_genes(group.key, self._examples(group, labels), join.loss))
        return join.genes, join.rows, join.loss

    def _examples(self, group: Group, labels: Mapping[str, str]) -> dict[str, list[str]]:
        examples: dict[str, list[str]] = {}
        for source, places in self.members.items():
            examples.setdefault(labels[source.name], []).extend(group.members[at].sample for at in places)
        return examples

    def load(self, lake: Lake, source: Source, samples: Sequence[str]) -> Matrix:
        """Return some samples' values as float32, without control probes, rows of equal ids averaged."""
        table = read_expression(lake, source.commit, source.matrix, samples)
        values = np.empty((table.num_rows, len(samples)), np.float32, order="F")
        with np.errstate(over="ignore"):  # beyond float32 it is infinite, and then missing
            for column, sample in enumerate(samples):
                values[:, column] = column_values(table, sample)
        ids = self.ids[source.name]
        kept = values if ids.all_kept else np.asfortranarray(values[ids.kept])
        return mean_of_duplicates(ids.ids, kept)[1]


def source_label(group: Group, member: Member) -> str:
    """Return what a sample was measured with, by which the loss of genes is told."""
    label = member.source.platform if member.source and member.technology is not Technology.RNA_SEQ else ""
    label = label or str(member.technology)
    if member.source is not None and member.source.submitted:
        label += ", submitter-processed"
    return f"{label}, {organism_title(member.organism)}" if len(group.organisms) > 1 else label


def _chunks(places: Sequence[int]) -> Iterator[list[int]]:
    for start in range(0, len(places), SAMPLES_AT_ONCE):
        yield list(places[start : start + SAMPLES_AT_ONCE])


def _abundances_need_logs(group: Group, aggregate_by: AggregateBy) -> bool:
    technologies = {member.technology for member in group.members}
    return aggregate_by is AggregateBy.SPECIES or Technology.MICROARRAY in technologies


def _on_one_scale(values: Matrix, unit: str, to_log: bool, remarks: _Remarks) -> None:
    """Put samples on a log2 scale where the rules say so, in place; infinite values become missing."""
    if unit == LENGTH_SCALED_TPM:
        logged = log2_of_abundances(values, out=values) if to_log else None
    else:
        logged = log2_where_linear(values, out=values)
        remarks.logged += int(logged.changed.sum())
    if logged is not None:
        remarks.without_log += int(logged.without_log.sum())
    infinite = np.isinf(values)
    if infinite.any():
        remarks.infinite += int(infinite.sum())
        values[infinite] = np.nan


def _with_values(values: Matrix) -> list[int]:
    """Return the places of samples that have a value."""
    # A gene that has a value in every sample spares looking at all.
    if len(values) and not np.isnan(values[0]).any():
        return list(range(values.shape[1]))
    return [place for place in range(values.shape[1]) if not np.isnan(values[:, place]).all()]


def _filtered(group: Group, kept: Sequence[int], reason: str) -> list[Filtered]:
    """Return the samples at other places than those that are kept, for each experiment that lists them."""
    places = set(kept)
    return [
        Filtered(member.sample, experiment, group.key, reason)
        for place, member in enumerate(group.members)
        if place not in places
        for experiment in member.experiments
    ]


def _normalize(values: Matrix, members: Sequence[Member], targets: Targets) -> UpperHalfCheck | None:
    """Give each sample its organism's distribution, in place, and return the worst pair that was compared."""
    rng = np.random.default_rng(SEED)
    worst: UpperHalfCheck | None = None
    for organism, places in _by_organism(members):
        whole = len(places) == len(members)
        own = values if whole else np.asfortranarray(values[:, places])
        apply_target(own, targets[organism], out=own)
        check = check_upper_halves(own, rng)
        if not whole:
            values[:, places] = own
        if check is not None and (worst is None or check.statistic > worst.statistic):
            first, second = check.pair
            pair = (places[first], places[second])
            worst = UpperHalfCheck(check.statistic, check.p_value, pair, check.pairs)
    return worst


def _departures(values: Matrix, members: Sequence[Member], targets: Targets) -> tuple[float, ...]:
    departures = np.empty(len(members))
    for organism, places in _by_organism(members):
        own = values if len(places) == len(members) else np.asfortranarray(values[:, places])
        departures[places] = target_departures(own, targets[organism])
    return tuple(departures.tolist())


def _by_organism(members: Sequence[Member]) -> Iterator[tuple[str, list[int]]]:
    for organism in distinct(member.organism for member in members):
        yield organism, [place for place, member in enumerate(members) if member.organism == organism]


def _for_picture(values: Matrix, request: DatasetRequest) -> Matrix:
    """Return values whose principal components are not those of the few most abundant genes."""
    if request.quantile_normalize:
        return values
    with np.errstate(invalid="ignore"):
        logs: Matrix = np.log2(values + np.float32(1))
    return logs


def _gene_warnings(loss: GeneLoss) -> list[str]:
    return [few_genes(loss)] if loss.after < FEW_GENES * loss.before else []


def _processing_warnings(members: Sequence[Member]) -> list[str]:
    submitted = [member.sample for member in members if member.source and member.source.submitted]
    raw = len(members) - len(submitted)
    return [mixed_processing(submitted, raw)] if submitted and raw else []


def _scale_warnings(members: Sequence[Member], scale_by: ScaleBy) -> list[str]:
    alone = len(members) == 1 and scale_by is not ScaleBy.NONE
    return [scaled_alone(members[0].sample, scale_by)] if alone else []


def _check_warnings(check: UpperHalfCheck | None, members: Sequence[Member]) -> list[str]:
    if check is None or not check.warning:
        return []
    pair = (members[check.pair[0]].sample, members[check.pair[1]].sample)
    return [ks_warning(check, pair)]
