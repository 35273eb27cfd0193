"""The simulated microarray experiments: who the samples are, what they express, and how their arrays shine.

The chip is in ``chip``, what shines on it in ``hybridization``, the files of its scans in ``cel``; how the
archives describe the samples is for ``geo`` and ``arrayexpress``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from refinebio_assets.formats.cel import CelFormat
from refinebio_assets.simulate.chip import CHIP_TYPE, Chip
from refinebio_assets.simulate.design import BIOLOGICAL_CV, DIFFERENTIAL_SHARE, simulate_gene_expression
from refinebio_assets.simulate.genome import Genome
from refinebio_assets.simulate.hybridization import hybridize

PROBES = 400
"""On the simulated bead array."""

_SIGNAL = 150.0
"""Intensity that a gene of level 1 adds, about twice the background."""
_SILENT_SHARE = 0.4
"""More than in a library of reads: an array shows of a tissue's genes about half."""
_BACKGROUND, _BACKGROUND_SD = 100.0, 18.0


@dataclass(frozen=True, slots=True)
class PlannedArray:
    """One hybridization. ``accession`` is the sample's in its archive, ``name`` the submitter's.

    ``cel`` is the format of its CEL file, where it has one, and ``packed`` whether that is in gzip.
    """

    accession: str
    name: str
    altered: bool
    attributes: tuple[tuple[str, str], ...]
    cel: CelFormat = CelFormat.TEXT
    packed: bool = False


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


STAND_IN = f"a simulated stand-in for {CHIP_TYPE} arrays"

AFFYMETRIX = ArrayExperiment(
    accession="GSE900001",
    title="Kidney tumors of simulated animals",
    description=f"Tumor and normal kidney of four simulated animals on {STAND_IN}.",
    platform="GPL96",
    samples=(
        PlannedArray(
            *("GSM90000001", "kidney_normal_1", False, _attributes("female", "54 years", "normal")),
            cel=CelFormat.TEXT,
        ),
        PlannedArray(
            *("GSM90000002", "kidney_normal_2", False, _attributes("M", "61", "normal")),
            cel=CelFormat.BINARY,
        ),
        PlannedArray(
            *("GSM90000003", "kidney_tumor_1", True, _attributes("Female", "54 years", "carcinoma", "II")),
            cel=CelFormat.COMMAND_CONSOLE,
        ),
        PlannedArray(
            *("GSM90000004", "kidney_tumor_2", True, _attributes("male", "61", "carcinoma", "III")),
            cel=CelFormat.BINARY,
            packed=True,
        ),
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
    description=f"Muscle of one simulated animal before and after training for eight weeks, on {STAND_IN}.",
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
            cel_format,
        )
        for when, cel_format in (("resting", CelFormat.TEXT), ("trained", CelFormat.COMMAND_CONSOLE))
    ),
)
ON_THE_CHIP = (AFFYMETRIX, ARRAY_EXPRESS)
"""The experiments whose samples are on the simulated chip."""


@dataclass(frozen=True, slots=True, eq=False)
class Hybridizations:
    """The arrays of one experiment, and what is true of them.

    ``log2_expression`` is samples x genes of the genome: log2 of 1 + what the gene adds to the intensity of
    an average probe, so 0 where it is silent. ``log2_fold_change`` is one value a gene (altered over not
    altered, 0 where nothing changes). ``cells`` are intensities, samples x rows x columns.
    """

    experiment: ArrayExperiment
    log2_expression: npt.NDArray[np.float64]
    log2_fold_change: npt.NDArray[np.float64]
    cells: npt.NDArray[np.float64]


def simulate_hybridizations(
    experiment: ArrayExperiment, genome: Genome, chip: Chip, rng: np.random.Generator
) -> Hybridizations:
    """Draw the expression of an experiment's genes, and put its samples on the chip."""
    altered = [sample.altered for sample in experiment.samples]
    expression = simulate_gene_expression(genome, altered, rng, silent_share=_SILENT_SHARE)
    signals = _SIGNAL * expression.levels
    cells = hybridize(chip, signals, rng)
    return Hybridizations(experiment, np.log2(1 + signals), expression.log2_fold_change, cells)


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
