"""Gives a compendium's samples the organism's target distribution, and checks that they have it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from refinebio_assets.formats.row_matrix import RowMatrix
from refinebio_assets.methods.impute.cells import row_blocks
from refinebio_assets.methods.quantile import (
    UpperHalfCheck,
    apply_target,
    choose_pairs,
    upper_half_statistics,
)


def normalize(
    filled: RowMatrix,
    target: npt.NDArray[np.float64],
    scratch: Path,
    *,
    rows: int,
    threads: int | None,
) -> RowMatrix:
    """Quantile normalize samples x genes to a target into a new scratch file, ``rows`` samples at a time."""
    final = RowMatrix(scratch / "final", (filled.shape[0], filled.shape[1]), np.float32)
    for some in row_blocks(filled.shape, 0, rows):
        block = filled[some]
        apply_target(block.T, target, out=block.T, threads=threads)
        final[some] = block
    return final


def check_normalized(
    final: RowMatrix, rng: np.random.Generator, *, threads: int | None
) -> UpperHalfCheck | None:
    """Compare the upper halves of at most 100 random pairs of samples; None when there is one sample only."""
    if final.shape[0] < 2:
        return None
    pairs = choose_pairs(final.shape[0], rng)
    samples, places = np.unique(pairs, return_inverse=True)
    values = np.concatenate([final[number : number + 1] for number in samples.tolist()])
    statistics, p_values = upper_half_statistics(values.T, places.reshape(-1, 2), threads=threads)
    worst = np.lexsort((p_values, -statistics))[0]
    first, second = pairs[worst].tolist()
    return UpperHalfCheck(float(statistics[worst]), float(p_values[worst]), (first, second), len(pairs))
