"""Makes this golden case: two simulated matrices with missing values, and fancySVD's iterates for them.

Run from this folder in an environment of its own (see README.md): ``python fancysvd.py``.
"""

from __future__ import annotations

import gzip
import warnings
from pathlib import Path

import numpy as np
from fancySVD import IterativeSVD

HERE = Path(__file__).resolve().parent
SEED = 20_010


def main() -> None:
    rng = np.random.default_rng(SEED)
    random = simulate(rng, genes=100, samples=70)
    random[rng.random(random.shape) < 0.1] = np.nan
    blocks = simulate(rng, genes=90, samples=24)
    blocks[:30, :8] = np.nan
    blocks[20:50, 16:] = np.nan
    blocks[7] = np.nan
    for name, matrix in (("random", random), ("blocks", blocks)):
        write(f"{name}.input.tsv.gz", matrix)
        write(f"{name}.iterates.tsv.gz", iterates(matrix))


def simulate(rng: np.random.Generator, *, genes: int, samples: int) -> np.ndarray:
    level = rng.gamma(4.0, 2.0, (genes, 1))
    factors = rng.standard_normal((genes, 14)) * 1.5 * np.exp(-np.arange(14) / 5)
    values = (
        level + factors @ rng.standard_normal((14, samples)) + 0.3 * rng.standard_normal((genes, samples))
    )
    return np.round(values, 4)


def iterates(matrix: np.ndarray) -> np.ndarray:
    """Return the missing cells (row by row, genes x samples) after each iteration: iterations x cells."""
    missing = np.isnan(matrix)
    solver = IterativeSVD(rank=10, svd_algorithm="arpack", verbose=False)
    rule, rows = solver._converged, []

    def watched(**given):
        rows.append(given["X_new"].T[missing])
        return rule(**given)

    solver._converged = watched
    warnings.simplefilter("ignore")
    filled = solver.fit_transform(np.ascontiguousarray(matrix.T)).T
    assert np.array_equal(filled[missing], rows[-1])
    return np.array(rows)


def write(name: str, values: np.ndarray) -> None:
    lines = ("\t".join(f"{value:.17g}" for value in row) + "\n" for row in values)
    (HERE / name).write_bytes(gzip.compress("".join(lines).encode(), 9, mtime=0))


if __name__ == "__main__":
    main()
