"""Times Illumina BeadArrays, sample after sample, beside R: limma's nec and SCAN in plain R.

The input is a real file of ``../shared/data`` (4 samples, 8,000 probes) or, where that is absent, a simulated
one of the same size. R runs the implementation of the golden cases, as refine.bio's script needs annotation
packages. Corrected and normalized values, and the number of iterations, are compared.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv

from refinebio_assets.methods.beadarray import (
    BeadResult,
    Treatment,
    choose_treatment,
    match_probes,
    prepare_beads,
    scan_beads,
)
from refinebio_assets.methods.nec import nec

HERE = Path(__file__).resolve().parent
REAL_DATA = HERE.parents[1] / "shared" / "data" / "illumina"
R_SOURCE = HERE.parent / "refinebio_assets_tests" / "methods" / "scan" / "golden" / "scan.R"
R_WORKER = HERE / "contenders" / "beadarray_worker.R"
PROBES, SAMPLES = 8_000, 4
CORRECTED_TOLERANCE, TOLERANCE = 1e-10, 2e-8
RECORDED = 8.0
"""CPU seconds a sample of refine.bio's own script on the real file, noted when the golden files were made."""

Matrix = npt.NDArray[np.float64]
TABS = pyarrow.csv.ParseOptions(delimiter="\t")


@dataclass(frozen=True)
class File:
    """One file: a row a probe, a column a sample."""

    origin: str
    sequences: pa.StringArray
    signals: Matrix
    p_values: Matrix


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="counted rounds (default 5)")
    parser.add_argument("--threads", type=int, help="not used: a sample is normalized by one thread")
    parser.add_argument("--simulated", action="store_true", help="simulate the file, real one or not")
    options = parser.parse_args()
    file = simulate() if options.simulated or not REAL_DATA.is_dir() else read_real()
    print(f"BeadArrays: {file.signals.shape[1]} samples of {len(file.signals):,} probes ({file.origin})")
    treatment = choose_treatment(file.signals, file.p_values)
    seconds, results = time_ours(file, treatment, options.rounds)
    if file.origin.startswith("real"):
        times = RECORDED / statistics.mean(seconds)
        print(f"refine.bio's script, as recorded: {RECORDED} CPU s a sample, {times:.1f} times ours")
    sys.exit(0 if beside_r(file, treatment, seconds, results) else 1)


def read_real() -> File:
    rows = pyarrow.csv.read_csv(REAL_DATA / "lumi_barnes_8000_nonnormalized.txt.gz", parse_options=TABS)
    platform = pyarrow.csv.read_csv(REAL_DATA / "ilmn_humanv1_8000_sequences.tsv", parse_options=TABS)
    ids, known = (table[name].combine_chunks() for table, name in ((rows, "ID_REF"), (platform, "probe_id")))
    file_rows, platform_rows = match_probes(ids, known)
    signals, p_values = (
        np.column_stack([rows[name].to_numpy() for name in rows.column_names[1:] if name.endswith(end)])
        for end in ("AVG_Signal", "Detection Pval")
    )
    sequences = platform["sequence"].combine_chunks().take(pa.array(platform_rows))
    return File("real: Barnes titration", sequences, signals[file_rows] * 1.0, p_values[file_rows] * 1.0)


def simulate() -> File:
    rng = np.random.default_rng(PROBES)
    letters = np.frombuffer(b"ACGT", np.uint8)[rng.integers(0, 4, (PROBES, 50))]
    background = 6 + 0.05 * np.isin(letters, list(b"GC")).sum(axis=1)
    expressed = (rng.random(PROBES) < 0.35) * rng.gamma(4, 0.8, PROBES)
    noise = rng.normal(0, 0.3, (SAMPLES, PROBES))
    signals = np.round(2 ** (background + expressed + noise), 1).T
    controls = np.sort(2 ** (7.2 + rng.normal(0, 0.4, 1_500)))
    sequences = pa.array([row.tobytes().decode() for row in letters])
    return File("simulated", sequences, signals, 1 - np.searchsorted(controls, signals) / 1_500)


