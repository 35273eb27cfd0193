"""Simulated matrices with missing values, for the tests of this folder."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]


def expression(rng: np.random.Generator, genes: int = 400, samples: int = 120, *, rank: int = 6) -> Values:
    """Return genes x samples: levels of genes, a few factors, noise of standard deviation 0.3."""
    level = rng.gamma(4.0, 2.0, (genes, 1))
    factors = rng.standard_normal((genes, rank)) @ rng.standard_normal((rank, samples)) * 0.6
    return level + factors + 0.3 * rng.standard_normal((genes, samples))


def by_sample(rng: np.random.Generator, genes: int = 400, samples: int = 120, *, rank: int = 6) -> Values:
    """Return the same, samples x genes."""
    return np.ascontiguousarray(expression(rng, genes, samples, rank=rank).T)


def platforms(samples: int = 120) -> list[str]:
    """Return four platforms' names for neighboring samples."""
    return [f"platform {number * 4 // samples}" for number in range(samples)]


def hide_by_platform(
    values: Values, rng: np.random.Generator, groups: list[str], share: float = 0.3
) -> Values:
    """Return samples x genes, of which a share of the genes is missing on one platform each."""
    hidden, names = values.copy(), np.array(groups)
    for gene in np.flatnonzero(rng.random(values.shape[1]) < share):
        hidden[names == rng.choice(np.unique(names)), gene] = np.nan
    return hidden


def two_technologies(rng: np.random.Generator, samples: int, genes: int = 300) -> tuple[Values, list[str]]:
    """Return samples x genes and technologies: every second sample is reads, wider and cut at zero.

    Arrays miss every seventh gene.
    """
    level = rng.gamma(4.0, 2.0, genes)
    loadings = 1.2 * rng.standard_normal((12, genes)) * np.exp(-np.arange(12) / 4)[:, None]
    values = (
        level + rng.standard_normal((samples, 12)) @ loadings + 0.4 * rng.standard_normal((samples, genes))
    )
    reads = np.arange(samples) % 2 == 1
    values[reads] = np.maximum(1.3 * values[reads] - 2.5, 0.0)
    values[np.ix_(~reads, np.arange(0, genes, 7))] = np.nan
    return values, ["reads" if own else "array" for own in reads.tolist()]
