"""Plots of a dataset's matrices as PNG bytes, from the numbers in `picture.py`.

Matplotlib is loaded when a plot is drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from refinebio_assets.domain import counted
from refinebio_assets.pipelines.delivery.plotting import COLORS, new_figure, png

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LINEAR = 100.0


def spread_plot(before: Mapping[str, Any], after: Mapping[str, Any], *, normalized: bool) -> bytes:
    """Return a plot of the percentiles of samples' values before and after normalization."""
    figure = new_figure(8.0, 3.0)
    drawn = [("before normalization", before), ("after", after)] if normalized else [("values", after)]
    for number, (title, spread) in enumerate(drawn, start=1):
        axes = figure.add_subplot(1, len(drawn), number)
        draw_spread(axes, spread["percentiles"], title)
    return png(figure)


def draw_spread(axes: Axes, percentiles: Sequence[Sequence[float]], title: str) -> None:
    """Draw percentiles (samples x `picture.PERCENTS`), a column a sample; large values on a log2 scale."""
    bands = np.array(percentiles, float).reshape(len(percentiles), -1).T
    logged = np.nanmax(bands, initial=0.0) > _LINEAR
    if logged:
        bands = np.log2(np.maximum(bands, 0) + 1)
    count = bands.shape[1]
    edges = np.arange(count + 1) - 0.5
    bands = np.hstack([bands, bands[:, -1:]])
    axes.fill_between(edges, bands[1], bands[-2], color=COLORS[5], alpha=0.4, step="post", linewidth=0)
    axes.fill_between(edges, bands[2], bands[-3], color=COLORS[0], alpha=0.5, step="post", linewidth=0)
    axes.plot(edges, bands[3], color="black", linewidth=1, drawstyle="steps-post")
    axes.set_title(title, fontsize="medium")
    axes.set_xlabel(f"{counted(count, 'sample')}: 5-95 %, quartiles, median", fontsize="small")
    axes.set_ylabel("log2(value + 1)" if logged else "value", fontsize="small")
    axes.set_xticks([])
    axes.spines[["top", "right"]].set_visible(False)
