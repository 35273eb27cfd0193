"""Plots of a dataset's matrices as PNG bytes, from the numbers in `picture.py`.

Matplotlib is loaded when a plot is drawn.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from refinebio_assets.domain import distinct

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLORS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#F0E442", "#444444")
"""Okabe and Ito's colors, which people of all color visions tell apart."""
OTHERS = "others"
_LINEAR = 100.0


def spread_plot(before: Mapping[str, Any], after: Mapping[str, Any], *, normalized: bool) -> bytes:
    """Return a plot of the percentiles of samples' values before and after normalization."""
    figure = _figure(8.0, 3.0)
    drawn = [("before normalization", before), ("after", after)] if normalized else [("values", after)]
    for number, (title, spread) in enumerate(drawn, start=1):
        axes = figure.add_subplot(1, len(drawn), number)
        _draw_spread(axes, spread["percentiles"], title)
    return _png(figure)


def _draw_spread(axes: Axes, percentiles: Sequence[Sequence[float]], title: str) -> None:
    bands = np.array(percentiles, float).reshape(len(percentiles), -1).T
    logged = np.nanmax(bands, initial=0.0) > _LINEAR
    if logged:
        bands = np.log2(np.maximum(bands, 0) + 1)
    places = np.arange(bands.shape[1])
    axes.fill_between(places, bands[1], bands[-2], color=COLORS[5], alpha=0.4, step="mid", linewidth=0)
    axes.fill_between(places, bands[2], bands[-3], color=COLORS[0], alpha=0.5, step="mid", linewidth=0)
    axes.plot(places, bands[3], color="black", linewidth=1, drawstyle="steps-mid")
    axes.set_title(title, fontsize="medium")
    axes.set_xlabel(f"{bands.shape[1]:,} samples: 5-95 %, quartiles, median", fontsize="small")
    axes.set_ylabel("log2(value + 1)" if logged else "value", fontsize="small")
    axes.set_xticks([])
    axes.spines[["top", "right"]].set_visible(False)


def component_plots(picture: Mapping[str, Any], labels: Mapping[str, Sequence[str]]) -> bytes:
    """Return the first two principal components, once for each factor by which samples are colored.

    ``labels`` give each sample's group by factor.
    """
    scores = np.array(picture["scores"], float)
    figure = _figure(4.2 * max(1, len(labels)), 3.8)
    for number, (factor, groups) in enumerate(labels.items(), start=1):
        axes = figure.add_subplot(1, len(labels), number)
        _draw_components(axes, scores, groups)
        axes.set_title(f"colored by {factor}", fontsize="medium")
        _name_axes(axes, picture["explained"])
    return _png(figure)


def _draw_components(axes: Axes, scores: Any, groups: Sequence[str]) -> None:
    shown = _largest_groups(groups)
    second = scores[:, 1] if scores.shape[1] > 1 else np.zeros(len(scores))
    given = np.array([group if group in shown else OTHERS for group in groups])
    for color, group in zip(COLORS, shown, strict=False):
        own = given == group
        axes.scatter(scores[own, 0], second[own], s=14, color=color, label=_short(group), alpha=0.8)
    axes.legend(fontsize="x-small", frameon=False)
    axes.spines[["top", "right"]].set_visible(False)


def _largest_groups(groups: Sequence[str]) -> list[str]:
    names = distinct(groups)
    if len(names) <= len(COLORS):
        return names
    by_size = sorted(names, key=lambda name: -list(groups).count(name))
    return [*by_size[: len(COLORS) - 1], OTHERS]


def _short(name: str, shown: int = 32) -> str:
    return (name if len(name) <= shown else name[: shown - 3] + "...") or "unknown"


def _name_axes(axes: Axes, explained: Sequence[float]) -> None:
    axes.set_xlabel(f"component 1 ({explained[0]:.0%})", fontsize="small")
    if len(explained) > 1:
        axes.set_ylabel(f"component 2 ({explained[1]:.0%})", fontsize="small")


def _figure(width: float, height: float) -> Figure:
    from matplotlib.figure import Figure as NewFigure

    return NewFigure(figsize=(width, height), layout="constrained")


def _png(figure: Figure) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    target = io.BytesIO()
    FigureCanvasAgg(figure)
    figure.savefig(target, format="png", dpi=110, metadata={"Software": None})
    return target.getvalue()
