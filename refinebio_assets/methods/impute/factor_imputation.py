"""The default imputation: a factor model around each gene's mean, rank and end chosen on held-out values.

Beside ``iterative_svd`` it is about as good for values missing at random, and far better for genes that are
missing in a whole group of samples, as compendia miss them (measured in ``benchmarks/README.md``).

The rank is chosen, and the fit begins, on a *pilot*: some of the samples, in memory. All samples are then
swept over until the errors have settled, some at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from refinebio_assets.errors import PermanentError
from refinebio_assets.methods.impute.cells import (
    Cells,
    Matrix,
    Rows,
    check_matrix,
    check_room,
    checked_block,
    row_blocks,
)
from refinebio_assets.methods.impute.factor_model import FactorModel, fill, first_model, sweep
from refinebio_assets.methods.impute.held_out import HeldOut, HeldOutErrors, gene_means, hold_out

RANKS = (0, 2, 5, 10, 20, 40)
"""Ranks to choose from; 0 is the gene's mean. Too few can be as bad for blocks as too many: all are tried."""
GENES_FOR_RANK = 1_500
"""The rank is chosen on so many genes; samples' factors are known well from them."""
PILOT_SAMPLES = 2_000
"""The rank is chosen, and genes' loadings are first known, from so many samples: 160 MB for 20,000 genes."""
MOST_SWEEPS = 60
_SETTLED = 1e-3
"""The fit ends when a sweep lowers the held-out errors by less than this share of them, twice in a row."""
_WORTH = 0.99
"""A higher rank is taken when it lowers the held-out errors to this share of them."""


@dataclass(frozen=True, slots=True)
class RankTrial:
    """The held-out errors (root mean squares) of a rank on the genes that the rank was chosen on."""

    rank: int
    random: float
    block: float
    sweeps: int


@dataclass(frozen=True, slots=True, eq=False)
class FactorImputation:
    """The filled matrix (samples x genes), the ``rank`` chosen, the number of ``iterations`` (sweeps over the
    whole matrix), the errors on held-out values, and the ranks tried. ``settled`` tells whether the held-out
    errors had stopped falling. Without missing values nothing is tried and ``held_out`` is None.
    """

    matrix: Any
    rank: int
    iterations: int
    settled: bool
    held_out: HeldOutErrors | None
    trials: tuple[RankTrial, ...]


