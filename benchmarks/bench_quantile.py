"""Times quantile normalization to a target beside preprocessCore, qnorm and a bare sort of the columns.

All run in turn, round by round, each in a process of its own that is already warm and holds the matrix.
Then our values are compared with R's, bit for bit, and the times with what we promise.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from bench_tximport import PEERS, Contender, ratio, start_all, take_rounds

WORKER = Path(__file__).resolve().parent / "contenders" / "quantile_worker.py"
GENES, SAMPLES = 20_000, 1_000
KINDS = ("intensities", "counts")
CHECK_SECONDS = 0.2


@dataclass(frozen=True)
class Size:
    """What is normalized: a genes x samples matrix to a target of ``quantiles``."""

    genes: int
    samples: int
    quantiles: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    cores = len(os.sched_getaffinity(0))
    parser.add_argument("--rounds", type=int, default=7, help="counted rounds, at least 5 (default 7)")
    parser.add_argument("--threads", type=int, default=cores, help="default: all cores")
    parser.add_argument("--samples", type=int, default=SAMPLES)
    parser.add_argument("--quantiles", type=int, default=GENES, help="other than the genes: without qnorm")
    parser.add_argument("--kind", choices=KINDS, default=KINDS[0], help="counts: 40 %% zeros, many ties")
    parser.add_argument("--cpu", action="store_true", help="CPU seconds, on a machine with other work")
    parser.add_argument("--simulated", action="store_true", help="always so; as for the other benchmarks")
    options = parser.parse_args()
    size = Size(GENES, options.samples, options.quantiles)
    with tempfile.TemporaryDirectory(prefix="bench_quantile_") as name:
        folder = Path(name)
        simulate(folder, size, options.kind)
        print(
            f"{size.genes:,} genes x {size.samples:,} samples ({options.kind}), {size.quantiles:,} quantiles"
        )
        clock, rounds = "cpu" if options.cpu else "wall", max(5, options.rounds)
        print(f"{options.threads} threads, {clock} seconds, medians of {rounds} rounds after a warm-up\n")
        running = start_all(contenders(folder, size, options.threads, clock))
        take_rounds(running, rounds)
        named = {one.name: one for one in running}
        report(running, named["ours"])
        good = same_bits(named, folder)
        if size == Size(GENES, SAMPLES, GENES) and options.kind == "intensities":
            good &= promises_kept(named)
        for one in running:
            one.stop()
    sys.exit(0 if good else 1)


def simulate(folder: Path, size: Size, kind: str) -> None:
    rng = np.random.default_rng(20_000)
    values = rng.normal(8, 2, (size.samples, size.genes))
    target = np.sort(rng.normal(8, 2, size.quantiles))
    if kind == "counts":
        values = np.round(np.maximum(2.0 ** (values - 7.5) - 1, 0), 3)
    values.tofile(folder / "matrix.f64")
    target.tofile(folder / "target.f64")


def contenders(folder: Path, size: Size, threads: int, clock: str) -> list[Contender]:
    of = [str(folder), str(size.genes), str(size.samples)]

    def worker(name: str, count: int = threads, python: str = sys.executable) -> list[str]:
        return [python, str(WORKER), name, *of, str(count), clock]

    def in_r(operation: str) -> list[str]:
        script = str(WORKER.with_suffix(".R"))
        return ["env", f"R_THREADS={threads}", "Rscript", script, operation, *of, clock]

    chosen = [
        Contender("ours", "refinebio-assets", worker("ours")),
        Contender("in_place", "refinebio-assets, in place", worker("in_place")),
        Contender("one_thread", "refinebio-assets, 1 thread", worker("ours", 1)),
        Contender("argsort", "numpy.argsort of columns, 1 thread", worker("argsort"), False),
        Contender("r", "preprocessCore use.target", in_r("use")),
        Contender("qnorm", "qnorm (other rule for ties)", worker("qnorm", python=str(PEERS))),
        Contender("fit", "refinebio-assets fit_target", worker("fit")),
        Contender("r_fit", "preprocessCore determine.target", in_r("fit")),
        Contender("check", "refinebio-assets, check of 100 pairs", worker("check"), False),
    ]
    return [one for one in chosen if one.name != "qnorm" or size.quantiles == size.genes]


def report(running: list[Contender], ours: Contender) -> None:
    """Print times, and ratios taken round by round: neighbors in time, so drift cancels out."""
    print(f"{'':38}{'median':>9}{'fastest':>9}{'slowest':>9}{'/ ours':>9}")
    for one in running:
        times = f"{one.median:8.3f}s{min(one.seconds):8.3f}s{max(one.seconds):8.3f}s"
        print(f"{one.title:38}{times}{ratio(one, ours):9.2f}")
    print()


def same_bits(named: dict[str, Contender], folder: Path) -> bool:
    """Compare with R: normalized values bit for bit, a target to the last bit (R's threads round it)."""
    good = True
    for mine, theirs, allowed in (("ours", "r", 0.0), ("one_thread", "r", 0.0), ("fit", "r_fit", 4e-16)):
        if theirs in named:
            one, other = written(named[mine], folder), written(named[theirs], folder)
            size = np.where(other == 0, 1.0, np.abs(other))
            apart = float(np.max(np.abs(one - other) / size, initial=0.0))
            differing = int(np.count_nonzero(one.view(np.int64) != other.view(np.int64)))
            print(
                f"{named[mine].title} and {named[theirs].title}: {differing:,} of {one.size:,} values differ"
            )
            good &= one.shape == other.shape and apart <= allowed
    return good


def written(one: Contender, folder: Path) -> np.ndarray:
    path = folder / f"{one.name}.f64"
    one.ask(f"write {path}")
    values = np.fromfile(path)
    path.unlink()
    return values


def promises_kept(named: dict[str, Contender]) -> bool:
    """Print and judge the ratios that we promise, by the peers that are there."""
    ours, good = named["ours"], True
    for name, least in (("r", 4.0), ("qnorm", 2.0), ("argsort", 1 / 1.5)):
        if name in named:
            found = ratio(named[name], ours)
            good &= found >= least
            print(f"{named[name].title}: {found:.2f} times ours, at least {least:.2f} promised")
    took = named["check"].median
    print(f"Check: {took:.3f} s, less than {CHECK_SECONDS} s promised")
    return good and took < CHECK_SECONDS


if __name__ == "__main__":
    main()
