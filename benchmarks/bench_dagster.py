"""What Dagster itself costs: loading, pages of the UI with many experiments, and runs.

Pages are the GraphQL questions of the UI's pages, asked of a real webserver, on SQLite and on Postgres;
runs are the whole chain of experiments with one tiny sample each: nearly all of their time is overhead.
Processor seconds are those of the servers and of the runs' processes. It needs Postgres and Redis
(``apt-get install postgresql redis-server``). Run it:
``.venv/bin/python benchmarks/bench_dagster.py [--partitions 10000 50000] [--materialized 1000] [--runs 6]``.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from dagster import AssetKey, AssetMaterialization, DagsterInstance, DataVersion

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))
from refinebio_assets.defs.launchers import BROKER_VARIABLE  # noqa: E402
from refinebio_assets.defs.sample_events import add_keys  # noqa: E402
from refinebio_assets.defs.storage import POSTGRES_VARIABLE  # noqa: E402
from refinebio_assets_tests.defs.servers import postgres, redis  # noqa: E402
from refinebio_assets_tests.deployment.platform import (  # noqa: E402
    Deployment,
    Program,
    running,
    shipped_settings,
)
from refinebio_assets_tests.pipelines.study import Study  # noqa: E402

ROUNDS = 5
ASSETS = [
    "experiment_record",
    "harmonized_metadata",
    "raw_files",
    "sample_quantifications",
    "gene_expression",
]
KEYS = [{"path": [asset]} for asset in ASSETS]
STATUSES = """assetPartitionStatuses { ... on DefaultPartitionStatuses { materializedPartitions
    failedPartitions materializingPartitions unmaterializedPartitions } }"""
PAGES = {
    "graph of assets, all states": (
        """query($keys: [AssetKeyInput!]) { assetNodes(assetKeys: $keys) { id staleStatus
            partitionStats { numMaterialized numMaterializing numPartitions numFailed } } }""",
        {"keys": KEYS},
    ),
    "asset, tab Partitions": (
        "query($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) { ... on AssetNode { id"
        f" partitionKeysByDimension {{ name type partitionKeys }} {STATUSES} }} }} }}",
        {"key": KEYS[-1]},
    ),
    "asset, one partition": (
        """query($key: AssetKeyInput!, $partition: String!) { assetNodeOrError(assetKey: $key) {
            ... on AssetNode { id staleStatus(partition: $partition)
                latestMaterializationByPartition(partitions: [$partition]) {
                    runId timestamp metadataEntries { label } } } } }""",
        {"key": KEYS[-1], "partition": "GSE000001"},
    ),
    "asset, tab Events": (
        """query($key: AssetKeyInput!) { assetOrError(assetKey: $key) { ... on Asset {
            assetMaterializations(limit: 50) { runId partition timestamp metadataEntries { label } } } } }""",
        {"key": KEYS[-1]},
    ),
    "choice of partitions at launch": (
        """query($keys: [AssetKeyInput!]) { assetNodes(assetKeys: $keys) { id
            partitionKeysByDimension { name partitionKeys } } }""",
        {"keys": KEYS},
    ),
    "list of runs": (
        """{ runsOrError(limit: 25) { ... on Runs { results { id runId status jobName startTime endTime
            tags { key value } } } } }""",
        {},
    ),
}


def main() -> None:
    """Measure, and print tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--partitions", type=int, nargs="+", default=[10_000, 50_000])
    parser.add_argument("--materialized", type=int, default=1000, help="partitions with an event")
    parser.add_argument("--runs", type=int, default=6)
    parser.add_argument(
        "--only", choices=["load", "pages", "runs"], nargs="+", default=["load", "pages", "runs"]
    )
    given = parser.parse_args()
    print(f"load of the machine: {os.getloadavg()[0]:.1f}")
    if "load" in given.only:
        measure_loading()
    for storage in ("sqlite", "postgres"):
        if "pages" in given.only:
            for partitions in given.partitions:
                measure_pages(storage, partitions, given.materialized)
        if "runs" in given.only:
            measure_runs(storage, given.runs)
    if "runs" in given.only:
        measure_runs("postgres, Celery", given.runs)


def measure_loading() -> None:
    """Print what starting Python, Dagster and the platform costs."""
    print("\n| load | CPU s |\n|---|---|")
    for what in ("dagster", "refinebio_assets.definitions"):
        seconds = [
            cpu_of(lambda what=what: subprocess.run([sys.executable, "-c", f"import {what}"], check=True))
            for _ in range(ROUNDS)
        ]
        print(f"| import {what} | {statistics.median(seconds):.2f} |")


