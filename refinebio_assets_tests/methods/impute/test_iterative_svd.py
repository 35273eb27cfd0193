"""Parity with fancySVD, iterate by iterate, and what holds whatever the numbers are."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refinebio_assets.errors import PermanentError
from refinebio_assets.methods.impute.iterative_svd import iterative_svd
from refinebio_assets_tests.methods.impute.matrices import expression

GOLDEN = Path(__file__).parent / "golden"
Values = npt.NDArray[np.float64]


def read(name: str) -> Values:
    return np.loadtxt(gzip.decompress((GOLDEN / name).read_bytes()).decode().splitlines(), ndmin=2)


def by_the_book(matrix: Values, rank: int = 10, most: int = 200) -> tuple[Values, int]:
    """Return the same after the definition: a full SVD of the whole matrix in each iteration."""
    missing = np.isnan(matrix)
    filled = np.where(missing, 0.0, matrix)
    for iteration in range(most):
        left, sizes, right = np.linalg.svd(filled, full_matrices=False)
        current = min(2**iteration, rank)
        new = (left[:, :current] * sizes[:current]) @ right[:current]
        old = filled[missing]
        filled = np.where(missing, new, filled)
        if (old**2).sum() > 0 and ((new[missing] - old) ** 2).sum() / (old**2).sum() < 1e-5:
            return filled, iteration + 1
    return filled, most


@pytest.mark.parametrize("case", ["random", "blocks"])
def test_every_iterate_is_that_of_fancysvd(case: str) -> None:
    matrix, expected = read(f"{case}.input.tsv.gz"), read(f"{case}.iterates.tsv.gz")
    missing = np.isnan(matrix)
    for count, values in enumerate(expected, start=1):
        result = iterative_svd(matrix, max_iterations=count)
        np.testing.assert_allclose(result.matrix[missing], values, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("case", ["random", "blocks"])
def test_it_stops_at_the_same_iteration_as_fancysvd(case: str) -> None:
    result = iterative_svd(read(f"{case}.input.tsv.gz"))
    assert result.iterations == len(read(f"{case}.iterates.tsv.gz"))
    assert result.converged and result.rank == 10 and len(result.changes) == result.iterations


@pytest.mark.parametrize("samples", [200, 65, 64, 12])
def test_a_search_finds_what_a_full_decomposition_finds(samples: int) -> None:
    rng = np.random.default_rng(samples)
    matrix = expression(rng, 500, samples, rank=14)
    matrix[rng.random(matrix.shape) < 0.15] = np.nan
    expected, iterations = by_the_book(matrix)
    result = iterative_svd(matrix)
    assert result.iterations == iterations
    np.testing.assert_allclose(result.matrix, expected, rtol=1e-7, atol=1e-7)


def test_float32_stays_float32_and_is_exact_to_a_millionth() -> None:
    rng = np.random.default_rng(32)
    matrix = expression(rng, 600, 150, rank=14).astype(np.float32)
    matrix[rng.random(matrix.shape) < 0.1] = np.nan
    result = iterative_svd(matrix)
    expected = by_the_book(matrix.astype(np.float64))[0]
    missing = np.isnan(matrix)
    assert result.matrix.dtype == np.float32
    error = np.linalg.norm((result.matrix - expected)[missing]) / np.linalg.norm(expected[missing])
    assert error < 1e-6


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 40), st.integers(2, 90), st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_observed_values_are_never_touched_and_nothing_stays_missing(
    genes: int, samples: int, rank: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    matrix = expression(rng, genes, samples, rank=2)
    matrix[rng.random(matrix.shape) < 0.3] = np.nan
    matrix[0, 0] = 5.0
    before = matrix.copy()
    result = iterative_svd(matrix, rank=rank, max_iterations=5)
    known = ~np.isnan(before)
    np.testing.assert_array_equal(result.matrix[known], before[known])
    np.testing.assert_array_equal(matrix, before)
    assert np.isfinite(result.matrix).all()


def test_without_missing_values_the_matrix_is_returned_at_once() -> None:
    matrix = expression(np.random.default_rng(0))
    result = iterative_svd(matrix)
    np.testing.assert_array_equal(result.matrix, matrix)
    assert result.iterations == 0 and result.converged


def test_a_gene_without_any_value_becomes_zero() -> None:
    matrix = expression(np.random.default_rng(1), 200, 80)
    matrix[3] = np.nan
    np.testing.assert_allclose(iterative_svd(matrix).matrix[3], 0.0, atol=1e-9)


def test_the_result_can_be_written_to_a_memory_map_or_over_the_matrix(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    matrix = expression(rng)
    matrix[rng.random(matrix.shape) < 0.1] = np.nan
    expected = iterative_svd(matrix).matrix
    room = np.lib.format.open_memmap(tmp_path / "out.npy", "w+", matrix.dtype, matrix.shape)
    assert iterative_svd(matrix, out=room).matrix is room
    np.testing.assert_array_equal(room, expected)
    np.testing.assert_array_equal(iterative_svd(matrix, out=matrix).matrix, expected)


def test_what_cannot_be_imputed_is_refused_with_a_reason() -> None:
    good = np.array([[1.0, np.nan], [2.0, 3.0]])
    refused = {
        "known values are needed": np.full((3, 3), np.nan),
        "two columns": np.array([[1.0], [np.nan]]),
        "infinite": np.array([[np.inf, np.nan], [2.0, 3.0]]),
        "floating-point": np.array([[1, 2], [3, 4]]),
        "float32 or float64": good.astype(np.float16),
    }
    for reason, matrix in refused.items():
        with pytest.raises(PermanentError, match=reason):
            iterative_svd(matrix)
    with pytest.raises(PermanentError, match="rank"):
        iterative_svd(good, rank=0)
    with pytest.raises(PermanentError, match="room"):
        iterative_svd(good, out=np.empty((2, 3)))
