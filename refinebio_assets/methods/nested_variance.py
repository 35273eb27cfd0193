"""How the variance of genes divides among nested groups of samples: technology, platform, experiment, say.

Arrays in, arrays out, some genes at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from refinebio_assets.methods.pca import GeneRows, centered_blocks

Codes = npt.NDArray[np.integer]
_Fold = tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.intp]]
"""The finer groups in the order of a level's own, the samples of each of these, and where each begins."""


@dataclass(frozen=True, slots=True)
class NestedShares:
    """Shares (0 to 1) of all genes' sum of squares.

    ``within`` has for each level what is between its groups and within those of the level before; what is
    left within the last level's groups makes the sum 1. ``by_chance`` is what groups of these sizes would
    take on average if they meant nothing, ``groups`` how many there are. All NaN where nothing varies.
    """

    within: tuple[float, ...]
    left: float
    by_chance: tuple[float, ...]
    groups: tuple[int, ...]


def nested_shares(matrix: GeneRows, levels: Sequence[Codes]) -> NestedShares:
    """Divide the variance of a genes x samples matrix among nested groups, the coarsest level first.

    Each level has a number for each sample; groups of a level lie within those of the level before. Missing
    and infinite values take the gene's mean. The sums of squares are those of a nested analysis of
    variance, added over the genes. Raises ValueError when a level is not within the one before.
    """
    numbers = [np.unique(level, return_inverse=True)[1] for level in levels]
    folds = _folds(numbers, matrix.shape[1])
    between, total = np.zeros(len(levels)), 0.0
    for block, _ in centered_blocks(matrix):
        total += float((block**2).sum())
        sums = block
        for place, (order, sizes, starts) in reversed(list(enumerate(folds))):
            sums = np.add.reduceat(sums[:, order], starts, axis=1)
            between[place] += float((sums**2 / sizes).sum())
    counts = [len(sizes) for _, sizes, _ in folds]
    samples = matrix.shape[1]
    free = np.diff(np.array([1, *counts])) / max(1, samples - 1)
    shares = np.diff(between, prepend=0.0) / total if total > 0 else np.full(len(levels), np.nan)
    return NestedShares(
        tuple(np.maximum(shares, 0.0).tolist()),
        float(1.0 - between[-1] / total) if total > 0 and len(levels) else float("nan"),
        tuple(free.tolist()),
        tuple(counts),
    )


def _folds(levels: Sequence[npt.NDArray[np.intp]], samples: int) -> list[_Fold]:
    """Return how each level's groups are made of those of the next level, of samples in the last one."""
    folds: list[_Fold] = []
    finer = np.arange(samples)
    for place, level in reversed(list(enumerate(levels, start=1))):
        pairs = np.unique(np.column_stack((finer, level)), axis=0)
        if len(pairs) != int(finer.max(initial=-1)) + 1:
            raise ValueError(f"groups of level {place + 1} are not within those of level {place}")
        order = np.argsort(pairs[:, 1], kind="stable")
        starts = np.flatnonzero(np.diff(pairs[order, 1], prepend=-1))
        folds.append((order, np.bincount(level), starts))
        finer = level
    return folds[::-1]
