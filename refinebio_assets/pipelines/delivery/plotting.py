"""Plots of deliveries as PNG bytes: samples in principal components, colored by what is known of them.

Matplotlib is loaded when a plot is drawn.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from refinebio_assets.domain import distinct

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PathCollection
    from matplotlib.figure import Figure

COLORS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#F0E442", "#444444")
"""Okabe and Ito's colors, which people of all color visions tell apart."""
OTHERS = "others"
_GRAY = "#BBBBBB"
PANEL = 3.1
"""Inches of a plot's sides: three are as wide as a page, so that letters are not made smaller."""
_LONGEST_NAME = 32
_BESIDE = 14
"""Letters of a name that leaves room for another beside it, in a plot of this size."""
_LINE = 0.19
"""Inches that a line of names needs."""
_NAMES_BELOW = (-0.2, -0.55)
"""Where names stand from a plot's lower left corner, in inches."""


def component_plots(picture: Mapping[str, Any], labels: Mapping[str, Sequence[str]]) -> bytes:
    """Return `component_figure` as PNG."""
    return png(component_figure(picture, labels))


def component_figure(picture: Mapping[str, Any], labels: Mapping[str, Sequence[str]]) -> Figure:
    """Draw the first two principal components, once for each factor by which samples are colored.

    ``labels`` give each sample's group by factor; a factor with one group colors nothing, and where no factor
    has more, samples are drawn once.
    """
    scores = np.array(picture["scores"], float)
    telling = {factor: groups for factor, groups in labels.items() if len(set(groups)) > 1}
    drawn = telling or {"": [""] * len(scores)}
    figure = new_figure(PANEL * max(len(drawn), 1.3), PANEL + names_height(drawn.values()))
    for number, (factor, groups) in enumerate(drawn.items(), start=1):
        axes = figure.add_subplot(1, len(drawn), number)
        draw_components(axes, scores, groups)
        axes.set_title(f"colored by {factor}" if factor else "samples", fontsize="medium")
        name_axes(axes, picture["explained"])
    return figure


def names_height(labels: Iterable[Sequence[str]]) -> float:
    """Return how many inches the names of groups need below plots that stand side by side."""
    names = [_largest_groups(groups) for groups in labels]
    return _LINE * max((-(-len(shown) // _columns(shown)) for shown in names if len(shown) > 1), default=0)


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
    look: dict[str, Any] = {"s": size, "alpha": 0.8, "edgecolors": "#333333", "lw": size / 60}
    dots = {}
    for group in sorted(shown, key=lambda name: name != OTHERS):
        own = given == group
        dots[group] = axes.scatter(scores[own, 0], second[own], color=colors[group], **look)
    if named and len(shown) > 1:
        _name_groups(axes, [dots[group] for group in shown], shown)
    axes.tick_params(labelsize="small")
    axes.spines[["top", "right"]].set_visible(False)


def _name_groups(axes: Axes, dots: Sequence[PathCollection], names: Sequence[str]) -> None:
    from matplotlib.transforms import ScaledTranslation

    # In inches: as a share of the plot, which the layout makes smaller, the place would move.
    below = ScaledTranslation(*_NAMES_BELOW, axes.figure.dpi_scale_trans)
    axes.legend(
        dots,
        [_short(name) for name in names],
        ncols=_columns(names),
        loc="upper left",
        bbox_to_anchor=(0.0, 0.0),
        bbox_transform=axes.transAxes + below,
        fontsize="small",
        frameon=False,
        handletextpad=0.2,
        borderpad=0.0,
    )


def _largest_groups(groups: Sequence[str]) -> list[str]:
    names = distinct(groups)
    if len(names) <= len(COLORS):
        return names
    by_size = sorted(names, key=lambda name: -list(groups).count(name))
    return [*by_size[: len(COLORS) - 1], OTHERS]


def _columns(shown: Sequence[str]) -> int:
    return 2 if len(shown) > 2 and all(len(name) <= _BESIDE for name in shown) else 1


def _short(name: str) -> str:
    """Leave out the middle of a long name when it ends with something short in brackets, else its end."""
    if len(name) > _LONGEST_NAME:
        end = name[name.rfind(" (") :] if name.endswith(")") and " (" in name else ""
        end = end if len(end) <= _LONGEST_NAME // 2 else ""
        name = f"{name[: _LONGEST_NAME - len(end) - 3].rstrip()}...{end}"
    return name or "unknown"


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
