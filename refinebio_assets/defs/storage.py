"""Chooses Dagster's own storage by environment: Postgres when a URL is set, SQLite otherwise.

``dagster.yaml`` names the class below. The storages are Dagster's.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dagster._core.storage.runs import SqliteRunStorage  # no public names exist for these three
from dagster._core.storage.schedules import SqliteScheduleStorage
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster_postgres import DagsterPostgresStorage

POSTGRES_VARIABLE = "REFINEBIO_POSTGRES_URL"
_PSYCOPG2 = "postgresql+psycopg2://"
SECONDS_FOR_LOCK = 30
"""How long a writer waits for another one. Dagster gives its event log so long, but runs, heartbeats and
ticks only SQLite's 5 s, which a busy disk exceeds: "database is locked"."""


def postgres_url(url: str) -> str:
    """Return the URL with the driver that dagster-postgres needs.

    SQLAlchemy 2.1 takes a bare ``postgresql://`` to mean psycopg 3, with which dagster-postgres fails.
    """
    scheme, separator, rest = url.partition("://")
    return _PSYCOPG2 + rest if separator and scheme in {"postgres", "postgresql"} else url


class PatientSqliteStorage(DagsterSqliteStorage):
    """Dagster's SQLite storage, whose writers wait for each other everywhere as long as in its event log."""

    def __init__(self, base_dir: str, inst_data: Any = None) -> None:
        super().__init__(base_dir, inst_data)
        # The files were made, and migrated where needed, by Dagster just now.
        self._run_storage = SqliteRunStorage(_patient(f"{base_dir}/history/runs.db"))
        self._schedule_storage = SqliteScheduleStorage(_patient(f"{base_dir}/schedules/schedules.db"))


def _patient(file: str) -> str:
    return f"sqlite:///{file}?timeout={SECONDS_FOR_LOCK}"


class EnvironmentStorage(DagsterPostgresStorage):
    """Dagster's storage: Postgres at ``REFINEBIO_POSTGRES_URL``, else SQLite in ``DAGSTER_HOME``."""

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """Return the configuration that ``dagster.yaml`` may give: none."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Mapping[str, Any]) -> Any:
        """Return the storage that the environment asks for."""
        url = os.environ.get(POSTGRES_VARIABLE)
        if url:
            return DagsterPostgresStorage(postgres_url(url), inst_data=inst_data)
        home = Path(os.environ.get("DAGSTER_HOME") or ".").resolve()
        return PatientSqliteStorage.from_local(str(home / "storage"), inst_data=inst_data)
