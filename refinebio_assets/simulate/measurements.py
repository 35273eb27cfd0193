"""All that is measured on a world's arrays, experiment by experiment, and what is true of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from refinebio_assets.simulate.arrays import (
    AFFYMETRIX,
    ARRAY_EXPRESS,
    BEAD_ARRAY,
    MIXED,
    ON_THE_CHIP,
    SUBMITTED,
    ArrayExperiment,
    Hybridizations,
    PlannedArray,
    simulate_hybridizations,
)
from refinebio_assets.simulate.bead_scans import BeadScans, simulate_bead_scans
from refinebio_assets.simulate.beads import BeadArray
from refinebio_assets.simulate.chip import Chip
from refinebio_assets.simulate.genome import Genome
from refinebio_assets.simulate.submitted import SubmittedValues, published, simulate_submitted

ON_ARRAYS = (AFFYMETRIX, BEAD_ARRAY, SUBMITTED, MIXED, ARRAY_EXPRESS)
"""Every experiment on arrays: at GEO, then at ArrayExpress."""
_CHIP_STREAM = 901
_BEAD_STREAM, _SUBMITTED_STREAM, _MIXED_STREAM = 951, 952, 953
"""Random streams of the measurements, behind those of the chip and of reads."""

Truth = tuple[str, str, str]
"""Sample, gene and log2 expression."""


@dataclass(frozen=True, slots=True, eq=False)
class Measurements:
    """A world's arrays: the chip and what was put on it, the BeadArray and its scans, submitted values.

    ``later_values`` are those of the mixed experiment's samples that are not on the chip, samples x genes.
    """

    chip: Chip
    on_chip: tuple[Hybridizations, ...]
    array: BeadArray
    scans: BeadScans
    submitted: SubmittedValues
    later_values: npt.NDArray[np.float64]

    def of(self, experiment: ArrayExperiment) -> Hybridizations:
        """Return what was put on the chip of an experiment."""
        return next(each for each in self.on_chip if each.experiment is experiment)

    def changes(self) -> Iterator[tuple[str, npt.NDArray[np.float64]]]:
        """Yield each experiment with the log2 fold change of every gene."""
        for arrays in self.on_chip:
            yield arrays.experiment.accession, arrays.log2_fold_change
        for table in (self.scans, self.submitted):
            yield table.experiment.accession, table.log2_fold_change

    def truth(self, genome: Genome) -> Iterator[Truth]:
        """Yield the expression of every gene that an array can show, sample by sample."""
        names = [gene.accession for gene in genome.genes]
        everything = range(len(names))
        for arrays in self.on_chip:
            for sample, values in zip(arrays.experiment.samples, arrays.log2_expression, strict=True):
                yield from _rows(sample, names, values, self._shown(sample))
        for table in (self.scans, self.submitted):
            for sample, values in zip(table.experiment.samples, table.log2_expression, strict=True):
                yield from _rows(sample, names, values, everything)

    def _shown(self, sample: PlannedArray) -> Sequence[int]:
        return range(len(self.chip.genes)) if sample.platform else list(self.chip.bound_genes)


def simulate_measurements(genome: Genome, chip: Chip, array: BeadArray, seed: int) -> Measurements:
    """Draw what every experiment's samples express, and measure it."""
    on_chip = tuple(
        simulate_hybridizations(experiment, genome, chip, np.random.default_rng([seed, stream]))
        for stream, experiment in enumerate(ON_THE_CHIP, start=_CHIP_STREAM)
    )
    mixed = next(each for each in on_chip if each.experiment is MIXED)
    later = [number for number, sample in enumerate(MIXED.samples) if sample.platform]
    return Measurements(
        chip=chip,
        on_chip=on_chip,
        array=array,
        scans=simulate_bead_scans(BEAD_ARRAY, genome, array, np.random.default_rng([seed, _BEAD_STREAM])),
        submitted=simulate_submitted(SUBMITTED, genome, np.random.default_rng([seed, _SUBMITTED_STREAM])),
        later_values=published(mixed.log2_expression[later], np.random.default_rng([seed, _MIXED_STREAM])),
    )


def _rows(
    sample: PlannedArray, names: Sequence[str], values: npt.NDArray[np.float64], genes: Sequence[int]
) -> Iterator[Truth]:
    for gene in genes:
        yield sample.accession, names[gene], f"{values[gene]:.6f}"
