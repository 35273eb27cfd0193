"""Times a dataset from the lake to the zip beside refine.bio's way of doing the same work.

Simulated microarray samples, 20,000 genes, in experiments of 50, are aggregated by species, quantile
normalized, checked, scaled (MINMAX) and zipped: by us from a lake, in refine.bio's way from a file a sample.
Ours makes Parquet, metadata and a report besides. The values of both are compared.
"""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from refinebio_assets.domain import Experiment, Manufacturer, Platform, Processing, Sample, Technology
from refinebio_assets.formats.target_file import target_file_bytes
from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines import gene_expression
from refinebio_assets.pipelines.datasets.acceptance import accept_request
from refinebio_assets.pipelines.datasets.registry import register_dataset
from refinebio_assets.pipelines.datasets.request import parse_request
from refinebio_assets.pipelines.experiment_record import record_experiment
from refinebio_assets.pipelines.expression_matrix import SCAN, matrix_table, matrix_version, write_matrix
from refinebio_assets.pipelines.harmonized_metadata import harmonize_experiment
from refinebio_assets.pipelines.registry import register_experiment
from refinebio_assets.pipelines.target_quantiles import build_target
from refinebio_assets.pipelines.targets.settings import import_target

WORKER = Path(__file__).resolve().parent / "contenders" / "dataset_worker.py"
GENES, SAMPLES_AN_EXPERIMENT = 20_000, 50
ORGANISM, DATASET = "HOMO_SAPIENS", "bench"
ARRAY = Platform(
    "hgu133plus2", "Affymetrix Human Genome U133 Plus 2.0 Array", Manufacturer.AFFYMETRIX, "GPL570"
)
NAMES = [f"ENSG{number:011d}" for number in range(GENES)]
EXTRA = "of these beyond the same work"
LEAST_RATIO, MOST_MEMORY_MB, COMPARED_SAMPLES = 15.0, 2_000, 1_000
"""Goals, which hold for 1,000 samples; the ratio is for the same work."""
TOLERANCE = 1e-12

Values = npt.NDArray[np.float64]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, nargs="*", default=[200, 1_000], help="default: 200 1000")
    parser.add_argument("--alone", action="store_true", help="without refine.bio's way, which needs minutes")
    parser.add_argument("--folder", type=Path, help="where to work; default: the system's folder for such")
    parser.add_argument("--peer-python", default=sys.executable, help="a Python with refine.bio's versions")
    options, _ = parser.parse_known_args()
    good = True
    print(f"{GENES:,} genes; CPU seconds, children included; peak memory of the largest process\n")
    for samples in options.samples:
        with tempfile.TemporaryDirectory(prefix="bench_dataset_", dir=options.folder) as name:
            good &= compare(Path(name), samples, options.peer_python, alone=options.alone)
    sys.exit(0 if good else 1)


def compare(folder: Path, samples: int, peer_python: str, *, alone: bool) -> bool:
    simulate(folder, samples, with_files=not alone)
    ours = run("ours", folder, samples)
    run("target", folder, samples)
    missed = []
    if ours["peak_mb"] >= MOST_MEMORY_MB and samples <= COMPARED_SAMPLES:
        missed.append(f"{ours['peak_mb']:,.0f} MB of memory, wanted less than {MOST_MEMORY_MB:,}")
    if not alone and has_preprocess_core():
        missed += beside_refinebio(folder, samples, ours, peer_python)
    for line in missed:
        print(f"{'':11}MISSED: {line}")
    print()
    return not missed


def beside_refinebio(folder: Path, samples: int, ours: dict[str, Any], peer_python: str) -> list[str]:
    """Print how many times fewer CPU seconds ours takes; return the goals that it misses."""
    theirs = run("refinebio", folder, samples, python=peer_python)
    same = ours["cpu"] - ours["steps"][EXTRA]
    ratio, apart = theirs["cpu"] / same, largest_difference(folder)
    print(
        f"{'':11}same work:  {same:.1f} s against {theirs['cpu']:.1f} s, {ratio:.1f} times fewer CPU seconds"
    )
    print(
        f"{'':11}whole:      {ours['cpu']:.1f} s against {theirs['cpu']:.1f} s, "
        f"{theirs['cpu'] / ours['cpu']:.1f} times (Parquet, components, report, gate included)"
    )
    print(f"{'':11}values:     largest difference {apart:.1e}")
    missed = []
    if not apart <= TOLERANCE:  # NaN, too
        missed.append(f"values differ by {apart:.1e}, wanted at most {TOLERANCE}")
    if samples >= COMPARED_SAMPLES and ratio < LEAST_RATIO:
        missed.append(f"{ratio:.1f} times for the same work, wanted {LEAST_RATIO:.0f}")
    return missed


