"""Known values that are hidden to see how well they are imputed, in both ways in which values are missing.

*At random* each value is hidden alone. In a *block* all of a gene's values in one group of samples are
hidden, as when a platform does not measure the gene: nothing of its level on that platform remains. A method
can be good at one and bad at the other, therefore both errors are told, beside those of the gene's mean.

Which cells are hidden takes memory for genes and samples, and for at most 128 cells a gene at which errors
are measured, however many samples there are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from refinebio_assets.errors import PermanentError
from refinebio_assets.methods.impute.cells import Cells, Flags, Matrix, Rows, row_blocks

RANDOM_SHARE = 0.02
"""Share of the known values that are hidden at random."""
BLOCK_GENES = 0.1
"""Share of the genes of which one group's values are hidden."""
MOST_CELLS = 64
"""Of a gene at most about so many values are hidden at random, and measured in a block: 9 % of its error."""
NONE = -1
_NEIGHBORS = 10
"""Groups are made of runs of neighboring samples, so many, where none are given."""
_CHUNK_CELLS = 4_000_000

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """Hidden cells of a samples x genes matrix.

    ``samples`` and ``genes`` are the positions, sorted by sample, then gene, of the cells at which errors are
    measured; ``in_block`` tells which of them are in a block, ``values`` are the known values. All those that
    are not in a block are hidden, and all known values of a gene in the group ``hidden_group`` (one number a
    gene, -1 for none); ``group_of`` is each sample's group, and ``absent`` (groups x genes) tells which genes
    have no known value in a group, before any was hidden.
    """

    shape: tuple[int, int]
    samples: Cells
    genes: Cells
    in_block: Flags
    values: Values
    group_of: Cells
    hidden_group: Cells
    absent: Flags

    def cells_in(self, rows: slice) -> slice:
        """Return which of the measured cells are in these rows."""
        first, last = np.searchsorted(self.samples, (rows.start, rows.stop)).tolist()
        return slice(first, last)

    def in_blocks(self, rows: slice) -> Flags:
        """Return which cells of these rows (rows x genes) are in a hidden block, known or not."""
        hidden: Flags = self.group_of[rows, None] == self.hidden_group
        return hidden

    def alone_in(self, rows: slice) -> tuple[Cells, Cells]:
        """Return the row, counted from the first of ``rows``, and gene of the cells hidden at random."""
        cells = self.cells_in(rows)
        alone = ~self.in_block[cells]
        return self.samples[cells][alone] - rows.start, self.genes[cells][alone]

    def hide(self, block: Matrix, rows: slice) -> None:
        """Set the hidden cells of these rows of the matrix to NaN, in place."""
        block[self.in_blocks(rows)] = np.nan
        block[self.alone_in(rows)] = np.nan

    def part(self, samples: Cells, genes: Cells) -> HeldOut:
        """Return those of some samples and genes (sorted positions) in a matrix that has only these."""
        chosen = np.isin(self.samples, samples) & np.isin(self.genes, genes)
        return HeldOut(
            (len(samples), len(genes)),
            np.searchsorted(samples, self.samples[chosen]),
            np.searchsorted(genes, self.genes[chosen]),
            self.in_block[chosen],
            self.values[chosen],
            self.group_of[samples],
            self.hidden_group[genes],
            self.absent[:, genes],
        )


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

    def by_gene(self, *, in_block: bool) -> tuple[Values, Cells]:
        """Return for each gene the method's error in one way, NaN without hidden values, and their number."""
        genes = self.cells.shape[1]
        chosen = self.cells.in_block == in_block
        squares = (self.imputed - self.cells.values)[chosen] ** 2
        counts = np.bincount(self.cells.genes[chosen], minlength=genes)
        sums = np.bincount(self.cells.genes[chosen], squares, minlength=genes)
        with np.errstate(invalid="ignore"):
            errors: Values = np.sqrt(sums / counts)
        return errors, counts


def hold_out(
    matrix: Rows,
    rng: np.random.Generator,
    *,
    groups: Sequence[object] | None = None,
    random_share: float = RANDOM_SHARE,
    block_genes: float = BLOCK_GENES,
) -> HeldOut:
    """Choose the cells to hide in a samples x genes matrix, where NaN is missing.

    ``groups`` names each sample's group (a platform, say); without it, ten runs of neighboring samples
    are groups. Of a share ``block_genes`` of the genes the values in one group are hidden, where values in
    another group remain. Of each gene's other values a share ``random_share``, about 64 at most, are
    hidden one by one. Every gene keeps a value. The matrix is read twice, some rows at a time.
    Raises PermanentError when there is not one group for each sample.
    """
    samples, genes = matrix.shape
    group_of = _group_numbers(groups, samples)
    counts = _known_by_group(matrix, group_of)
    hidden_group = _choose_blocks(counts, block_genes, rng)
    of_block = np.where(hidden_group == NONE, 0, counts[hidden_group, np.arange(genes)])
    left = counts.sum(axis=0) - of_block
    chances = _chances(left, of_block, random_share)
    found = [(np.empty(0, np.intp), np.empty(0, np.intp), np.empty(0, np.bool_), np.empty(0))]
    for rows in row_blocks(matrix.shape, _CHUNK_CELLS, 1):
        block = np.asarray(matrix[rows])
        in_block: Flags = group_of[rows, None] == hidden_group
        chance = np.where(in_block, chances[1], chances[0])
        taken = (rng.random(block.shape, np.float32) < chance) & ~np.isnan(block)
        row, gene = np.nonzero(taken)
        found.append((row + rows.start, gene, in_block[taken], block[taken].astype(np.float64)))
    row, gene, blocks, values = (np.concatenate(part) for part in zip(*found, strict=True))
    found_out = HeldOut((samples, genes), row, gene, blocks, values, group_of, hidden_group, counts == 0)
    return _spared(found_out, left)


