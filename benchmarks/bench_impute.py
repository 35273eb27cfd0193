"""Times our IterativeSVD beside fancySVD's, and tells the held-out errors of both of our methods.

One thread each, CPU seconds, in processes of their own, in turn, on one simulated matrix (float32). fancySVD
runs in the peers' Python (or the one named with ``--peer-python``), and is skipped where it is not installed:
it asks for a scikit-learn that no longer installs, so ``pip install --no-deps fancySVD==0.1.3`` and
``pip install "scikit-learn<1.8"``.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
PEERS = HERE / ".peers" / "bin" / "python"
ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
AGREE = 2e-6
"""Root mean square of the difference over that of the values; fancySVD's float32 is 6e-7 from exact."""
METHODS = ("ours", "arpack", "randomized")
TITLES = {"ours": "refinebio-assets", "arpack": "fancySVD, ARPACK", "randomized": "fancySVD, randomized"}
PLATFORMS = 8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="counted rounds (default 3)")
    parser.add_argument("--genes", type=int, default=15_000)
    parser.add_argument("--samples", type=int, default=500, help="default 500; 5000 takes minutes and 3 GB")
    parser.add_argument("--peer-python", type=Path, default=PEERS, help="a Python that has fancySVD")
    parser.add_argument("--speed-only", action="store_true", help="leave the held-out errors out")
    parser.add_argument("--worker", nargs=3, metavar=("METHOD", "MATRIX", "RESULT"), help=argparse.SUPPRESS)
    options, _ = parser.parse_known_args()
    if options.worker:
        work(*options.worker)
        return
    print(f"{options.genes:,} genes x {options.samples:,} samples, float32, one thread, CPU seconds\n")
    agree = speed(options)
    good = options.speed_only or errors(options)
    sys.exit(0 if agree and good else 1)


def speed(options: argparse.Namespace) -> bool:
    """Time all methods on values missing at random; tell whether they agree."""
    rng = np.random.default_rng(15_000)
    matrix, _ = simulate(options.genes, options.samples, rng)
    missing = rng.random(matrix.shape, np.float32) < 0.1
    matrix[missing] = np.nan
    seconds: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory(prefix="bench_impute_") as name:
        folder = Path(name)
        np.save(folder / "matrix.npy", matrix)
        for _ in range(options.rounds):
            for method in METHODS:
                took = run(method, folder, options.peer_python)
                if took is not None:
                    seconds.setdefault(method, []).append(took)
        return report(seconds, folder, missing)


def run(method: str, folder: Path, peer_python: Path) -> float | None:
    """Return one run's CPU seconds, or None where the peer is not installed."""
    python = sys.executable if method == "ours" else str(peer_python)
    command = [
        python,
        __file__,
        "--worker",
        method,
        str(folder / "matrix.npy"),
        str(folder / f"{method}.npy"),
    ]
    try:
        done = subprocess.run(
            command, env=os.environ | ONE_THREAD, stdout=subprocess.PIPE, text=True, check=False
        )
    except OSError:
        return None
    if done.stdout.startswith("absent"):
        return None
    if done.returncode:
        sys.exit(f"{TITLES[method]} failed with status {done.returncode}")
    return float(done.stdout)


def work(method: str, source: str, target: str) -> None:
    """Impute once and print CPU seconds, in a process of its own."""
    matrix = np.load(source)
    if method == "ours":
        filled, seconds = impute_ours(matrix)
    else:
        filled, seconds = impute_fancysvd(matrix, method)
    np.save(target, filled)
    print(seconds)


def impute_ours(matrix: np.ndarray) -> tuple[np.ndarray, float]:
    from refinebio_assets.methods.impute.iterative_svd import iterative_svd

    start = time.process_time()
    filled = iterative_svd(matrix).matrix
    return filled, time.process_time() - start


def impute_fancysvd(matrix: np.ndarray, algorithm: str) -> tuple[np.ndarray, float]:
    try:
        from fancySVD import IterativeSVD
    except ImportError:
        print("absent")
        sys.exit()
    warnings.simplefilter("ignore")
    samples = np.ascontiguousarray(matrix.T)
    start = time.process_time()
    filled = IterativeSVD(rank=10, svd_algorithm=algorithm, verbose=False).fit_transform(samples).T
    return filled, time.process_time() - start


