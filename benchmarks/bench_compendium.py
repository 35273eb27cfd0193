"""Makes a compendium of simulated samples and its zip; tells times, peak memory and how fast slices are read.

Each number of samples runs in a process of its own, because the peak is the process's. Half of the
experiments are sequencing; arrays are of four platforms that measure 70 to 95 % of the genes, so that values
are missing by platform. Values are made while they are read, from a model with 30 factors (see
``Simulation``). The zip has values and mask and is read back as the publish gate does; metadata are the
samples' names. Exit status 1 when a run exceeds the memory limit, a slice takes more than 100 ms, the
default imputation is worse than the gene's mean, or the zip has a defect.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from refinebio_assets.domain import Technology
from refinebio_assets.formats.compendium_store import CompendiumStore
from refinebio_assets.formats.deterministic_zip import ZipWriter
from refinebio_assets.pipelines.compendia.building import build_compendium
from refinebio_assets.pipelines.compendia.bundle.inspection import inspect_compendium
from refinebio_assets.pipelines.compendia.bundle.matrices import add_mask, add_values
from refinebio_assets.pipelines.compendia.lock import NAME as LOCK
from refinebio_assets.pipelines.compendia.model import CompendiumSettings, Imputation
from refinebio_assets.pipelines.compendia.structure import structure_of
from refinebio_assets.pipelines.delivery.gate import find_defects
from refinebio_assets.pipelines.delivery.manifest import MANIFEST, manifest_of
from refinebio_assets.pipelines.workers import available_cores

FACTORS = 30
ARRAYS = ("hgu133plus2", "hugene10st", "hgu133a", "huex10st")
SHARES = (0.95, 0.9, 0.7, 0.9)
AN_EXPERIMENT = 50
SLICE_MS = 100.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--genes", type=int, default=20_000)
    parser.add_argument("--samples", type=int, nargs="+", default=[1_000], help="one run each")
    parser.add_argument("--memory", type=float, default=4.0, help="limit in GiB (default 4)")
    parser.add_argument("--imputation", default="factors", choices=[str(method) for method in Imputation])
    parser.add_argument("--scratch", type=Path, help="a folder with room (default: a temporary one)")
    parser.add_argument("--run", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        print(json.dumps(run(options, options.run)))
        return
    good = True
    for samples in options.samples:
        command = [sys.executable, __file__, "--run", str(samples), *sys.argv[1:]]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        good &= report(options, json.loads(done.stdout.splitlines()[-1]))
    sys.exit(0 if good else 1)


@dataclass(frozen=True)
class Simulation:
    """Genes with levels, loadings on factors and shifts by platform; sequencing has a wider range."""

    genes: int
    seed: int = 0

    @cached_property
    def level(self) -> np.ndarray:
        return np.random.default_rng(self.seed).gamma(4.0, 2.0, self.genes).astype(np.float32)

    @cached_property
    def loadings(self) -> np.ndarray:
        rng = np.random.default_rng(self.seed + 1)
        sizes = 1.2 * np.exp(-np.arange(FACTORS) / 6)[:, None]
        return (sizes * rng.standard_normal((FACTORS, self.genes))).astype(np.float32)

    def shift(self, platform: int) -> np.ndarray:
        rng = np.random.default_rng(self.seed + 10 + platform)
        return 0.4 * rng.standard_normal(self.genes).astype(np.float32)

    def measured(self, platform: int) -> np.ndarray:
        if platform == len(ARRAYS):
            return np.ones(self.genes, np.bool_)
        rng = np.random.default_rng(self.seed + 100 + platform)
        return rng.random(self.genes) < SHARES[platform]


@dataclass(frozen=True)
class Experiment:
    """A simulated source matrix, made when it is read."""

    simulation: Simulation
    number: int
    size: int

    @property
    def experiment(self) -> str:
        return f"E{self.number:05}"

    @property
    def organism(self) -> str:
        return "HOMO_SAPIENS"

    @property
    def place(self) -> int:
        return len(ARRAYS) if self.number % 2 else self.number // 2 % len(ARRAYS)

    @property
    def technology(self) -> Technology:
        return Technology.RNA_SEQ if self.number % 2 else Technology.MICROARRAY

    @property
    def platform(self) -> str:
        return "Illumina HiSeq 2500" if self.number % 2 else ARRAYS[self.place]

    @property
    def samples(self) -> tuple[str, ...]:
        return tuple(f"{self.experiment}_{number:04}" for number in range(self.size))

    @property
    def genes(self) -> tuple[str, ...]:
        measured = np.flatnonzero(self.simulation.measured(self.place))
        return tuple(f"ENSG{number:011}" for number in measured.tolist())

    def read(self, samples: slice) -> np.ndarray:
        rng = np.random.default_rng((self.simulation.seed, self.number, samples.start))
        count = samples.stop - samples.start
        factors = rng.standard_normal((count, FACTORS), np.float32)
        values = self.simulation.level + factors @ self.simulation.loadings
        values += self.simulation.shift(self.place)
        values += 0.4 * rng.standard_normal(values.shape, np.float32)
        if self.technology is Technology.RNA_SEQ:
            values = 1.3 * values - 2.5
            return np.maximum(np.exp2(values) - 1.0, 0.0)
        return values[:, self.simulation.measured(self.place)]


class Watch:
    """A progress that notes when each step began."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def start(self, task: str, total: int, unit: str) -> None: ...

    def advance(self, task: str, note: str = "", amount: int = 1) -> None: ...

    def say(self, text: str) -> None:
        self.said.append(f"{time.monotonic():.1f} {text}")
        print(self.said[-1], file=sys.stderr, flush=True)


