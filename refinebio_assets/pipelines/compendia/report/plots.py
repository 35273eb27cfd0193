"""Pictures of a compendium as PNG bytes. Matplotlib is loaded when one is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from refinebio_assets.formats.compendium_store import CompendiumStore
from refinebio_assets.pipelines.compendia.structure import LEVELS
from refinebio_assets.pipelines.delivery.plotting import (
    COLORS,
    PANEL,
    draw_components,
    name_axes,
    names_height,
    new_figure,
    png,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BINS = 60
_MOST = 99.5
"""Percent of the genes that a histogram shows."""


def components_of(store: CompendiumStore, structure: Mapping[str, Any]) -> bytes:
    """Return the first two components of samples before and after normalization, colored by each factor that
    has two groups.
    """
    drawn = store.samples.take(structure["places"])
    groups_of = {name: list(map(str, drawn.column(name).to_pylist())) for name in LEVELS}
    labels = {factor: groups for factor, groups in groups_of.items() if len(set(groups)) > 1} or groups_of
    figure = new_figure(PANEL * max(len(labels), 1.3), 2 * PANEL + names_height(labels.values()))
    size = float(np.clip(4_000 / max(1, len(structure["places"])), 3, 16))
    place = 0
    for when, title in (("before", "before normalization"), ("after", "after")):
        found = structure[when]
        scores = np.array(found["scores"], float).reshape(len(structure["places"]), -1)
        for factor, groups in labels.items():
            place += 1
            axes = figure.add_subplot(2, len(labels), place)
            draw_components(axes, scores, groups, size=size, named=when == "after")
            axes.set_title(f"{title}, by {factor}", fontsize="small")
            name_axes(axes, found["explained"])
    return png(figure)


def errors_plot(genes: Mapping[str, npt.NDArray[np.float64]], shares: npt.NDArray[np.float64]) -> bytes:
    """Return histograms: genes' errors on values hidden one by one and by platform, samples' shares imputed.

    ``genes`` are errors by how values were hidden, without NaN.
    """
    figure = new_figure(9.6, 2.9)
    left, right = figure.add_subplot(1, 2, 1), figure.add_subplot(1, 2, 2)
    errors = np.concatenate([np.empty(0), *genes.values()])
    most = float(np.percentile(errors, _MOST)) if errors.size else 1.0
    for color, (name, values) in zip(COLORS, genes.items(), strict=False):
        if values.size:
            drawn = np.minimum(values, most)
            left.hist(drawn, bins=_BINS, range=(0, most), color=color, alpha=0.65, label=name, density=True)
    left.legend(fontsize="x-small", frameon=False)
    _dress(left, "error of a gene on hidden values (log2)", "share of genes")
    right.hist(shares * 100, bins=_BINS // 2, range=(0, 50), color=COLORS[2], alpha=0.8)
    _dress(right, "share of a sample's values that is imputed (%)", "samples")
    return png(figure)


def _dress(axes: Axes, across: str, up: str) -> None:
    axes.set_xlabel(across, fontsize="small")
    axes.set_ylabel(up, fontsize="small")
    axes.tick_params(labelsize="x-small")
    axes.spines[["top", "right"]].set_visible(False)
    if up.startswith("share"):
        axes.set_yticks([])
