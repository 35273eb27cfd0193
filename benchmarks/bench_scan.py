"""Times SCAN of one array after the other beside plain R, and says where our time goes.

The input is a real HG-U95Av2 array of ``../shared/data`` or, where that is absent, a simulated one of the
same size. R runs the implementation of the golden cases, as SCAN.UPC is not packaged. Values are compared.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv

from refinebio_assets.methods.scan.design import Design, letters_of, prepare_design
from refinebio_assets.methods.scan.kernel import scan
from refinebio_assets.methods.scan.mixture import fit_mixture
from refinebio_assets.methods.scan.settings import SCAN_FAST, SCAN_FULL, ScanSettings
from refinebio_assets.methods.scan.standardize import standardize
from refinebio_assets.methods.scan.summary import ProbeSets, group_probes, match_cells, summarize

HERE = Path(__file__).resolve().parent
REAL_DATA = HERE.parents[1] / "shared" / "data" / "affymetrix"
R_SOURCE = HERE.parent / "refinebio_assets_tests" / "methods" / "scan" / "golden" / "scan.R"
R_WORKER = HERE / "contenders" / "scan_worker.R"
PROBES, SETS, COLUMNS = 199_084, 12_453, 640
TOLERANCE = 2e-8

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Array:
    """One array: a row a probe, in the order of cells."""

    origin: str
    sequences: pa.StringArray
    sets: pa.StringArray
    intensities: Vector


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="counted rounds (default 7)")
    parser.add_argument(
        "--threads", type=int, default=len(os.sched_getaffinity(0)), help="default: all cores"
    )
    parser.add_argument("--simulated", action="store_true", help="simulate the array, real one or not")
    parser.add_argument("--full", action="store_true", help="full SCAN instead of SCANfast")
    options = parser.parse_args()
    settings = SCAN_FULL if options.full else SCAN_FAST
    array = simulate() if options.simulated or not REAL_DATA.is_dir() else read_real()
    print(f"SCAN of one array with {len(array.intensities):,} probes ({array.origin})")
    design, sets = prepare(array, settings)
    ours, values = time_ours(array, design, sets, options.rounds)
    stages(array, design, sets, options.rounds)
    many_arrays(array, design, sets, options.threads)
    agree = beside_r(array, settings, sets, ours, values)
    sys.exit(0 if agree else 1)


def read_real() -> Array:
    golden = np.load(REAL_DATA / "golden" / "C30057.probes.npz")
    cells = golden["xy"][:, 1].astype(np.intp) * COLUMNS + golden["xy"][:, 0]
    table = pyarrow.csv.read_csv(
        REAL_DATA / "HG-U95Av2_probe_tab.gz", parse_options=pyarrow.csv.ParseOptions(delimiter="\t")
    )
    table_cells = table["Probe Y"].to_numpy() * COLUMNS + table["Probe X"].to_numpy()
    rows, table_rows = match_cells(cells, table_cells)
    table = table.take(pa.array(table_rows[np.argsort(rows)]))
    sequences, sets = (table[name].combine_chunks() for name in ("Probe Sequence", "Probe Set Name"))
    return Array("real: C30057, HG-U95Av2", sequences, sets, golden["intensity"])


def simulate() -> Array:
    rng = np.random.default_rng(199_084)
    letters = np.frombuffer(b"ACGT", np.uint8)[rng.integers(0, 4, (PROBES, 25))]
    gc = np.isin(letters, list(b"GC")).sum(axis=1)
    signal = (rng.random(PROBES) < 0.35) * rng.gamma(2, 1.5, PROBES)
    logs = 4.5 + 0.15 * gc + signal + rng.normal(0, 0.5, PROBES)
    sequences = pa.array([row.tobytes().decode() for row in letters])
    sets = pa.array([f"{number}_at" for number in rng.integers(0, SETS, PROBES)])
    return Array("simulated", sequences, sets, np.round(2**logs, 1))


def prepare(array: Array, settings: ScanSettings) -> tuple[Design, ProbeSets]:
    before = time.process_time()
    design = prepare_design(letters_of(array.sequences, settings.probe_length), settings)
    middle = time.process_time()
    sets = group_probes(array.sets, np.arange(design.probes), design.probes)
    print(
        f"Once a platform: design {middle - before:.2f} CPU s,"
        f" probe sets {time.process_time() - middle:.2f} CPU s\n"
    )
    return design, sets


def cpu_seconds(work: Callable[[], object], rounds: int) -> list[float]:
    """Time work by this process's processor time, after one round that is not counted."""
    seconds = []
    for _ in range(max(5, rounds) + 1):
        before = time.process_time()
        work()
        seconds.append(time.process_time() - before)
    return seconds[1:]


