"""The simulated microarray experiments: who the samples are, and the intensities of their arrays.

How the intensities are written is for ``cel`` and ``bead_array``, how the archives describe the samples for
``geo`` and ``arrayexpress``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from refinebio_assets.simulate.design import BIOLOGICAL_CV, DIFFERENTIAL_SHARE

SIDE = 126
"""Cells along each side of the simulated chip, as on Affymetrix's smallest (Test3)."""
PROBES = 400
CELLS_OF_A_PROBE_SET = 22
"""Eleven pairs of a matching probe and one with a mismatch, as on the arrays of the HG-U133 generation."""

_BACKGROUND, _BACKGROUND_SD = 100.0, 18.0


@dataclass(frozen=True, slots=True)
class PlannedArray:
    """One hybridization. ``accession`` is the sample's in its archive, ``name`` the submitter's."""

    accession: str
    name: str
    altered: bool
    attributes: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ArrayExperiment:
    """One microarray experiment; ``platform`` is the accession that its archive gives the platform."""

    accession: str
    title: str
    description: str
    platform: str
    samples: tuple[PlannedArray, ...]


def _attributes(sex: str, age: str, state: str, grade: str = "") -> tuple[tuple[str, str], ...]:
    told = (
        ("tissue", "kidney"),
        ("Sex", sex),
        ("age", age),
        ("disease state", state),
        ("tumor grade", grade),
    )
    return tuple((key, value) for key, value in told if value)


AFFYMETRIX = ArrayExperiment(
    accession="GSE900001",
    title="Kidney tumors of simulated animals",
    description="Tumor and normal kidney of four simulated animals on HG-U133A arrays.",
    platform="GPL96",
    samples=(
        PlannedArray("GSM90000001", "kidney_normal_1", False, _attributes("female", "54 years", "normal")),
        PlannedArray("GSM90000002", "kidney_normal_2", False, _attributes("M", "61", "normal")),
        PlannedArray(
            "GSM90000003", "kidney_tumor_1", True, _attributes("Female", "54 years", "carcinoma", "II")
        ),
        PlannedArray("GSM90000004", "kidney_tumor_2", True, _attributes("male", "61", "carcinoma", "III")),
    ),
)
BEAD_ARRAY = ArrayExperiment(
    accession="GSE900002",
    title="Blood of simulated newborns",
    description="Whole blood at birth and after a week, on HumanHT-12 V4 bead arrays.",
    platform="GPL10558",
    samples=tuple(
        PlannedArray(
            f"GSM9000001{number}",
            f"blood_{number}",
            number == 3,
            (("organism part", "blood"), ("gender", sex), ("age (days)", age), ("subject id", subject)),
        )
        for number, (sex, age, subject) in enumerate(
            (("girl", "0", "newborn A"), ("boy", "0", "newborn B"), ("girl", "7", "newborn A")), start=1
        )
    ),
)
ARRAY_EXPRESS = ArrayExperiment(
    accession="E-MTAB-900001",
    title="Simulated muscle before and after training",
    description="Muscle of one simulated animal before and after eight weeks of training.",
    platform="A-AFFY-33",
    samples=tuple(
        PlannedArray(
            f"E-MTAB-900001-muscle_{when}",
            f"muscle_{when}",
            when == "trained",
            (
                ("sex", "male"),
                ("age", "26"),
                ("organism part", "skeletal muscle"),
                ("developmental stage", "adult"),
                ("individual", "animal 1"),
            ),
        )
        for when in ("resting", "trained")
    ),
)


def simulate_cells(experiment: ArrayExperiment, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Return intensities, samples x rows x columns of the chip.

    Rows come in pairs, the matching probes above those with a mismatch, which bind a third of the target.
    Background is normal, probe affinities are log-normal.
    """
    pairs = SIDE * SIDE // 2
    levels = _levels(experiment, -(-2 * pairs // CELLS_OF_A_PROBE_SET), rng)
    affinities = rng.lognormal(0.0, 0.8, size=pairs)
    of_pair = np.arange(pairs) * 2 // CELLS_OF_A_PROBE_SET
    signal = 150.0 * levels[:, of_pair] * affinities
    bound = np.stack([signal, signal / 3], axis=2).reshape(-1, SIDE // 2, SIDE, 2).swapaxes(2, 3)
    intensities = bound.reshape(-1, SIDE, SIDE) * rng.lognormal(0.0, 0.1, size=(len(levels), SIDE, SIDE))
    background = rng.normal(_BACKGROUND, _BACKGROUND_SD, size=intensities.shape)
    return np.clip(intensities + np.maximum(background, 20.0), None, 65_000.0)


def simulate_beads(
    experiment: ArrayExperiment, rng: np.random.Generator
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return average signals and detection p-values, both samples x probes.

    A p-value is the share of negative controls that shine at least as bright, as Illumina's software has it.
    """
    levels = _levels(experiment, PROBES, rng)
    shape = levels.shape
    signals = rng.normal(_BACKGROUND, _BACKGROUND_SD, size=shape) + 120.0 * levels
    controls = rng.normal(_BACKGROUND, _BACKGROUND_SD, size=(shape[0], 770))
    detection = np.mean(controls[:, None, :] >= signals[:, :, None], axis=2)
    return np.maximum(signals, 5.0), detection


def _levels(experiment: ArrayExperiment, number: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Draw the abundance of transcripts, samples x transcripts; half of them are silent."""
    means = rng.lognormal(0.0, 1.3, size=number) * (rng.random(number) < 0.5)
    changes = rng.normal(0.0, 1.5, size=number) * (rng.random(number) < DIFFERENTIAL_SHARE)
    altered = np.array([sample.altered for sample in experiment.samples])
    shape = BIOLOGICAL_CV**-2
    noise = rng.gamma(shape, 1 / shape, size=(len(altered), number))
    levels: npt.NDArray[np.float64] = means * 2.0 ** (changes * altered[:, None]) * noise
    return levels
