"""The probe tables of ST arrays (gene, exon, transcriptome), put together from PGF, CLF and MPS files."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from refinebio_assets.errors import PermanentError
from refinebio_assets.formats.probe_tables.clf import CellLayout
from refinebio_assets.formats.probe_tables.model import Int32s, Labels, ProbeTable, sorted_labels
from refinebio_assets.formats.probe_tables.mps import MetaProbeSets
from refinebio_assets.formats.probe_tables.pgf import ProbeGroups

Rows = npt.NDArray[np.signedinteger[Any]]


def perfect_match_probes(groups: ProbeGroups, layout: CellLayout) -> ProbeTable:
    """Return all perfect-match probes by probe set, in the PGF file's order.

    ``probe_sets`` has the sets' names, ``categories`` their types; controls and background probes are
    among them. Raises FormatError for a probe that the CLF file lacks, PermanentError when the files are
    of different arrays.
    """
    _require_same_array(groups.chip_types, layout.chip_types)
    rows = np.flatnonzero(groups.is_perfect_match())
    return _table(groups, layout, rows, _labels(groups.set_names, groups.set_rows[rows]))


def core_probes(groups: ProbeGroups, layout: CellLayout, clusters: MetaProbeSets) -> ProbeTable:
    """Return the perfect-match probes of the clusters' probe sets, named by cluster.

    A probe set in several clusters gives a row in each, and probe sets that the PGF file does not have
    give none: an inner join, as oligo's target "core". Errors as ``perfect_match_probes``.
    """
    _require_same_array(groups.chip_types, layout.chip_types)
    _require_same_array(groups.chip_types, clusters.chip_types)
    rows = np.flatnonzero(groups.is_perfect_match())
    # Every cluster's probe sets side by side, so that those of one probe set are a range.
    order = np.argsort(clusters.set_ids, kind="stable")
    sorted_ids = clusters.set_ids[order]
    set_ids = groups.set_ids[groups.set_rows[rows]]
    first = np.searchsorted(sorted_ids, set_ids, side="left")
    counts = np.searchsorted(sorted_ids, set_ids, side="right") - first
    repeated = np.repeat(np.arange(len(rows)), counts)
    within = np.arange(len(repeated)) - np.repeat(np.cumsum(counts) - counts, counts)
    pairs = order[first[repeated] + within]
    return _table(groups, layout, rows[repeated], clusters.clusters.take(pairs))


def _table(groups: ProbeGroups, layout: CellLayout, rows: Rows, probe_sets: Labels) -> ProbeTable:
    x, y = layout.cells_of(groups.probe_ids[rows])
    return ProbeTable(
        x=x,
        y=y,
        probe_sets=probe_sets,
        sequences=groups.sequences[rows],
        lengths=groups.lengths[rows],
        categories=_labels(groups.set_types, groups.set_rows[rows]),
    )


def _labels(texts: tuple[str, ...], rows: Int32s) -> Labels:
    """Return labels of rows that each have one of the texts, which may repeat."""
    distinct: dict[str, int] = {}
    codes = np.array([distinct.setdefault(text, len(distinct)) for text in texts], np.int32)
    return sorted_labels(codes[rows], list(distinct))


def _require_same_array(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    if one and other and not set(one) & set(other):
        raise PermanentError(
            f"the library files are of different arrays: {', '.join(one)} and {', '.join(other)}"
        )
