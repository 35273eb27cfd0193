"""Chooses Dagster's own storage by environment: Postgres when a URL is set, SQLite otherwise.

``dagster.yaml`` names the class below. It only dispatches; the storages are Dagster's.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dagster._core.storage.sqlite_storage import DagsterSqliteStorage  # no public name exists for it
from dagster_postgres import DagsterPostgresStorage

POSTGRES_VARIABLE = "REFINEBIO_POSTGRES_URL"
_PSYCOPG2 = "postgresql+psycopg2://"


def postgres_url(url: str) -> str:
    """Return the URL with the driver that dagster-postgres needs.

    SQLAlchemy 2.1 takes a bare ``postgresql://`` to mean psycopg 3, with which dagster-postgres fails.
    """
    scheme, separator, rest = url.partition("://")
    return _PSYCOPG2 + rest if separator and scheme in {"postgres", "postgresql"} else url


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
        return DagsterSqliteStorage.from_local(str(home / "storage"), inst_data=inst_data)
