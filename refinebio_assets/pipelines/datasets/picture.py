"""What a matrix looks like: the spread of its samples' values, and its principal components.

Numbers only; `report_plots.py` draws them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from refinebio_assets.methods.pca import explained_by, principal_components
from refinebio_assets.pipelines.datasets.explanations import technical_factor
from refinebio_assets.pipelines.datasets.selection import Member

COMPONENTS = 4
SHOWN_SAMPLES = 200
"""Samples whose spread is kept: as many as a plot can show."""
PERCENTS = (0.0, 5.0, 25.0, 50.0, 75.0, 95.0, 100.0)
DOMINATES = 0.5
"""A technical factor that explains this share of a component is warned of. Chosen by hand."""
COUNTS = 0.1
"""Components with less of the variance are not warned of. Chosen by hand."""
LEAST_SAMPLES = 4
"""Of fewer samples, groups of one explain everything."""

FACTORS: Mapping[str, Callable[[Member], str]] = {
    "experiment": lambda member: ";".join(member.experiments),
    "platform": lambda member: member.source.platform if member.source else "",
    "technology": lambda member: str(member.technology),
    "processing": lambda member: (
        "submitter-processed" if member.source and member.source.submitted else "from raw"
    ),
}
"""Technical factors of samples; an experiment may be a biological one, too."""

Matrix = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class Spread:
    """Percentiles of some samples' values: ``percentiles`` are samples x ``PERCENTS``."""

    places: tuple[int, ...]
    percentiles: tuple[tuple[float, ...], ...]

    def plain(self) -> dict[str, Any]:
        """Return it for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Picture:
    """Principal components of samples: ``scores`` are samples x components, ``explained`` their shares.

    ``factors`` has, for each technical factor with more than one group, what it explains of each component.
    """

    scores: tuple[tuple[float, ...], ...]
    explained: tuple[float, ...]
    factors: Mapping[str, tuple[float, ...]]
    warnings: tuple[str, ...]

    def plain(self) -> dict[str, Any]:
        """Return it for JSON."""
        return asdict(self)


def spread_of(values: Matrix) -> Spread:
    """Return the spread of at most 200 samples, evenly chosen."""
    count = values.shape[1]
    places = np.unique(np.linspace(0, count - 1, min(count, SHOWN_SAMPLES)).round().astype(int))
    rows = [_percentiles(values[:, place]) for place in places.tolist()]
    return Spread(tuple(places.tolist()), tuple(rows))


def _percentiles(sample: Matrix) -> tuple[float, ...]:
    present = sample[~np.isnan(sample)].astype(np.float64)
    if not len(present):
        return (float("nan"),) * len(PERCENTS)
    return tuple(np.percentile(present, PERCENTS).tolist())


def picture_of(values: Matrix, members: Sequence[Member], rng: np.random.Generator) -> Picture:
    """Return the principal components of samples, and which technical factors they follow."""
    if len(members) < 2:
        return Picture((), (), {}, ())
    components = principal_components(values, COMPONENTS, rng)
    shares = np.nan_to_num(components.explained)
    explaining = {
        name: tuple(np.nan_to_num(explained_by(components.scores, labels)).tolist())
        for name, labels in _labels(members).items()
    }
    warnings = tuple(_warnings(explaining, shares.tolist())) if len(members) >= LEAST_SAMPLES else ()
    return Picture(_rows(components.scores), tuple(shares.tolist()), explaining, warnings)


def _rows(scores: npt.NDArray[np.float64]) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(row) for row in scores.tolist())


def _labels(members: Sequence[Member]) -> dict[str, list[str]]:
    labels = {name: [of(member) for member in members] for name, of in FACTORS.items()}
    return {name: given for name, given in labels.items() if 1 < len(set(given)) < len(given)}


def _warnings(explaining: Mapping[str, Sequence[float]], shares: Sequence[float]) -> Iterator[str]:
    """Warn of each factor that dominates components; of a component, the factor that explains most counts."""
    dominated: dict[str, list[tuple[int, float, float]]] = {}
    for number, share in enumerate(shares):
        named = [(given[number], name) for name, given in explaining.items()]
        explained, name = max(named, default=(0.0, ""))
        if explained >= DOMINATES and share >= COUNTS:
            dominated.setdefault(name, []).append((number + 1, explained, share))
    for name, components in dominated.items():
        yield technical_factor(name, components)
