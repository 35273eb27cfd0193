"""How many cores a step of a pool may use: the machine's, shared by the pool's slots."""

from dagster import DagsterInstance

from refinebio_assets.pipelines.workers import available_cores


def cores_of_pool(instance: DagsterInstance, pool: str) -> int:
    """Return this machine's cores divided by the pool's limit, at least 1."""
    default = instance.get_concurrency_config().pool_config.default_pool_limit
    limits = {limit.name: limit.limit for limit in instance.event_log_storage.get_pool_limits()}
    return max(1, available_cores() // max(1, limits.get(pool) or default or 1))
