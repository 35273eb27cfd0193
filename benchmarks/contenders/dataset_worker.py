"""Makes one dataset of microarray samples, as we do or in refine.bio's way, and tells what it took.

dataset_worker.py ours|target|refinebio FOLDER prints a line of JSON: CPU seconds (children included), wall
seconds, peak memory in MB, and CPU seconds of each step. ``target`` makes the samples' quantile target.
refine.bio's way is written from a description of what it does; without rpy2, R's preprocessCore gets its
matrix through a file, which costs less.
"""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

DATASET = "bench"
ORGANISM = "HOMO_SAPIENS"
EXTRA = "of these beyond the same work"
QN_SCRIPT = """
library(preprocessCore)
a <- commandArgs(TRUE)
genes <- as.integer(a[2])
samples <- as.integer(a[3])
x <- matrix(readBin(file.path(a[1], "x.f64"), "double", genes * samples), genes)
target <- scan(file.path(a[1], "target.tsv"), quiet = TRUE)
writeBin(as.vector(normalize.quantiles.use.target(x, target)), file.path(a[1], "y.f64"))
"""


def cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


class Steps:
    """CPU seconds by step."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def of(self, name: str) -> Iterator[None]:
        """Add what the block takes to a step."""
        before = cpu()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + cpu() - before


def ours(folder: Path, steps: Steps) -> None:
    from refinebio_assets.lake.store import Lake
    from refinebio_assets.pipelines.datasets import aggregation, bundle, written_matrices
    from refinebio_assets.pipelines.datasets.bundle import build_bundle
    from refinebio_assets.pipelines.datasets.dataset_matrices import build_matrices

    # What refine.bio does not do is timed apart, within the two steps.
    for module, name in (
        (aggregation, "picture_of"),
        (aggregation, "target_departures"),
        (written_matrices, "write_dataset_matrix"),
        (bundle, "report_html"),
        (bundle, "inspect_bundle"),
    ):
        setattr(module, name, timed(getattr(module, name), steps))
    lake = Lake(str(folder / "lake"))
    with steps.of("matrices"):
        build_matrices(lake, DATASET)
    with steps.of("bundle"):
        outcome = build_bundle(lake, DATASET)
    archive = lake.local(outcome.commit.file(outcome.commit.info["file"]))
    (folder / "ours.zip").symlink_to(archive)


def timed(function: Callable[..., Any], steps: Steps) -> Callable[..., Any]:
    """Return a function whose time is added to the step ``EXTRA``."""

    def run(*arguments: Any, **options: Any) -> Any:
        with steps.of(EXTRA):
            return function(*arguments, **options)

    return run


def target(folder: Path, steps: Steps) -> None:
    from refinebio_assets.lake.store import Lake
    from refinebio_assets.pipelines.target_quantiles import build_target
    from refinebio_assets.pipelines.targets.settings import decide_samples

    lake = Lake(str(folder / "lake"))
    decide_samples(lake, ORGANISM, minimum=1)
    with steps.of("target"):
        build_target(lake, ORGANISM)


def refinebio(folder: Path, steps: Steps) -> None:
    import pandas as pd

    output = folder / "refinebio"
    output.mkdir()
    with steps.of("read"):
        frames = [frame for path in sorted((folder / "samples").iterdir()) for frame in [load(path)]]
    with steps.of("join"):
        merged = frames[0]
        for frame in frames[1:]:
            if frame.columns[0] not in merged.columns:
                merged = merged.merge(frame, how="inner", left_index=True, right_index=True)
    del frames
    with steps.of("normalize"):
        normalized = normalize(folder, merged)
    with steps.of("Kolmogorov-Smirnov"):
        compare_pairs(normalized)
    with steps.of("scale"):
        from sklearn.preprocessing import MinMaxScaler

        turned = normalized.transpose()
        scaled = MinMaxScaler().fit_transform(turned)
        final = pd.DataFrame(scaled, index=turned.index, columns=turned.columns).transpose()
        final.index.rename("Gene", inplace=True)  # noqa: PD002
    with steps.of("write TSV"):
        final.to_csv(output / f"{ORGANISM}.tsv", sep="\t", encoding="utf-8")
    with steps.of("zip"):
        shutil.make_archive(str(folder / "refinebio"), "zip", output)


def load(path: Path) -> Any:
    """Read and clean one sample's file."""
    import pandas as pd

    frame = pd.read_csv(
        path, sep="\t", header=0, index_col=0, dtype={0: str, 1: np.float32}, on_bad_lines="skip"
    )
    frame.columns = frame.columns.astype(str).str.strip()
    frame = frame.dropna(axis="columns", how="all")
    frame.index = frame.index.map(str)
    frame.index = frame.index.str.replace("_at", "")
    frame = frame[~frame.index.str.contains("AFFX-")]
    frame.index = frame.index.str.replace(r"(\.[^.]*)$", "", regex=True)
    frame = frame.groupby(frame.index, sort=False).mean()
    if frame.max().max() > 100:
        frame = np.log2(frame)
    return frame.astype(np.float32)


def normalize(folder: Path, merged: Any) -> Any:
    """Normalize by rpy2, as refine.bio does, where it is installed; else R gets the matrix through a file."""
    import pandas as pd

    with suppress(ImportError):
        return normalize_by_rpy2(folder, merged)
    values = np.asfortranarray(merged.to_numpy(np.float64))
    values.T.tofile(folder / "x.f64")
    arguments = [str(folder), str(values.shape[0]), str(values.shape[1])]
    subprocess.run(["Rscript", "-e", QN_SCRIPT, *arguments], check=True)
    made = np.fromfile(folder / "y.f64").reshape(values.shape[::-1]).T
    return pd.DataFrame(made, index=merged.index, columns=merged.columns)


def normalize_by_rpy2(folder: Path, merged: Any) -> Any:
    import pandas as pd
    import rpy2.robjects as ro
    from rpy2.robjects import numpy2ri, pandas2ri
    from rpy2.robjects.packages import importr

    pandas2ri.activate()
    numpy2ri.activate()
    core, base = importr("preprocessCore"), importr("base")
    target = np.loadtxt(folder / "target.tsv")
    made = core.normalize_quantiles_use_target(base.data_matrix(merged), ro.FloatVector(target), copy=True)
    return pd.DataFrame(np.array(made), index=merged.index, columns=merged.columns)


def compare_pairs(frame: Any, pairs: int = 100) -> None:
    """Compare the values above the median of pairs of columns, value by value in Python."""
    from scipy.stats import ks_2samp

    for number in range(1, min(pairs, frame.shape[1] - 1) + 1):
        first, second = frame.iloc[:, 0], frame.iloc[:, number]
        halves = []
        for column in (first, second):
            median = column.median()
            halves.append([value for value in column.tolist() if value > median])
        ks_2samp(*halves, method="asymp")


CONTENDERS: dict[str, Callable[[Path, Steps], None]] = {
    "ours": ours,
    "target": target,
    "refinebio": refinebio,
}


def main() -> None:
    name, folder = sys.argv[1], Path(sys.argv[2])
    steps = Steps()
    started = time.perf_counter()
    CONTENDERS[name](folder, steps)
    peaks = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    told = {"cpu": cpu(), "wall": time.perf_counter() - started, "peak_mb": max(peaks) / 1024}
    print(json.dumps(told | {"steps": steps.seconds}))


if __name__ == "__main__":
    main()
