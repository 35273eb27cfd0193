"""The archives' answers about everything in a simulated world, written as its mirror."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from refinebio_assets.simulate import arrayexpress, ena, geo, geo_tables, searches
from refinebio_assets.simulate.arrays import AFFYMETRIX, ARRAY_EXPRESS, MIXED
from refinebio_assets.simulate.bead_packages import index_probe_sets
from refinebio_assets.simulate.beads import GeneIds
from refinebio_assets.simulate.design import EXPERIMENTS
from refinebio_assets.simulate.measurements import ON_ARRAYS, Measurements
from refinebio_assets.simulate.mirror import MirrorDraft

ACCESSIONS = tuple(experiment.accession for experiment in (*EXPERIMENTS, *ON_ARRAYS))
"""Every experiment that the mirror answers for: RNA-seq at SRA, then microarrays at GEO and ArrayExpress."""

_FIRST_STREAM = 1000
"""Random streams of the microarrays' answers; those below belong to the experiments themselves."""


def write_mirror(
    root: Path,
    reads: Mapping[str, Sequence[Path]],
    measured: Measurements,
    genes: Sequence[GeneIds],
    seed: int,
) -> None:
    """Write the mirror of the world in ``root``.

    ``reads`` are its FASTQ files by run accession, ``measured`` all that is on arrays, ``genes`` what
    databases call each gene of its genome.
    """
    mirror = MirrorDraft(root)
    bodies = {run: [mirror.existing(file) for file in files] for run, files in reads.items()}
    for experiment in EXPERIMENTS:
        ena.answer_for_study(mirror, experiment, bodies)
    streams = (np.random.default_rng([seed, _FIRST_STREAM + number]) for number in range(3))
    chip, probe_sets = measured.chip, index_probe_sets(len(genes))
    geo.answer_for_affymetrix(mirror, chip, measured.of(AFFYMETRIX), next(streams))
    geo_tables.answer_for_bead_array(mirror, measured.array, measured.scans)
    symbols = [gene.symbol for gene in genes]
    geo_tables.answer_for_submitted(mirror, measured.submitted, symbols, probe_sets)
    mixed = measured.of(MIXED)
    geo_tables.answer_for_mixed(mirror, chip, mixed, measured.later_values, probe_sets, next(streams))
    arrayexpress.answer_for_experiment(mirror, measured.of(ARRAY_EXPRESS), next(streams))
    searches.answer_searches(mirror, EXPERIMENTS, ON_ARRAYS)
    mirror.write_index()
    searches.write_rules(root)
