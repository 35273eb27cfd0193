"""What `refinebio-assets gc` takes on a lake of a million commits: to find what could go, and to remove it.

The log is simulated: samples whose quantification has three versions, experiments of twenty samples with
five assets in two versions, of which every second uses quantifications that are not the newest. Records have
the size of real ones, and no files. Each step is a process of its own.
Run it: ``.venv/bin/python benchmarks/bench_gc.py [--commits N] [--folder FOLDER] [--delete N]``.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from refinebio_assets.lake.naming import new_commit_id
from refinebio_assets.lake.records import Commit, InputRef, LogEntry, StoredFile, record_bytes

SAMPLES_OF_AN_EXPERIMENT = 20
VERSIONS_OF_A_SAMPLE = 3
STEPS = ("experiment_record", "harmonized_metadata", "raw_files", "sample_quantified", "gene_expression")
BEGIN = datetime(2025, 1, 1, tzinfo=UTC)
_FACTS = {"transcripts": 200_000, "mapping_rate": 0.91, "command": "salmon quant -l A " + 400 * "x"}
_REMOVE = """
import sys, time
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.garbage.candidates import Terms
from refinebio_assets.pipelines.garbage.collection import plan_removal
from refinebio_assets.pipelines.garbage import removal

lake, most = Lake(sys.argv[1]), int(sys.argv[2])
plan = plan_removal(lake, Terms())
order = plan.marking.in_order()
for item in order[most:]:
    del plan.marking.candidates[item.id]
began, used = time.perf_counter(), time.process_time()
removed = removal.remove(lake, plan)
wall, used = time.perf_counter() - began, time.process_time() - used
print(f"{removed.versions:,} removed: {wall:.1f} s, {used:.1f} s of processor time, plan not counted")
"""


class Log:
    """Writes records without the pains that real ones take to survive a power cut."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.commits = 0

    def add(
        self, asset: str, partition: str, number: int, used: list[InputRef], files: list[str]
    ) -> InputRef:
        """Write the record of a version, the ``number``th."""
        moment = BEGIN + timedelta(days=number, microseconds=self.commits)
        entry = LogEntry(asset, partition, new_commit_id(moment, f"{self.commits:08x}"))
        version = sha256(f"{asset} {partition} {number}".encode()).hexdigest()
        own = StoredFile("quant.sf.gz", f"{entry.folder}/quant.sf.gz", 1_000_000, version)
        raw = [StoredFile(name, object_of(name), 1_000_000_000, object_of(name)[-64:]) for name in files]
        commit = Commit(
            entry.id,
            asset,
            partition,
            version,
            "3",
            moment,
            "d41d8cd9-8f00-b204-e980-0998ecf8427e",
            "refinebio-assets 0.1.0",
            (own, *raw),
            tuple(used),
            {},
            {"basis": {"files": [version] * 3}, "fingerprint": version, "facts": _FACTS},
        )
        path = self.folder / entry.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(record_bytes(commit))
        self.commits += 1
        return InputRef(asset, partition, version)


def object_of(name: str) -> str:
    """Return where the content of a raw file would lie."""
    checksum = sha256(name.encode()).hexdigest()
    return f"objects/{checksum[:2]}/{checksum}"


def simulate(folder: Path, commits: int) -> int:
    """Write a log with at least so many records; return how many."""
    log, number = Log(folder), 0
    while log.commits < commits:
        add_experiment(log, f"SRP{number:07d}")
        number += 1
    return log.commits


def add_experiment(log: Log, experiment: str) -> None:
    """Write the records of an experiment and its samples; every second one still uses the middle versions."""
    samples = [f"{experiment}S{place:02d}" for place in range(SAMPLES_OF_AN_EXPERIMENT)]
    lags = int(experiment[-1]) % 2
    quantified: list[list[InputRef]] = []
    for version in range(VERSIONS_OF_A_SAMPLE):
        quantified.append(
            [
                log.add("sample_quantification", sample, version, [], [f"{sample}_1.fq", f"{sample}_2.fq"])
                for sample in samples
            ]
        )
        if version == 0:
            continue
        used: list[InputRef] = []
        for step in STEPS:
            extra = quantified[version - lags] if step == "sample_quantified" else []
            used.append(log.add(step, experiment, version, [*used, *extra], []))


def run(command: list[str]) -> tuple[str, float, float, float]:
    """Return a command's output, its seconds by the clock and of processor time, its GB of memory."""
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, *command], check=True, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    # The largest child so far: steps come in the order of what they need.
    return done.stdout, time.perf_counter() - began, used, after.ru_maxrss * 1024 / 1e9


def main() -> None:
    """Simulate, plan, remove, and print what each took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--commits", type=int, default=1_000_000)
    parser.add_argument(
        "--delete", type=int, default=10_000, help="How many of those that can go are removed."
    )
    parser.add_argument("--folder", type=Path, help="Keep the lake here; it is used again when it is there.")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        if not (folder / "log").exists():
            began = time.perf_counter()
            made = simulate(folder, options.commits)
            print(f"simulated {made:,} commits in {time.perf_counter() - began:.0f} s")
        plan = ["-m", "refinebio_assets.cli.main", "--home", str(folder), "gc"]
        text, wall, used, memory = run(plan)
        print(next(line for line in text.splitlines() if "can go" in line))
        print(f"plan: {wall:.0f} s, {used:.0f} s of processor time, {memory:.2f} GB")
        text, wall, used, memory = run(["-c", _REMOVE, str(folder), str(options.delete)])
        print(text.strip())
        print(f"plan and removal: {wall:.0f} s, {used:.0f} s of processor time, {memory:.2f} GB")


if __name__ == "__main__":
    main()