def simulate(folder: Path, samples: int, *, with_files: bool) -> None:
    """Make a lake with the samples and a target, and, for refine.bio's way, a file a sample."""
    rng = np.random.default_rng(samples)
    lake = Lake(str(folder / "lake"))
    typical = rng.normal(0.5, 0.8, (GENES, 1))
    (folder / "target.tsv").write_bytes(target_file_bytes(np.sort(rng.normal(0.5, 0.9, GENES))))
    import_target(lake, ORGANISM, folder / "target.tsv", platform=ARRAY.name)
    build_target(lake, ORGANISM)
    experiments = []
    for number in range(0, samples, SAMPLES_AN_EXPERIMENT):
        names = [f"GSM{1_000_000 + at}" for at in range(number, min(number + SAMPLES_AN_EXPERIMENT, samples))]
        values = typical + rng.normal(0, 0.4, (GENES, len(names)))
        experiments.append(f"GSE{10_000 + number}")
        add_experiment(lake, experiments[-1], names, values)
        if with_files:
            write_files(folder / "samples", names, values)
    catalog = Catalog(lake)
    catalog.sync()
    request = {"data": dict.fromkeys(experiments, "ALL"), "aggregate_by": "SPECIES", "scale_by": "MINMAX"}
    register_dataset(lake, accept_request(lake, catalog, parse_request(request)), dataset=DATASET)


def add_experiment(lake: Lake, accession: str, names: list[str], values: Values) -> None:
    members = tuple(Sample(name, ORGANISM, Technology.MICROARRAY, ARRAY, title=name) for name in names)
    register_experiment(lake, Experiment(accession, "GEO", members, title=accession), origin="simulated")
    record_experiment(lake, accession)
    harmonize_experiment(lake, accession)
    table = matrix_table(NAMES, names, values, SCAN)
    row = {"experiment": accession, "matrix": "arrays", "technology": "MICROARRAY", "organism": ORGANISM}
    row |= {"platform": f"{ARRAY.name} ({ARRAY.accession})", "processing": str(Processing.FROM_RAW)}
    row |= {"level": "gene", "genes": GENES, "samples": len(names), "path": "arrays.parquet"}
    with lake.draft(gene_expression.ASSET, accession) as draft:
        write_matrix(draft.folder / "arrays.parquet", table)
        draft.write_table("matrices", [row | {"version": matrix_version(table)}])
        draft.write_table("dropped", [])
        info = {"basis": {}, "warnings": [], "matrices": 1}
        draft.commit(version=accession, code_version=gene_expression.CODE_VERSION, info=info)


def write_files(folder: Path, names: list[str], values: Values) -> None:
    folder.mkdir(exist_ok=True)
    for name, column in zip(names, values.T, strict=True):
        lines = [f"{gene}_at\t{value!r}\n" for gene, value in zip(NAMES, column.tolist(), strict=True)]
        (folder / f"{name}.PCL").write_text(f"\t{name}\n" + "".join(lines), encoding="ascii")


def run(name: str, folder: Path, samples: int, python: str = sys.executable) -> dict[str, Any]:
    command = [python, str(WORKER), name, str(folder)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    steps = ", ".join(f"{step} {seconds:.1f}" for step, seconds in told["steps"].items())
    print(
        f"{name:11}{samples:>7} samples: CPU {told['cpu']:.1f} s, wall {told['wall']:.1f} s, "
        f"{told['peak_mb']:,.0f} MB ({steps})",
        flush=True,
    )
    return told


def largest_difference(folder: Path) -> float:
    """Return how far the values of both are apart, infinity where genes or samples differ."""
    with zipfile.ZipFile(folder / "ours.zip") as ours, zipfile.ZipFile(folder / "refinebio.zip") as theirs:
        mine = read_tsv(ours.read(f"{ORGANISM}/{ORGANISM}.tsv"))
        other = read_tsv(theirs.read(f"{ORGANISM}.tsv"))
    if set(mine.index) != set(other.index) or set(mine.columns) != set(other.columns):
        return float("inf")
    return float(np.abs(mine - other.loc[mine.index, mine.columns]).to_numpy().max())


def read_tsv(content: bytes) -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(content), sep="\t", index_col=0, float_precision="round_trip")


def has_preprocess_core() -> bool:
    try:
        done = subprocess.run(["Rscript", "-e", "library(preprocessCore)"], capture_output=True, check=False)
    except OSError:
        return False
    if done.returncode:
        print("Skipped: refine.bio's way (R's preprocessCore is not installed; see benchmarks/README.md)")
    return done.returncode == 0


if __name__ == "__main__":
    main()
