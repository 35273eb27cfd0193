"""Sensors as the daemon evaluates them: a tick, and what it asks for."""

from __future__ import annotations

from typing import Any

from dagster import DagsterInstance, build_sensor_context

from refinebio_assets.definitions import build_definitions
from refinebio_assets.defs.resources import ArchivesResource, LakeResource


def tick(instance: DagsterInstance, name: str, cursor: str | None = None) -> Any:
    """Evaluate a sensor on the lake and the archives of the environment."""
    definitions = build_definitions()
    sensor = definitions.resolve_sensor_def(name)
    resources = {"lake": LakeResource(), "archives": ArchivesResource()}
    with build_sensor_context(
        instance_ref=instance.get_ref(),
        cursor=cursor,
        definitions=definitions,
        resources={key: resources[key] for key in sensor.required_resource_keys},
    ) as context:
        return sensor.evaluate_tick(context)


def asked(done: Any) -> list[str]:
    """Return the partitions that a tick asks to be run."""
    return [request.partition_key for request in done.run_requests or []]
