"""Chooses by environment how runs are launched: on Celery workers, or as processes of the code server.

``dagster.yaml`` names the class below. The launchers are Dagster's.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dagster import DefaultRunLauncher
from dagster._core.errors import DagsterUserCodeUnreachableError  # no public name exists for it

from refinebio_assets.errors import ToolMissingError

if TYPE_CHECKING:
    from dagster._core.launcher.base import LaunchRunContext
    from dagster_celery.launcher import CeleryRunLauncher

BROKER_VARIABLE = "REFINEBIO_BROKER_URL"
QUEUE = "dagster"
SECONDS_REMEMBERED = 90 * 24 * 3600
"""A run whose state the broker has forgotten would be taken for dead: none lasts so long."""

SETTINGS = {
    "result_expires": SECONDS_REMEMBERED,
    # A machine takes a run when it can begin it, rather than keep one waiting that another could do.
    "worker_prefetch_multiplier": 1,
    "worker_disable_prefetch": True,
    "broker_connection_retry_on_startup": True,
}


class EnvironmentLauncher(DefaultRunLauncher):
    """Launches runs on Celery workers at ``REFINEBIO_BROKER_URL``, else as processes of the code server."""

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """Return the configuration that ``dagster.yaml`` may give: none."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Mapping[str, Any]) -> Any:
        """Return the launcher that the environment asks for."""
        broker = os.environ.get(BROKER_VARIABLE)
        return celery_launcher(broker, inst_data) if broker else DefaultRunLauncher(inst_data)


def celery_launcher(broker: str, inst_data: Any = None) -> CeleryRunLauncher:
    """Return Dagster's launcher for Celery workers. Raises ToolMissingError without dagster-celery."""
    try:
        from dagster_celery.launcher import CeleryRunLauncher
        from kombu.exceptions import OperationalError
    except ImportError as error:
        raise ToolMissingError(
            f"{BROKER_VARIABLE} is set, but dagster-celery is not installed: "
            "pip install 'refinebio-assets[cluster]'"
        ) from error

    class PatientLauncher(CeleryRunLauncher):
        """Dagster's launcher, except that a run stays in the queue while the broker is away."""

        def launch_run(self, context: LaunchRunContext) -> None:
            try:
                with self.celery.connection_for_write() as connection:
                    connection.ensure_connection(max_retries=1)
            except OperationalError as error:
                # Dagster's queue waits for what it cannot reach; any other error fails the run.
                raise DagsterUserCodeUnreachableError(f"the broker does not answer: {error}") from error
            super().launch_run(context)

    return PatientLauncher(
        default_queue=QUEUE, broker=broker, backend=broker, config_source=SETTINGS, inst_data=inst_data
    )
