"""Plots of expression matrices, as PNG bytes. Matplotlib is loaded when a plot is drawn."""

from __future__ import annotations

import io

import numpy as np
import pyarrow as pa

from refinebio_assets.pipelines.expression_matrix import LENGTH_SCALED_TPM, column_values, matrix_unit

MAX_LINES = 60
"""Densities drawn: more lines than this hide each other."""

_BINS = 80


def density_plot(matrix: pa.Table) -> bytes:
    """Return a plot of each sample's distribution of its genes' values.

    Abundances are shown as log2(value + 1) of the genes above zero, arrays' values as they are, without those
    that are missing.

    ``matrix`` has the gene column first and a float64 column a sample. A sample that lies apart from
    the others is worth a look before its values are used.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 3.2), layout="constrained")
    axes = figure.add_subplot()
    names = matrix.column_names[1:]
    unit = matrix_unit(matrix)
    arrays = unit != LENGTH_SCALED_TPM
    for name in names[:MAX_LINES]:
        values = column_values(matrix, name)
        if not arrays:
            values = np.log2(values + 1)
        expressed = values[np.isfinite(values)] if arrays else values[values > 0]
        if len(expressed) == 0:
            continue
        density, edges = np.histogram(expressed, bins=_BINS, density=True)
        axes.plot((edges[:-1] + edges[1:]) / 2, density, linewidth=1, alpha=0.7, label=name)
    axes.set_xlabel(f"{unit} value" if arrays else "log2(lengthScaledTPM + 1), genes above zero")
    axes.set_ylabel("density")
    axes.spines[["top", "right"]].set_visible(False)
    if len(names) <= 12:
        axes.legend(fontsize="x-small", frameon=False)
    target = io.BytesIO()
    FigureCanvasAgg(figure)
    figure.savefig(target, format="png")
    return target.getvalue()
