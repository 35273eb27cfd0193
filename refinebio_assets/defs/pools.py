"""How many cores a step of a pool may use: the machine's, shared by the steps that may run on it at once."""

import os

from dagster import DagsterInstance

from refinebio_assets.pipelines.workers import available_cores

RUNS_VARIABLE = "REFINEBIO_RUNS_A_MACHINE"
"""How many runs a worker of a cluster executes at once; without it, all of a pool's steps may be here."""


def cores_of_pool(instance: DagsterInstance, pool: str) -> int:
    """Return this machine's cores divided by the steps of the pool that it may execute, at least 1."""
    default = instance.get_concurrency_config().pool_config.default_pool_limit
    limits = {limit.name: limit.limit for limit in instance.event_log_storage.get_pool_limits()}
    steps = limits.get(pool) or default or 1
    runs = os.environ.get(RUNS_VARIABLE, "")
    if runs.isdigit():
        steps = min(steps, int(runs))
    return max(1, available_cores() // max(1, steps))
