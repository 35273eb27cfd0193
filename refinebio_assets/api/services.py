"""What endpoints work with, put together once when the server starts."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from fastapi import Request

from refinebio_assets.api.building import Building, DatasetBuilder, NoBuilder
from refinebio_assets.api.holdings.holdings import Holdings
from refinebio_assets.api.holdings.keeping import Keeper
from refinebio_assets.api.job_source import JobSource
from refinebio_assets.api.settings import ApiSettings
from refinebio_assets.api.state.database import Database
from refinebio_assets.api.state.datasets import Datasets
from refinebio_assets.api.state.tokens import Tokens
from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.store import Lake


@dataclass(frozen=True, slots=True)
class Services:
    """The lake, what is served of it, what clients left here, and the ways to Dagster."""

    settings: ApiSettings
    lake: Lake
    catalog: Catalog
    keeper: Keeper
    jobs: JobSource
    tokens: Tokens
    datasets: Datasets
    building: Building
    link_key: bytes


def make_services(
    settings: ApiSettings,
    catalog: Catalog,
    keeper: Keeper,
    database: Database,
    *,
    jobs: JobSource,
    builder: DatasetBuilder | None = None,
) -> Services:
    """Put services together. Raises StorageError when the state cannot be written."""
    lake = catalog.lake
    datasets = Datasets(database, lake.now)
    return Services(
        settings,
        lake,
        catalog,
        keeper,
        jobs,
        Tokens(database, lake.now),
        datasets,
        Building(lake, datasets, builder or NoBuilder()),
        secrets.token_bytes(32) if settings.read_only else database.key("links"),
    )


def services(request: Request) -> Services:
    """Return what the server works with."""
    found: Services = request.app.state.services
    return found


def holdings_of(request: Request) -> Holdings:
    """Return the holdings that answer a request. Raises StorageError when there are none yet."""
    return services(request).keeper.current()
