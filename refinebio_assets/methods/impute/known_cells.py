"""The known cells of some samples, and sums over them that are fast when samples miss the same genes.

Compendia miss genes by platform, so that most samples have one of a few patterns of known genes. Sums of
what belongs to genes (or samples) over the known cells are then taken once a pattern, and the values that
are hidden at random, a few a sample, are subtracted.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from refinebio_assets.methods.impute.cells import Flags, Matrix
from refinebio_assets.methods.impute.held_out import HeldOut

Narrow = npt.NDArray[np.float32]
_FEWER = 2
"""Patterns pay when there are so many times fewer of them than samples."""


class KnownCells:
    """The known values of some samples (rows x genes), less a center: 0 in ``values`` where not known.

    ``count`` is their number, ``square`` the sum of their squares.
    """

    def __init__(self, block: Matrix, rows: slice, held_out: HeldOut | None, center: float) -> None:
        known: Flags = ~np.isnan(block)
        self._alone: list[tuple[int, npt.NDArray[np.intp]]] = []
        if held_out is not None:
            known &= ~held_out.in_blocks(rows)
        self._patterns, self._pattern_of = _patterns(known)
        if held_out is not None:
            samples, genes = held_out.alone_in(rows)
            known[samples, genes] = False
            self._alone = _by_sample(samples, genes)
        if self._pattern_of is None:
            self._patterns, self._alone = known, []
        self.values: Narrow = np.where(known, block.astype(np.float32) - np.float32(center), np.float32(0))
        self.count = int(np.count_nonzero(known))
        self.square = float(np.vdot(self.values, self.values))

    def sums_by_sample(self, of_genes: Narrow) -> Narrow:
        """Return for each sample the sum of its known genes' rows (genes x k): samples x k."""
        sums: Narrow = self._patterns.astype(np.float32) @ of_genes
        if self._pattern_of is not None:
            sums = sums[self._pattern_of]
        for sample, genes in self._alone:
            sums[sample] -= of_genes[genes].sum(axis=0)
        return sums

    def add_by_gene(self, of_samples: Narrow, sums: npt.NDArray[np.float64]) -> None:
        """Add to each gene's row of ``sums`` (genes x k) the rows (samples x k) of samples that know it."""
        by_pattern = of_samples
        if self._pattern_of is not None:
            belongs = np.arange(len(self._patterns))[:, None] == self._pattern_of
            by_pattern = belongs.astype(np.float32) @ of_samples
        sums += self._patterns.T.astype(np.float32) @ by_pattern
        for sample, genes in self._alone:
            sums[genes] -= of_samples[sample]


def _patterns(known: Flags) -> tuple[Flags, npt.NDArray[np.intp] | None]:
    """Return the different rows and which one each row is; or the rows themselves where few are alike."""
    bits = np.packbits(known, axis=1)
    whole = np.ascontiguousarray(bits).view(np.dtype((np.void, bits.shape[1]))).reshape(-1)
    _, first, pattern_of = np.unique(whole, return_index=True, return_inverse=True)
    if _FEWER * len(first) > len(known):
        return known, None
    return known[first], pattern_of.reshape(-1)


def _by_sample(
    samples: npt.NDArray[np.intp], genes: npt.NDArray[np.intp]
) -> list[tuple[int, npt.NDArray[np.intp]]]:
    """Return each sample that occurs with its genes; both are sorted by sample."""
    found = np.unique(samples)
    firsts, lasts = (np.searchsorted(samples, found, side=side).tolist() for side in ("left", "right"))
    return [
        (sample, genes[first:last]) for sample, first, last in zip(found.tolist(), firsts, lasts, strict=True)
    ]
