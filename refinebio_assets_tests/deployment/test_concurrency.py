"""Many runs at once, and what is killed or stopped meanwhile, with the real daemon on Postgres.

One deployment serves all tests. With ``REFINEBIO_ACCEPTANCE`` set, fifty runs are queued rather than five.
"""

from __future__ import annotations

import os
import signal
import urllib.error
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from dagster import DagsterInstance, RunsFilter

from refinebio_assets.defs.instance import PROCESS_TAG
from refinebio_assets.defs.launch import register_experiments
from refinebio_assets.defs.storage import POSTGRES_VARIABLE
from refinebio_assets_tests.defs.servers import Postgres, postgres_server, wait_until
from refinebio_assets_tests.deployment.moments import POOLS, most_at_once, pool_spans, run_spans
from refinebio_assets_tests.deployment.platform import (
    ACCEPTANCE,
    FINISHED,
    Deployment,
    running,
    shipped_settings,
)
from refinebio_assets_tests.pipelines.study import Study

QUEUED = [f"QUEUED{number:02d}" for number in range(50 if ACCEPTANCE else 3)]
MOST_RUNS = shipped_settings()["concurrency"]["runs"]["max_concurrent_runs"]
IN_PROGRESS = {"STARTING", "STARTED", "CANCELING"}


@dataclass
class World:
    """A deployment with its lake, its Dagster instance and its Postgres."""

    study: Study
    gate: Path
    server: Postgres
    deployment: Deployment
    instance: DagsterInstance

    def close_gate(self, sample: str) -> None:
        (self.gate / sample).touch()

    def open_gate(self, sample: str) -> None:
        (self.gate / sample).unlink()

    def wait_at_gate(self, sample: str) -> None:
        wait_until((self.gate / f"{sample}.waiting").exists, f"{sample} at its gate")

    def process_of(self, run_id: str) -> int:
        """Return the id of the process that executes a run."""
        run = self.instance.get_run_by_id(run_id)
        assert run is not None
        return int(run.tags[PROCESS_TAG].split(" ")[2].partition("@")[0])

    def runs_of(self, partition: str) -> dict[str, str]:
        """Return the status of each run of an experiment, oldest first."""
        found = self.instance.get_runs(RunsFilter(tags={"dagster/partition": partition}), ascending=True)
        return {run.run_id: run.status.value for run in found}

    def commits(self, asset: str, partition: str) -> int:
        return len(self.study.lake.history(asset, partition))


def make_study(folder: Path) -> Study:
    """Return a registered study: three experiments of three samples, and many of one."""
    study = Study(folder)
    study.add_gene_map()
    for experiment in ("TWICE", "KILLED", "CUTOFF"):
        for number in range(3):
            study.add_sample(f"{experiment}-{number}", number, experiment=experiment)
    for number, experiment in enumerate(QUEUED):
        study.add_sample(f"S{number}", number, experiment=experiment)
    study.register()
    return study


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("deployment")
    (gate := folder / "gate").mkdir()
    study = make_study(folder)
    settings = shipped_settings()
    settings["run_monitoring"] |= {"poll_interval_seconds": 2, "free_slots_after_run_end_seconds": 2}
    with postgres_server() as server, pytest.MonkeyPatch.context() as patch:
        env = {"REFINEBIO_HOME": study.lake.url, POSTGRES_VARIABLE: server.url, "GATE": str(gate)}
        module = "refinebio_assets_tests.deployment.gated_definitions"
        deployment = Deployment(folder / "servers", env, settings, module)
        patch.setenv("DAGSTER_HOME", str(deployment.home))
        patch.setenv(POSTGRES_VARIABLE, server.url)
        register_experiments([*QUEUED, "TWICE", "KILLED", "CUTOFF"])
        with running(deployment), DagsterInstance.get() as instance:
            # On Postgres, two runs that are the first to use a pool, and at once, make one of them fail.
            for pool in POOLS.values():
                instance.event_log_storage.initialize_concurrency_limit_to_default(pool)
            yield World(study, gate, server, deployment, instance)


