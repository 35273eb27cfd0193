"""Which lake a command works on, opened only when it is needed."""

from __future__ import annotations

import atexit
import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import click

from refinebio_assets.domain import as_argument
from refinebio_assets.errors import NotFoundError, StorageError
from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.home import HOME_VARIABLE, home_url
from refinebio_assets.lake.presence import Presence, lake_near, presence
from refinebio_assets.lake.storage import remove_tree
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


def open_lake(*, new: bool = False) -> Lake:
    """Return the lake; ``new`` is for commands that make one by what they write.

    Without, NotFoundError tells that there is no lake, and a folder in which none was made yet is marked so
    on standard error. Nothing is made here.
    """
    lake = Lake(lake_url())
    if not new:
        found = presence(lake)
        if found is Presence.NOTHING:
            raise NotFoundError(_no_lake(lake))
        if found is Presence.EMPTY:
            _say_empty(lake.url)
    return lake


def open_catalog(*, new: bool = False) -> Catalog:
    """Return the lake's catalog, brought up to date first; ``new`` as for ``open_lake``.

    Where nothing was committed yet, or the disk takes no catalog, it is made elsewhere for this process.
    """
    catalog = lake_catalog(new=new)
    try:
        catalog.sync()
    except StorageError as error:
        return _catalog_as_it_was(catalog, error)
    return catalog


def lake_catalog(*, new: bool = False) -> Catalog:
    """Return the lake's catalog as it is; ``new`` as for ``open_lake``.

    Where nothing was committed yet it is one for this process, so that an empty folder stays empty.
    """
    lake = open_lake(new=new)
    if lake.is_local and presence(lake) is not Presence.LAKE:
        return Catalog(lake, temporary_folder("refinebio-catalog-"))
    return Catalog(lake)


def _catalog_as_it_was(catalog: Catalog, error: StorageError) -> Catalog:
    """Return a catalog that could not be brought up to date, or one for this process where none is usable."""
    if not catalog.is_usable():
        if not error.permanent:
            raise error
        click.echo(f"The catalog is made for this command only: {error}", err=True)
        return _catalog_beside(catalog.lake)
    if catalog.stale():
        click.echo(f"The catalog is shown as it was last: {error}", err=True)
    return catalog


def _catalog_beside(lake: Lake) -> Catalog:
    """Return a catalog in a folder that goes with this process."""
    catalog = Catalog(lake, temporary_folder("refinebio-catalog-"))
    catalog.sync()
    return catalog


def temporary_folder(prefix: str) -> Path:
    """Make a folder that goes with this process."""
    from tempfile import mkdtemp

    folder = Path(mkdtemp(prefix=prefix))
    atexit.register(remove_tree, folder)
    return folder


def _no_lake(lake: Lake) -> str:
    folder = Path(lake.url) if lake.is_local else None
    there = f"there is no lake at {lake.url}"
    if folder is not None and folder.exists():
        there += ", which is a file"
    if folder is None:
        return (
            f"{there}: no such bucket, or nothing was committed there. `refinebio-assets process ...` makes "
            f"one in a bucket that is there; another place is named by --home or {HOME_VARIABLE}"
        )
    return (
        f"{there}{_hint(folder) or '.'} `refinebio-assets process ...` makes one there (`make demo` a small "
        f"one to try); another place is named by --home or {HOME_VARIABLE}"
    )


def say_new_lake() -> None:
    """Say that a lake is made where none is, or that one is empty, for what makes it before any commit."""
    lake = Lake(lake_url())
    # Of a bucket nothing is asked: it may be away for a while.
    found = presence(lake) if lake.is_local else Presence.LAKE
    if found is Presence.NOTHING:
        click.echo(f"New lake at {lake.url}{_hint(Path(lake.url))}")
    elif found is Presence.EMPTY:
        _say_empty(lake.url)


@cache
def _say_empty(url: str) -> None:
    """Say once that a folder is there, but no lake in it."""
    click.echo(f"Nothing was committed to a lake at {url} yet{_hint(Path(url))}", err=True)


def _hint(folder: Path | None) -> str:
    meant = lake_near(folder) if folder is not None else None
    return f"; did you mean --home {as_argument(str(meant))}?" if meant is not None else ""


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
