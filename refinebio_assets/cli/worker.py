"""``refinebio-assets worker``: executes runs on this machine, for a deployment of several machines."""

from __future__ import annotations

from importlib import import_module

import click

from refinebio_assets.cli.home import lake_url


@click.command()
@click.option(
    "--runs", type=click.IntRange(1), default=1, show_default=True, help="Runs at a time on this machine."
)
def worker(runs: int) -> None:
    """Execute runs that other machines launch; stop with Ctrl-C or SIGTERM, which waits for them.

    The broker is named by REFINEBIO_BROKER_URL, Dagster's database by REFINEBIO_POSTGRES_URL, the lake by
    REFINEBIO_HOME, as on all machines of the deployment.
    """
    from refinebio_assets.defs.dagster_home import prepare_dagster_home

    home = prepare_dagster_home(lake_url())
    click.echo(f"Dagster home: {home}")
    from refinebio_assets.defs.celery_worker import work

    # Loaded here, once, for the runs' processes, which are forked from this one.
    for module in ("refinebio_assets.definitions", "matplotlib.figure"):
        import_module(module)
    work(runs)
