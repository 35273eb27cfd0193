"""Fills a compendium's missing values and measures how well; memory does not grow with samples."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from refinebio_assets.formats.row_matrix import RowMatrix
from refinebio_assets.methods.impute.cells import packed_shape, row_blocks
from refinebio_assets.methods.impute.factor_imputation import impute_by_factors
from refinebio_assets.methods.impute.held_out import (
    HeldOutErrors,
    errors_of,
    gene_means,
    held_out_errors,
    hold_out,
)
from refinebio_assets.methods.impute.iterative_svd import IterativeSvdResult, iterative_svd
from refinebio_assets.pipelines.compendia.joining import Joined
from refinebio_assets.pipelines.compendia.model import CompendiumSettings, Imputation

COMPARED_SAMPLES = 1_000
"""Samples on which both methods are tried where there are more: 25 CPU s and 350 MB for 20,000 genes."""


@dataclass(frozen=True, slots=True)
class Compared:
    """Errors of a method (root mean squares, log2; NaN where nothing was hidden) on the values that were
    hidden in some samples, imputed from these samples alone: the same ones for each method.
    """

    method: str
    random: float
    block: float
    samples: int


@dataclass(frozen=True, slots=True, eq=False)
class Imputed:
    """The filled matrix (samples x genes, log2 scale) and how it was filled.

    ``errors`` are those on values held out, None when nothing was missing or nothing was imputed;
    ``compared`` are those of other methods beside it.
    """

    filled: RowMatrix
    method: Imputation
    rank: int
    iterations: int
    settled: bool
    errors: HeldOutErrors | None
    compared: tuple[Compared, ...] = ()


def impute(joined: Joined, scratch: Path, settings: CompendiumSettings) -> Imputed:
    """Fill the missing values of joined samples into a new scratch file, as the settings say.

    Raises StorageError when the disk is full, PermanentError when nothing can be imputed.
    """
    measured = joined.measured
    filled = RowMatrix(scratch / "filled", (measured.shape[0], measured.shape[1]), np.float32)
    if not joined.missing or settings.imputation is Imputation.NONE:
        for rows in row_blocks(measured.shape):
            filled[rows] = measured[rows]
        return Imputed(filled, settings.imputation, 0, 0, True, None)
    if settings.imputation is Imputation.FACTORS:
        return _by_factors(joined, filled, settings)
    return _by_iterative_svd(joined, filled, scratch, settings)


def _groups(joined: Joined) -> list[str]:
    return [sample.group for sample in joined.samples]


def _by_factors(joined: Joined, filled: RowMatrix, settings: CompendiumSettings) -> Imputed:
    found = impute_by_factors(
        joined.measured,
        np.random.default_rng(settings.seed),
        groups=_groups(joined),
        pilot_samples=joined.plan.pilot_samples,
        out=filled,
    )
    compared = () if found.held_out is None else _compared(joined, found.held_out, found.rank, settings.seed)
    return Imputed(
        filled,
        Imputation.FACTORS,
        found.rank,
        found.iterations,
        found.settled,
        found.held_out,
        compared,
    )


def _compared(joined: Joined, errors: HeldOutErrors, rank: int, seed: int) -> tuple[Compared, ...]:
    """Let both methods impute evenly chosen samples, all where there are few, with the same values hidden."""
    samples, genes = joined.measured.shape
    chosen = np.unique(np.linspace(0, samples - 1, min(samples, COMPARED_SAMPLES)).round().astype(np.intp))
    matrix = np.concatenate([joined.measured[place : place + 1] for place in chosen.tolist()])
    hidden = errors.cells.part(chosen, np.arange(genes))
    ancestor = held_out_errors(matrix, hidden, lambda values: iterative_svd(values).matrix)
    ours = errors
    if len(chosen) < samples:
        groups, rng = np.array(_groups(joined), object)[chosen].tolist(), np.random.default_rng(seed)
        ranks = (min(rank, len(chosen) // 2),)
        ours = held_out_errors(
            matrix, hidden, lambda values: impute_by_factors(values, rng, groups=groups, ranks=ranks).matrix
        )
    return tuple(
        Compared(method, random, block, len(chosen))
        for method, random, block in (
            (str(Imputation.FACTORS), ours.random, ours.block),
            (str(Imputation.ITERATIVE_SVD), ancestor.random, ancestor.block),
            ("gene mean", ours.gene_mean_random, ours.gene_mean_block),
        )
    )


def _by_iterative_svd(
    joined: Joined, filled: RowMatrix, scratch: Path, settings: CompendiumSettings
) -> Imputed:
    """Impute twice: with known values hidden, to measure the errors, and with all of them."""
    held_out = hold_out(joined.measured, np.random.default_rng(settings.seed), groups=_groups(joined))
    for rows in row_blocks(filled.shape):
        block = joined.measured[rows]
        held_out.hide(block, rows)
        filled[rows] = block
    means = gene_means(filled)
    _in_scratch(filled, filled, scratch)
    errors = errors_of(filled, held_out, means)
    found = _in_scratch(joined.measured, filled, scratch)
    return Imputed(filled, Imputation.ITERATIVE_SVD, found.rank, found.iterations, found.converged, errors)


def _in_scratch(matrix: RowMatrix, out: RowMatrix, scratch: Path) -> IterativeSvdResult:
    bits = RowMatrix(scratch / "missing", packed_shape(matrix.shape), np.uint8)
    try:
        return iterative_svd(matrix, out=out, bits=bits)
    finally:
        bits.remove()
