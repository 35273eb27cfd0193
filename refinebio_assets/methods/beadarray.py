"""Illumina BeadArrays: from a file's signals and detection p-values to normalized values of probes and genes.

Arrays in, arrays out, in the order of use: ``match_probes`` pairs a file's rows with the platform's,
``prepare_beads`` reads their sequences, ``choose_treatment`` looks at the whole matrix of a file,
``scan_beads`` normalizes one sample, ``reported_probes`` tells which rows of the result have a gene. The
correction itself is in ``nec``, the model in ``scan``; files, platforms and the choice among several genes
of a probe are the work of other rooms.

Where refine.bio's R script has an answer, this is the same. Where it stops with an error:

- A cell without a number (signal, or p-value where it is needed) loses that probe of that sample only. The
  sample's other probes have the values that R gives to a file without those rows.
- A matrix with a value of 0 or less was background-corrected before: it is used as it is, without another
  correction. Where its values are not logarithms yet, such a cell has none, and counts as missing.

Source: refine.bio's ``illumina.R`` (after S. Piccolo's IllumiSCAN). The code is our own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from refinebio_assets.errors import PermanentError
from refinebio_assets.methods.nec import nec, p_values_fall
from refinebio_assets.methods.scan.design import Design, Letters, letters_of, prepare_design
from refinebio_assets.methods.scan.kernel import ScanResult, scan_log2
from refinebio_assets.methods.scan.settings import SCAN_ILLUMINA

Vector = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.intp]

FEWEST_PROBES = 1_000
"""Probes that ``illumina.R`` wants to find in a platform's annotation; its model has 155 coefficients."""
HIGHEST_LOGARITHM = 100.0
"""A matrix with a higher value than this is not on a log scale, says ``illumina.R``."""
_RELIABLE = ("Good", "Perfect")
"""Probe qualities that are reported, in the order of their rows; ``Good****`` is Good as well."""


@dataclass(frozen=True, slots=True, eq=False)
class BeadDesign:
    """A file's probes: their letters, and the model's design for samples that lack none of them."""

    letters: Letters
    complete: Design

    def for_measured(self, measured: Mask) -> Design:
        """Return the design of those probes only. Making one anew takes about as long as a fit."""
        if measured.all():
            return self.complete
        return prepare_design(self.letters[measured], self.complete.settings)


@dataclass(frozen=True, slots=True)
class Treatment:
    """What is done to all samples of a file, as its whole matrix tells.

    ``take_log2``: the values are not logarithms yet. ``correct_background``: that was not done before.
    ``turn_p_values``: the p-values fall with the signal, so 1 - p is used; else they are 1 - p already.
    """

    take_log2: bool
    correct_background: bool
    turn_p_values: bool


@dataclass(frozen=True, slots=True, eq=False)
class BeadResult:
    """A normalized sample.

    ``values``: one a probe of the file, rounded to 8 decimals; NaN where the sample has no measurement.
    ``measured``: where it has one. ``scan``: the result for these probes, with the model and its iterations.
    """

    values: Vector
    measured: Mask
    scan: ScanResult


@dataclass(frozen=True, slots=True, eq=False)
class ReportedProbes:
    """Which probes' values are published, and under which gene.

    ``rows``: their rows, all of quality Good, then all of quality Perfect. ``genes``: their genes; a gene of
    several probes stands there several times, as nothing is averaged. ``unreliable``: how many probes were
    left out for their quality, ``without_gene`` how many of the others have no gene.
    """

    rows: Indices
    genes: tuple[str, ...]
    unreliable: int
    without_gene: int


def match_probes(file_ids: pa.StringArray, platform_ids: pa.StringArray) -> tuple[Indices, Indices]:
    """Pair a file's rows with the platform's probes (those with a sequence) by id, in the file's order.

    Returns the rows of each pair in both. Of rows with the same id the first is taken; a missing id matches
    nothing. Raises PermanentError for fewer than ``FEWEST_PROBES`` pairs.
    """
    found = pc.index_in(file_ids, value_set=platform_ids, skip_nulls=True)
    in_platform = np.from_dlpack(found.fill_null(-1)).astype(np.intp)
    known = np.flatnonzero(in_platform >= 0)
    _, first = np.unique(in_platform[known], return_index=True)
    file_rows = known[np.sort(first)]
    if len(file_rows) < FEWEST_PROBES:
        raise PermanentError(
            f"{len(file_rows):,} of the file's {len(file_ids):,} rows are probes of the platform;"
            f" SCAN for BeadArrays needs at least {FEWEST_PROBES:,}"
        )
    return file_rows, in_platform[file_rows]


