"""The default imputation: a factor model around each gene's mean, rank and end chosen on held-out values.

Beside ``iterative_svd`` it is about as good for values missing at random, and far better for genes that are
missing in a whole group of samples, as compendia miss them (measured in ``benchmarks/README.md``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from refinebio_assets.errors import PermanentError
from refinebio_assets.methods.impute.cells import Matrix, MissingCells, row_blocks, zero_filled
from refinebio_assets.methods.impute.factor_model import FactorModel, first_model, sweep
from refinebio_assets.methods.impute.held_out import HeldOut, HeldOutErrors, gene_means, hold_out

RANKS = (0, 2, 5, 10, 20, 40)
"""Ranks to choose from; 0 is the gene's mean. Too few can be as bad for blocks as too many: all are tried."""
GENES_FOR_RANK = 2_000
"""The rank is chosen on so many genes; samples' factors are known well from them."""
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
    """The filled matrix (genes x samples), the ``rank`` chosen, the number of ``iterations`` (sweeps over the
    matrix), the errors on held-out values, and the ranks tried. ``settled`` tells whether the held-out
    errors had stopped falling. Without missing values nothing is tried and ``held_out`` is None.
    """

    matrix: Matrix
    rank: int
    iterations: int
    settled: bool
    held_out: HeldOutErrors | None
    trials: tuple[RankTrial, ...]


def impute_by_factors(
    matrix: Matrix,
    rng: np.random.Generator,
    *,
    groups: Sequence[object] | None = None,
    ranks: Sequence[int] = RANKS,
    max_sweeps: int = MOST_SWEEPS,
    out: Matrix | None = None,
) -> FactorImputation:
    """Fill the missing values (NaN) of a genes x samples matrix of float32 or float64 by a factor model.

    ``groups`` names for each sample what values are missing by (its platform): blocks of them are held
    out, see ``hold_out``. ``ranks`` are tried on at most 2,000 genes; ranks above half of the matrix's
    smaller side are left out. ``rng`` chooses held-out values and genes: the same generator state, the
    same result. Held-out values are hidden while errors are measured, and known in one last sweep.

    Observed cells are returned as they are. A gene without any takes the typical level of genes, a
    sample without any the genes' means. ``out`` receives the result: an array or memory map of the
    matrix's shape and type, or the matrix itself; the matrix is read block by block, once a sweep. Memory
    beside it is about samples x (rank + 1)^2 x 40 bytes (rank 40, 20,000 samples: 1.3 GB), and 2,000 genes.
    Raises PermanentError for infinite values, for a matrix without any value, and for empty ``ranks``.
    """
    missing = MissingCells(matrix)
    possible = [rank for rank in sorted(set(ranks)) if 0 <= rank <= min(matrix.shape) // 2]
    if not missing.count:
        return FactorImputation(zero_filled(matrix, missing, out), 0, 0, True, None, ())
    if missing.count == matrix.size:
        raise PermanentError(f"all {matrix.size:,} values are missing: there is nothing to impute them from")
    if not possible:
        raise PermanentError(f"no rank from 0 to {min(matrix.shape) // 2} to choose from: {list(ranks)}")
    held_out = hold_out(matrix, rng, groups=groups)
    genes = np.sort(rng.permutation(len(matrix))[:GENES_FOR_RANK])
    trials = [_try_rank(matrix[genes], held_out.of_genes(genes), rank, max_sweeps, rng) for rank in possible]
    rank = _best(trials)
    fit = _fit(matrix, first_model(matrix, rank, held_out, rng), held_out, max_sweeps)
    errors = HeldOutErrors(held_out, fit.model.at(held_out), gene_means(matrix, held_out)[held_out.genes])
    filled = _filled(matrix, missing, sweep(matrix, fit.model, None), out)
    return FactorImputation(filled, rank, fit.sweeps + 1, fit.settled, errors, tuple(trials))


@dataclass(frozen=True, slots=True, eq=False)
class _Fit:
    model: FactorModel
    sweeps: int
    settled: bool


def _try_rank(
    matrix: Matrix, held_out: HeldOut, rank: int, max_sweeps: int, rng: np.random.Generator
) -> RankTrial:
    fit = _fit(matrix, first_model(matrix, rank, held_out, rng), held_out, max_sweeps)
    errors = HeldOutErrors(held_out, fit.model.at(held_out), np.empty(0))
    return RankTrial(rank, errors.random, errors.block, fit.sweeps)


def _fit(matrix: Matrix, model: FactorModel, held_out: HeldOut, max_sweeps: int) -> _Fit:
    """Sweep until the held-out errors have settled; the model is that of the lowest errors."""
    best, calm, kept = np.inf, 0, model
    for count in range(1, max_sweeps + 1):
        model = sweep(matrix, model, held_out)
        errors = HeldOutErrors(held_out, model.at(held_out), np.empty(0))
        score = _score(errors.random, errors.block)
        calm = 0 if score < best * (1 - _SETTLED) else calm + 1
        if score < best:
            best, kept = score, model
        if calm == 2:
            return _Fit(kept, count, True)
    return _Fit(kept, max_sweeps, False)


def _score(random: float, block: float) -> float:
    """Return one number for both errors, in which each counts by its own size; 0 where none was held out."""
    return float(np.nansum((random, block)))


def _best(trials: Sequence[RankTrial]) -> int:
    best = trials[0]
    for trial in trials[1:]:
        if _score(trial.random, trial.block) < _WORTH * _score(best.random, best.block):
            best = trial
    return best.rank


def _filled(matrix: Matrix, missing: MissingCells, model: FactorModel, out: Matrix | None) -> Matrix:
    out = zero_filled(matrix, missing, out)
    for rows in row_blocks(matrix.shape):
        np.copyto(out[rows], model.values(rows), where=missing.in_rows(rows), casting="same_kind")
    return out
