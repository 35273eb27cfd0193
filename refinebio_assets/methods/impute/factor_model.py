"""A Gaussian factor model of a samples x genes matrix with missing values, and its fit. It chooses nothing:
ranks, held-out values and when to stop are the work of ``factor_imputation``.

Value of gene g in sample s = m_g + sum_k w_gk z_sk + noise. Samples' factors z_s are standard normal; a
gene's mean and loadings (m_g, w_g) together are normal around a common mean with a common covariance, which
are estimated (empirical Bayes). So a gene that was never measured on a platform follows it as genes of its
level do on average, and factors that the data do not support shrink to nothing. Each sweep takes the samples'
factors from the genes and then the genes from the factors, from known values only, in one pass over the
matrix. What it keeps are sums by gene: its memory does not grow with the number of samples.

Source: Ilin and Raiko (2010), Practical Approaches to Principal Component Analysis in the Presence of Missing
Values, JMLR 11, 1957-2000 (variational Bayesian PCA), with a full covariance and common mean for genes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from refinebio_assets.methods.impute.cells import Matrix, Rows, row_blocks
from refinebio_assets.methods.impute.held_out import HeldOut, gene_means
from refinebio_assets.methods.impute.known_cells import KnownCells
from refinebio_assets.methods.impute.leading_space import leading_space
from refinebio_assets.methods.impute.symmetric import Values, inverse, outer, packed, packed_size, unpacked

_CHUNK_CELLS = 10_000_000
"""Values of a chunk of samples; with what is derived from them about 150 MB."""
_GENES_AT_ONCE = 1_024
_LEAST_NOISE = 1e-6
"""Least variance of the noise, as a share of the variance of all values; keeps noise-free data solvable."""
FAR_SAMPLES = 50
"""Where a gene is not measured in a group of samples, what other groups say of it counts as that of at most
so many samples. Groups differ in ways that are not linear; the more samples, the surer a gene's loadings
on what hardly varies outside the group, and the more wrong in it. From 30 to 100 errors in blocks are within
3 % of the best, for 500 to 6,000 simulated samples; without a limit they are 2 to 45 % larger, and grow."""
_START_TOLERANCE = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class FactorModel:
    """A fitted model of rank r.

    ``genes`` (genes x 1 + r) are each gene's mean, less ``center``, and loadings; ``far`` are those for
    groups of samples in which the gene is not measured (see ``FAR_SAMPLES``); ``squares`` (genes x
    (1 + r)(2 + r) / 2, float32) the expectation of their products with each other (upper triangle, row by
    row); ``gene_mean`` (1 + r) and ``gene_covariance`` are what genes have in common; ``noise`` is a
    variance.
    """

    center: float
    genes: Values
    far: Values
    squares: npt.NDArray[np.float32]
    gene_mean: Values
    gene_covariance: Values
    noise: float

    @property
    def rank(self) -> int:
        """The number of factors."""
        return int(self.genes.shape[1]) - 1


@dataclass(frozen=True, slots=True, eq=False)
class Factors:
    """The factors of some samples: ``design`` (samples x 1 + r) is 1 and their expectations, ``covariance``
    (samples x r x r) how sure they are.
    """

    design: Values
    covariance: Values

    def moments(self) -> Values:
        """Return the expectation of the products of the design with itself: samples x (1 + r) x (1 + r)."""
        squares = outer(self.design)
        squares[:, 1:, 1:] += self.covariance
        return squares


class Sums:
    """What a pass over the samples adds up: by gene, of its known values' samples, and of the factors."""

    def __init__(self, genes: int, size: int) -> None:
        self.weights = np.zeros((genes, packed_size(size)))
        self.crossed = np.zeros((genes, size))
        self.factors = np.zeros((size, size))
        self.samples = 0
        self.known = 0
        self.square = 0.0

    def add(self, cells: KnownCells, factors: Factors) -> None:
        """Add some samples: their factors, and their known values."""
        moments = factors.moments()
        cells.add_by_gene(packed(moments).astype(np.float32), self.weights)
        self.crossed += cells.values.T @ factors.design.astype(np.float32)
        self.factors += moments.sum(axis=0)
        self.samples += len(moments)
        self.known += cells.count
        self.square += cells.square


