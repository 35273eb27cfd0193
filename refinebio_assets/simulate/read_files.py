"""The FASTQ files of a simulated world, what is true of them, and the sample sheet that lists them."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from refinebio_assets.simulate import organism
from refinebio_assets.simulate.design import EXPERIMENTS, Expression, PlannedExperiment, PlannedSample
from refinebio_assets.simulate.genome import Genome
from refinebio_assets.simulate.packing import write_gzip
from refinebio_assets.simulate.reads import Library, Transcriptome, simulate_library

_SHEET_COLUMNS = ("experiment", "sample", "organism", "technology", "platform", "fastq_1", "fastq_2")
_TITLES = ("experiment_title", "experiment_description")


def write_samples(
    folder: Path,
    genome: Genome,
    transcriptome: Transcriptome,
    experiment: PlannedExperiment,
    expression: Expression,
    seed: int,
) -> list[tuple[str, ...]]:
    """Write the reads of an experiment, samples in parallel, and return their rows of truth."""

    def write(number: int) -> list[tuple[str, ...]]:
        sample, tpm = experiment.samples[number], expression.tpm[number]
        library = simulate_library(
            sample.accession,
            transcriptome,
            tpm,
            fragments=experiment.fragments,
            read_length=experiment.read_length,
            paired=experiment.paired,
            rng=np.random.default_rng([seed, sample.number, 0]),
        )
        for name, text in zip(fastq_names(experiment, sample), library.mates, strict=True):
            write_gzip(folder / name, text)
        return _truth_rows(genome, sample, tpm.tolist(), library)

    # Two at a time: numpy and zlib let go of the interpreter, and one sample in the making takes 50 MB.
    with ThreadPoolExecutor(max_workers=2) as pool:
        rows = pool.map(write, range(len(experiment.samples)))
        return [row for sample_rows in rows for row in sample_rows]


def write_sheet(file: Path) -> None:
    """Write the samples with paths relative to the sheet and the metadata of both experiments."""
    samples = [(experiment, sample) for experiment in EXPERIMENTS for sample in experiment.samples]
    keys = list(dict.fromkeys(key for _, sample in samples for key in sample.metadata))
    rows: list[Sequence[object]] = [(*_SHEET_COLUMNS, *_TITLES, *keys)]
    for experiment, sample in samples:
        files = (*fastq_names(experiment, sample), "")[:2]
        known = (
            experiment.accession,
            sample.accession,
            organism.NAME,
            "RNA-SEQ",
            experiment.platform,
            *files,
        )
        metadata = [sample.metadata.get(key, "") for key in keys]
        rows.append((*known, experiment.title, experiment.description, *metadata))
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    file.write_text(text.getvalue(), encoding="utf-8")


def fastq_names(experiment: PlannedExperiment, sample: PlannedSample) -> list[str]:
    """Return the paths in the world of a sample's files, one or two."""
    ends = ("_1", "_2") if experiment.paired else ("",)
    return [f"reads/{sample.accession}{end}.fastq.gz" for end in ends]


def reads_by_run(folder: Path) -> dict[str, list[Path]]:
    """Return the files of every sample, by the accession of its run."""
    return {
        sample.accession: [folder / name for name in fastq_names(experiment, sample)]
        for experiment in EXPERIMENTS
        for sample in experiment.samples
    }


def _truth_rows(
    genome: Genome, sample: PlannedSample, tpm: Sequence[float], library: Library
) -> list[tuple[str, ...]]:
    return [
        (sample.accession, gene.accession, transcript.accession, f"{value:.6f}", str(fragments))
        for (gene, transcript), value, fragments in zip(
            genome.transcripts(), tpm, library.fragments.tolist(), strict=True
        )
    ]
