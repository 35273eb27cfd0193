"""Times our summary of quant.sf files beside Arrow's bare CSV reader, R's tximport and pytximport.

All run in turn, round by round, each in a process of its own that is already warm, so that a machine
whose speed drifts slows all of them. Then their results are compared.
"""

from __future__ import annotations

import argparse
import gzip
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from refinebio_assets.formats.gene_map import GeneMap, write_gene_map
from refinebio_assets.simulate.quantification import simulate_lengths, write_quant_sf

HERE = Path(__file__).resolve().parent
REAL_DATA = HERE.parents[1] / "shared" / "data" / "rnaseq_zebrafish"
SAMPLES, TRANSCRIPTS, GENES = 20, 59_071, 31_882
"""The size of the real data, an experiment on zebrafish."""
TOLERANCE = 1e-12
WORKER = HERE / "contenders" / "tximport_worker.py"
PEERS = HERE / ".peers" / "bin" / "python"


@dataclass
class Contender:
    """A process that runs one method on request."""

    name: str
    title: str
    command: list[str]
    result: bool = True
    seconds: list[float] = field(default_factory=list)
    process: subprocess.Popen[str] | None = None

    def start(self) -> str:
        """Start the process; return why it cannot run, or nothing."""
        environment = os.environ | {"LC_COLLATE": "C", "TZ": "UTC"}
        environment.pop("LC_ALL", None)
        try:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                env=environment,
            )
        except OSError as error:
            return f"{self.command[0]}: {error.strerror}"
        return "" if self.ask("") == "ready" else "it is not installed"

    def ask(self, request: str) -> str:
        """Send a line, unless empty, and return the answer."""
        assert self.process is not None and self.process.stdin is not None and self.process.stdout is not None
        if request:
            self.process.stdin.write(request + "\n")
            self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def stop(self) -> None:
        """End the process by closing its input."""
        if self.process is not None and self.process.stdin is not None:
            self.process.stdin.close()
            self.process.wait()

    @property
    def median(self) -> float:
        """Median seconds of a round."""
        return statistics.median(self.seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    cores = len(os.sched_getaffinity(0))
    parser.add_argument("--rounds", type=int, default=7, help="counted rounds, at least 5 (default 7)")
    parser.add_argument("--threads", type=int, default=cores, help="default: all cores")
    parser.add_argument("--simulated", action="store_true", help="simulate data, real ones or not")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench_tximport_") as name:
        folder = Path(name)
        origin = simulate(folder) if options.simulated or not REAL_DATA.is_dir() else unpack(folder)
        size = sum(path.stat().st_size for path in folder.glob("*.sf"))
        print(f"{SAMPLES} quant.sf files of {TRANSCRIPTS:,} transcripts, {size / 1e6:.0f} MB ({origin})")
        print(f"{options.threads} threads, medians of {max(5, options.rounds)} rounds after a warm-up\n")
        running = start_all(contenders(folder, options.threads))
        take_rounds(running, max(5, options.rounds))
        report(running)
        agree = compare([one for one in running if one.result], folder)
        for one in running:
            one.stop()
    sys.exit(0 if agree else 1)


def contenders(folder: Path, threads: int) -> list[Contender]:
    def worker(python: str, name: str) -> list[str]:
        return [python, str(WORKER), name, str(folder), str(threads)]

    ours = sys.executable
    r = ["Rscript", str(WORKER.with_suffix(".R")), str(folder)]
    return [
        Contender("arrow_pool", "pyarrow.csv alone, a file a thread", worker(ours, "arrow_pool"), False),
        Contender("arrow_default", "pyarrow.csv alone, its threads", worker(ours, "arrow_default"), False),
        Contender("ours", "refinebio-assets", worker(ours, "ours")),
        Contender("r", "R tximport with readr", r),
        Contender("pytximport", "pytximport 0.13", worker(str(PEERS), "pytximport")),
    ]


def unpack(folder: Path) -> str:
    for path in sorted((REAL_DATA / "SRP095529").glob("*.sf.gz")):
        expand(path, folder / path.stem)
    expand(REAL_DATA / "genes_to_transcripts.txt.gz", folder / "genes_to_transcripts.txt")
    return "real: zebrafish, SRP095529"


def expand(source: Path, target: Path) -> None:
    with gzip.open(source) as packed, target.open("wb") as plain:
        shutil.copyfileobj(packed, plain)


def simulate(folder: Path) -> str:
    rng = np.random.default_rng(59_071)
    names = [f"SIMT{number:011d}" for number in range(TRANSCRIPTS)]
    genes = np.concatenate((np.arange(GENES), rng.integers(0, GENES, TRANSCRIPTS - GENES))).tolist()
    write_gene_map(
        folder / "genes_to_transcripts.txt",
        GeneMap(tuple(f"SIMG{gene:011d}" for gene in genes), tuple(names)),
    )
    lengths = simulate_lengths(TRANSCRIPTS, rng)
    for sample in range(SAMPLES):
        write_quant_sf(folder / f"sample_{sample:02d}.sf", names, lengths, rng=rng)
    return "simulated"


def start_all(candidates: list[Contender]) -> list[Contender]:
    running = []
    for one in candidates:
        problem = one.start()
        if problem:
            print(f"Skipped: {one.title} ({problem}; see benchmarks/README.md)")
        else:
            running.append(one)
    return running


def take_rounds(running: list[Contender], rounds: int) -> None:
    """Run all in turn; the first round warms up and is not counted."""
    for _ in range(rounds + 1):
        for one in running:
            answer = one.ask("run")
            if not answer:
                sys.exit(f"{one.title} failed; run it by hand: {' '.join(one.command)}, then type: run")
            one.seconds.append(float(answer))
    for one in running:
        del one.seconds[0]


def report(running: list[Contender]) -> None:
    """Print times, and ratios taken round by round: neighbors in time, so drift cancels out."""
    ours = next(one for one in running if one.name == "ours")
    # The faster of both is the one to be measured against.
    arrow = min((one for one in running if not one.result), key=lambda one: one.median)
    print(f"{'':36}{'median':>9}{'fastest':>9}{'slowest':>9}{'/ pyarrow':>11}{'/ ours':>9}")
    for one in running:
        times = f"{one.median:8.3f}s{min(one.seconds):8.3f}s{max(one.seconds):8.3f}s"
        ratios = f"{ratio(one, arrow):11.2f}{ratio(one, ours):9.2f}"
        print(f"{one.title:36}{times}{ratios}{'  <- pyarrow' if one is arrow else ''}")
    print()


def ratio(one: Contender, other: Contender) -> float:
    return statistics.median(mine / theirs for mine, theirs in zip(one.seconds, other.seconds, strict=True))


def compare(running: list[Contender], folder: Path) -> bool:
    tables = {one.name: table(one, folder) for one in running}
    genes, values = tables["ours"]
    agree = True
    for one in running:
        if one.name != "ours":
            their_genes, theirs = tables[one.name]
            same = their_genes == genes and np.array_equal(theirs == 0, values == 0)
            apart = largest_difference(values, theirs) if same else np.inf
            agree &= bool(apart <= TOLERANCE)
            verdict = f"largest relative difference {apart:.1e}" if same else "OTHER GENES OR OTHER ZEROS"
            print(f"{one.title}: {len(their_genes):,} genes x {theirs.shape[1]} samples, {verdict}")
    return agree


def largest_difference(ours: np.ndarray, theirs: np.ndarray) -> float:
    present = ours != 0
    return float(np.max(np.abs(theirs[present] / ours[present] - 1)))


def table(one: Contender, folder: Path) -> tuple[list[str], np.ndarray]:
    path = folder / f"{one.name}.tsv"
    one.ask(f"write {path}")
    rows = [line.split("\t") for line in path.read_text().splitlines()]
    return [row[0] for row in rows], np.array([row[1:] for row in rows], dtype=np.float64)


if __name__ == "__main__":
    main()
