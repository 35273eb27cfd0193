"""A ``process`` that is killed or interrupted in the middle of its run, and what comes after."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest
from dagster import DagsterInstance

from refinebio_assets_tests.cli.conftest import Run
from refinebio_assets_tests.conftest import REPOSITORY
from refinebio_assets_tests.pipelines.study import Study

SLOW = """
import time
from refinebio_assets.pipelines import sample_quantifications

quantify = sample_quantifications.quantify_sample

def slowly(*arguments, **options):
    (marker := __import__("pathlib").Path("quantifying")).touch()
    time.sleep(20)
    return quantify(*arguments, **options)

sample_quantifications.quantify_sample = slowly
from refinebio_assets.cli.main import main
main()
"""
"""The command with a quantification that takes long enough to be interrupted in its pool."""


def start_slow(study: Study) -> subprocess.Popen[str]:
    """Start ``process`` and wait until it is quantifying, that is: holds the pool's only slot."""
    env = os.environ | {"REFINEBIO_HOME": str(study.folder / "lake"), "PYTHONPATH": str(REPOSITORY)}
    env.pop("DAGSTER_HOME", None)
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW, "process", "--sample-sheet", str(study.sheet)],
        cwd=study.folder,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    deadline = time.monotonic() + 120
    while not (study.folder / "quantifying").exists():
        assert process.poll() is None and time.monotonic() < deadline, "it never began to quantify"
        time.sleep(0.1)
    return process


def statuses(study: Study, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setenv("DAGSTER_HOME", str(study.folder / "lake" / "dagster"))
    with DagsterInstance.get() as instance:
        return [run.status.value for run in instance.get_runs()]


def test_after_a_kill_the_next_process_ends_the_dead_run_and_finishes(
    study: Study, refinebio: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    with start_slow(study) as process:
        process.send_signal(signal.SIGKILL)
    run = refinebio("process", "STUDY")
    assert run.returncode == 0, run.stdout + run.stderr
    assert "10 genes x 3" in run.stdout
    assert statuses(study, monkeypatch) == ["SUCCESS", "FAILURE"]


def test_an_interrupt_stops_the_command_and_starts_no_other_experiment(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    study.add_sample("X1", 9, experiment="OTHER")
    with start_slow(study) as process:
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=120)
    assert process.returncode not in (0, 3), output
    assert "Traceback" not in output
    assert len(statuses(study, monkeypatch)) == 1


def test_a_second_process_says_what_it_waits_for(study: Study) -> None:
    command = [sys.executable, "-m", "refinebio_assets.cli.main", "process", "STUDY"]
    env = {**os.environ, "REFINEBIO_HOME": str(study.folder / "lake"), "PYTHONUNBUFFERED": "1"}
    env.pop("DAGSTER_HOME", None)
    with (
        start_slow(study) as first,
        subprocess.Popen(command, cwd=study.folder, env=env, stdout=subprocess.PIPE, text=True) as second,
    ):
        output, _ = second.communicate(timeout=300)
        first.communicate(timeout=120)
    assert "waiting for another run" in output and "salmon (held by run" in output
    assert (first.returncode, second.returncode) == (0, 0)