def time_ours(file: File, treatment: Treatment, rounds: int) -> tuple[list[float], list[BeadResult]]:
    """Return CPU seconds of each sample (median of the rounds), and the results."""
    before = time.process_time()
    design = prepare_beads(file.sequences)
    print(f"Ours, once a file: {time.process_time() - before:.2f} CPU s")
    seconds: list[float] = []
    results: list[BeadResult] = []
    for signals, p_values in zip(file.signals.T, file.p_values.T, strict=True):
        taken = []
        for _ in range(max(3, rounds) + 1):
            before = time.process_time()
            result = scan_beads(signals, p_values, treatment, design)
            taken.append(time.process_time() - before)
        seconds.append(statistics.median(taken[1:]))
        results.append(result)
    return seconds, results


def beside_r(file: File, treatment: Treatment, ours: list[float], results: list[BeadResult]) -> bool:
    """Run R on the same file, print a row a sample and compare; true where R or limma is absent."""
    if not limma_is_installed():
        print(f"Ours, a sample: {statistics.mean(ours):.3f} CPU s")
        print("Skipped: R with limma (not installed; see benchmarks/README.md)")
        return True
    answer, corrected, normalized = run_r(file)
    agree = True
    print(f"{'sample':>6} {'ours':>8} {'R':>8} {'ratio':>6}  iterations (R)  largest difference: nec, SCAN")
    for number, result in enumerate(results):
        theirs, iterations = answer[number]
        of_nec = np.abs(correct(file, treatment, number) - corrected[:, number]).max()
        of_scan = np.abs(result.values - normalized[:, number]).max()
        print(
            f"{number + 1:>6} {ours[number]:>6.3f} s {theirs:>6.2f} s {theirs / ours[number]:>6.1f}"
            f"  {result.scan.iterations:>6} ({iterations:.0f})      {of_nec:.1e}, {of_scan:.1e}"
        )
        agree &= iterations == result.scan.iterations
        agree &= bool(of_nec <= CORRECTED_TOLERANCE and of_scan <= TOLERANCE)
    ratio = sum(seconds for seconds, _ in answer) / sum(ours)
    print(f"All samples: R takes {ratio:.1f} times ours")
    return agree


def limma_is_installed() -> bool:
    if shutil.which("Rscript") is None:
        return False
    command = ["Rscript", "-e", "library(limma)"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def correct(file: File, treatment: Treatment, sample: int) -> npt.NDArray[np.float64]:
    signals, p_values = file.signals[:, sample], file.p_values[:, sample]
    logs = np.log2(signals) if treatment.take_log2 else signals
    return nec(logs, 1 - p_values if treatment.turn_p_values else p_values)


def run_r(file: File) -> tuple[list[tuple[float, float]], Matrix, Matrix]:
    """Return CPU seconds and iterations of each sample, corrected and normalized values."""
    with tempfile.TemporaryDirectory(prefix="bench_beadarray_") as name:
        folder = Path(name)
        columns = [
            pa.array(one) for pair in zip(file.signals.T, file.p_values.T, strict=True) for one in pair
        ]
        table = pa.table([file.sequences, *columns], ["sequence", *(f"c{n}" for n in range(len(columns)))])
        pyarrow.csv.write_csv(table, folder / "in.tsv", pyarrow.csv.WriteOptions(delimiter="\t"))
        files = [str(folder / one) for one in ("in.tsv", "corrected.tsv", "normalized.tsv")]
        command = ["Rscript", str(R_WORKER), str(R_SOURCE), *files]
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
        corrected, normalized = (np.loadtxt(one, ndmin=2) for one in files[1:])
    print(f"R: peak memory {float(printed[-1]):.0f} MB")
    rows = [tuple(float(one) for one in line.split()) for line in printed[:-1]]
    return [(row[0], row[1]) for row in rows], corrected, normalized


if __name__ == "__main__":
    main()
