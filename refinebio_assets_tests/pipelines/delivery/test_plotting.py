"""Plots of reports can be read: names stand inside the picture, beside each other and off the dots."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from refinebio_assets.pipelines.datasets.report_plots import draw_spread
from refinebio_assets.pipelines.delivery.plotting import component_figure, new_figure

PLATFORMS = [
    "Affymetrix Human Genome U133A Array (hgu133a)",
    "Affymetrix Human Genome U133 Plus 2.0 Array (hgu133plus2)",
    "Illumina HumanHT-12 V4.0 expression beadchip (Illumina_HumanHT-12_V4.0)",
    "Illumina Genome Analyzer II (IlluminaGenomeAnalyzerII)",
    *(f"A sequencer of a maker with a long name, model {number} (model{number})" for number in range(8)),
]


def picture_of(groups: int) -> tuple[dict[str, object], dict[str, list[str]]]:
    number = np.repeat(np.arange(groups), 4)
    scores = np.random.default_rng(0).normal(0, 1, (len(number), 2)) + number[:, None]
    labels = {
        "experiment": [f"E-MTAB-{90_000 + at}" for at in number],
        "platform": [PLATFORMS[at] for at in number],
        "technology": ["RNA-SEQ" if at % 2 else "MICROARRAY" for at in number],
    }
    return {"scores": scores.tolist(), "explained": [0.4, 0.2]}, labels


@pytest.mark.parametrize("groups", [2, 5, 8, 12])
def test_names_of_groups_overlap_nothing_and_are_not_cut_off(groups: int) -> None:
    figure = component_figure(*picture_of(groups))
    FigureCanvasAgg(figure).draw()
    legends = [legend for axes in figure.axes if (legend := axes.get_legend())]
    assert len(legends) == 3
    names = [legend.get_window_extent() for legend in legends]
    titles = [axes.title.get_window_extent() for axes in figure.axes]
    page = figure.bbox
    for box in (*names, *titles):
        assert page.x0 <= box.x0 and box.x1 <= page.x1 and page.y0 <= box.y0 and box.y1 <= page.y1
    for one, other in (*combinations(names, 2), *combinations(titles, 2)):
        assert not one.overlaps(other)
    for one, other in pairwise(axes.get_window_extent() for axes in figure.axes):
        assert one.width == pytest.approx(other.width, rel=0.1) and not one.overlaps(other)
    for box, axes in zip(names, figure.axes, strict=True):
        assert not box.overlaps(axes.get_window_extent())
        assert not box.overlaps(axes.xaxis.label.get_window_extent())


def test_platforms_with_long_names_are_told_apart() -> None:
    figure = component_figure(*picture_of(2))
    legend = figure.axes[1].get_legend()
    assert legend is not None
    assert [text.get_text()[-13:] for text in legend.get_texts()] == ["... (hgu133a)", "(hgu133plus2)"]


@pytest.mark.parametrize("samples", [1, 2, 200])
def test_each_sample_is_a_column_of_a_spread(samples: int) -> None:
    axes = new_figure(4, 3).add_subplot()
    draw_spread(axes, [[0, 1, 2, 3, 4, 5, 6]] * samples, "values")
    assert axes.dataLim.width == samples
    assert [band.get_paths()[0].get_extents().width for band in axes.collections] == [samples, samples]
