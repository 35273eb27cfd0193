"""The simulated microarray experiments: who the samples are, what they express, and how their arrays shine.

The chip is in ``chip``, what shines on it in ``hybridization``, the files of its scans in ``cel``; how the
archives describe the samples is for ``geo`` and ``arrayexpress``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from refinebio_assets.domain import distinct
from refinebio_assets.formats.cel import CelFormat
from refinebio_assets.simulate.chip import CHIP_TYPE, Chip
from refinebio_assets.simulate.design import simulate_gene_expression
from refinebio_assets.simulate.genome import Genome
from refinebio_assets.simulate.hybridization import hybridize

SIGNAL = 150.0
"""Intensity that a gene of level 1 adds, about twice the background."""
SILENT_SHARE = 0.4
"""More than in a library of reads: an array shows of a tissue's genes about half."""


@dataclass(frozen=True, slots=True)
class PlannedArray:
    """One hybridization. ``accession`` is the sample's in its archive, ``name`` the submitter's.

    ``cel`` is the format of its CEL file, where it has one, and ``packed`` whether that is in gzip.
    ``platform`` is another than its experiment's, of which there are the submitter's values only.
    """

    accession: str
    name: str
    altered: bool
    attributes: tuple[tuple[str, str], ...]
    cel: CelFormat = CelFormat.TEXT
    packed: bool = False
    platform: str = ""


@dataclass(frozen=True, slots=True)
class ArrayExperiment:
    """One microarray experiment; ``platform`` is the accession that its archive gives the platform."""

    accession: str
    title: str
    description: str
    platform: str
    samples: tuple[PlannedArray, ...]

    @property
    def platforms(self) -> list[str]:
        """The accessions of its platforms, its own first."""
        return distinct([self.platform, *(sample.platform for sample in self.samples if sample.platform)])


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
    description="Whole blood at birth and after a week, on a stand-in for HumanHT-12 V4 bead arrays.",
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
SUBMITTED = ArrayExperiment(
    accession="GSE900003",
    title="Spleen of simulated animals",
    description="Spleen of three simulated animals, of which the submitter kept no raw data.",
    platform="GPL570",
    samples=tuple(
        PlannedArray(
            f"GSM9000002{number}",
            f"spleen_{number}",
            number == 3,
            (("tissue", "spleen"), ("Sex", sex), ("age", f"{40 + number} years")),
        )
        for number, sex in enumerate(("female", "male", "female"), start=1)
    ),
)
MIXED = ArrayExperiment(
    accession="GSE900004",
    title="Kidney of simulated animals, old arrays and new",
    description=f"Two kidneys on {STAND_IN}, and two on a later array without raw data.",
    platform="GPL96",
    samples=(
        PlannedArray(
            *("GSM90000031", "kidney_old_1", False, _attributes("female", "33", "normal")),
            cel=CelFormat.BINARY,
            packed=True,
        ),
        PlannedArray(
            *("GSM90000032", "kidney_old_2", True, _attributes("male", "35", "carcinoma")),
            cel=CelFormat.BINARY,
            packed=True,
        ),
        PlannedArray(
            *("GSM90000033", "kidney_new_1", False, _attributes("F", "34", "normal")), platform="GPL570"
        ),
        PlannedArray(
            *("GSM90000034", "kidney_new_2", True, _attributes("M", "36", "carcinoma")), platform="GPL570"
        ),
    ),
)
ON_THE_CHIP = (AFFYMETRIX, ARRAY_EXPRESS, MIXED)
"""The experiments whose samples, or some of them, are on the simulated chip."""


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
    expression = simulate_gene_expression(genome, altered, rng, silent_share=SILENT_SHARE)
    signals = SIGNAL * expression.levels
    cells = hybridize(chip, signals, rng)
    return Hybridizations(experiment, np.log2(1 + signals), expression.log2_fold_change, cells)
