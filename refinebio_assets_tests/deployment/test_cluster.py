"""The chain on Celery workers: Redis for the broker, Dagster on Postgres, the lake on an S3 server.

Two workers stand for two machines: each has its own settings, copies and catalog, and shares no file.
With ``REFINEBIO_ACCEPTANCE`` set, fifty runs are queued rather than four.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from dagster import DagsterInstance

from refinebio_assets.defs.instance import PROCESS_TAG
from refinebio_assets.defs.launch import register_experiments
from refinebio_assets.defs.launchers import BROKER_VARIABLE
from refinebio_assets.defs.storage import POSTGRES_VARIABLE
from refinebio_assets_tests.conftest import REPOSITORY
from refinebio_assets_tests.defs.servers import postgres_server, redis, wait_until
from refinebio_assets_tests.deployment.moments import most_at_once, pool_spans, run_spans
from refinebio_assets_tests.deployment.platform import (
    ACCEPTANCE,
    Deployment,
    Program,
    running,
    shipped_settings,
)
from refinebio_assets_tests.pipelines.study import Study

QUEUED = [f"QUEUED{number:02d}" for number in range(50 if ACCEPTANCE else 4)]
MOST_RUNS = 3
POOL_LIMITS = {"download": 1, "salmon": 2, "memory": 2}


@dataclass
class Cluster:
    """A deployment with two workers, its lake and its Dagster instance."""

    study: Study
    gate: Path
    deployment: Deployment
    instance: DagsterInstance
    machines: list[Program]


def make_study(folder: Path, url: str) -> Study:
    """Return a registered study of many experiments of one sample, and two of three."""
    study = Study(folder, url=url)
    study.add_gene_map()
    for number, experiment in enumerate(QUEUED):
        study.add_sample(f"S{number}", number, experiment=experiment)
    for experiment in ("KILLED", "ENDED"):
        for number in range(3):
            study.add_sample(f"{experiment}-{number}", number, experiment=experiment)
    study.register()
    return study


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, s3_bucket: str) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("cluster")
    (gate := folder / "gate").mkdir()
    settings = shipped_settings()
    settings["run_monitoring"] |= {"poll_interval_seconds": 2, "free_slots_after_run_end_seconds": 2}
    settings["concurrency"]["runs"]["max_concurrent_runs"] = MOST_RUNS
    with postgres_server() as database, redis() as broker, pytest.MonkeyPatch.context() as patch:
        study = make_study(folder, f"{s3_bucket}/lake-{uuid4().hex}")
        env = {POSTGRES_VARIABLE: database.url, BROKER_VARIABLE: broker}
        given = env | {"REFINEBIO_HOME": study.url, "GATE": str(gate)}
        module = "refinebio_assets_tests.deployment.gated_definitions"
        deployment = Deployment(folder / "servers", given, settings, module)
        machines = [deployment.worker("first", runs=2), deployment.worker("second", runs=1)]
        for name, value in (env | {"DAGSTER_HOME": str(deployment.home)}).items():
            patch.setenv(name, value)
        register_experiments([*QUEUED, "KILLED", "ENDED"])
        with running(deployment, *machines), DagsterInstance.get() as instance:
            for pool, limit in POOL_LIMITS.items():
                instance.event_log_storage.set_concurrency_slots(pool, limit)
            yield Cluster(study, gate, deployment, instance, machines)


@pytest.mark.timeout(3600)
def test_queued_runs_are_shared_by_the_machines_within_the_limits(cluster: Cluster) -> None:
    deployment, lake = cluster.deployment, cluster.study.lake
    runs = [deployment.launch(experiment) for experiment in QUEUED]
    assert set(deployment.wait_for(runs, seconds=3000).values()) == {"SUCCESS"}
    assert most_at_once(run_spans(cluster.instance, runs).values()) <= MOST_RUNS
    for pool, spans in pool_spans(cluster.instance, runs).items():
        assert len(spans) == len(runs)
        assert most_at_once(spans) <= POOL_LIMITS[pool]
    shares = [machine.log.read_text().count("execute_job") for machine in cluster.machines]
    assert all(shares), shares
    assert lake.partitions("gene_expression") == QUEUED
    assert lake.verify_all().problems == ()


def test_the_results_are_those_of_one_machine(cluster: Cluster) -> None:
    alone = Study(cluster.study.folder, cluster.study.rows, url=str(cluster.study.folder / "alone"))
    alone.register()
    here = alone.process(QUEUED[3])["gene_expression"].commit
    there = cluster.study.lake.head("gene_expression", QUEUED[3])
    assert there is not None
    assert there.version == here.version


@pytest.mark.skipif(not ACCEPTANCE, reason="two more runs: make acceptance")
def test_a_run_that_is_killed_on_a_worker_is_taken_up_again(cluster: Cluster) -> None:
    deployment, lake = cluster.deployment, cluster.study.lake
    gate = cluster.gate / "ENDED-1"
    gate.touch()
    killed = deployment.launch("ENDED")
    wait_until(gate.with_suffix(".waiting").exists, "a sample at its gate")
    run = cluster.instance.get_run_by_id(killed)
    assert run is not None
    os.kill(int(run.tags[PROCESS_TAG].split(" ")[2].partition("@")[0]), signal.SIGKILL)
    gate.unlink()
    wait_until(lambda: deployment.statuses([killed]) == {killed: "FAILURE"}, "the end of the killed run")
    wait_until(lambda: lake.head("gene_expression", "ENDED") is not None, "the second run")


def test_the_run_of_a_machine_that_was_switched_off_is_taken_up_when_it_is_back(cluster: Cluster) -> None:
    deployment, lake = cluster.deployment, cluster.study.lake
    gate = cluster.gate / "KILLED-1"
    gate.touch()
    killed = deployment.launch("KILLED")
    wait_until(gate.with_suffix(".waiting").exists, "a sample at its gate")
    for machine in cluster.machines:
        machine.stop()
    gate.unlink()
    assert deployment.statuses([killed]) == {killed: "STARTED"}
    assert lake.head("sample_quantifications", "KILLED") is None
    cluster.machines[0].start()
    wait_until(lambda: deployment.statuses([killed]) == {killed: "FAILURE"}, "the end of the dead run")
    wait_until(lambda: lake.head("gene_expression", "KILLED") is not None, "the second run")
    assert len(lake.history("sample_quantification", "KILLED-0")) == 1


def test_a_worker_without_a_broker_says_what_is_missing(tmp_path: Path) -> None:
    env = {key: value for key, value in os.environ.items() if key != BROKER_VARIABLE}
    run = subprocess.run(
        [sys.executable, "-m", "refinebio_assets.cli.main", "worker"],
        env=env | {"REFINEBIO_HOME": str(tmp_path), "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    assert "REFINEBIO_BROKER_URL" in run.stderr
