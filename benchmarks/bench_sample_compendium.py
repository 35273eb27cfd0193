"""Makes RNA-seq sample compendia of simulated quant.sf files and tells rate, memory and what a kill costs.

Each number of samples is built in a process of its own, because the peak is the process's. Before that, a
build is killed when half of the files are written, and another goes on behind it. Exit status 1 when that
one writes more than was left, or when the largest run needs a tenth more memory than the smallest.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from refinebio_assets.domain import Experiment, Manufacturer, Platform, Sample, Technology
from refinebio_assets.lake.store import Lake, StoredFile
from refinebio_assets.pipelines.compendia.rnaseq_samples.rnaseq_sample_compendium import (
    build_rnaseq_sample_compendium,
)
from refinebio_assets.pipelines.experiment_record import record_experiment
from refinebio_assets.pipelines.harmonized_metadata import harmonize_experiment
from refinebio_assets.pipelines.registry import register_experiment

ORGANISM = "HOMO_SAPIENS"
AN_EXPERIMENT = 50
DIFFERENT_FILES = 40
MOST_GROWTH = 1.1
SEQUENCER = Platform("IlluminaHiSeq2500", "Illumina HiSeq 2500", Manufacturer.ILLUMINA)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--transcripts", type=int, default=20_000)
    parser.add_argument("--samples", type=int, nargs="+", default=[1_000, 4_000], help="one run each")
    parser.add_argument("--scratch", type=Path, help="a folder with room (default: a temporary one)")
    parser.add_argument("--build", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.build:
        print(json.dumps(build(Lake(options.build[0]), int(options.build[1]))))
        return
    peaks, good = [], True
    for samples in options.samples:
        with tempfile.TemporaryDirectory(prefix="bench_samples_", dir=options.scratch) as folder:
            lake = simulate(Lake(f"{folder}/lake"), samples, options.transcripts)
            killed, half = measured(lake, samples // 2), measured(lake, -1)
            good &= killed is None and half is not None and half["files"] <= samples // 2 + AN_EXPERIMENT
            for commit in lake.history("rnaseq_sample_compendium", ORGANISM):
                (Path(lake.url) / commit.entry.path).unlink()
            whole = measured(lake, -1)
        peaks.append(whole["peak"])
        rate = whole["files"] / whole["seconds"]
        print(
            f"{samples:,} samples: {whole['seconds']:.0f} s ({rate:.1f} files/s), {whole['gib']:.2f} GiB, "
            f"peak {whole['peak']:.0f} MiB; killed at half, the next wrote {half['files']:,} files in "
            f"{half['seconds']:.0f} s",
            flush=True,
        )
    sys.exit(0 if good and max(peaks) <= MOST_GROWTH * peaks[0] else 1)


def measured(lake: Lake, ends_at: int) -> dict | None:
    """Build in a process of its own, killed at a file unless that is -1, and return what it measured."""
    command = [sys.executable, __file__, "--build", lake.url, str(ends_at)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    return json.loads(done.stdout) if done.returncode == 0 else None


class Watch:
    """A progress that counts files, and ends the process at one of them."""

    def __init__(self, ends_at: int) -> None:
        self.files = 0
        self._ends_at = ends_at

    def start(self, task: str, total: int, unit: str) -> None: ...

    def advance(self, task: str, note: str = "", amount: int = 1) -> None:
        self.files += amount
        if self.files == self._ends_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def say(self, text: str) -> None: ...


def build(lake: Lake, ends_at: int) -> dict[str, float]:
    watch, start = Watch(ends_at), time.monotonic()
    outcome = build_rnaseq_sample_compendium(lake, ORGANISM, progress=watch)
    return {
        "files": watch.files,
        "seconds": time.monotonic() - start,
        "gib": outcome.commit.file(outcome.commit.info["file"]).size / (1 << 30),
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 10),
    }


def simulate(lake: Lake, samples: int, transcripts: int) -> Lake:
    """Fill a lake with quantified experiments; files are of a few contents, each sample has its own copy."""
    rng = np.random.default_rng(0)
    contents = [gzip.compress(quant_sf(rng, transcripts), 6) for _ in range(DIFFERENT_FILES)]
    for number, start in enumerate(range(0, samples, AN_EXPERIMENT)):
        accession = f"SRP{number:06}"
        names = [f"SRR{number:06}{place:03}" for place in range(min(AN_EXPERIMENT, samples - start))]
        metadata = (
            ("tissue", "liver"),
            ("description", "a sentence that a submitter wrote of a sample " * 3),
        )
        made = tuple(
            Sample(name, ORGANISM, Technology.RNA_SEQ, SEQUENCER, metadata=metadata, title=name)
            for name in names
        )
        register_experiment(lake, Experiment(accession, "SRA", made, title=accession), origin="SRA")
        record_experiment(lake, accession)
        harmonize_experiment(lake, accession)
        files = [
            put(lake, name, contents[(start + place) % len(contents)]) for place, name in enumerate(names)
        ]
        with lake.draft("sample_quantifications", accession) as draft:
            draft.write_table(
                "results", [result(accession, name, file) for name, file in zip(names, files, strict=True)]
            )
            draft.commit(version=accession, code_version="1")
    return lake


def quant_sf(rng: np.random.Generator, transcripts: int) -> bytes:
    tpm = np.where(rng.random(transcripts) < 0.5, 0.0, rng.gamma(0.3, 50.0, transcripts))
    length = rng.integers(300, 9_000, transcripts)
    lines = (
        f"ENST{number:011}.3\t{bases}\t{bases - 180.3:.3f}\t{level:.6f}\t{3 * level:.3f}\n"
        for number, (bases, level) in enumerate(zip(length.tolist(), tpm.tolist(), strict=True))
    )
    return ("Name\tLength\tEffectiveLength\tTPM\tNumReads\n" + "".join(lines)).encode()


def put(lake: Lake, sample: str, content: bytes) -> StoredFile:
    with lake.draft("sample_quantification", sample) as draft:
        (draft.folder / "quant.sf.gz").write_bytes(content)
        return draft.commit(version=sample, code_version="1").file("quant.sf.gz")


def result(experiment: str, sample: str, file: StoredFile) -> dict[str, object]:
    return {
        "experiment": experiment,
        "sample": sample,
        "version": sample,
        "verdict": "processed",
        "processor": "Salmon",
        "processor_version": "1.10.1",
        "reference": "simulated",
        "file_path": file.path,
        "file_size": file.size,
        "file_sha256": file.sha256,
    }


if __name__ == "__main__":
    main()