def held_out_errors(matrix: Matrix, held_out: HeldOut, impute: Callable[[Matrix], Matrix]) -> HeldOutErrors:
    """Hide cells in a copy of the matrix (samples x genes), let a method impute it, and return its errors."""
    hidden = matrix.copy()
    held_out.hide(hidden, slice(0, len(hidden)))
    return errors_of(impute(hidden), held_out, gene_means(hidden))


def errors_of(filled: Rows, held_out: HeldOut, means: Values) -> HeldOutErrors:
    """Return the errors of a matrix that was imputed with cells hidden; ``means`` are the genes' ones."""
    imputed = np.empty(len(held_out.values))
    for rows in row_blocks(filled.shape, _CHUNK_CELLS, 1):
        cells = held_out.cells_in(rows)
        imputed[cells] = filled[rows][held_out.samples[cells] - rows.start, held_out.genes[cells]]
    return HeldOutErrors(held_out, imputed, means[held_out.genes])


def gene_means(matrix: Rows, held_out: HeldOut | None = None) -> Values:
    """Return each gene's mean over its known values that are not held out; without any, that of all genes.

    ``matrix`` is samples x genes and is read some rows at a time.
    """
    sums, counts = np.zeros(matrix.shape[1]), np.zeros(matrix.shape[1], np.intp)
    for rows in row_blocks(matrix.shape, _CHUNK_CELLS, 1):
        block = matrix[rows]
        if held_out is not None:
            block = block.copy()
            held_out.hide(block, rows)
        sums += np.nansum(block, axis=0, dtype=np.float64)
        counts += np.count_nonzero(~np.isnan(block), axis=0)
    overall = sums.sum() / max(1, counts.sum())
    return np.where(counts > 0, sums / np.maximum(counts, 1), overall)


def _group_numbers(groups: Sequence[object] | None, samples: int) -> Cells:
    if groups is None:
        return np.arange(samples) * min(_NEIGHBORS, samples) // max(1, samples)
    if len(groups) != samples:
        raise PermanentError(f"expected a group for each of {samples:,} samples, found {len(groups):,}")
    numbers = {group: number for number, group in enumerate(dict.fromkeys(groups))}
    return np.array([numbers[group] for group in groups], np.intp)


def _known_by_group(matrix: Rows, group_of: Cells) -> Cells:
    """Return the number of known values, groups x genes."""
    counts = np.zeros((int(group_of.max(initial=0)) + 1, matrix.shape[1]), np.intp)
    for rows in row_blocks(matrix.shape, _CHUNK_CELLS, 1):
        known, groups = ~np.isnan(matrix[rows]), group_of[rows]
        for group in np.unique(groups).tolist():
            counts[group] += np.count_nonzero(known[groups == group], axis=0)
    return counts


def _choose_blocks(counts: Cells, share: float, rng: np.random.Generator) -> Cells:
    """For a share of the genes, take one of the groups with known values at random, if there are two."""
    present = counts > 0
    chosen = (rng.random(counts.shape[1]) < share) & (present.sum(axis=0) >= 2)
    taken = np.argmax(np.where(present, rng.random(present.shape), -1.0), axis=0)
    return np.where(chosen, taken, NONE)


def _chances(left: Cells, of_block: Cells, share: float) -> tuple[Values, Values]:
    """Return each gene's chances that a value is hidden alone, and that one in its block is measured."""
    alone = np.where(left > 1, np.minimum(share, MOST_CELLS / np.maximum(left, 1)), 0.0)
    return alone, np.minimum(1.0, MOST_CELLS / np.maximum(of_block, 1))


def _spared(held_out: HeldOut, left: Cells) -> HeldOut:
    """Hide none of the genes' values at random of which all would be hidden."""
    hidden = np.bincount(held_out.genes[~held_out.in_block], minlength=held_out.shape[1])
    kept = held_out.in_block | (hidden < left)[held_out.genes]
    return HeldOut(
        held_out.shape,
        held_out.samples[kept],
        held_out.genes[kept],
        held_out.in_block[kept],
        held_out.values[kept],
        held_out.group_of,
        held_out.hidden_group,
        held_out.absent,
    )


def _rms(errors: Values) -> float:
    return float(np.sqrt(np.mean(errors**2))) if errors.size else float("nan")
