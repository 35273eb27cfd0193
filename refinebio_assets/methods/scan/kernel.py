"""One array in, its normalized probe values and their quality out. Nothing is read or written here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from refinebio_assets.errors import PermanentError
from refinebio_assets.methods.scan.design import Design
from refinebio_assets.methods.scan.mixture import (
    Component,
    MixtureFit,
    assign_bins,
    fit_mixture,
    share_of_signal,
)
from refinebio_assets.methods.scan.r_random import rnorm
from refinebio_assets.methods.scan.r_round import round_as_r
from refinebio_assets.methods.scan.standardize import standardize

Vector = npt.NDArray[np.float64]

DECIMALS = 8
"""To which SCAN.UPC rounds all that it writes."""
MOST_ZEROS = 0.01
"""Share of probes with intensity 0 above which SCAN.UPC refuses an array."""
_NOISE = 1e-7


@dataclass(frozen=True, slots=True, eq=False)
class ScanResult:
    """A normalized array.

    ``values``: one a probe, in the design's order, rounded to 8 decimals, never NaN; a probe of background
    is about 0, the unit is the standard deviation of similar probes. ``fit``: the model.
    """

    values: Vector
    fit: MixtureFit

    @property
    def iterations(self) -> int:
        """How many iterations the fit took."""
        return len(self.fit.changes)

    @property
    def converged(self) -> bool:
        """Whether the fit ended by itself. R uses the result either way."""
        return self.fit.converged

    @property
    def background_share(self) -> float:
        """Share of the probes that the model takes for background."""
        return self.fit.background.share


def scan(intensities: Vector, design: Design) -> ScanResult:
    """Normalize one array from its cells' intensities (one a probe of the design, not negative).

    Where any intensity is 0, 1 is added to all before the logarithm, as in R. Masks and outliers are not
    considered. For values that are on a log2 scale already see ``scan_log2``.

    Raises PermanentError for an array that R refuses or fails on: more than 1 % zeros, negative or missing
    intensities, values that the model cannot be fitted to. Source: SCAN.UPC 2.20.0, ``processCelFile``.
    """
    _check_intensities(intensities, design)
    lowest = intensities.min()
    return scan_log2(np.log2(intensities + 1 if lowest == 0 else intensities), design)


def scan_log2(values: Vector, design: Design) -> ScanResult:
    """Normalize one array from log2 intensities (one a probe of the design, finite): see ``scan``."""
    _check_length(values, design)
    _check_finite(values, "log2 intensity")
    noised = _with_noise(values, design)
    settings = design.settings
    fit = fit_mixture(noised[design.sample], design.sample_predictor, design.equations, settings)
    predicted = design.predictor.predict(fit.background.coefficients)
    normalized = standardize(noised - predicted, predicted, settings.block)
    _check_finite(normalized, "normalized value")
    return ScanResult(round_as_r(normalized, DECIMALS), fit)


def upc(values: Vector, design: Design, fit: MixtureFit) -> Vector:
    """Return UPC: each probe's probability to be expressed, in [0, 1], rounded to 8 decimals.

    ``values`` are the log2 intensities that ``fit`` was made from. Source: SCAN.UPC, ``UPC``.
    """
    noised = _with_noise(values, design)
    predicted = design.predictor.predict(fit.background.coefficients)
    bins = assign_bins(predicted, design.settings)

    def density(component: Component) -> Vector:
        return component.density(noised - design.predictor.predict(component.coefficients), bins)

    with np.errstate(invalid="ignore", under="ignore"):
        probability = share_of_signal(density(fit.background), density(fit.signal))
    _check_finite(probability, "probability")
    return round_as_r(probability, DECIMALS)


def _with_noise(values: Vector, design: Design) -> Vector:
    seed = design.settings.noise_seed
    return values if seed is None else values + rnorm(len(values), seed) * _NOISE


def _check_intensities(intensities: Vector, design: Design) -> None:
    _check_length(intensities, design)
    _check_finite(intensities, "intensity")
    negative = np.count_nonzero(intensities < 0)
    if negative:
        raise PermanentError(f"{negative:,} of {len(intensities):,} probes have a negative intensity")
    zeros = np.count_nonzero(intensities == 0)
    if zeros > MOST_ZEROS * len(intensities):
        raise PermanentError(
            f"{zeros:,} of {len(intensities):,} probes ({zeros / len(intensities):.1%}) have intensity 0;"
            f" SCAN takes an array only with up to {MOST_ZEROS:.0%}"
        )


def _check_length(values: Vector, design: Design) -> None:
    if values.shape != (design.probes,):
        raise ValueError(f"the array has {values.shape} values, its platform {design.probes:,} probes")


def _check_finite(values: Vector, what: str) -> None:
    bad = len(values) - np.count_nonzero(np.isfinite(values))
    if bad:
        raise PermanentError(f"the {what} of {bad:,} of {len(values):,} probes is not a finite number")
