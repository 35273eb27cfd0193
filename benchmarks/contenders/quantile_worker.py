"""Runs one contender of bench_quantile again and again, on request: the protocol of tximport_worker.py.

``python quantile_worker.py CONTENDER FOLDER GENES SAMPLES THREADS CLOCK``. Imports and the matrix come first
and are not timed. Runs in our environment or in the peers', so each contender imports only its own.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np


def ours(matrix: Any, target: Any, threads: int) -> Callable[[], Any]:
    from refinebio_assets.methods.quantile import apply_target

    return lambda: apply_target(matrix, target, threads=threads)


def in_place(matrix: Any, target: Any, threads: int) -> Callable[[], Any]:
    from refinebio_assets.methods.quantile import apply_target

    return lambda: apply_target(matrix, target, out=matrix, threads=threads)


def fit(matrix: Any, target: Any, threads: int) -> Callable[[], Any]:
    from refinebio_assets.methods.quantile import fit_target

    return lambda: fit_target(matrix, threads=threads)


def check(matrix: Any, target: Any, threads: int) -> Callable[[], Any]:
    from refinebio_assets.methods.quantile import apply_target, check_upper_halves

    normalized = apply_target(matrix, target)
    return lambda: check_upper_halves(normalized, np.random.default_rng(1), threads=threads)


def qnorm(matrix: Any, target: Any, threads: int) -> Callable[[], Any]:
    from qnorm import quantile_normalize

    return lambda: quantile_normalize(matrix, axis=1, target=target, ncpus=threads)


def argsort(matrix: Any, target: Any, threads: int) -> Callable[[], None]:
    """Sort the columns where they lie best for it, each in one piece, on one thread."""
    samples = np.ascontiguousarray(matrix.T)

    def run() -> None:
        for sample in samples:
            np.argsort(sample)

    return run


CONTENDERS = {one.__name__: one for one in (ours, in_place, fit, check, qnorm, argsort)}


def main() -> None:
    name, folder = sys.argv[1], Path(sys.argv[2])
    genes, samples, threads = map(int, sys.argv[3:6])
    clock = time.process_time if sys.argv[6] == "cpu" else time.perf_counter
    by_sample = np.fromfile(folder / "matrix.f64").reshape(samples, genes)
    matrix = np.ascontiguousarray(by_sample.T)
    run = CONTENDERS[name](matrix, np.fromfile(folder / "target.f64"), threads)
    print("ready", flush=True)
    result: Any = None
    for line in sys.stdin:
        command, _, path = line.rstrip("\n").partition(" ")
        if command == "run":
            result = None  # so that its memory can be used again, as R's is
            begin = clock()
            result = run()
            print(clock() - begin, flush=True)
        else:
            np.asarray(result).T.astype(np.float64).tofile(path)
            print("written", flush=True)


if __name__ == "__main__":
    main()
