"""The leading right singular vectors of a large matrix, followed while the matrix changes a little.

Nothing here sees the matrix: it is multiplied by a function that is handed in, because a multiplication is
the cost. The search space is expanded by residuals (block Davidson without a preconditioner, that is block
Lanczos) from the vectors found before, which are nearly right, and the vectors next to the wanted ones
are kept as guards, so that a small gap behind the last wanted value does not slow it down.

Source: Saad, Numerical Methods for Large Eigenvalue Problems (2011), chapters 5 and 6.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]
Product = Callable[[Values], tuple[Values, Values]]
"""Takes Q (samples x k) and returns X Q (genes x k) and X' X Q (samples x k)."""

_MOST_EXPANSIONS = 40
_LEAST_EXPANSION = 6
"""Vectors added at a time at least: for rank 1 to 4 the guards are improved too, which saves a fifth of the
passes."""
_SEARCHED_GUARDS = 3
"""The vectors next to the wanted ones are searched as well, so that only those behind the third can still
turn the wanted ones. An eighth of the passes fewer, errors below the tolerance as before."""
_STAGNATION = 0.9
"""A residual that no longer shrinks by this factor at an expansion has met the rounding of the products."""
_DEPENDENT = 1e-10


@dataclass(frozen=True, slots=True, eq=False)
class LeadingSpace:
    """The leading singular vectors: ``right`` (samples x rank, orthonormal), ``scores`` = X right (genes x
    rank), and ``start`` (samples x k, orthonormal), where to begin when the matrix has changed a little.
    """

    right: Values
    scores: Values
    start: Values


@dataclass(frozen=True, slots=True, eq=False)
class _Search:
    """What was searched so far: an orthonormal basis Q (samples x k), X Q and X'X Q."""

    basis: Values
    scores: Values
    images: Values

    def expanded(self, new: Values, product: tuple[Values, Values]) -> _Search:
        """Return the search with new vectors and their product."""
        pairs = zip((self.basis, self.scores, self.images), (new, *product), strict=True)
        return _Search(*(np.concatenate(pair, axis=1) for pair in pairs))

    def eigenpairs(self) -> tuple[Values, Values]:
        """Return the eigenvalues of X'X within the basis, largest first, and their vectors in it."""
        small = self.basis.T @ self.images
        values, turn = np.linalg.eigh((small + small.T) / 2)
        return values[::-1], turn[:, ::-1]


def leading_space(
    start: Values,
    product: tuple[Values, Values],
    multiply: Product,
    rank: int,
    *,
    keep: int,
    tolerance: float,
) -> LeadingSpace:
    """Return the leading ``rank`` right singular vectors of the matrix X that ``multiply`` multiplies with.

    ``start`` (samples x k, orthonormal, k >= rank) is where the search begins, ``product`` is
    multiply(start). ``tolerance`` bounds the estimated error of X V V' relative to its Frobenius norm;
    the rounding of the products may end the search before. The new ``start`` has at most ``keep`` vectors and
    never fewer than the old one.
    """
    search, before = _Search(start, *product), np.inf
    for _ in range(_MOST_EXPANSIONS):
        values, turn = search.eigenpairs()
        tried = max(rank, _LEAST_EXPANSION)
        residuals = search.images @ turn[:, :tried] - search.basis @ (turn[:, :tried] * values[:tried])
        error = _projection_error(values, residuals[:, :rank], rank)
        new = _orthonormal(residuals, search.basis)
        if error <= tolerance or _STAGNATION * before < error <= 100 * tolerance or not new.shape[1]:
            break
        before = error
        search = search.expanded(new, multiply(new))
    else:
        values, turn = search.eigenpairs()
    kept = search.basis @ turn[:, :keep]
    return LeadingSpace(kept[:, :rank], search.scores @ turn[:, :rank], np.linalg.qr(kept)[0])


def _projection_error(values: Values, residuals: Values, rank: int) -> float:
    """Estimate the relative error of X V V', from first-order perturbation of each vector."""
    samples = len(residuals)
    if len(values) == samples or values[0] <= 0:
        return 0.0
    behind = values[min(len(values) - 1, rank + _SEARCHED_GUARDS)] if len(values) > rank else 0.0
    gaps = np.maximum(values[:rank] - behind, np.finfo(np.float64).eps * values[0])
    angles = np.minimum(1.0, np.linalg.norm(residuals, axis=0) / gaps)
    sizes = np.maximum(values[:rank], 0.0)
    return float(np.sqrt(np.sum(angles**2 * sizes) / np.sum(sizes)))


def _orthonormal(vectors: Values, basis: Values) -> Values:
    """Return an orthonormal basis of what the vectors add to a basis; twice is enough for rounding."""
    lengths = np.linalg.norm(vectors, axis=0)
    vectors = vectors[:, lengths > 0] / lengths[lengths > 0]
    for _ in range(2):
        vectors = vectors - basis @ (basis.T @ vectors)
        left, sizes, _ = np.linalg.svd(vectors, full_matrices=False)
        vectors = left[:, sizes > _DEPENDENT]
    return vectors
