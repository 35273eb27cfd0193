"""From values of probes to values of probe sets or genes: grouping, once a platform, and trimmed means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from refinebio_assets.methods.scan.kernel import DECIMALS
from refinebio_assets.methods.scan.r_round import round_as_r

Vector = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

TRIM = 0.1
"""Share of the lowest and of the highest probes of a set that SCAN.UPC leaves out."""


@dataclass(frozen=True, slots=True, eq=False)
class ProbeSets:
    """Which probes each set has: see ``group_probes``.

    ``names`` are sorted in byte order. ``by_size`` holds, for all sets of one size, their places in
    ``names`` and a matrix, sets x probes, of the probes' rows. ``probes`` is how many the platform has.
    """

    names: tuple[str, ...]
    by_size: tuple[tuple[Indices, Indices], ...]
    probes: int

    @property
    def sizes(self) -> Indices:
        """Return how many probes each set has; one that is listed twice counts twice."""
        sizes = np.zeros(len(self.names), np.intp)
        for places, rows in self.by_size:
            sizes[places] = rows.shape[1]
        return sizes


def match_cells(cells: Indices, table_cells: Indices) -> tuple[Indices, Indices]:
    """Pair the probes of a design with the rows of a table (Brainarray's) by cell, many to many.

    Both hold a number for each cell, such as ``y * columns + x``. Returns the places of each pair in
    ``cells`` and in ``table_cells``: a cell that is twice in one and three times in the other gives six.
    Cells that only one of them has are in no pair.
    """
    order = np.argsort(cells, kind="stable")
    ordered = cells[order]
    first = np.searchsorted(ordered, table_cells, side="left")
    counts = np.searchsorted(ordered, table_cells, side="right") - first
    rows = np.repeat(np.arange(len(table_cells)), counts)
    within = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    return order[np.repeat(first, counts) + within], rows


def group_probes(names: pa.StringArray, rows: Indices, probes: int) -> ProbeSets:
    """Group memberships by set: ``names[i]`` has the probe in row ``rows[i]`` of a design of ``probes``.

    For a platform's own probe sets ``rows`` is ``np.arange(probes)``; for Brainarray's genes it comes from
    ``match_cells``. Raises ValueError where a row is outside the design or a name is missing.
    """
    if names.null_count or len(names) != len(rows):
        raise ValueError(f"{len(rows):,} rows have {len(names) - names.null_count:,} names")
    if len(rows) and not 0 <= rows.min() <= rows.max() < probes:
        raise ValueError(f"rows {rows.min():,} to {rows.max():,} are not all among {probes:,} probes")
    coded = names.dictionary_encode()
    alphabetical = pc.array_sort_indices(coded.dictionary)
    rank = np.empty(len(alphabetical), np.intp)
    rank[np.from_dlpack(alphabetical)] = np.arange(len(rank))
    sets = rank[np.from_dlpack(coded.indices)]
    members = rows[np.argsort(sets, kind="stable")]
    sizes = np.bincount(sets, minlength=len(rank))
    starts = np.cumsum(sizes) - sizes
    by_size = []
    for size in np.unique(sizes):
        places = np.flatnonzero(sizes == size)
        by_size.append((places, members[starts[places, np.newaxis] + np.arange(size)]))
    ordered_names = cast(list[str], coded.dictionary.take(alphabetical).to_pylist())
    return ProbeSets(tuple(ordered_names), tuple(by_size), probes)


def summarize(values: Vector, sets: ProbeSets, *, trim: float = TRIM) -> Vector:
    """Return each set's trimmed mean of one array's probe values, in the order of ``sets.names``.

    Of m sorted values the lowest and highest ``floor(trim * m)`` are left out; 0 <= trim < 0.5. Rounded to
    8 decimals, as in R's ``mean(x, trim = 0.1)`` and SCAN.UPC. NaN where a probe is NaN.
    """
    if values.shape != (sets.probes,):
        raise ValueError(f"the array has {values.shape} values, its platform {sets.probes:,} probes")
    means = np.empty(len(sets.names))
    for places, rows in sets.by_size:
        size = rows.shape[1]
        ordered = np.sort(values[rows], axis=1)
        cut = int(trim * size)
        kept = ordered[:, cut : size - cut]
        means[places] = kept.astype(np.longdouble).mean(axis=1)  # as R sums: it decides ties of the rounding
        means[places[np.isnan(ordered[:, -1])]] = np.nan  # NaN sorts last, where it would be cut
    return round_as_r(means, DECIMALS)


def gene_ids(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return Brainarray's names of sets as gene ids: ``ENSG00000000003_at`` is ENSG00000000003."""
    return tuple(name.removesuffix("_at") for name in names)
