"""What endpoints work with, put together once when the server starts."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request

from refinebio_assets.api.holdings.holdings import Holdings
from refinebio_assets.api.holdings.keeping import Keeper
from refinebio_assets.api.job_source import JobSource
from refinebio_assets.api.settings import ApiSettings
from refinebio_assets.lake.store import Lake


@dataclass(frozen=True, slots=True)
class Services:
    """The lake, what is served of it, and the ways to Dagster."""

    settings: ApiSettings
    lake: Lake
    keeper: Keeper
    jobs: JobSource


def services(request: Request) -> Services:
    """Return what the server works with."""
    found: Services = request.app.state.services
    return found


def holdings_of(request: Request) -> Holdings:
    """Return the holdings that answer a request. Raises StorageError when there are none yet."""
    return services(request).keeper.current()
