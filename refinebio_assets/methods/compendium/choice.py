"""Chooses a compendium's genes and samples from counts that are added up block by block.

Blocks are samples x genes; NaN is missing. Zeros of sequencing do not count as present while genes and
samples are chosen, and are values again afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from refinebio_assets.errors import PermanentError
from refinebio_assets.methods.compendium.scale import log2_abundance

Block = npt.NDArray[np.floating[Any]]
Flags = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.intp]

WEAK_PERCENTILE = 10
"""Genes whose sum over sequencing samples is below this percentile of the sums lose their values there."""
SAMPLES_OF_TEN = 7
"""A gene is kept when it is present in at least so many of ten samples."""


class GeneTally:
    """Counts over samples, by gene: of arrays the values there are, of sequencing the sums and non-zeros."""

    def __init__(self, genes: int) -> None:
        self.on_arrays = np.zeros(genes, np.intp)
        self.in_sequencing = np.zeros(genes, np.intp)
        self.sums = np.zeros(genes)
        self.samples = 0
        self.sequenced = 0

    def add(self, block: Block, *, sequencing: bool) -> None:
        """Add samples of one technology; sequencing as abundances, not logarithms."""
        self.samples += len(block)
        if not sequencing:
            self.on_arrays += np.count_nonzero(~np.isnan(block), axis=0)
            return
        self.sequenced += len(block)
        self.sums += np.nansum(block, axis=0, dtype=np.float64)
        self.in_sequencing += np.count_nonzero(_present(log2_abundance(block), sequencing=True), axis=0)


@dataclass(frozen=True, slots=True, eq=False)
class GeneChoice:
    """The genes that are ``kept``, and those that are ``weak`` in sequencing, whose sequencing values are
    left out. ``present`` counts the samples that each gene is present in, of ``samples``; ``least_sum`` is
    the percentile of the sums (0 without sequencing).
    """

    kept: Flags
    weak: Flags
    present: Counts
    samples: int
    least_sum: float


def choose_genes(tally: GeneTally) -> GeneChoice:
    """Choose genes: those weak in sequencing lose its values, then those in less than 70 % of samples go.

    The percentile is that of all rows' sums; a gene that sequencing does not measure has sum 0.
    Raises PermanentError when no gene is left, or there was nothing to choose from.
    """
    if not tally.samples or not len(tally.sums):
        raise PermanentError(
            f"a compendium needs samples and genes: {tally.samples:,} samples share {len(tally.sums):,} genes"
        )
    least = float(np.percentile(tally.sums, WEAK_PERCENTILE)) if tally.sequenced else 0.0
    weak: Flags = tally.sums < least
    present = tally.on_arrays + np.where(weak, 0, tally.in_sequencing)
    kept: Flags = 10 * present >= SAMPLES_OF_TEN * tally.samples
    if not kept.any():
        raise PermanentError(
            f"no gene is present in 70 % of the {tally.samples:,} samples; "
            f"the most common is in {int(present.max()):,}"
        )
    return GeneChoice(kept, weak, present, tally.samples, least)


def scaled(block: Block, choice: GeneChoice, *, sequencing: bool) -> tuple[npt.NDArray[np.float32], Counts]:
    """Return samples of one technology on the log2 scale, kept genes only, and their numbers of genes
    present.

    Weak genes of sequencing are missing, zeros are values; infinite values become missing (after counting).
    """
    values = log2_abundance(block) if sequencing else block.astype(np.float32)
    if sequencing:
        values[:, choice.weak] = np.nan
    values = values[:, choice.kept]
    present = np.count_nonzero(_present(values, sequencing=sequencing), axis=1)
    values[np.isinf(values)] = np.nan
    return values, present


def enough_genes(present: Counts, genes: int) -> Flags:
    """Return which samples have at least half of the kept genes."""
    enough: Flags = 2 * present >= genes
    return enough


def _present(values: npt.NDArray[np.float32], *, sequencing: bool) -> Flags:
    present: Flags = ~np.isnan(values)
    return present & (values != 0) if sequencing else present
