"""What shines in each cell of the simulated chip when a sample's RNA is put on it.

Background depends on the probe's bases, as in the model of SCAN: an effect of each base that differs by its
position, and of how often it occurs. Signal is the gene's expression times the probe's affinity.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from refinebio_assets.simulate.chip import PROBE_LENGTH, SIDE, Chip
from refinebio_assets.simulate.genome import Bases

Vector = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float64]

SATURATION = 65_534.0
"""The brightest that scanners of 16 bits tell."""

_BASE_EFFECTS = np.array([-0.14, 0.13, 0.05, -0.04])
"""Log2 intensity that A, C, G and T add in the middle of a probe; as measured by Naef and Magnasco (2003),
doi:10.1103/PhysRevE.68.011906, C shines and A does not, and bases at the ends count less."""
_COUNT_EFFECTS = np.array([-0.002, 0.004, 0.002, -0.004])
"""Log2 intensity for the square of how often A, C, G and T occur."""
_BACKGROUND = 6.0
_BACKGROUND_SD, _NOISE_SD = 0.12, 0.12
"""Of the natural logarithm: background's own variation, and that of all light."""
_BRIGHTNESS_SD = 0.2
"""How much scans differ as a whole."""
_BLANK, _EDGE = 40.0, (60.0, 11_000.0)
"""Cells without a probe; those at the edges are dim and bright by turns."""


def log2_background(bases: Bases) -> Vector:
    """Return the log2 intensity of each probe when nothing binds it; ``bases`` are probes x 25, coded."""
    from_middle = np.linspace(-1.0, 1.0, PROBE_LENGTH)
    of_positions = (_BASE_EFFECTS[bases] * (1.0 - from_middle**2)).sum(axis=1)
    counts = (bases[:, :, np.newaxis] == np.arange(4)).sum(axis=1)
    result: Vector = _BACKGROUND + of_positions + counts**2 @ _COUNT_EFFECTS
    return result


def hybridize(chip: Chip, signals: Matrix, rng: np.random.Generator) -> Matrix:
    """Return the intensities of arrays, samples x rows x columns of cells, to one decimal place.

    ``signals`` are samples x genes: what a gene adds to the intensity of an average probe. Noise multiplies.
    """
    bound = chip.bindings
    weights = signals[:, bound.genes] * chip.affinities[bound.probes]
    probes = len(chip.bases)
    signal = np.array([np.bincount(bound.probes, weights=row, minlength=probes) for row in weights])
    background = 2.0 ** log2_background(chip.bases) * rng.lognormal(0.0, _BACKGROUND_SD, size=signal.shape)
    cells = np.tile(_without_probes().ravel(), (len(signals), 1))
    cells[:, chip.cells] = background + signal
    cells *= rng.lognormal(0.0, _NOISE_SD, size=cells.shape)
    cells *= rng.lognormal(0.0, _BRIGHTNESS_SD, size=(len(cells), 1))
    return np.clip(cells, 1.0, SATURATION).round(1).reshape(-1, SIDE, SIDE)


def _without_probes() -> Matrix:
    """Return the cells of a chip that only has its edges."""
    cells = np.full((SIDE, SIDE), _BLANK)
    edge = np.ones((SIDE, SIDE), np.bool_)
    edge[1:-1, 1:-1] = False
    y, x = np.nonzero(edge)
    cells[edge] = np.array(_EDGE)[(x + y) % 2]
    return cells