def measure_pages(storage: str, partitions: int, materialized: int) -> None:
    """Print what each page costs with so many experiments."""
    with platform(storage, {}) as deployment, running(deployment):
        with DagsterInstance.get() as instance:
            added = timed(lambda: add_keys(instance, "experiment", names(partitions)))
            written = timed(lambda: write_events(instance, names(materialized)))
        print(f"\n{storage}, {partitions:,} experiments: added in {added:.1f} s, ", end="")
        print(f"{written / materialized / len(ASSETS) * 1000:.0f} ms an event")
        print("| page | first, s | then, s | CPU s | answer, kB |\n|---|---|---|---|---|")
        for page, (query, variables) in PAGES.items():
            measure_page(deployment, page, query, variables)


def measure_page(deployment: Deployment, page: str, query: str, variables: Mapping[str, Any]) -> None:
    """Print what one page costs: by the clock at first and afterwards, and the servers' processor time."""
    servers = [deployment.webserver, deployment.code_server]
    first = timed(lambda: deployment.ui.ask(query, **variables))
    before = sum(map(processor_seconds, servers))
    seconds = [timed(lambda: deployment.ui.ask(query, **variables)) for _ in range(ROUNDS)]
    used = (sum(map(processor_seconds, servers)) - before) / ROUNDS
    size = len(str(deployment.ui.ask(query, **variables))) / 1000
    print(f"| {page} | {first:.2f} | {statistics.median(seconds):.2f} | {used:.2f} | {size:,.0f} |")


def measure_runs(storage: str, runs: int) -> None:
    """Print what a run of the chain costs, launched as from the UI."""
    wanted = [f"E{number:03d}" for number in range(runs)]
    with platform(storage, dict(enumerate(wanted))) as deployment:
        workers = [deployment.worker("worker", runs=2)] if "Celery" in storage else []
        with running(deployment, *workers):
            executing = workers[0] if workers else deployment.code_server
            deployment.wait_for([deployment.launch(wanted[0])])
            before = processor_seconds(executing), processor_seconds(deployment.daemon)
            began = time.monotonic()
            ended = deployment.wait_for([deployment.launch(name) for name in wanted[1:]], seconds=3600)
            wall = (time.monotonic() - began) / (runs - 1)
            time.sleep(2)
            used = (processor_seconds(executing) - before[0]) / (runs - 1)
            daemon = (processor_seconds(deployment.daemon) - before[1]) / (runs - 1)
            idle = idle_share(deployment)
    assert set(ended.values()) == {"SUCCESS"}, ended
    print(f"\nruns, {storage}: {wall:.1f} s by the clock, two at a time; CPU s a run: {used:.2f}, ", end="")
    print(f"of the daemon {daemon:.2f}; idle servers use {idle:.1%} of a core")


@contextmanager
def platform(storage: str, experiments: Mapping[int, str]) -> Iterator[Deployment]:
    """Prepare a lake, a Dagster instance and its servers, which are not started yet."""
    database = nullcontext("") if storage == "sqlite" else postgres()
    broker = redis() if "Celery" in storage else nullcontext("")
    with tempfile.TemporaryDirectory(prefix="bench-dagster-") as name, database as url, broker as queue:
        folder = Path(name)
        study = Study(folder)
        study.add_gene_map()
        for seed, experiment in experiments.items():
            study.add_sample(f"S{seed}", seed, experiment=experiment)
        if experiments:
            study.register()
        env = {"REFINEBIO_HOME": study.lake.url, POSTGRES_VARIABLE: url, BROKER_VARIABLE: queue}
        deployment = Deployment(folder / "servers", env, shipped_settings())
        os.environ |= env | {"DAGSTER_HOME": str(deployment.home)}
        with DagsterInstance.get() as instance:
            add_keys(instance, "experiment", list(experiments.values()))
        yield deployment


def names(count: int) -> list[str]:
    """Return made-up accessions."""
    return [f"GSE{number:06d}" for number in range(count)]


def write_events(instance: DagsterInstance, partitions: list[str]) -> None:
    """Report every asset of the chain as materialized for these partitions."""
    for partition in partitions:
        for asset in ASSETS:
            tags = {"dagster/data_version": DataVersion(partition).value}
            event = AssetMaterialization(AssetKey(asset), partition=partition, tags=tags)
            instance.report_runless_asset_event(event)


def timed(work: Callable[[], object]) -> float:
    """Return how long something takes by the clock."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def cpu_of(work: Callable[[], object]) -> float:
    """Return the processor seconds of the processes that were started and ended meanwhile."""
    before = os.times()
    work()
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def processor_seconds(program: Program) -> float:
    """Return the processor time of a server and of its processes that ended, in seconds."""
    fields = Path(f"/proc/{program.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def idle_share(deployment: Deployment) -> float:
    """Return the share of one core that the servers use while nothing happens."""
    # What the last run left to do is over by then.
    time.sleep(10)
    before, began = sum(map(processor_seconds, deployment.programs)), time.monotonic()
    time.sleep(20)
    return (sum(map(processor_seconds, deployment.programs)) - before) / (time.monotonic() - began)


if __name__ == "__main__":
    main()