def time_ours(array: Array, design: Design, sets: ProbeSets, rounds: int) -> tuple[float, Vector]:
    seconds = cpu_seconds(lambda: summarize(scan(array.intensities, design).values, sets), rounds)
    result = scan(array.intensities, design)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(
        f"Ours, an array: median {statistics.median(seconds):.3f}, fastest {min(seconds):.3f} CPU s;"
        f" {result.iterations} iterations; peak memory of the process {peak:.0f} MB, the input included"
    )
    return statistics.median(seconds), result.values


def stages(array: Array, design: Design, sets: ProbeSets, rounds: int) -> None:
    logs = np.log2(array.intensities)
    sampled = logs[design.sample]
    fit = fit_mixture(sampled, design.sample_predictor, design.equations, design.settings)
    predicted = design.predictor.predict(fit.background.coefficients)
    weights = np.ones(len(sampled))
    normalized = standardize(logs - predicted, predicted, design.settings.block)
    equations = design.equations
    work: dict[str, Callable[[], object]] = {
        "logarithm": lambda: np.log2(array.intensities),
        "fit": lambda: fit_mixture(sampled, design.sample_predictor, equations, design.settings),
        f"  of it {2 * len(fit.changes) + 2} normal equations": lambda: [
            equations.solve(weights, sampled) for _ in range(2 * len(fit.changes) + 2)
        ],
        "prediction for all probes": lambda: design.predictor.predict(fit.background.coefficients),
        "standardization": lambda: standardize(logs - predicted, predicted, design.settings.block),
        "  of it sorting": lambda: np.argsort(predicted),
        "probe sets": lambda: summarize(normalized, sets),
    }
    for name, one in work.items():
        print(f"  {name:32} {1000 * statistics.median(cpu_seconds(one, rounds)):7.1f} ms")


SHARED: tuple[Vector, Design, ProbeSets] | None = None
"""What the processes of ``many_arrays`` have from their parent."""


def one_of_many(number: int) -> float:
    assert SHARED is not None
    intensities, design, sets = SHARED
    return float(summarize(scan(intensities * (1 + number / 100), design).values, sets).sum())


def many_arrays(array: Array, design: Design, sets: ProbeSets, threads: int) -> None:
    global SHARED  # noqa: PLW0603 - forked processes see it without copying
    SHARED = (array.intensities, design, sets)
    arrays = 24 * threads
    with ProcessPoolExecutor(threads, mp_context=get_context("fork")) as pool:
        list(pool.map(one_of_many, range(threads)))
        before = time.perf_counter()
        list(pool.map(one_of_many, range(arrays)))
    minutes = (time.perf_counter() - before) / 60
    print(f"\n{threads} processes: {arrays / minutes:,.0f} arrays a minute, intensities to probe sets")


def beside_r(array: Array, settings: ScanSettings, sets: ProbeSets, ours: float, values: Vector) -> bool:
    """Run R on the same array and compare; true where R is absent."""
    if shutil.which("Rscript") is None:
        print("Skipped: R (not installed; see benchmarks/README.md)")
        return True
    with tempfile.TemporaryDirectory(prefix="bench_scan_") as name:
        folder = Path(name)
        table = pa.table([array.sequences, array.intensities, array.sets], ["sequence", "intensity", "set"])
        pyarrow.csv.write_csv(table, folder / "in.tsv", pyarrow.csv.WriteOptions(delimiter="\t"))
        files = [str(folder / one) for one in ("in.tsv", "values.txt", "sets.tsv")]
        command = ["Rscript", str(R_WORKER), str(R_SOURCE), *files]
        command += [str(settings.sample_goal), str(settings.threshold)]
        answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
        r_values = np.loadtxt(folder / "values.txt")
        rows = [line.split("\t") for line in (folder / "sets.tsv").read_text().splitlines()]
    cpu, wall, iterations, memory = (float(one) for one in answer)
    print(
        f"Plain R, the same array: {cpu:.1f} CPU s ({wall:.1f} s of wall time), {iterations:.0f} iterations,"
        f" peak memory {memory:.0f} MB: {cpu / ours:.0f} times ours"
    )
    in_r = {name: float(value) for name, value in rows}
    of_probes = np.abs(values - r_values).max()
    of_sets = np.abs(summarize(values, sets) - [in_r[name] for name in sets.names]).max()
    print(f"Largest difference: probes {of_probes:.1e}, probe sets {of_sets:.1e} (8 decimals)")
    return bool(max(of_probes, of_sets) <= TOLERANCE)


if __name__ == "__main__":
    main()
