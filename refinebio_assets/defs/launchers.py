"""Chooses by environment how runs are launched: on Celery workers, or as processes of the code server.

``dagster.yaml`` names the class below. It only dispatches; the launchers are Dagster's.
"""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dagster import DefaultRunLauncher

from refinebio_assets.errors import ToolMissingError

if TYPE_CHECKING:
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


def celery_launcher(broker: str, inst_data: Any = None) -> "CeleryRunLauncher":
    """Return Dagster's launcher for Celery workers. Raises ToolMissingError without dagster-celery."""
    try:
        from dagster_celery.launcher import CeleryRunLauncher
    except ImportError as error:
        raise ToolMissingError(
            f"{BROKER_VARIABLE} is set, but dagster-celery is not installed: "
            "pip install 'refinebio-assets[cluster]'"
        ) from error
    return CeleryRunLauncher(
        default_queue=QUEUE, broker=broker, backend=broker, config_source=SETTINGS, inst_data=inst_data
    )
