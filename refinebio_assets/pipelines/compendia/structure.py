"""What a compendium's samples differ by, before and after normalization: components and shares of variance.

Numbers only, for JSON; the report draws them. Values are read from the store some genes at a time and lie
in a scratch file, so that memory does not grow with samples.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from refinebio_assets.formats.compendium_store import CompendiumStore
from refinebio_assets.formats.compendium_store.layout import Layer
from refinebio_assets.formats.row_matrix import RowMatrix
from refinebio_assets.methods.nested_variance import nested_shares
from refinebio_assets.methods.pca import explained_by, principal_components

COMPONENTS = 4
LEVELS = ("technology", "platform", "experiment")
"""Nested: platforms of a technology, samples of an experiment on a platform."""
LAYERS = {"before": Layer.FILLED, "after": Layer.FINAL}
"""Before and after quantile normalization."""
MOST_CELLS = 60_000_000
LEAST_GENES = 2_000
"""Genes are left out, evenly, where all of them would be more values: 3,000 of 20,000 samples stay, and what
samples differ by is the same: of 1,000 of 6,000 simulated genes, shares differ by 0.003 at most."""
MOST_POINTS = 4_000
"""Samples whose scores are kept for plots, evenly chosen."""
_DIGITS = 5


def structure_of(store: CompendiumStore, scratch: Path, seed: int = 0) -> dict[str, Any]:
    """Return for each of ``LAYERS`` the principal components and the shares of variance, as JSON has them.

    ``scratch`` is an existing folder, in which nothing is left. Missing values take the gene's mean.
    """
    labels = {name: list(map(str, store.samples.column(name).to_pylist())) for name in LEVELS}
    samples = store.shape[1]
    places = np.unique(np.linspace(0, samples - 1, min(samples, MOST_POINTS)).round().astype(np.intp))
    found: dict[str, Any] = {"places": places.tolist(), "levels": list(LEVELS)}
    for name, layer in LAYERS.items():
        matrix = _some_genes(store, layer, scratch / f"structure_{layer}")
        try:
            found["genes"] = matrix.shape[0]
            rng = np.random.default_rng(seed)
            found[name] = _components(matrix, labels, places, rng) | _variance(matrix, labels)
        finally:
            matrix.remove()
    return found


def _some_genes(store: CompendiumStore, layer: Layer, path: Path) -> RowMatrix:
    """Write evenly chosen row groups of genes into a scratch file, genes x samples."""
    genes, samples = store.shape
    wanted = min(genes, max(LEAST_GENES, MOST_CELLS // max(1, samples)))
    every = max(1, genes // wanted)
    matrix = RowMatrix(path, (genes, samples), np.float32)
    count = 0
    for _, values in store.gene_blocks(layer, every=every):
        matrix[count : count + len(values)] = values
        count += len(values)
    matrix.shorten(count)
    return matrix


def _components(
    matrix: RowMatrix,
    labels: Mapping[str, Sequence[str]],
    places: npt.NDArray[np.intp],
    rng: np.random.Generator,
) -> dict[str, Any]:
    components = principal_components(matrix, COMPONENTS, rng)
    return {
        "explained": _plain(components.explained),
        "factors": {name: _plain(explained_by(components.scores, of)) for name, of in labels.items()},
        "scores": [_plain(row) for row in components.scores[places, :2]],
    }


def _variance(matrix: RowMatrix, labels: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    shares = nested_shares(matrix, nested_levels(labels))
    return {
        "variance": {
            name: {"share": _rounded(share), "by_chance": _rounded(chance), "groups": groups}
            for name, share, chance, groups in zip(
                LEVELS, shares.within, shares.by_chance, shares.groups, strict=True
            )
        },
        "left": _rounded(shares.left),
    }


def nested_levels(labels: Mapping[str, Sequence[str]]) -> list[npt.NDArray[np.intp]]:
    """Return a number for each sample at each level: those of an experiment on one platform, last."""
    levels = []
    outer = np.zeros(len(labels[LEVELS[0]]), np.intp)
    for name in LEVELS:
        _, own = np.unique(np.asarray(labels[name], np.str_), return_inverse=True)
        _, outer = np.unique(np.column_stack((outer, own)), axis=0, return_inverse=True)
        outer = outer.reshape(-1)
        levels.append(outer)
    return levels


def _plain(values: npt.NDArray[np.float64]) -> list[float]:
    return [_rounded(value) for value in values.tolist()]


def _rounded(value: float) -> float:
    """Return it with five digits, which a picture needs; nothing varies where it is not a number."""
    return 0.0 if np.isnan(value) else float(f"{value:.{_DIGITS}g}")
