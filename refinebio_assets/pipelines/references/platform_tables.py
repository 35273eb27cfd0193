"""From the manufacturer's and Brainarray's files to the probes that SCAN's model is fit on, and their genes.

The one place that decides which reader of ``formats.probe_tables`` serves which file, which probes take part,
and whether the files are of the same array.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from refinebio_assets.domain import DropKind, Dropped
from refinebio_assets.errors import PermanentError
from refinebio_assets.formats.probe_tables import (
    PROBE_LENGTH,
    CdfLayout,
    ProbeTable,
    core_probes,
    only_25mers,
    perfect_match_probes,
    read_cdf,
    read_clf,
    read_mps,
    read_pgf,
    read_probe_tab,
    read_r_probe_package,
)
from refinebio_assets.pipelines.references.files import LocalFile
from refinebio_assets.pipelines.references.platform_probes import (
    GeneProbes,
    cell_keys,
    gene_probes,
    in_model_order,
)
from refinebio_assets.pipelines.references.platform_registry import resolve_platform

STEP = "platform_annotation"
NO_SEQUENCE = "the probe table has no sequence for this perfect match of the CDF file"
NO_PERFECT_MATCH = "the CDF file has no perfect match of this probe set on this cell"
NOT_CORE = "their probe sets are in no transcript cluster of the MPS file"
_R_PACKAGE = re.compile(r"(_\d+(\.\d+)+\.tar\.gz|\.rda|\.rdata)$", re.IGNORECASE)
"""R packages are told by their names, which R requires; all else is a flat table."""
_SAME_ARRAY = 0.5
"""Of the probes that two tables share. Measured: 1.0 in tables of one array, 0.0 in those of two arrays,
though half of their cells are the same."""
_LOWER_CASE = np.uint8(0x20)
_KEY_BITS = 24
"""For the number of a probe set: more than twice as many as any array has."""

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class PlatformTables:
    """What an array's files hold.

    ``probes`` are in the model's order, all of 25 bases; ``genes`` is None without a table of genes.
    ``left_out`` counts probes that are not in the model, ``dropped`` says which and why: probe by probe, or
    all of a kind in one record.
    """

    probes: ProbeTable
    genes: GeneProbes | None
    left_out: int
    dropped: tuple[Dropped, ...]


def read_platform_tables(platform: str, files: Mapping[str, LocalFile]) -> PlatformTables:
    """Read an array's files, by role: probe_tab (with cdf), or pgf and clf (with mps); and brainarray.

    Raises FormatError for a file that is not what it should be, PermanentError when the files are of
    another array, or no probe is left.
    """
    log = _Log()
    table = _st_probes(platform, files, log) if "pgf" in files else _probe_tab_probes(platform, files, log)
    whole, _ = only_25mers(table)
    log.add_each(table, table.lengths != PROBE_LENGTH, f"its sequence has not {PROBE_LENGTH} bases")
    if not len(whole):
        found = f"of {len(table):,} probes none has a sequence of {PROBE_LENGTH} bases"
        raise PermanentError(f"{', '.join(file.label for file in files.values())}: {found}")
    probes = in_model_order(whole)
    genes = _genes(files, probes) if "brainarray" in files else None
    return PlatformTables(probes, genes, log.count, tuple(log.dropped))


class _Log:
    """Collects what was left out."""

    def __init__(self) -> None:
        self.count = 0
        self.dropped: list[Dropped] = []

    def add_each(self, table: ProbeTable, rows: Mask, reason: str) -> None:
        """Record some probes of a table one by one."""
        left_out = table.take(rows)
        self.count += len(left_out)
        self.dropped += (Dropped(DropKind.PROBE, name, STEP, reason) for name in _names(left_out))

    def add_all(self, count: int, reason: str) -> None:
        """Record many probes at once."""
        if count:
            self.count += count
            self.dropped.append(Dropped(DropKind.PROBE, f"{count:,} probes", STEP, reason))


def _names(table: ProbeTable) -> Iterator[str]:
    for probe_set, x, y in zip(table.probe_sets.texts(), table.x.tolist(), table.y.tolist(), strict=True):
        yield f"{probe_set} at x {x}, y {y}"


def read_table(file: LocalFile) -> ProbeTable:
    """Read a flat table or an R package."""
    if _R_PACKAGE.search(file.label):
        return read_r_probe_package(file.path, label=file.label)
    return read_probe_tab(file.path, label=file.label)


def _probe_tab_probes(platform: str, files: Mapping[str, LocalFile], log: _Log) -> ProbeTable:
    table = read_table(files["probe_tab"])
    if "cdf" not in files:
        return table
    cdf = files["cdf"]
    layout = read_cdf(cdf.path, label=cdf.label)
    _require_platform(platform, layout.chip_types, cdf.label)
    return _on_layout(table, layout, files, log)


def _on_layout(table: ProbeTable, layout: CdfLayout, files: Mapping[str, LocalFile], log: _Log) -> ProbeTable:
    """Keep the probes that are perfect matches of the layout, and record those without sequence."""
    expected = layout.perfect_matches()
    number_of = {name: number for number, name in enumerate(expected.probe_sets.names)}
    inside = (table.x < layout.columns) & (table.y < layout.rows)
    found_keys = _keys(table, number_of, layout.columns)
    expected_keys = _keys(expected, number_of, layout.columns)
    known = inside & np.isin(found_keys, expected_keys)
    if known.mean() < _SAME_ARRAY:
        raise PermanentError(
            f"{files['probe_tab'].label} and {files['cdf'].label} are of different arrays: of "
            f"{len(table):,} probes {np.count_nonzero(known):,} are perfect matches of the CDF file"
        )
    log.add_each(table, ~known, NO_PERFECT_MATCH)
    log.add_each(expected, ~np.isin(expected_keys, found_keys[known]), NO_SEQUENCE)
    return table.take(known)


def _keys(table: ProbeTable, number_of: Mapping[str, int], columns: int) -> npt.NDArray[np.int64]:
    """Return a number for each cell and probe set; all unknown probe sets share one."""
    unknown = (1 << _KEY_BITS) - 1
    numbers = np.array([number_of.get(name, unknown) for name in table.probe_sets.names], np.int64)
    cells = table.y.astype(np.int64) * columns + table.x
    keys: npt.NDArray[np.int64] = (cells << _KEY_BITS) | numbers[table.probe_sets.codes]
    return keys


def _st_probes(platform: str, files: Mapping[str, LocalFile], log: _Log) -> ProbeTable:
    """Return the core probes by transcript cluster, or without an MPS file all by probe set."""
    groups = read_pgf(files["pgf"].path, label=files["pgf"].label)
    layout = read_clf(files["clf"].path, label=files["clf"].label)
    _require_platform(platform, groups.chip_types, files["pgf"].label)
    if "mps" not in files:
        return perfect_match_probes(groups, layout)
    clusters = read_mps(files["mps"].path, label=files["mps"].label)
    of_set = np.isin(groups.set_ids, clusters.set_ids)[groups.set_rows]
    log.add_all(int(np.count_nonzero(groups.is_perfect_match() & ~of_set)), NOT_CORE)
    return core_probes(groups, layout, clusters)


def _require_platform(platform: str, chip_types: Iterable[str], label: str) -> None:
    named = {chip_type: resolve_platform(chip_type).accession for chip_type in chip_types}
    if named and platform not in named.values():
        raise PermanentError(f"{label} is of the array {', '.join(named)}, not of {platform}")


def _genes(files: Mapping[str, LocalFile], probes: ProbeTable) -> GeneProbes:
    file = files["brainarray"]
    table = read_table(file)
    places = _places_in(probes, table)
    shared = places >= 0
    if not shared.any():
        raise PermanentError(
            f"{file.label}: none of its {len(table):,} probes is on a cell of the probe table"
        )
    if "probe_tab" in files:
        _require_same_letters(table.take(shared), probes.sequences[places[shared]], file.label)
    return gene_probes(table)


def _require_same_letters(given: ProbeTable, expected: npt.NDArray[np.uint8], label: str) -> None:
    has_letters = given.lengths > 0
    same = (given.sequences | _LOWER_CASE == expected | _LOWER_CASE).all(axis=1)
    if has_letters.any() and same[has_letters].mean() < _SAME_ARRAY:
        raise PermanentError(
            f"{label} is of another array than the probe table: of {np.count_nonzero(has_letters):,} probes "
            f"on the same cells {np.count_nonzero(same):,} have the same sequence"
        )


def _places_in(probes: ProbeTable, table: ProbeTable) -> npt.NDArray[np.int64]:
    """Return for each row of ``table`` a probe on its cell, -1 where there is none."""
    cells, first = np.unique(cell_keys(probes), return_index=True)
    keys = cell_keys(table)
    nearest = np.searchsorted(cells, keys).clip(max=len(cells) - 1)
    return np.where(cells[nearest] == keys, first[nearest], -1).astype(np.int64)
