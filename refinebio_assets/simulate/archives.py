"""The archives' answers about everything in a simulated world, written as its mirror."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from refinebio_assets.simulate import arrayexpress, ena, geo
from refinebio_assets.simulate.arrays import AFFYMETRIX, ARRAY_EXPRESS, BEAD_ARRAY
from refinebio_assets.simulate.design import EXPERIMENTS
from refinebio_assets.simulate.mirror import MirrorDraft

ACCESSIONS = (
    *(experiment.accession for experiment in EXPERIMENTS),
    *(experiment.accession for experiment in (AFFYMETRIX, BEAD_ARRAY, ARRAY_EXPRESS)),
)
"""Every experiment that the mirror answers for: RNA-seq at SRA, then microarrays at GEO and ArrayExpress."""

_WRITERS: tuple[Callable[[MirrorDraft, np.random.Generator], None], ...] = (
    geo.answer_for_affymetrix,
    geo.answer_for_bead_array,
    arrayexpress.answer_for_experiment,
)
_FIRST_STREAM = 1000
"""Random streams of the microarrays; those below belong to the RNA-seq experiments."""


def write_mirror(root: Path, reads: Mapping[str, Sequence[Path]], seed: int) -> None:
    """Write the mirror of the world in ``root``; ``reads`` are its FASTQ files by run accession."""
    mirror = MirrorDraft(root)
    bodies = {run: [mirror.existing(file) for file in files] for run, files in reads.items()}
    for experiment in EXPERIMENTS:
        ena.answer_for_study(mirror, experiment, bodies)
    for number, write in enumerate(_WRITERS, start=_FIRST_STREAM):
        write(mirror, np.random.default_rng([seed, number]))
    mirror.write_index()