def impute_by_factors(
    matrix: Rows,
    rng: np.random.Generator,
    *,
    groups: Sequence[object] | None = None,
    ranks: Sequence[int] = RANKS,
    max_sweeps: int = MOST_SWEEPS,
    pilot_samples: int = PILOT_SAMPLES,
    out: Rows | None = None,
) -> FactorImputation:
    """Fill the missing values (NaN) of a samples x genes matrix of float32 or float64 by a factor model.

    ``groups`` names for each sample what values are missing by (its platform): blocks of them are held
    out, see ``hold_out``. ``ranks`` are tried on at most 1,500 genes of ``pilot_samples``; ranks above half
    of the matrix's smaller side are left out. ``rng`` chooses held-out values, genes and samples: the same
    generator state, the same result. Held-out values are hidden while errors are measured, and known in
    one last sweep.

    Observed cells are returned as they are. A gene without any takes the typical level of genes, a
    sample without any the genes' means. ``out`` receives the result: an array or a file of the matrix's
    shape and type, or the matrix itself. The matrix is read some samples at a time, once a sweep. Memory
    beside it is the pilot and, for rank r, genes x (r + 1)^2 x 10 bytes (rank 40, 20,000 genes: 350 MB).
    Raises PermanentError for infinite values, for a matrix without any value, and for empty ``ranks``.
    """
    out, missing = _room(matrix, out), _count_missing(matrix)
    cells = matrix.shape[0] * matrix.shape[1]
    possible = [rank for rank in sorted(set(ranks)) if 0 <= rank <= min(matrix.shape) // 2]
    if not missing:
        _copy(matrix, out)
        return FactorImputation(out, 0, 0, True, None, ())
    if missing == cells:
        raise PermanentError(f"all {cells:,} values are missing: there is nothing to impute them from")
    if not possible:
        raise PermanentError(f"no rank from 0 to {min(matrix.shape) // 2} to choose from: {list(ranks)}")
    held_out = hold_out(matrix, rng, groups=groups)
    pilot = _pilot(matrix, held_out, pilot_samples, rng)
    trials = _try_ranks(pilot, possible, max_sweeps, rng)
    rank = _best(trials)
    fit = _fit(pilot.matrix, first_model(pilot.matrix, rank, pilot.held_out, rng), pilot.held_out, max_sweeps)
    if len(pilot.samples) < matrix.shape[0]:
        fit = _fit(matrix, fit.model, held_out, max_sweeps)
    errors = HeldOutErrors(held_out, fit.predicted, gene_means(matrix, held_out)[held_out.genes])
    fill(matrix, sweep(matrix, fit.model, None)[0], held_out, out)
    return FactorImputation(out, rank, fit.sweeps + 1, fit.settled, errors, tuple(trials))


@dataclass(frozen=True, slots=True, eq=False)
class _Pilot:
    samples: Cells
    matrix: Matrix
    held_out: HeldOut


@dataclass(frozen=True, slots=True, eq=False)
class _Fit:
    """The model of the lowest held-out errors, and what it makes of the held-out cells."""

    model: FactorModel
    predicted: Any
    score: RankTrial
    sweeps: int
    settled: bool


def _pilot(matrix: Rows, held_out: HeldOut, count: int, rng: np.random.Generator) -> _Pilot:
    """Return some samples, as many of each group as its share, and all of a group of few."""
    samples, genes = matrix.shape
    chosen = np.arange(samples)
    if samples > count:
        order = rng.permutation(samples)
        groups = held_out.group_of[order]
        rank_in_group = np.empty(samples, np.intp)
        rank_in_group[np.argsort(groups, kind="stable")] = np.concatenate(
            [np.arange(size) for size in np.bincount(groups)]
        )
        sizes = np.bincount(groups)[groups]
        least = count // (2 * len(np.unique(groups)))
        first = np.where(rank_in_group < least, -1.0, rank_in_group / sizes)
        chosen = np.sort(order[np.argsort(first, kind="stable")[:count]])
    part = np.empty((len(chosen), genes), matrix.dtype)
    for rows in row_blocks(matrix.shape, 4_000_000, 1):
        first_of, last_of = np.searchsorted(chosen, (rows.start, rows.stop))
        if first_of < last_of:
            part[first_of:last_of] = matrix[rows][chosen[first_of:last_of] - rows.start]
    return _Pilot(chosen, part, held_out.part(chosen, np.arange(genes)))


def _try_ranks(
    pilot: _Pilot, ranks: Sequence[int], max_sweeps: int, rng: np.random.Generator
) -> list[RankTrial]:
    samples, genes = pilot.matrix.shape
    chosen = np.sort(rng.permutation(genes)[:GENES_FOR_RANK])
    part = np.ascontiguousarray(pilot.matrix[:, chosen])
    held_out = pilot.held_out.part(np.arange(samples), chosen)
    return [_fit(part, first_model(part, rank, held_out, rng), held_out, max_sweeps).score for rank in ranks]


def _fit(matrix: Rows, model: FactorModel, held_out: HeldOut, max_sweeps: int) -> _Fit:
    """Sweep until the held-out errors have settled."""
    best, calm, settled = np.inf, 0, False
    for count in range(1, max_sweeps + 1):
        new, predicted = sweep(matrix, model, held_out)
        errors = HeldOutErrors(held_out, predicted, np.empty(0))
        score = _score(errors.random, errors.block)
        calm = 0 if score < best * (1 - _SETTLED) else calm + 1
        if score < best or count == 1:
            best, kept = score, (model, predicted, RankTrial(model.rank, errors.random, errors.block, count))
        model, settled = new, calm == 2
        if settled:
            break
    return _Fit(*kept, count, settled)


def _score(random: float, block: float) -> float:
    """Return one number for both errors, in which each counts by its own size; 0 where none was held out."""
    return float(np.nansum((random, block)))


def _best(trials: Sequence[RankTrial]) -> int:
    best = trials[0]
    for trial in trials[1:]:
        if _score(trial.random, trial.block) < _WORTH * _score(best.random, best.block):
            best = trial
    return best.rank


def _room(matrix: Rows, out: Rows | None) -> Rows:
    check_matrix(matrix)
    if out is None:
        return np.empty(matrix.shape, matrix.dtype)
    check_room(matrix, out)
    return out


def _count_missing(matrix: Rows) -> int:
    return sum(int(np.count_nonzero(checked_block(matrix[rows]))) for rows in row_blocks(matrix.shape))


def _copy(matrix: Rows, out: Rows) -> None:
    for rows in row_blocks(matrix.shape):
        out[rows] = matrix[rows]