def report(seconds: dict[str, list[float]], folder: Path, missing: np.ndarray) -> bool:
    """Print medians, and ratios taken round by round; compare the missing cells."""
    ours = np.load(folder / "ours.npy")[missing].astype(np.float64)
    agree = True
    for method in METHODS:
        if method not in seconds:
            print(f"Skipped: {TITLES[method]} (it is not installed; see --help)")
            continue
        ratio = statistics.median(
            theirs / mine for theirs, mine in zip(seconds[method], seconds["ours"], strict=True)
        )
        theirs = np.load(folder / f"{method}.npy")[missing].astype(np.float64)
        apart = float(np.linalg.norm(theirs - ours) / np.linalg.norm(ours))
        agree &= apart <= AGREE or method == "randomized"  # which is not exact itself
        took = f"{statistics.median(seconds[method]):9.2f}s{ratio:8.1f} x ours"
        print(f"{TITLES[method]:24}{took}   relative difference {apart:.1e}")
    return agree


def errors(options: argparse.Namespace) -> bool:
    """Print held-out errors of our methods for both ways of being missing; tell whether ours is the best."""
    from refinebio_assets.methods.impute.factor_imputation import impute_by_factors
    from refinebio_assets.methods.impute.held_out import held_out_errors
    from refinebio_assets.methods.impute.iterative_svd import iterative_svd

    good = True
    for kind in ("at random", "by platform"):
        rng = np.random.default_rng(500)
        matrix, groups = simulate(options.genes, options.samples, rng)
        hide(matrix, groups, kind, rng)
        matrix = np.ascontiguousarray(matrix.T)
        start = time.process_time()
        result = impute_by_factors(matrix, rng, groups=groups.tolist())
        took = time.process_time() - start
        default: Any = result.held_out
        ancestor = held_out_errors(matrix, default.cells, lambda hidden: iterative_svd(hidden).matrix)
        share = np.isnan(matrix).mean()
        print(f"\n{share:.0%} missing {kind}; held-out errors (log2)   random   block   bias in blocks")
        line = "{:46}{:9.3f}{:8.3f}{:12.3f}".format
        print(
            line(
                f"factors (rank {result.rank}, {took:.0f} s)",
                default.random,
                default.block,
                default.block_bias,
            )
        )
        print(line("IterativeSVD", ancestor.random, ancestor.block, ancestor.block_bias))
        means = default.gene_mean - default.cells.values
        bias = float(means[default.cells.in_block].mean())
        print(line("the gene's mean", default.gene_mean_random, default.gene_mean_block, bias))
        good &= default.random <= ancestor.random and default.block < default.gene_mean_block
    return good


def simulate(genes: int, samples: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return genes x samples (log2), and each sample's platform.

    Genes have levels, 30 factors of falling size, shifts by platform; two of the platforms are sequencing
    with a wider range. Noise has standard deviation 0.4.
    """
    level = rng.gamma(4.0, 2.0, (genes, 1))
    loadings = rng.standard_normal((genes, 30)) * 1.2 * np.exp(-np.arange(30) / 6)
    groups = np.sort(rng.integers(0, PLATFORMS, samples))
    shifts = 0.4 * rng.standard_normal((genes, PLATFORMS))
    shifts[:, PLATFORMS - 2 :] += 0.3 * level - 2.5 + 0.5 * rng.standard_normal((genes, 1))
    factors = rng.standard_normal((30, samples))
    matrix = np.empty((genes, samples), np.float32)
    for start in range(0, genes, 1_000):
        rows = slice(start, start + 1_000)
        values = level[rows] + loadings[rows] @ factors + shifts[rows][:, groups]
        matrix[rows] = values + 0.4 * rng.standard_normal(values.shape)
    return matrix, groups


def hide(matrix: np.ndarray, groups: np.ndarray, kind: str, rng: np.random.Generator) -> None:
    """Make values missing: a tenth of them at random, or genes on the platforms that do not measure them.

    A fifth of the genes are missing on platforms with a probability of a half, on one at least present.
    """
    if kind == "at random":
        matrix[rng.random(matrix.shape, np.float32) < 0.1] = np.nan
        return
    present = rng.random((len(matrix), PLATFORMS)) < 0.5
    present[rng.random(len(matrix)) < 0.8] = True
    present[np.arange(len(matrix)), rng.integers(0, PLATFORMS, len(matrix))] = True
    matrix[~present[:, groups]] = np.nan


if __name__ == "__main__":
    main()
