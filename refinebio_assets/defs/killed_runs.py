"""The sensor that ends runs whose process is gone.

Dagster's code server notices when a run's process dies, but not when it died itself meanwhile, when the
machine was switched off, or after its database was away for a moment. Such runs would count as running
for ever, and keep others waiting.
"""

from dagster import DefaultSensorStatus, SensorEvaluationContext, SkipReason, sensor

from refinebio_assets.defs.instance import end_dead_runs

SECONDS_BETWEEN_LOOKS = 30


@sensor(
    minimum_interval_seconds=SECONDS_BETWEEN_LOOKS,
    default_status=DefaultSensorStatus.RUNNING,
    description=(
        "Marks runs as failed whose process on this machine no longer exists, and frees the pool slots of "
        "runs that ended. It starts nothing; what such a run had finished is kept."
    ),
)
def killed_runs(context: SensorEvaluationContext) -> SkipReason:
    """End runs whose process is gone; start none."""
    ended = end_dead_runs(context.instance)
    for run_id in ended:
        context.log.warning(f"run {run_id} was marked as failed: its process no longer exists")
    return SkipReason(f"ended {', '.join(ended)}" if ended else "every run's process is there")
