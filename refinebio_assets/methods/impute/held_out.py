"""Known values that are hidden to see how well they are imputed, in both ways in which values are missing.

*At random* each value is hidden alone. In a *block* all of a gene's values in one group of samples are
hidden, as when a platform does not measure the gene: nothing of its level on that platform remains. A method
can be good at one and bad at the other, therefore both errors are told, beside those of the gene's mean.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from refinebio_assets.errors import PermanentError
from refinebio_assets.methods.impute.cells import Cells, Matrix, row_blocks

RANDOM_SHARE = 0.02
"""Share of the known values that are hidden at random."""
BLOCK_GENES = 0.1
"""Share of the genes of which one group's values are hidden."""
_NEIGHBORS = 10
"""Groups are made of runs of neighboring samples, so many, where none are given."""

Values = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """Hidden cells of a genes x samples matrix, sorted by gene, then sample.

    ``genes`` and ``samples`` are their positions, ``in_block`` tells which were hidden in a block,
    ``values`` are the known values.
    """

    shape: tuple[int, int]
    genes: Cells
    samples: Cells
    in_block: Flags
    values: Values

    def in_rows(self, rows: slice) -> Cells:
        """Return the positions of the hidden cells among these rows' cells, which are counted row by row."""
        first, last = np.searchsorted(self.genes, (rows.start, rows.stop))
        cells: Cells = (self.genes[first:last] - rows.start) * self.shape[1] + self.samples[first:last]
        return cells

    def of_genes(self, genes: Cells) -> HeldOut:
        """Return those of some genes (sorted positions), in a matrix that has only these genes."""
        chosen = np.isin(self.genes, genes)
        places = np.searchsorted(genes, self.genes[chosen])
        kept = (self.samples[chosen], self.in_block[chosen], self.values[chosen])
        return HeldOut((len(genes), self.shape[1]), places, *kept)


@dataclass(frozen=True, slots=True, eq=False)
class HeldOutErrors:
    """Hidden cells with what a method and the gene's mean (of its other values) made of them.

    Errors are root mean squares in the unit of the matrix, NaN where nothing was hidden in that way.
    """

    cells: HeldOut
    imputed: Values
    gene_mean: Values

    @property
    def random(self) -> float:
        """The method's error for values hidden at random."""
        return _rms((self.imputed - self.cells.values)[~self.cells.in_block])

    @property
    def block(self) -> float:
        """The method's error for values hidden in blocks."""
        return _rms((self.imputed - self.cells.values)[self.cells.in_block])

    @property
    def gene_mean_random(self) -> float:
        """The error of the gene's mean for values hidden at random."""
        return _rms((self.gene_mean - self.cells.values)[~self.cells.in_block])

    @property
    def gene_mean_block(self) -> float:
        """The error of the gene's mean for values hidden in blocks."""
        return _rms((self.gene_mean - self.cells.values)[self.cells.in_block])

    @property
    def block_bias(self) -> float:
        """By how much the method's values are too high (on average) in blocks."""
        errors = (self.imputed - self.cells.values)[self.cells.in_block]
        return float(errors.mean()) if errors.size else float("nan")

    def by_gene(self) -> Values:
        """Return the method's error for each gene, over all its hidden values; NaN for a gene without any."""
        genes = self.cells.shape[0]
        counts = np.bincount(self.cells.genes, minlength=genes)
        squares = np.bincount(self.cells.genes, (self.imputed - self.cells.values) ** 2, minlength=genes)
        with np.errstate(invalid="ignore"):
            errors: Values = np.sqrt(squares / counts)
        return errors


