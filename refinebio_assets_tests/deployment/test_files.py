"""The settings that the platform comes with, for one machine and for Kubernetes."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from dagster import DagsterInstance
from dagster_celery.launcher import CeleryRunLauncher

from refinebio_assets.defs import launchers, pools
from refinebio_assets.errors import ToolMissingError
from refinebio_assets_tests.conftest import REPOSITORY
from refinebio_assets_tests.deployment.platform import shipped_settings

# The top level of the chart's values.schema.json, as of chart 1.13.
CHART_KEYS = {
    *("global", "dagsterWebserver", "dagster-user-deployments", "postgresql"),
    *(
        "generatePostgresqlPasswordSecret",
        "generateCeleryConfigSecret",
        "rabbitmq",
        "redis",
        "flower",
        "ingress",
    ),
    *("imagePullSecrets", "computeLogManager", "scheduler", "runLauncher", "pythonLogs", "dagsterDaemon"),
    *("busybox", "migrate", "telemetry", "serviceAccount", "retention", "concurrency"),
    *("additionalInstanceConfig",),
}

# Settings of the queue for which that schema has no key.
WITHOUT_CHART_KEY = {"max_user_code_failure_retries", "user_code_failure_retry_delay"}


def in_snake_case(values: Any) -> Any:
    """Return the chart's settings under the names that dagster.yaml has for them."""
    if isinstance(values, dict):
        return {
            re.sub(r"(?<=[a-z])[A-Z]", lambda found: f"_{found[0].lower()}", key)
            if key != "applyLimitPerUniqueValue"
            else key: in_snake_case(value)
            for key, value in values.items()
        }
    return [in_snake_case(value) for value in values] if isinstance(values, list) else values


@pytest.fixture
def chart_values() -> Any:
    return yaml.safe_load((REPOSITORY / "deploy" / "kubernetes" / "values.yaml").read_text(encoding="utf-8"))


def test_kubernetes_has_the_settings_of_one_machine_but_for_the_limits(chart_values: Any) -> None:
    assert chart_values.keys() <= CHART_KEYS
    ours, daemon = shipped_settings(), in_snake_case(chart_values["dagsterDaemon"])
    concurrency = in_snake_case(chart_values["concurrency"])
    queue = daemon["run_coordinator"]["config"]["queued_run_coordinator"]
    assert queue == {key: value for key, value in ours["run_queue"].items() if key not in WITHOUT_CHART_KEY}
    assert daemon["run_retries"] == ours["run_retries"]
    assert ours["run_monitoring"].items() <= daemon["run_monitoring"].items()
    assert concurrency["pools"]["granularity"] == ours["concurrency"]["pools"]["granularity"]
    ours_runs = ours["concurrency"]["runs"]
    assert concurrency["runs"]["tag_concurrency_limits"] == ours_runs["tag_concurrency_limits"]


def test_kubernetes_starts_the_code_location_with_variables_that_exist(chart_values: Any) -> None:
    (location,) = chart_values["dagster-user-deployments"]["deployments"]
    assert location["dagsterApiGrpcArgs"] == ["--module-name", "refinebio_assets.definitions"]
    assert {pools.RUNS_VARIABLE, "REFINEBIO_HOME"} <= {given["name"] for given in location["env"]}


@pytest.mark.parametrize("file", ["kubernetes/values.yaml", "systemd/refinebio.env"])
def test_every_variable_that_a_deployment_sets_is_read_by_the_platform(file: str) -> None:
    name = re.compile(r"REFINEBIO_[A-Z_]+")
    code = (path.read_text(encoding="utf-8") for path in (REPOSITORY / "refinebio_assets").rglob("*.py"))
    read = {found for text in code for found in name.findall(text)}
    assert {*name.findall((REPOSITORY / "deploy" / file).read_text(encoding="utf-8"))} <= read


def test_dagster_accepts_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copyfile(REPOSITORY / "refinebio_assets" / "dagster.yaml", tmp_path / "dagster.yaml")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.delenv(launchers.BROKER_VARIABLE, raising=False)
    with DagsterInstance.get() as instance:
        assert type(instance.run_launcher).__name__ == "DefaultRunLauncher"
        assert instance.run_retries_enabled and not instance.run_retries_retry_on_asset_or_op_failure
        assert instance.get_concurrency_config().pool_config.default_pool_limit == 1
        assert instance.get_concurrency_config().run_queue_config.max_user_code_failure_retries > 0


def test_a_broker_in_the_environment_puts_runs_on_workers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copyfile(REPOSITORY / "refinebio_assets" / "dagster.yaml", tmp_path / "dagster.yaml")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.setenv(launchers.BROKER_VARIABLE, "redis://127.0.0.1:1/0")
    with DagsterInstance.get() as instance:
        assert isinstance(instance.run_launcher, CeleryRunLauncher)


def test_without_celery_a_broker_is_refused_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dagster_celery.launcher", None)
    with pytest.raises(ToolMissingError, match="refinebio-assets\\[cluster\\]"):
        launchers.celery_launcher("redis://127.0.0.1:1/0")


def test_a_worker_shares_its_cores_among_its_own_runs_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pools, "available_cores", lambda: 16)
    with DagsterInstance.ephemeral(tempdir=str(tmp_path)) as instance:
        instance.event_log_storage.set_concurrency_slots("salmon", 8)
        assert pools.cores_of_pool(instance, "salmon") == 2
        monkeypatch.setenv(pools.RUNS_VARIABLE, "1")
        assert pools.cores_of_pool(instance, "salmon") == 16