def first_model(matrix: Matrix, rank: int, held_out: HeldOut, rng: np.random.Generator) -> FactorModel:
    """Return where a fit begins: genes that follow the singular vectors of the gene-centered samples.

    ``matrix`` is an array, samples x genes; missing values and those held out count as the gene's mean.
    """
    means = gene_means(matrix, held_out)
    center, size = float(means.mean()), rank + 1
    design = np.column_stack((np.ones(len(matrix)), _leading_factors(matrix, rank, means, held_out, rng)))
    sums = Sums(matrix.shape[1], size)
    for rows in _chunks(matrix.shape):
        sure = np.zeros((rows.stop - rows.start, rank, rank))
        sums.add(KnownCells(matrix[rows], rows, held_out, center), Factors(design[rows], sure))
    spread = max(float(means.var()), 1e-3)
    covariance = np.diag(np.concatenate(([spread], np.full(rank, 1.0))))
    genes = np.zeros((matrix.shape[1], size))
    squares = np.empty((0, 0), np.float32)
    prior = FactorModel(center, genes, genes, squares, np.zeros(size), covariance, spread / 2)
    return updated(prior, sums)


def sweep(matrix: Rows, model: FactorModel, held_out: HeldOut | None) -> tuple[FactorModel, Values]:
    """Update all samples, then all genes and what they have in common; values held out count as missing.

    Returns the new model, and what the old one makes of the measured held-out cells.
    """
    sums = Sums(matrix.shape[1], model.rank + 1)
    predicted = np.empty(0 if held_out is None else len(held_out.values))
    for rows in _chunks(matrix.shape):
        cells = KnownCells(matrix[rows], rows, held_out, model.center)
        factors = sample_factors(model, cells)
        sums.add(cells, factors)
        if held_out is not None:
            found = held_out.cells_in(rows)
            predicted[found] = _values_at(model, factors.design, held_out, rows)
    return updated(model, sums), predicted


def fill(matrix: Rows, model: FactorModel, groups: HeldOut, out: Rows) -> None:
    """Write the matrix with the model's values in its missing cells to ``out``, which may be the matrix.

    ``groups`` tells the samples' groups, and which genes are not measured in them.
    """
    for rows in _chunks(matrix.shape):
        block = matrix[rows]
        design = sample_factors(model, KnownCells(block, rows, None, model.center)).design.astype(block.dtype)
        values = design @ model.genes.T.astype(block.dtype)
        for group in np.unique(groups.group_of[rows]).tolist():
            own, absent = np.flatnonzero(groups.group_of[rows] == group), np.flatnonzero(groups.absent[group])
            values[np.ix_(own, absent)] = design[own] @ model.far[absent].T.astype(block.dtype)
        values += block.dtype.type(model.center)
        out[rows] = np.where(np.isnan(block), values, block)


def sample_factors(model: FactorModel, cells: KnownCells) -> Factors:
    """Return the factors of some samples from their known values."""
    weights = unpacked(cells.sums_by_sample(model.squares).astype(np.float64), model.rank + 1) / model.noise
    crossed = (cells.values @ model.genes[:, 1:].astype(np.float32)).astype(np.float64)
    covariance = inverse(np.eye(model.rank) + weights[:, 1:, 1:])
    factors = np.einsum("sij,sj->si", covariance, crossed / model.noise - weights[:, 0, 1:])
    return Factors(np.column_stack((np.ones(len(factors)), factors)), covariance)


