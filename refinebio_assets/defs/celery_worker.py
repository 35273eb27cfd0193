"""A Celery worker that executes runs on this machine, for Dagster's own Celery launcher."""

import os
import socket
from collections.abc import Sequence

from dagster import DagsterInstance

from refinebio_assets.defs.instance import end_dead_runs
from refinebio_assets.defs.launchers import BROKER_VARIABLE, QUEUE, celery_launcher
from refinebio_assets.defs.pools import RUNS_VARIABLE
from refinebio_assets.errors import RequestError


def work(runs: int) -> None:
    """Execute runs, at most ``runs`` at a time, until the process is told to stop.

    Each run has a process of its own, forked from this one, which has loaded the definitions: it starts
    at once, and its memory is given back. Runs of this machine that a crash left are ended first. Raises
    RequestError when no broker is set, ToolMissingError without dagster-celery.
    """
    broker = os.environ.get(BROKER_VARIABLE)
    if not broker:
        raise RequestError(f"a worker needs a broker: set {BROKER_VARIABLE}, redis://HOST:6379/0 for example")
    app = celery_launcher(broker).celery
    from dagster_celery.tasks import create_execute_job_task, create_resume_job_task

    create_execute_job_task(app)
    create_resume_job_task(app)
    os.environ[RUNS_VARIABLE] = str(runs)
    with DagsterInstance.get() as instance:
        end_dead_runs(instance)
    app.worker_main(_options(runs))


def _options(runs: int) -> Sequence[str]:
    """Return Celery's options; the name tells machine and process, as several may be on one machine."""
    return [
        "worker",
        f"--hostname=refinebio-{os.getpid()}@{socket.gethostname()}",
        f"--queues={QUEUE}",
        f"--concurrency={runs}",
        "--max-tasks-per-child=1",
        "--without-gossip",
        "--without-mingle",
        "--loglevel=INFO",
    ]
