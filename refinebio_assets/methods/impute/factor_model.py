"""A Gaussian factor model of a genes x samples matrix with missing values, and its fit. It chooses nothing:
ranks, held-out values and when to stop are the work of ``factor_imputation``.

Value of gene g in sample s = m_g + sum_k w_gk z_sk + noise. Samples' factors z_s are standard normal; a
gene's mean and loadings (m_g, w_g) together are normal around a common mean with a common covariance, which
are estimated (empirical Bayes). So a gene that was never measured on a platform follows it as genes of its
level do on average, and factors that the data do not support shrink to nothing. Each sweep updates all genes,
then all samples, from their known values only, in one pass over the matrix.

Source: Ilin and Raiko (2010), Practical Approaches to Principal Component Analysis in the Presence of Missing
Values, JMLR 11, 1957-2000 (variational Bayesian PCA), with a full covariance and common mean for genes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from refinebio_assets.methods.impute.cells import Matrix, row_blocks
from refinebio_assets.methods.impute.held_out import HeldOut, gene_means
from refinebio_assets.methods.impute.leading_space import leading_space

Values = npt.NDArray[np.float64]

_LEAST_NOISE = 1e-6
"""Least variance of the noise, as a share of the variance of all values; keeps noise-free data solvable."""
_START_TOLERANCE = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class FactorModel:
    """A fitted model of rank r.

    ``design`` (samples x 1 + r) is 1 and the sample's factors, ``moments`` (samples x (1 + r)(2 + r) / 2)
    the expectation of its products with itself (upper triangle, row by row), ``genes`` (genes x 1 + r) each
    gene's mean, less ``center``, and loadings; ``gene_mean`` (1 + r) and ``gene_covariance`` are what
    genes have in common; ``noise`` is a variance.
    """

    center: float
    design: Values
    moments: Values
    genes: Values
    gene_mean: Values
    gene_covariance: Values
    noise: float

    @property
    def rank(self) -> int:
        """The number of factors."""
        return int(self.design.shape[1]) - 1

    def values(self, rows: slice) -> Values:
        """Return the model's values of some genes in all samples."""
        block: Values = self.genes[rows] @ self.design.T + self.center
        return block

    def at(self, held_out: HeldOut) -> Values:
        """Return the model's values of the hidden cells."""
        values = np.full(len(held_out.genes), self.center)
        for column in range(self.rank + 1):
            values += self.genes[held_out.genes, column] * self.design[held_out.samples, column]
        return values


def first_model(matrix: Matrix, rank: int, held_out: HeldOut | None, rng: np.random.Generator) -> FactorModel:
    """Return where a fit begins: the singular vectors of the gene-centered matrix, missing values as 0."""
    genes, samples = matrix.shape
    means = gene_means(matrix, held_out)
    center = float(means.mean())

    def multiply(vectors: Values) -> tuple[Values, Values]:
        scores, images = np.empty((genes, vectors.shape[1])), np.zeros(vectors.shape)
        narrow = vectors.astype(np.float32)
        for rows in row_blocks(matrix.shape):
            known, block = _known_values(matrix, rows, held_out, 0.0)
            block -= means[rows, None].astype(np.float32) * known
            product = block @ narrow
            scores[rows] = product
            images += block.T @ product
        return scores, images

    factors = np.empty((samples, 0))
    if rank:
        start = np.linalg.qr(rng.standard_normal((samples, min(samples, rank + 10))))[0]
        found = leading_space(start, multiply(start), multiply, rank, keep=rank, tolerance=_START_TOLERANCE)
        factors = found.right * np.sqrt(samples)
    design = np.column_stack((np.ones(samples), factors))
    spread = max(float(means.var()), 1e-3)
    covariance = np.diag(np.concatenate(([spread], np.full(rank, 1.0))))
    start_genes = np.zeros((genes, rank + 1))
    start_genes[:, 0] = means - center
    return FactorModel(
        center, design, _packed(_outer(design)), start_genes, np.zeros(rank + 1), covariance, 0.5 * spread
    )


