"""Plots of deliveries as PNG bytes: samples in principal components, colored by what is known of them.

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
_GRAY = "#BBBBBB"
_NAMES_IN_A_COLUMN = 4


def component_plots(picture: Mapping[str, Any], labels: Mapping[str, Sequence[str]]) -> bytes:
    """Return the first two principal components, once for each factor by which samples are colored.

    ``labels`` give each sample's group by factor; a factor with one group colors nothing, and where no factor
    has more, samples are drawn once.
    """
    scores = np.array(picture["scores"], float)
    telling = {factor: groups for factor, groups in labels.items() if len(set(groups)) > 1}
    drawn = telling or {"": [""] * len(scores)}
    figure = new_figure(4.2 * len(drawn), 4.2)
    for number, (factor, groups) in enumerate(drawn.items(), start=1):
        axes = figure.add_subplot(1, len(drawn), number)
        draw_components(axes, scores, groups)
        axes.set_title(f"colored by {factor}" if factor else "samples", fontsize="medium")
        name_axes(axes, picture["explained"])
    return png(figure)


def draw_components(
    axes: Axes, scores: Any, groups: Sequence[str], *, size: float = 14.0, named: bool = True
) -> None:
    """Draw samples in two components (samples x components), a color a group; small groups are gray.

    ``named``: groups are named below the plot, where no dot passes for a sample.
    """
    shown = _largest_groups(groups)
    second = scores[:, 1] if scores.shape[1] > 1 else np.zeros(len(scores))
    given = np.array([group if group in shown else OTHERS for group in groups])
    colors = dict(zip(shown, COLORS, strict=False)) | {OTHERS: _GRAY}
    for group in sorted(shown, key=lambda name: name != OTHERS):
        own = given == group
        label = _short(group)
        axes.scatter(scores[own, 0], second[own], s=size, color=colors[group], label=label, alpha=0.8, lw=0)
    if named and len(shown) > 1:
        columns = 1 + (len(shown) > _NAMES_IN_A_COLUMN)
        axes.legend(
            fontsize="small", frameon=False, loc="upper left", bbox_to_anchor=(0.0, -0.16), ncols=columns
        )
    axes.spines[["top", "right"]].set_visible(False)


def _largest_groups(groups: Sequence[str]) -> list[str]:
    names = distinct(groups)
    if len(names) <= len(COLORS):
        return names
    by_size = sorted(names, key=lambda name: -list(groups).count(name))
    return [*by_size[: len(COLORS) - 1], OTHERS]


def _short(name: str, shown: int = 32) -> str:
    return (name if len(name) <= shown else name[: shown - 3] + "...") or "unknown"


def name_axes(axes: Axes, explained: Sequence[float]) -> None:
    """Name the axes by the components and the share of the variance that each has."""
    axes.set_xlabel(f"component 1 ({explained[0]:.0%})", fontsize="small")
    if len(explained) > 1:
        axes.set_ylabel(f"component 2 ({explained[1]:.0%})", fontsize="small")


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of so many inches."""
    from matplotlib.figure import Figure as NewFigure

    return NewFigure(figsize=(width, height), layout="constrained")


def png(figure: Figure) -> bytes:
    """Return a figure as it is drawn anywhere, without the name of the program."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    target = io.BytesIO()
    FigureCanvasAgg(figure)
    figure.savefig(target, format="png", dpi=110, metadata={"Software": None})
    return target.getvalue()
