"""``refinebio-assets ui``: Dagster's webserver and daemon on the lake's instance."""

from __future__ import annotations

import os
import sys

import click

from refinebio_assets.cli.home import lake_url


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=3000, show_default=True)
def ui(host: str, port: int) -> None:
    """Open Dagster's UI and daemon on the same instance; stop with Ctrl-C."""
    from refinebio_assets.defs.instance import prepare_dagster_home

    home = prepare_dagster_home(lake_url())
    click.echo(f"Dagster home: {home}\nUI: http://{host}:{port}")
    # The warning that Dagster prints of its own command is of no use to a person here.
    quiet = ["-W", "ignore:Function"]
    command = [sys.executable, *quiet, "-m", "dagster", "dev", "-m", "refinebio_assets.definitions"]
    os.execv(sys.executable, [*command, "--host", host, "--port", str(port)])
