"""``refinebio-assets api``: serves the lake to refine.bio's clients over HTTP."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import click

from refinebio_assets.cli.home import lake_url, open_lake

if TYPE_CHECKING:
    from refinebio_assets.api.job_source import JobSource


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
    read_only: bool,
) -> None:
    """Serve the lake over HTTP: `/v1` for refine.bio's clients; stop with Ctrl-C."""
    import uvicorn

    from refinebio_assets.api.application import create_app
    from refinebio_assets.api.holdings.keeping import Keeper
    from refinebio_assets.api.services import Services
    from refinebio_assets.api.settings import ApiSettings
    from refinebio_assets.lake.catalog import Catalog

    settings = ApiSettings(
        public_url=public_url.rstrip("/"),
        requests_per_second=rate_limit,
        burst=burst,
        cors_origins=origins,
        trust_proxy=trust_proxy,
        read_only=read_only,
    )
    lake = open_lake()
    sync = 0.0 if read_only else sync_seconds
    keeper = Keeper(Catalog(lake), lake.cache / "api", sync_seconds=sync)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    click.echo(
        f"Lake: {lake_url()}\nAPI: http://{host}:{port}/v1/  (documentation: http://{host}:{port}/docs)"
    )
    app = create_app(Services(settings, lake, keeper, _jobs(read_only)))
    # The access log has queries and paths, and so secrets: the application writes its own.
    uvicorn.run(app, host=host, port=port, access_log=False, log_config=None, proxy_headers=False)


def _jobs(read_only: bool) -> JobSource:
    """Return where runs are looked up: Dagster's instance of the lake, where there is one."""
    from refinebio_assets.api.job_source import NoJobs

    home = Path(lake_url()) / "dagster" / "dagster.yaml"
    if read_only and not home.is_file():
        return NoJobs()
    from refinebio_assets.defs.instance import prepare_dagster_home
    from refinebio_assets.defs.run_lookup import DagsterRuns

    prepare_dagster_home(lake_url())
    return DagsterRuns()