def hold_out(
    matrix: Matrix,
    rng: np.random.Generator,
    *,
    groups: Sequence[object] | None = None,
    random_share: float = RANDOM_SHARE,
    block_genes: float = BLOCK_GENES,
) -> HeldOut:
    """Choose the cells to hide in a genes x samples matrix, where NaN is missing.

    ``groups`` names each sample's group (a platform, say); without it, ten runs of neighboring samples
    are groups. Of a share ``block_genes`` of the genes the values in one group are hidden, where values in
    another group remain; of the other genes' values, a share ``random_share``. Every gene keeps a value.
    Raises PermanentError when there is not one group for each sample.
    """
    genes, samples = matrix.shape
    group_of = _group_numbers(groups, samples)
    found: list[tuple[Cells, Cells, Flags, Values]] = []
    for rows in row_blocks(matrix.shape):
        block = np.asarray(matrix[rows])
        known = ~_is_missing(block)
        in_block: Flags = _hide_blocks(known, group_of, rng.random(len(block)) < block_genes, rng)
        hidden = _hide_at_random(known, np.asarray(~in_block.any(axis=1)), random_share, rng) | in_block
        row, column = np.nonzero(hidden)
        found.append((row + rows.start, column, in_block[hidden], block[hidden].astype(np.float64)))
    if not found:
        found.append((np.empty(0, np.intp), np.empty(0, np.intp), np.empty(0, np.bool_), np.empty(0)))
    row, column, blocks, values = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return HeldOut((genes, samples), row, column, blocks, values)


def held_out_errors(matrix: Matrix, held_out: HeldOut, impute: Callable[[Matrix], Matrix]) -> HeldOutErrors:
    """Hide cells in a copy of the matrix (genes x samples), let a method impute it, and return its errors."""
    hidden = matrix.copy()
    hidden[held_out.genes, held_out.samples] = np.nan
    means = gene_means(hidden)
    imputed = impute(hidden)[held_out.genes, held_out.samples].astype(np.float64)
    return HeldOutErrors(held_out, imputed, means[held_out.genes])


def gene_means(matrix: Matrix, held_out: HeldOut | None = None) -> Values:
    """Return each gene's mean over its known values that are not held out; without any, that of all genes."""
    sums, counts = np.zeros(len(matrix)), np.zeros(len(matrix), np.intp)
    for rows in row_blocks(matrix.shape):
        block = np.array(matrix[rows])
        if held_out is not None:
            block.reshape(-1)[held_out.in_rows(rows)] = np.nan
        sums[rows] = np.nansum(block, axis=1, dtype=np.float64)
        counts[rows] = np.count_nonzero(~np.isnan(block), axis=1)
    overall = sums.sum() / max(1, counts.sum())
    return np.where(counts > 0, sums / np.maximum(counts, 1), overall)


def _group_numbers(groups: Sequence[object] | None, samples: int) -> Cells:
    if groups is None:
        return np.arange(samples) * min(_NEIGHBORS, samples) // max(1, samples)
    if len(groups) != samples:
        raise PermanentError(f"expected a group for each of {samples:,} samples, found {len(groups):,}")
    numbers = {group: number for number, group in enumerate(dict.fromkeys(groups))}
    return np.array([numbers[group] for group in groups], np.intp)


def _hide_blocks(known: Flags, group_of: Cells, chosen: Flags, rng: np.random.Generator) -> Flags:
    """For each chosen gene, take one of the groups with known values at random, if there are two at least."""
    belongs = (group_of[:, None] == np.arange(group_of.max(initial=-1) + 1)).astype(np.float32)
    present = known.astype(np.float32) @ belongs > 0
    present[~chosen | (present.sum(axis=1) < 2)] = False
    taken = np.argmax(np.where(present, rng.random(present.shape), -1.0), axis=1)
    hidden: Flags = known & present.any(axis=1)[:, None] & (group_of == taken[:, None])
    return hidden


def _hide_at_random(known: Flags, chosen: Flags, share: float, rng: np.random.Generator) -> Flags:
    """Hide a share of the chosen genes' known values, but never all of a gene's."""
    hidden: Flags = known & (rng.random(known.shape) < share)
    spared = (hidden.sum(axis=1) == known.sum(axis=1)) | ~chosen
    hidden[spared] = False
    return hidden


def _is_missing(block: Matrix) -> Flags:
    missing: Flags = np.isnan(block)
    return missing


def _rms(errors: Values) -> float:
    return float(np.sqrt(np.mean(errors**2))) if errors.size else float("nan")