def updated(model: FactorModel, sums: Sums) -> FactorModel:
    """Return the model with its genes, and what they have in common, taken from the samples' factors.

    The factors get mean 0 and covariance 1: the same model, which then settles in fewer sweeps.
    """
    turn, back = _standardizing(sums)
    mean = turn @ model.gene_mean
    precision = inverse(_firm(turn @ model.gene_covariance @ turn.T))
    size, count = len(mean), len(model.genes)
    genes, far = np.empty((count, size)), np.empty((count, size))
    squares = np.empty((count, packed_size(size)), np.float32)
    second, residual = np.zeros((size, size)), sums.square
    for start in range(0, count, _GENES_AT_ONCE):
        some = slice(start, start + _GENES_AT_ONCE)
        weights = back @ unpacked(sums.weights[some], size) @ back.T
        crossed = sums.crossed[some] @ back.T
        covariance = inverse(precision + weights / model.noise)
        genes[some] = np.einsum("gij,gj->gi", covariance, crossed / model.noise + precision @ mean)
        less = np.minimum(1.0, FAR_SAMPLES / np.maximum(weights[:, 0, 0], 1.0))[:, None] / model.noise
        far[some] = np.linalg.solve(
            precision + weights * less[:, :, None], (crossed * less + precision @ mean)[:, :, None]
        )[:, :, 0]
        products = covariance + outer(genes[some])
        squares[some] = packed(products)
        second += products.sum(axis=0)
        residual += float(np.sum(weights * products) - 2 * np.sum(genes[some] * crossed))
    least = max(_LEAST_NOISE * sums.square / max(1, sums.known), 1e-12)
    noise = max(residual / max(1, sums.known), least)
    common = genes.mean(axis=0)
    spread = _firm(second / count - np.outer(common, common))
    return FactorModel(model.center, genes, far, squares, common, spread, noise)


def _standardizing(sums: Sums) -> tuple[Values, Values]:
    """Return what turns a gene's mean and loadings, and what turns a sample's design, to standard factors."""
    size = len(sums.factors)
    turn = np.eye(size)
    if size > 1:
        shift = sums.factors[0, 1:] / sums.samples
        second = sums.factors[1:, 1:] / sums.samples - np.outer(shift, shift)
        turn[0, 1:] = shift
        turn[1:, 1:] = np.linalg.cholesky(second + 1e-9 * np.eye(size - 1)).T
    return turn, inverse(turn).T


def _leading_factors(
    matrix: Matrix, rank: int, means: Values, held_out: HeldOut, rng: np.random.Generator
) -> Values:
    samples, genes = matrix.shape

    def multiply(vectors: Values) -> tuple[Values, Values]:
        scores, images = np.empty((samples, vectors.shape[1])), np.zeros(vectors.shape)
        narrow = vectors.astype(np.float32)
        for rows in row_blocks(matrix.shape):
            block = np.array(matrix[rows], np.float32)
            held_out.hide(block, rows)
            block -= means.astype(np.float32)
            block[np.isnan(block)] = 0
            product = block @ narrow
            scores[rows] = product
            images += (product.T @ block).T
        return scores, images

    if not rank:
        return np.empty((samples, 0))
    start = np.linalg.qr(rng.standard_normal((genes, min(genes, rank + 10))))[0]
    found = leading_space(start, multiply(start), multiply, rank, keep=rank, tolerance=_START_TOLERANCE)
    sizes = np.linalg.norm(found.scores, axis=0)
    factors: Values = found.scores / np.maximum(sizes, 1e-12) * np.sqrt(samples)
    return factors


def _values_at(model: FactorModel, design: Values, held_out: HeldOut, rows: slice) -> Values:
    """Return what the model makes of the measured held-out cells of these rows."""
    found = held_out.cells_in(rows)
    samples, genes = held_out.samples[found] - rows.start, held_out.genes[found]
    in_block = held_out.in_block[found]
    values = np.full(len(genes), model.center)
    for column in range(model.rank + 1):
        loadings = np.where(in_block, model.far[genes, column], model.genes[genes, column])
        values += loadings * design[samples, column]
    return values


def _firm(covariance: Values) -> Values:
    firm: Values = covariance + 1e-9 * np.trace(covariance) * np.eye(len(covariance))
    return firm


def _chunks(shape: tuple[int, ...]) -> list[slice]:
    return list(row_blocks(shape, _CHUNK_CELLS, 1))
