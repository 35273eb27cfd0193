"""Principal components of samples, and how much of each a known factor explains.

Arrays in, arrays out; a matrix is genes x samples. Components are of the samples, genes centered and not
scaled, as R's ``prcomp(t(x))`` has them. What an explained component means is said elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]

EXACT_SAMPLES = 2_000
"""Up to here the samples' products among themselves are decomposed exactly; 32 MB."""
LEADING_SAMPLES = 200
"""From here on only the wanted components are sought, and products are taken in float32: an eighth of the
time for 1,000 samples."""
_BLOCK_CELLS = 1 << 21
_OVERSAMPLES = 10
_PASSES = 4
"""Passes of subspace iteration; leading components of expression data settle after two."""


class GeneRows(Protocol):
    """A genes x samples matrix of which some genes at a time are read: an array, or a file like one."""

    @property
    def shape(self) -> tuple[int, ...]: ...  # noqa: D102
    def __getitem__(self, genes: slice) -> npt.NDArray[Any]: ...


@dataclass(frozen=True, slots=True, eq=False)
class Components:
    """Principal components: ``scores`` are samples x components, ``explained`` the share of each (0 to 1).

    ``genes`` is how many took part: genes without two values and constant ones add nothing.
    """

    scores: Values
    explained: Values
    genes: int


def principal_components(matrix: GeneRows, count: int, rng: np.random.Generator) -> Components:
    """Return the first ``count`` principal components of the samples, or as many as there are.

    Missing and infinite values take the gene's mean. The sign of a component is such that its largest
    score (by size) is positive. With more than 2,000 samples the leading components are found by
    randomized subspace iteration (Halko et al. 2011, doi:10.1137/090771806) from ``rng``; memory is then
    a few times samples x components. All shares are NaN when nothing varies.
    """
    if len(matrix.shape) != 2:
        raise ValueError(f"expected a matrix of genes x samples, got an array of shape {matrix.shape}")
    samples = matrix.shape[1]
    wanted = max(0, min(count, samples - 1, matrix.shape[0]))
    if samples <= EXACT_SAMPLES:
        vectors, sizes, total, genes = _exact(matrix, wanted)
    else:
        vectors, sizes, total, genes = _randomized(matrix, wanted + _OVERSAMPLES, rng)
    vectors, sizes = vectors[:, :wanted], np.maximum(sizes[:wanted], 0.0)
    scores = vectors * np.sqrt(sizes)
    if wanted:
        largest = np.abs(scores).argmax(axis=0)
        scores *= np.where(scores[largest, np.arange(wanted)] < 0, -1.0, 1.0)
    explained = sizes / total if total > 0 else np.full(wanted, np.nan)
    return Components(scores, explained, genes)


def explained_by(scores: Values, labels: Sequence[str]) -> Values:
    """Return the share (0 to 1) of each component's variance that is between the groups of a factor.

    ``scores`` are samples x components, ``labels`` say each sample's group; the share is eta squared, the sum
    of squares between groups over the total. NaN for a component that does not vary. With one group it
    is 0, with one sample a group 1: neither tells anything.
    """
    if len(labels) != len(scores):
        raise ValueError(f"{len(scores):,} samples have {len(labels):,} labels")
    _, groups = np.unique(np.asarray(labels, np.str_), return_inverse=True)
    sizes = np.bincount(groups)
    deviations = scores - scores.mean(axis=0)
    sums = np.zeros((len(sizes), scores.shape[1]))
    np.add.at(sums, groups, deviations)
    between = (sums**2 / sizes[:, None]).sum(axis=0)
    total = (deviations**2).sum(axis=0)
    shares = np.full(scores.shape[1], np.nan)
    np.divide(between, total, out=shares, where=total > 0)
    result: Values = np.minimum(shares, 1.0)
    return result


def _exact(matrix: GeneRows, count: int) -> tuple[Values, Values, float, int]:
    samples = matrix.shape[1]
    products = np.zeros((samples, samples))
    genes = 0
    for block, varying in centered_blocks(matrix):
        products += _products(block)
        genes += varying
    few = samples < LEADING_SAMPLES or not genes
    sizes, vectors = np.linalg.eigh(products) if few else _leading(products, count)
    return vectors[:, ::-1], sizes[::-1], float(np.trace(products)), genes


def _products(block: Values) -> Values:
    """Return the samples' products; of many samples in float32, a block's error being 1e-6 of its sum."""
    if block.shape[1] < LEADING_SAMPLES:
        return block.T @ block
    narrow = block.astype(np.float32)
    return (narrow.T @ narrow).astype(np.float64)


def _leading(products: Values, count: int) -> tuple[Values, Values]:
    """Return the largest eigenvalues, ascending, and their vectors."""
    from scipy.sparse.linalg import eigsh

    start = np.ones(len(products)) + np.arange(len(products)) / len(products)
    sizes, vectors = eigsh(products, max(count, 1), v0=start)
    order = np.argsort(sizes)
    return sizes[order], vectors[:, order]


def _randomized(matrix: GeneRows, rank: int, rng: np.random.Generator) -> tuple[Values, Values, float, int]:
    samples = matrix.shape[1]
    basis = np.linalg.qr(rng.standard_normal((samples, min(rank, samples))))[0]
    for _ in range(_PASSES):
        images, total, genes = np.zeros_like(basis), 0.0, 0
        for block, varying in centered_blocks(matrix):
            images += block.T @ (block @ basis)
            total += float((block**2).sum())
            genes += varying
        small = basis.T @ images
        sizes, turn = np.linalg.eigh((small + small.T) / 2)
        vectors = basis @ turn[:, ::-1]
        basis = np.linalg.qr(images)[0]
    return vectors, sizes[::-1], total, genes


def centered_blocks(matrix: GeneRows) -> Iterator[tuple[Values, int]]:
    """Yield blocks of genes minus their means over finite values, and how many of them vary.

    Other values, and all of a constant gene, are 0.
    """
    step = max(1, _BLOCK_CELLS // max(1, matrix.shape[1]))
    for start in range(0, matrix.shape[0], step):
        block = np.array(matrix[start : start + step], np.float64)
        present = np.isfinite(block)
        if present.all():
            varies = block.min(axis=1, initial=np.inf) < block.max(axis=1, initial=-np.inf)
            block -= block.mean(axis=1, keepdims=True) if block.size else 0.0
            block[~varies] = 0.0
            yield block, int(varies.sum())
            continue
        low = np.where(present, block, np.inf).min(axis=1, initial=np.inf)
        high = np.where(present, block, -np.inf).max(axis=1, initial=-np.inf)
        counts = np.maximum(present.sum(axis=1, keepdims=True), 1)
        means = np.where(present, block, 0.0).sum(axis=1, keepdims=True) / counts
        varies = low < high
        yield np.where(present & varies[:, None], block - means, 0.0), int(varies.sum())
