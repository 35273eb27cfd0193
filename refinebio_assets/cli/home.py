"""Which lake a command works on, opened only when it is needed."""

from __future__ import annotations

import os
from pathlib import Path

from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.home import HOME_VARIABLE, home_url
from refinebio_assets.lake.store import Lake


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
    catalog.sync()
    return catalog
