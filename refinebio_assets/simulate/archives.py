"""The archives' answers about everything in a simulated world, written as its mirror."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from refinebio_assets.simulate import arrayexpress, ena, geo
from refinebio_assets.simulate.arrays import AFFYMETRIX, ARRAY_EXPRESS, BEAD_ARRAY, Hybridizations
from refinebio_assets.simulate.chip import Chip
from refinebio_assets.simulate.design import EXPERIMENTS
from refinebio_assets.simulate.mirror import MirrorDraft

ACCESSIONS = (
    *(experiment.accession for experiment in EXPERIMENTS),
    *(experiment.accession for experiment in (AFFYMETRIX, BEAD_ARRAY, ARRAY_EXPRESS)),
)
"""Every experiment that the mirror answers for: RNA-seq at SRA, then microarrays at GEO and ArrayExpress."""

_FIRST_STREAM = 1000
"""Random streams of the microarrays' answers; those below belong to the experiments themselves."""


def write_mirror(
    root: Path,
    reads: Mapping[str, Sequence[Path]],
    chip: Chip,
    arrays: Mapping[str, Hybridizations],
    seed: int,
) -> None:
    """Write the mirror of the world in ``root``.

    ``reads`` are its FASTQ files by run accession, ``arrays`` those on the chip by experiment.
    """
    mirror = MirrorDraft(root)
    bodies = {run: [mirror.existing(file) for file in files] for run, files in reads.items()}
    for experiment in EXPERIMENTS:
        ena.answer_for_study(mirror, experiment, bodies)
    streams = (np.random.default_rng([seed, _FIRST_STREAM + number]) for number in range(3))
    geo.answer_for_affymetrix(mirror, chip, arrays[AFFYMETRIX.accession], next(streams))
    geo.answer_for_bead_array(mirror, next(streams))
    arrayexpress.answer_for_experiment(mirror, arrays[ARRAY_EXPRESS.accession], next(streams))
    mirror.write_index()
