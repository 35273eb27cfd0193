"""The fit of SCAN's model: a mixture of two regressions, background and signal, by EM with binned variances.

What the fit is started with, when it stops and in which order its steps see old and new bins are R's,
quirks included, since the number of iterations is part of the result.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from refinebio_assets.errors import PermanentError
from refinebio_assets.methods.scan.design import NormalEquations, Predictor
from refinebio_assets.methods.scan.r_random import rnorm
from refinebio_assets.methods.scan.settings import ScanSettings

Vector = npt.NDArray[np.float64]
Bins = npt.NDArray[np.intp]

_TIE_NOISE = 1e-7
_MOST_TIE_ATTEMPTS = 20
"""R tries without end; one attempt is enough unless values are equal beyond 1e-7 of each other by chance."""
_VARIANCE_SHARE = 0.01
"""What R adds to each probe's share in a component before it weighs its squared residual."""


@dataclass(frozen=True, slots=True, eq=False)
class Component:
    """One of the two regressions: its share of the probes, coefficients, and variance in each bin."""

    share: float
    coefficients: Vector
    variances: Vector

    def density(self, residuals: Vector, bins: Bins) -> Vector:
        """Return the share times the normal density of residuals (log2)."""
        variance = np.take(self.variances, bins)
        density: Vector = self.share / np.sqrt(2 * np.pi * variance) * np.exp(-0.5 * residuals**2 / variance)
        return density

    def parameters(self) -> Vector:
        """Return all numbers in one vector: share, coefficients, variances."""
        return np.concatenate(([self.share], self.coefficients, self.variances))


@dataclass(frozen=True, slots=True, eq=False)
class MixtureFit:
    """The fitted model. ``changes`` is the largest relative growth of a parameter, for each iteration."""

    background: Component
    signal: Component
    changes: tuple[float, ...]
    converged: bool


def fit_mixture(
    values: Vector, predictor: Predictor, equations: NormalEquations, settings: ScanSettings
) -> MixtureFit:
    """Fit the mixture to the sampled probes' values (log2 intensity, finite), in the design's order.

    Raises PermanentError where R stops with an error: values that the model cannot tell apart.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore"):
        try:
            return _iterate(values, predictor, equations, settings)
        except np.linalg.LinAlgError as error:
            raise PermanentError(
                "SCAN's model cannot be fitted: the normal equations have no single solution"
            ) from error


def assign_bins(values: Vector, settings: ScanSettings) -> Bins:
    """Cut values into bins of equally many, numbered from 0 for the lowest.

    Where ties leave a bin empty, R's noise (of 1e-7) is added until none is.
    """
    for attempt in range(_MOST_TIE_ATTEMPTS):
        ends = np.arange(1, settings.bins) * len(values) // settings.bins - 1
        bins = np.searchsorted(np.sort(values)[ends], values, side="left")
        if np.bincount(bins, minlength=settings.bins).all():
            return bins
        values = values + rnorm(len(values), 1 + attempt * settings.tie_seed_step) * _TIE_NOISE
    raise PermanentError(f"the probes' values are too much alike to be cut into {settings.bins} bins")


def share_of_signal(background: Vector, signal: Vector) -> Vector:
    """Return each probe's probability to be signal, from the densities of both components."""
    probability: Vector = 1 - background / (background + signal)
    return probability


def _iterate(
    values: Vector, predictor: Predictor, equations: NormalEquations, settings: ScanSettings
) -> MixtureFit:
    def fit(weights: Vector) -> tuple[Vector, Vector]:
        coefficients = equations.solve(weights, values)
        return coefficients, predictor.predict(coefficients)

    def variances(predicted: Vector, share: Vector) -> Vector:
        return _variances(values - predicted, share, bins, settings.bins)

    share = (values <= np.sort(values)[len(values) // 2 - 2]).astype(np.float64)  # R's "middle", one early
    bins = assign_bins(values, settings)
    (b1, m1), (b2, m2) = fit(share), fit(1 - share)
    background = Component(float(share.mean()), b1, variances(m1, share))
    signal = Component(float((1 - share).mean()), b2, variances(m2, share))  # by background's share, as in R
    changes: list[float] = []
    while (not changes or changes[-1] > settings.threshold) and len(changes) < settings.max_iterations:
        before = np.concatenate((background.parameters(), signal.parameters()))
        density = background.density(values - m1, bins)
        share = density / (density + signal.density(values - m2, bins))
        b1, m1 = fit(share / np.take(background.variances, bins))
        bins = assign_bins(_finite(m1), settings)
        b2, m2 = fit((1 - share) / np.take(signal.variances, bins))  # new bins, old variances, as in R
        background = Component(float(share.mean()), b1, variances(m1, share))
        signal = Component(float((1 - share).mean()), b2, variances(m2, 1 - share))
        after = np.concatenate((background.parameters(), signal.parameters()))
        changes.append(_growth(before, after))
    return MixtureFit(background, signal, tuple(changes), changes[-1] <= settings.threshold)


def _variances(residuals: Vector, share: Vector, bins: Bins, count: int) -> Vector:
    weights = share + _VARIANCE_SHARE
    sums: Vector = np.bincount(bins, weights * residuals**2, count) / np.bincount(bins, weights, count)
    return sums


def _growth(before: Vector, after: Vector) -> float:
    """Return the largest relative change; as R keeps the sign of what it divides by, only of the positive."""
    growth = float(np.max(_finite(np.abs(after - before)) / before))
    if np.isnan(growth):
        raise PermanentError("SCAN's model cannot be fitted: a parameter stayed 0")
    return growth


def _finite(values: Vector) -> Vector:
    if not np.isfinite(values).all():
        raise PermanentError(
            "SCAN's model cannot be fitted: a probe is too far from both components to belong to either"
        )
    return values
