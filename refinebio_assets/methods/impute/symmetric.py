"""Stacks of small symmetric matrices, whole or packed to their upper triangles. No model is known here."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]


def packed_size(size: int) -> int:
    """Return how many numbers the upper triangle of a matrix of this size has."""
    return size * (size + 1) // 2


def packed(squares: Values) -> Values:
    """Return the upper triangles, row by row, of a stack of matrices."""
    upper = np.triu_indices(squares.shape[1])
    triangles: Values = squares[:, upper[0], upper[1]]
    return triangles


def unpacked(triangles: npt.NDArray[np.floating[Any]], size: int) -> Values:
    """Return the symmetric matrices of these upper triangles."""
    upper = np.triu_indices(size)
    squares = np.empty((len(triangles), size, size))
    squares[:, upper[0], upper[1]] = triangles
    squares[:, upper[1], upper[0]] = triangles
    return squares


def inverse(squares: Values) -> Values:
    """Return the inverse of a matrix, or of each of a stack."""
    return np.asarray(np.linalg.inv(squares), np.float64)


def outer(vectors: Values) -> Values:
    """Return the products of each vector with itself."""
    return vectors[:, :, None] * vectors[:, None, :]