@pytest.mark.timeout(3600)
def test_queued_runs_keep_to_the_limits_and_take_turns_though_the_daemon_is_killed(world: World) -> None:
    deployment = world.deployment
    # The first runs are held, so that the daemon is not launching another one when it is killed.
    held = ["TWICE-1", "S0"]
    for sample in held:
        world.close_gate(sample)
    runs = [deployment.launch(experiment) for experiment in ("TWICE", "TWICE", *QUEUED)]
    twice = runs[:2]

    def those(*wanted: str) -> list[str]:
        found = deployment.statuses(runs)
        assert sum(status in IN_PROGRESS for status in found.values()) <= MOST_RUNS
        return [run for run, status in found.items() if status in wanted]

    wait_until(lambda: len(those("STARTED")) == MOST_RUNS, "as many runs as may be in progress")
    deployment.daemon.kill()
    for sample in held:
        world.open_gate(sample)
    begun = those(*IN_PROGRESS, *FINISHED)
    assert set(deployment.wait_for(begun).values()) == {"SUCCESS"}, "runs go on without the daemon"
    assert set(deployment.statuses(runs).values()) == {"SUCCESS", "QUEUED"}
    deployment.daemon.start()
    assert set(deployment.wait_for(runs, seconds=3000).values()) == {"SUCCESS"}
    assert most_at_once(run_spans(world.instance, runs).values()) == MOST_RUNS
    assert most_at_once(run_spans(world.instance, twice).values()) == 1
    assert {pool: most_at_once(spans) for pool, spans in pool_spans(world.instance, runs).items()} == {
        "download": 1,
        "salmon": 1,
        "memory": 1,
    }
    assert world.commits("gene_expression", "TWICE") == 1
    assert [world.commits("sample_quantification", f"TWICE-{number}") for number in range(3)] == [1, 1, 1]


def test_a_killed_run_leaves_nothing_half_made_and_is_taken_up_again_by_itself(world: World) -> None:
    lake = world.study.lake
    world.close_gate("KILLED-1")
    killed = world.deployment.launch("KILLED")
    world.wait_at_gate("KILLED-1")
    wait_until(lambda: lake.head("sample_quantification", "KILLED-2") is not None, "the other samples")
    os.kill(world.process_of(killed), signal.SIGKILL)
    world.open_gate("KILLED-1")
    assert lake.head("sample_quantification", "KILLED-1") is None
    assert lake.head("sample_quantifications", "KILLED") is None
    assert lake.verify_all().problems == ()
    wait_until(lambda: list(world.runs_of("KILLED").values()) == ["FAILURE", "SUCCESS"], "the second run")
    assert [world.commits("sample_quantification", f"KILLED-{number}") for number in range(3)] == [1, 1, 1]
    (matrix,) = world.study.catalog.query(
        "SELECT samples FROM matrices WHERE experiment = 'KILLED'"
    ).to_pylist()
    assert matrix["samples"] == 3


def test_when_postgres_was_away_the_run_fails_its_samples_stay_and_the_queue_goes_on(world: World) -> None:
    deployment = world.deployment
    world.close_gate("CUTOFF-1")
    cut = deployment.launch("CUTOFF")
    world.wait_at_gate("CUTOFF-1")
    process = world.process_of(cut)
    waiting = deployment.launch("CUTOFF")
    world.server.stop()
    with pytest.raises(urllib.error.HTTPError, match="500"):
        deployment.statuses([cut])
    world.open_gate("CUTOFF-1")
    wait_until(lambda: has_ended(process), "the end of the run's process")
    assert all(program.is_running for program in deployment.programs)
    world.server.start()
    assert deployment.wait_for([cut]) == {cut: "FAILURE"}
    assert deployment.wait_for([waiting]) == {waiting: "SUCCESS"}
    assert [world.commits("sample_quantification", f"CUTOFF-{number}") for number in range(3)] == [1, 1, 1]
    assert world.study.lake.verify_all().problems == ()


def has_ended(process: int) -> bool:
    try:
        stat = Path(f"/proc/{process}/stat").read_text(encoding="ascii")
    except FileNotFoundError:
        return True
    return stat.rpartition(")")[2].split()[0] == "Z"
