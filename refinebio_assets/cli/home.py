"""Which lake a command works on, opened only when it is needed."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import click

from refinebio_assets.errors import NotFoundError, StorageError
from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.home import HOME_VARIABLE, home_url
from refinebio_assets.lake.store import Lake

if TYPE_CHECKING:
    from refinebio_assets.sources.archives import Archives
    from refinebio_assets.sources.web.client import Web


def lake_url() -> str:
    """Return the lake's URL or absolute folder, from ``--home`` or ``REFINEBIO_HOME``."""
    url = home_url()
    return url if "://" in url else str(Path(url).expanduser().resolve())


def use_home(url: str | None) -> None:
    """Make ``url`` the lake of this process and of what it starts."""
    if url:
        os.environ[HOME_VARIABLE] = url
    os.environ[HOME_VARIABLE] = lake_url()


def open_lake() -> Lake:
    """Return the lake."""
    return Lake(lake_url())


def open_catalog() -> Catalog:
    """Return the lake's catalog, brought up to date first."""
    catalog = Catalog(open_lake())
    try:
        catalog.sync()
    except StorageError as error:
        try:
            catalog.rows("SELECT 1")
        except NotFoundError:
            raise error from None
        click.echo(f"The catalog is shown as it was last: {error}", err=True)
    return catalog


@cache
def open_archives() -> Archives:
    """Return the public archives, or the mirror that stands for them."""
    from refinebio_assets.sources import archives

    return archives.open_archives(os.environ)


def the_web() -> Web:
    """Return the way to web servers; it is set up when it is first needed."""
    return open_archives().web


def rules_of_runs() -> str:
    """Return the version of the rules by which sequencing runs are taken."""
    from refinebio_assets.sources.library_rules import library_rules, rules_version

    return rules_version(library_rules(os.environ))
