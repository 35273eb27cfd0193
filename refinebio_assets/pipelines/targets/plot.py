"""The picture of a target, as PNG bytes. Matplotlib is loaded when it is drawn."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt

from refinebio_assets.domain import Technology

_BINS = 100


def target_plot(values: npt.NDArray[np.float64], technology: Technology) -> bytes:
    """Return a picture of a target's density, and of its quantiles by rank.

    A lump at one end (absent genes) is ordinary; several humps, or a long flat piece, are worth a look.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    unit = "log2(lengthScaledTPM + 1)" if technology == Technology.RNA_SEQ else "SCAN value"
    figure = Figure(figsize=(7.2, 3.0), layout="constrained")
    density, ranks = figure.subplots(1, 2)
    density.hist(values, bins=_BINS, density=True, color="tab:blue", alpha=0.8)
    density.set(xlabel=unit, ylabel="density")
    ranks.plot(np.linspace(0, 1, len(values)), values, color="tab:blue")
    ranks.set(xlabel="share of genes below", ylabel=unit)
    for axes in (density, ranks):
        axes.spines[["top", "right"]].set_visible(False)
    target = io.BytesIO()
    FigureCanvasAgg(figure)
    figure.savefig(target, format="png")
    return target.getvalue()