def run(options: argparse.Namespace, samples: int) -> dict[str, object]:
    """Build one compendium in this process and measure."""
    simulation = Simulation(options.genes)
    starts = range(0, samples, AN_EXPERIMENT)
    sources = [
        Experiment(simulation, number, min(AN_EXPERIMENT, samples - start))
        for number, start in enumerate(starts)
    ]
    target = np.sort(simulation.level.astype(np.float64))
    settings = CompendiumSettings(int(options.memory * (1 << 30)), Imputation(options.imputation))
    base = Path(tempfile.mkdtemp(prefix="bench_compendium_", dir=options.scratch))
    try:
        folder, scratch = base / "store", base / "scratch"
        folder.mkdir()
        scratch.mkdir()
        start, cpu = time.monotonic(), time.process_time()
        facts = build_compendium(
            sources, target, folder, scratch, settings=settings, about={}, progress=Watch()
        )
        wall, cpu = time.monotonic() - start, time.process_time() - cpu
        peak = peak_memory()
        delivered = deliver(CompendiumStore(folder), base, scratch, target, sources)
        return {
            "delivered": delivered,
            "genes": len(facts.genes),
            "samples": len(facts.samples),
            "share_missing": facts.share_missing,
            "rank": facts.rank,
            "iterations": facts.iterations,
            "held_out": asdict(facts.held_out) if facts.held_out else None,
            "wall": wall,
            "cpu": cpu,
            "peak": peak,
            "peak_of_all": peak_memory(),
            "store": sum(file.stat().st_size for file in folder.iterdir()) / (1 << 30),
            "slices": slices(folder, facts.genes, [sample.accession for sample in facts.samples]),
        }
    finally:
        shutil.rmtree(base)


def peak_memory() -> float:
    """Return the most memory that this process had, in GiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)


def deliver(
    store: CompendiumStore, base: Path, scratch: Path, target: np.ndarray, sources: list[Experiment]
) -> dict[str, float]:
    """Return the CPU seconds of looking at the samples' structure, of writing the zip, and of its gate."""
    marks = [time.process_time()]
    structure_of(store, scratch)
    marks.append(time.process_time())
    path, key = base / "bundle.zip", "HOMO_SAPIENS"
    lock = {"matrices": [{"experiment": one.experiment, "samples": one.samples} for one in sources]}
    names = "".join(f"{name}\t\r\n" for name in store.sample_names)
    with path.open("xb") as stream, ZipWriter(stream, threads=available_cores()) as archive:
        archive.add_bytes(LOCK, json.dumps(lock | {"unfit": {}}).encode())
        archive.add_bytes(f"{key}/metadata_{key}.tsv", f"sample\texperiment\r\n{names}".encode())
        add_values(archive, f"{key}/{key}.tsv", store)
        add_mask(archive, f"{key}/imputed_{key}.tsv", store)
        archive.add_bytes(MANIFEST, json.dumps(manifest_of(archive.members)).encode())
    marks.append(time.process_time())
    found = find_defects(inspect_compendium(path, target, scratch))
    marks.append(time.process_time())
    if found:
        sys.exit("; ".join(item.message for item in found))
    size = path.stat().st_size / (1 << 30)
    seconds = dict(zip(("structure", "zip", "gate"), np.diff(marks).tolist(), strict=True))
    return seconds | {"size": size}


def slices(folder: Path, genes: tuple[str, ...], samples: list[str]) -> dict[str, float]:
    """Return the median milliseconds of a slice, of ten random ones each, and of opening with the first."""
    rng = np.random.default_rng(1)
    start = time.monotonic()
    store = CompendiumStore(folder)
    store.gene(genes[0])
    first = time.monotonic() - start
    store.sample(samples[0])
    took: dict[str, list[float]] = {"gene": [], "sample": []}
    for _ in range(10):
        for name, read, names in (("gene", store.gene, genes), ("sample", store.sample, samples)):
            start = time.monotonic()
            read(names[int(rng.integers(len(names)))])
            took[name].append(1_000 * (time.monotonic() - start))
    return {"first": 1_000 * first} | {name: statistics.median(times) for name, times in took.items()}


def report(options: argparse.Namespace, found: dict) -> bool:
    """Print a run's numbers; tell whether it kept to what is promised."""
    held_out, times = found["held_out"], found["slices"]
    print(
        f"{found['genes']:,} genes x {found['samples']:,} samples, {found['share_missing']:.1%} missing: "
        f"{found['wall']:.0f} s ({found['cpu']:.0f} CPU s), peak {found['peak']:.2f} GiB, "
        f"store {found['store']:.2f} GiB"
    )
    print(
        f"  slices: gene {times['gene']:.1f} ms, sample {times['sample']:.1f} ms, "
        f"first with opening {times['first']:.0f} ms"
    )
    delivered = found["delivered"]
    print(
        f"  CPU seconds: structure {delivered['structure']:.0f}, zip {delivered['zip']:.0f} "
        f"({delivered['size']:.2f} GiB), gate {delivered['gate']:.0f}; peak with these "
        f"{found['peak_of_all']:.2f} GiB"
    )
    if held_out:
        print(
            f"  {options.imputation}, rank {found['rank']}, {found['iterations']} passes; held-out errors "
            f"(log2): random {held_out['random']:.3f} (gene's mean {held_out['gene_mean_random']:.3f}), "
            f"block {held_out['block']:.3f} (gene's mean {held_out['gene_mean_block']:.3f})"
        )
    within = found["peak_of_all"] <= options.memory and max(times["gene"], times["sample"]) < SLICE_MS
    better = options.imputation != "factors" or held_out["block"] < held_out["gene_mean_block"]
    return within and better


if __name__ == "__main__":
    main()
