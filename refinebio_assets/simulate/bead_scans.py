"""What a BeadArray's scanner reports of a series of samples: average signals and detection p-values.

Which probes there are is in ``beads``; the table in which a submitter publishes all this, in ``geo_tables``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from refinebio_assets.simulate.arrays import SIGNAL, SILENT_SHARE, ArrayExperiment
from refinebio_assets.simulate.beads import BeadArray
from refinebio_assets.simulate.design import simulate_gene_expression
from refinebio_assets.simulate.genome import Genome

Matrix = npt.NDArray[np.float64]

_BACKGROUND, _BACKGROUND_SD = 100.0, 14.0
_BASE_EFFECTS = np.array([-0.012, 0.016, 0.008, -0.008])
"""Log2 background that each A, C, G and T of a probe adds."""
_NOISE_SD, _BRIGHTNESS_SD = 0.1, 0.15
"""Of the natural logarithm: all light's own variation, and how much arrays differ as a whole."""
_CONTROLS = 770
_DIMMEST = 5.0


@dataclass(frozen=True, slots=True, eq=False)
class BeadScans:
    """The scans of one experiment, and what is true of them.

    ``log2_expression`` is samples x genes of the genome (log2 of 1 + what the gene adds to an average probe),
    ``log2_fold_change`` one value a gene; ``signals`` and ``detection`` are samples x probes of the array.
    """

    experiment: ArrayExperiment
    log2_expression: Matrix
    log2_fold_change: npt.NDArray[np.float64]
    signals: Matrix
    detection: Matrix


def simulate_bead_scans(
    experiment: ArrayExperiment, genome: Genome, array: BeadArray, rng: np.random.Generator
) -> BeadScans:
    """Draw the expression of an experiment's genes, and put its samples on the array.

    A p-value is the share of negative controls that shine at least as bright, as Illumina's software has it.
    """
    altered = [sample.altered for sample in experiment.samples]
    expression = simulate_gene_expression(genome, altered, rng, silent_share=SILENT_SHARE)
    added = SIGNAL * expression.levels
    with_target = array.targets >= 0
    signals = np.where(with_target, added[:, array.targets] * array.affinities, 0.0)
    shape = signals.shape
    counts = (array.bases[:, :, np.newaxis] == np.arange(4)).sum(axis=1)
    background = rng.normal(_BACKGROUND, _BACKGROUND_SD, size=shape) * 2.0 ** (counts @ _BASE_EFFECTS)
    bright = rng.lognormal(0.0, _BRIGHTNESS_SD, size=(shape[0], 1))
    signals = np.maximum(
        (background + signals) * rng.lognormal(0.0, _NOISE_SD, size=shape) * bright, _DIMMEST
    )
    controls = rng.normal(_BACKGROUND, _BACKGROUND_SD, size=(shape[0], _CONTROLS))
    controls *= rng.lognormal(0.0, _NOISE_SD, size=controls.shape) * bright
    detection = np.array(
        [
            1.0 - np.searchsorted(np.sort(dark), signal, side="left") / _CONTROLS
            for dark, signal in zip(controls, signals, strict=True)
        ]
    )
    return BeadScans(experiment, np.log2(1 + added), expression.log2_fold_change, signals.round(1), detection)