def sweep(matrix: Matrix, model: FactorModel, held_out: HeldOut | None) -> FactorModel:
    """Update all genes, then all samples and what genes have in common; values held out count as missing."""
    size = model.rank + 1
    genes = np.empty((len(matrix), size))
    sums = _Sums(matrix.shape[1], size)
    design, moments = model.design.astype(np.float32), model.moments.astype(np.float32)
    precision = _inverse(model.gene_covariance)
    for rows in row_blocks(matrix.shape):
        known, block = _known_values(matrix, rows, held_out, model.center)
        weights = _unpacked((known @ moments).astype(np.float64), size)
        crossed = (block @ design).astype(np.float64)
        covariance = _inverse(precision + weights / model.noise)
        right = crossed / model.noise + precision @ model.gene_mean
        genes[rows] = np.einsum("gij,gj->gi", covariance, right)
        squares = covariance + _outer(genes[rows])
        sums.add_genes(genes[rows], squares, known, block)
        sums.residual += float(np.sum(block**2, dtype=np.float64) - 2 * np.sum(genes[rows] * crossed))
        sums.residual += float(np.sum(weights * squares))
    return _with_samples(model, genes, sums)


class _Sums:
    """What a pass over the genes adds up."""

    def __init__(self, samples: int, size: int) -> None:
        self.weights = np.zeros((samples, size * (size + 1) // 2))
        self.crossed = np.zeros((samples, size))
        self.first = np.zeros(size)
        self.second = np.zeros((size, size))
        self.known = 0
        self.residual = 0.0
        self.square = 0.0

    def add_genes(self, genes: Values, squares: Values, known: Matrix, block: Matrix) -> None:
        """Add a block of genes: their expectations, those of their products, and their known values."""
        self.weights += known.T @ _packed(squares).astype(np.float32)
        self.crossed += block.T @ genes.astype(np.float32)
        self.first += genes.sum(axis=0)
        self.second += squares.sum(axis=0)
        self.known += int(np.count_nonzero(known))
        self.square += float(np.sum(block**2, dtype=np.float64))


def _with_samples(model: FactorModel, genes: Values, sums: _Sums) -> FactorModel:
    count, size = len(genes), model.rank + 1
    noise = max(sums.residual / max(1, sums.known), _LEAST_NOISE * sums.square / max(1, sums.known), 1e-12)
    mean = sums.first / count
    spread = sums.second / count - np.outer(mean, mean)
    weights = _unpacked(sums.weights, size) / noise
    covariance = _inverse(np.eye(size - 1) + weights[:, 1:, 1:])
    right = sums.crossed[:, 1:] / noise - weights[:, 0, 1:]
    factors = np.einsum("sij,sj->si", covariance, right)
    return _standardized(model, genes, (mean, spread, noise), factors, covariance)


def _standardized(
    model: FactorModel,
    genes: Values,
    common: tuple[Values, Values, float],
    factors: Values,
    covariance: Values,
) -> FactorModel:
    """Give samples' factors mean 0 and covariance 1: the same model, which then settles in fewer sweeps."""
    mean, spread, noise = common
    samples, rank = factors.shape
    shift = factors.mean(axis=0)
    centered = factors - shift
    second = (centered.T @ centered + covariance.sum(axis=0)) / samples
    root = np.linalg.cholesky(second + 1e-9 * np.eye(rank)) if rank else second
    back = _inverse(root) if rank else root
    turn = np.eye(rank + 1)
    turn[0, 1:] = shift
    turn[1:, 1:] = root.T
    design = np.column_stack((np.ones(samples), centered @ back.T))
    squares = _outer(design)
    squares[:, 1:, 1:] += back @ covariance @ back.T
    spread = turn @ spread @ turn.T
    spread += 1e-9 * np.trace(spread) * np.eye(rank + 1)
    return FactorModel(model.center, design, _packed(squares), genes @ turn.T, turn @ mean, spread, noise)


def _known_values(
    matrix: Matrix, rows: slice, held_out: HeldOut | None, center: float
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return which cells are known (1 or 0), and their values less the center, 0 where not known."""
    block = np.array(matrix[rows], np.float32)
    if held_out is not None:
        block.reshape(-1)[held_out.in_rows(rows)] = np.nan
    known = ~np.isnan(block)
    block -= np.float32(center)
    block[~known] = 0
    return known.astype(np.float32), block


def _inverse(squares: Values) -> Values:
    return np.asarray(np.linalg.inv(squares), np.float64)


def _outer(vectors: Values) -> Values:
    return vectors[:, :, None] * vectors[:, None, :]


def _packed(squares: Values) -> Values:
    upper = np.triu_indices(squares.shape[1])
    packed: Values = squares[:, upper[0], upper[1]]
    return packed


def _unpacked(packed: Values, size: int) -> Values:
    upper = np.triu_indices(size)
    squares = np.empty((len(packed), size, size))
    squares[:, upper[0], upper[1]] = packed
    squares[:, upper[1], upper[0]] = packed
    return squares