def prepare_beads(sequences: pa.StringArray) -> BeadDesign:
    """Prepare a file's probes for all its samples: 50-mers in the file's order, which is part of the result.

    Raises PermanentError for sequences that are missing, of another length, or too much alike.
    """
    letters = letters_of(sequences, SCAN_ILLUMINA.probe_length)
    return BeadDesign(letters, prepare_design(letters, SCAN_ILLUMINA))


def choose_treatment(signals: Matrix, p_values: Matrix) -> Treatment:
    """Decide from a file's whole matrices (probes x samples, matched probes only) how to treat its samples.

    Cells that are not finite are not considered. The first sample that has any probe with both numbers
    decides how the p-values are given.
    """
    _check_shapes(signals, p_values)
    known = np.isfinite(signals)
    highest = signals.max(where=known, initial=-np.inf)
    lowest = signals.min(where=known, initial=np.inf)
    both = (known & np.isfinite(p_values)).any(axis=0)
    first = int(both.argmax()) if both.any() else None
    return Treatment(
        take_log2=bool(highest > HIGHEST_LOGARITHM),
        correct_background=bool(lowest > 0),
        turn_p_values=first is not None and p_values_fall(signals[:, first], p_values[:, first]),
    )


def scan_beads(signals: Vector, p_values: Vector, treatment: Treatment, design: BeadDesign) -> BeadResult:
    """Normalize one sample: logarithm, background correction and SCAN, as ``treatment`` says.

    ``signals`` (as in the file) and detection ``p_values`` have one number a probe of the design; NaN is a
    missing cell. P-values are used for the background correction only.

    Raises PermanentError for a sample with fewer than ``FEWEST_PROBES`` measured probes, and where the
    background cannot be estimated or the model not be fitted.
    """
    _check_shapes(signals, p_values)
    if len(signals) != len(design.letters):
        raise ValueError(f"the sample has {len(signals):,} probes, its design {len(design.letters):,}")
    measured = _measured(signals, p_values, treatment)
    count = np.count_nonzero(measured)
    if count < FEWEST_PROBES:
        raise PermanentError(
            f"{count:,} of {len(signals):,} probes of the sample have a usable signal;"
            f" SCAN for BeadArrays needs at least {FEWEST_PROBES:,}"
        )
    prepared = _prepare_values(signals[measured], p_values[measured], treatment)
    scan = scan_log2(prepared, design.for_measured(measured))
    values = np.full(len(signals), np.nan)
    values[measured] = scan.values
    return BeadResult(values, measured, scan)


def reported_probes(qualities: pa.StringArray, genes: pa.StringArray) -> ReportedProbes:
    """Choose the probes of reliable quality that have a gene; both arrays have one entry a probe.

    ``qualities`` are the annotation's (``Perfect***``, ``No match``; missing is not reliable); ``genes`` the
    one gene chosen for each probe, missing where there is none.
    """
    if len(qualities) != len(genes):
        raise ValueError(f"{len(qualities):,} probes have a quality, {len(genes):,} a gene")
    by_quality = np.concatenate([_rows_where(pc.match_substring(qualities, one)) for one in _RELIABLE])
    reliable = by_quality[np.sort(np.unique(by_quality, return_index=True)[1])]
    has_gene = np.isin(reliable, _rows_where(genes.is_valid()))
    kept = reliable[has_gene]
    unreliable, without_gene = len(genes) - len(reliable), len(reliable) - len(kept)
    names = cast(list[str], genes.to_pylist())
    return ReportedProbes(kept, tuple(names[row] for row in kept.tolist()), unreliable, without_gene)


def _measured(signals: Vector, p_values: Vector, treatment: Treatment) -> Mask:
    measured = np.isfinite(signals)
    if treatment.take_log2:
        measured &= signals > 0
    if treatment.correct_background:
        measured &= np.isfinite(p_values)
    return measured


def _prepare_values(signals: Vector, p_values: Vector, treatment: Treatment) -> Vector:
    values = np.log2(signals) if treatment.take_log2 else signals
    if not treatment.correct_background:
        return values
    return nec(values, 1 - p_values if treatment.turn_p_values else p_values)


def _rows_where(mask: pa.BooleanArray) -> Indices:
    return np.from_dlpack(pc.indices_nonzero(mask)).astype(np.intp)


def _check_shapes(signals: npt.NDArray[np.float64], p_values: npt.NDArray[np.float64]) -> None:
    if signals.shape != p_values.shape:
        raise ValueError(f"signals have the shape {signals.shape}, their p-values {p_values.shape}")
