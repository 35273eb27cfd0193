"""``refinebio-assets api``: serves the lake to refine.bio's clients over HTTP."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from refinebio_assets.cli.home import lake_url, open_lake, temporary_folder
from refinebio_assets.lake.home import DEFAULT_HOME

if TYPE_CHECKING:
    from refinebio_assets.api.job_source import JobSource
    from refinebio_assets.api.services import Services
    from refinebio_assets.api.settings import ApiSettings
    from refinebio_assets.lake.store import Lake


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True)
@click.option("--public-url", default="", help="The server's address for clients, behind a proxy.")
@click.option("--trust-proxy", is_flag=True, help="Count requests by X-Forwarded-For, which a proxy sets.")
@click.option(
    "--rate-limit",
    default=10.0,
    show_default=True,
    help="Requests a second that one address may make for long; 0 is no limit.",
)
@click.option("--burst", default=50, show_default=True, help="Requests that one address may make at once.")
@click.option("--cors-origin", "origins", multiple=True, default=["*"], help="Web pages that may ask.")
@click.option(
    "--sync-seconds",
    default=10.0,
    show_default=True,
    help="How often the catalog is brought up to date; 0 leaves it to others.",
)
@click.option(
    "--expires-days",
    default=7,
    show_default=True,
    help="For how long clients are told that a dataset stays; 0 is for ever.",
)
@click.option("--builds", default=1, show_default=True, help="Datasets that are built at once.")
@click.option("--read-only", is_flag=True, help="Write nothing to the lake: no tokens, datasets or syncs.")
def api(
    host: str,
    port: int,
    public_url: str,
    trust_proxy: bool,
    rate_limit: float,
    burst: int,
    origins: tuple[str, ...],
    sync_seconds: float,
    expires_days: int,
    builds: int,
    read_only: bool,
) -> None:
    """Serve the lake over HTTP: `/v1` for refine.bio's clients; stop with Ctrl-C."""
    import uvicorn

    from refinebio_assets.api.application import create_app
    from refinebio_assets.api.settings import ApiSettings

    settings = ApiSettings(
        public_url=public_url.rstrip("/"),
        requests_per_second=rate_limit,
        burst=burst,
        cors_origins=origins,
        trust_proxy=trust_proxy,
        expires_days=expires_days,
        read_only=read_only,
    )
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    app = create_app(_services(settings, 0.0 if read_only else sync_seconds, builds))
    click.echo(
        f"Lake: {lake_url()}\nAPI: http://{host}:{port}/v1/  (documentation: http://{host}:{port}/docs)"
    )
    # The access log has queries and paths, and so secrets: the application writes its own.
    uvicorn.run(app, host=host, port=port, access_log=False, log_config=None, proxy_headers=False)


def _services(settings: ApiSettings, sync_seconds: float, builds: int) -> Services:
    """Put together what the API works with: the lake, its state, and the ways to Dagster."""
    from refinebio_assets.api.holdings.keeping import Keeper
    from refinebio_assets.api.services import make_services
    from refinebio_assets.api.state.database import Database
    from refinebio_assets.cli.api_builder import ProcessBuilder
    from refinebio_assets.lake.catalog import Catalog

    catalog = Catalog(open_lake())
    if not sync_seconds and not catalog.is_usable():
        click.echo(
            "There is no catalog to serve yet: `refinebio-assets catalog sync` makes it, where the lake may "
            "be written to",
            err=True,
        )
    keeper = Keeper(catalog, _holdings_folder(catalog.lake), sync_seconds=sync_seconds)
    return make_services(
        settings,
        catalog,
        keeper,
        Database(_local_home() / "api" / "state.sqlite"),
        jobs=_jobs(settings.read_only),
        builder=None if settings.read_only else ProcessBuilder(builds),
    )


def _holdings_folder(lake: Lake) -> Path:
    """Return where what is served is kept: in the lake's cache, or in a folder of this process's own."""
    if lake.is_local and not os.access(lake.url, os.W_OK):
        return temporary_folder("refinebio-api-")
    return lake.cache / "api"


def _local_home() -> Path:
    """Return the folder beside which Dagster keeps its instance, also where the lake is a bucket."""
    url = lake_url().removeprefix("file://")
    return Path(DEFAULT_HOME if "://" in url else url).expanduser().resolve()


def _jobs(read_only: bool) -> JobSource:
    """Return where runs are looked up: Dagster's instance of the lake, where there is one to write to."""
    from refinebio_assets.api.job_source import NoJobs

    settings = _local_home() / "dagster" / "dagster.yaml"
    if read_only and not (settings.is_file() and os.access(settings.parent, os.W_OK)):
        return NoJobs()
    from refinebio_assets.defs.dagster_home import prepare_dagster_home
    from refinebio_assets.defs.run_lookup import DagsterRuns

    prepare_dagster_home(lake_url())
    return DagsterRuns()
