"""Gives samples the distribution of a target, and tells whether they have it. Making targets: ``fit``."""

from __future__ import annotations

from functools import partial

import numpy as np
import numpy.typing as npt

from refinebio_assets.methods.quantile.columns import (
    Matrix,
    Places,
    Vector,
    checked_matrix,
    column_chunks,
    in_order,
    read_columns,
    write_columns,
)
from refinebio_assets.methods.quantile.interpolation import positions, values_at
from refinebio_assets.methods.quantile.ranks import Flags, order_of


def apply_target(
    matrix: npt.ArrayLike,
    target: npt.ArrayLike,
    *,
    out: Matrix | None = None,
    threads: int | None = None,
) -> Matrix:
    """Give each sample (column) of a genes x samples matrix the distribution of ``target``.

    A value becomes the target's quantile at its rank among the sample's values; equal values share the
    quantile at their mean rank. NaN is missing: it stays NaN and counts for nothing, in the matrix (as NA
    in R) and in the target, which may have any length and order. A sample with one value gets the target's
    largest, as in R. Samples are independent of each other.

    Returns float64, or ``out``: a float32 or float64 array of the matrix's shape, which may be the matrix
    itself but may not overlap it otherwise; float32 rounds each result. ``matrix`` is float32 or float64
    (integers become float64) in any memory order; memory beyond the result is a few samples a thread.
    ``threads`` None means all processors that this process may use. Results do not depend on it.

    Values are to the last bit those of preprocessCore 1.60.2's ``normalize.quantiles.use.target`` with NA
    for NaN. R given NaN that are not NA, as rpy2 sends them, misplaces the whole sample; this does not.

    Raises ValueError when the target has no values or is not a vector, or shapes differ.
    """
    values = checked_matrix(matrix)
    reference = _Reference(_ordered(target), values.shape[0])
    result = _checked_out(values, out)

    def normalize(columns: slice) -> None:
        samples = read_columns(values, columns)
        for sample in samples:
            reference.normalize(sample)
        write_columns(result, columns, samples)

    for _ in in_order(normalize, column_chunks(values.shape[1]), threads):
        pass
    return result


def target_departures(matrix: npt.ArrayLike, target: npt.ArrayLike, *, threads: int | None = None) -> Vector:
    """Return for each sample how far its values are from what ``apply_target`` would make of them.

    With a target of distinct values a normalized sample stays as it is when normalized again, whatever its
    ties and missing values, up to rounding; so the largest absolute difference over its genes is about 0
    (1e-12 of the values), and not 0 when it has not been normalized, or to another target. Where the target
    has ties, genes of different ranks may become equal, and a second normalization can move them: then a
    departure says nothing. 0 for a sample without values. Parameters and errors as for ``apply_target``.
    """
    values = checked_matrix(matrix)
    reference = _Reference(_ordered(target), values.shape[0])
    departures = in_order(partial(_departures, values, reference), column_chunks(values.shape[1]), threads)
    return np.concatenate([np.empty(0), *departures])


def _departures(matrix: Matrix, reference: _Reference, columns: slice) -> Vector:
    return np.array([reference.departure(sample) for sample in read_columns(matrix, columns)])


class _Reference:
    """A target's values at the ranks of a sample's values."""

    def __init__(self, target: Vector, genes: int) -> None:
        self._target = target
        self._genes = genes
        self._at_half_ranks = self._values(np.arange(max(2 * genes - 1, 0)), genes)
        self._at_ranks = self._at_half_ranks[::2].copy()

    def departure(self, sample: Vector) -> float:
        """Return the largest difference that normalizing a sample would make; as ranks decide, in order."""
        ordered = np.sort(sample)  # NaN come last
        ordered = ordered[: len(ordered) - np.count_nonzero(np.isnan(ordered))]
        if not len(ordered):
            return 0.0
        after = self._in_order(ordered[1:] == ordered[:-1])
        with np.errstate(invalid="ignore"):  # infinity minus infinity, where both are the same
            difference = np.where(ordered == after, 0.0, np.abs(after - ordered))
        return float(np.fmax.reduce(difference, initial=0.0))

    def normalize(self, sample: Vector) -> None:
        """Replace a sample's values, in place."""
        if np.isfinite(sample).all():
            self._normalize_present(sample, finite=True)
            return
        present = np.flatnonzero(~np.isnan(sample))
        values = sample[present]
        self._normalize_present(values, finite=bool(np.isfinite(values).all()))
        sample[present] = values

    def _normalize_present(self, values: Vector, *, finite: bool) -> None:
        if not len(values):
            return
        order, tied = order_of(values, finite=finite)
        values[order] = self._in_order(tied)

    def _in_order(self, tied: Flags) -> Vector:
        """Return the values of a sample, smallest first; ``tied`` says which equals the next one."""
        count = len(tied) + 1
        if tied.any():
            starts = np.flatnonzero(np.concatenate(([True], ~tied)))
            ends = np.append(starts[1:], count)
            return np.repeat(self._at_doubled(starts + ends - 1, count), ends - starts)
        if count == self._genes:
            return self._at_ranks
        return self._at_doubled(2 * np.arange(count), count)

    def _at_doubled(self, doubled: Places, count: int) -> Vector:
        """Return values at twice the ranks, counted from 0, so that the mean rank of ties is whole."""
        if count != self._genes:
            return self._values(doubled, count)
        values: Vector = self._at_half_ranks[doubled]
        return values

    def _values(self, doubled: Places, count: int) -> Vector:
        length = len(self._target)
        if not (count == self._genes == length):
            return values_at(self._target, positions(doubled / 2, count, length))
        # R's branch of its own for as many genes as quantiles and none missing.
        lower, upper = self._target[doubled >> 1], self._target[(doubled + 1) >> 1]
        with np.errstate(invalid="ignore"):  # the mean of infinity and minus infinity
            values: Vector = np.where(doubled & 1, 0.5 * (lower + upper), lower)
        return values


def _ordered(target: npt.ArrayLike) -> Vector:
    values = np.asarray(target, np.float64)
    if values.ndim != 1:
        raise ValueError(f"expected a target with one axis, got an array of shape {values.shape}")
    ordered = np.sort(values[~np.isnan(values)], kind="stable")  # as R's, of 0 and -0 too
    if not len(ordered):
        raise ValueError("the target has no values")
    return ordered


def _checked_out(matrix: Matrix, out: Matrix | None) -> Matrix:
    if out is None:
        return np.empty_like(matrix, np.float64, subok=False)
    if out.shape != matrix.shape:
        raise ValueError(f"expected out of shape {matrix.shape}, got {out.shape}")
    if out.dtype not in (np.float32, np.float64):
        raise TypeError(f"expected out to be float32 or float64, got {out.dtype}")
    return out
