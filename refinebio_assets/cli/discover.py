"""``refinebio-assets discover``: which experiments the archives have that are not here yet."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.markup import escape

from refinebio_assets.cli.exit_codes import FAILED
from refinebio_assets.cli.home import open_catalog, open_lake, the_web
from refinebio_assets.cli.tables import rows_format, table, terminal, write_rows
from refinebio_assets.domain import counted
from refinebio_assets.errors import RefinebioError

if TYPE_CHECKING:
    from refinebio_assets.pipelines.discovery import Discovered

_COLUMNS = ["accession", "organism", "samples", "published", "taken", "reason", "title"]


@click.group()
def discover() -> None:
    """Find experiments in the public archives by rules in a file, or take up a list of accessions."""


@discover.command()
@click.option(
    "--rules",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Default: $REFINEBIO_DISCOVERY_RULES, else discovery.yaml in the lake.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be found, and keep nothing.")
def search(file: Path | None, dry_run: bool) -> None:
    """Make the searches of the rules and keep what they find; nothing is surveyed or downloaded."""
    from refinebio_assets.pipelines.discovery import discover as make_search
    from refinebio_assets.pipelines.discovery_rules import read_rules, rules_path

    lake, console = open_lake(new=True), terminal()
    rules = read_rules(file or rules_path(lake, os.environ))
    failed = False
    for rule in rules.rules:
        try:
            found = make_search(lake, the_web(), rule, exclude=rules.exclude, dry_run=dry_run)
        except RefinebioError as error:
            console.print(f"[red]{escape(rule.name)}[/]: {escape(str(error))}", highlight=False)
            failed = True
            continue
        _say(console, found)
    raise SystemExit(FAILED if failed else 0)


@discover.command(name="import")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--name", default="", help="Name of the list; default: the file's name.")
@click.option("--dry-run", is_flag=True, help="Only check the list.")
def import_list(file: Path, name: str, dry_run: bool) -> None:
    """Take up the accessions in FILE, one a line; the sensor `discovered_experiments` processes them."""
    from refinebio_assets.pipelines.discovery import import_accessions

    _say(terminal(), import_accessions(open_lake(new=True), file, name=name, dry_run=dry_run))


@discover.command()
@rows_format()
def waiting(form: str) -> None:
    """List experiments that were found and wait to be processed, in their order."""
    from refinebio_assets.pipelines.discovery import waiting_experiments

    write_rows(waiting_experiments(open_catalog()), form)


def _say(console: Console, found: Discovered) -> None:
    kept = "" if found.commit else " (nothing is kept)"
    console.print(
        f"[bold]{escape(found.name)}[/]: {counted(found.found, 'experiment')}, {len(found.new):,} new{kept}",
        highlight=False,
    )
    if found.new:
        console.print(table(found.new[:20], _COLUMNS))
    if len(found.new) > 20:
        console.print(f"and {len(found.new) - 20:,} more")
