"""``refinebio-assets lake``: are the stored files whole, and what did killed processes leave behind."""

from __future__ import annotations

from datetime import timedelta

import click

from refinebio_assets.cli.amounts import HOURS
from refinebio_assets.cli.exit_codes import FAILED
from refinebio_assets.cli.home import open_lake
from refinebio_assets.cli.tables import terminal


@click.group()
def lake() -> None:
    """Verify stored files and clean up after killed processes."""


@lake.command()
def verify() -> None:
    """Read every committed file and compare its checksum."""
    console = terminal()
    report = open_lake().verify_all()
    console.print(
        f"{report.commits:,} commits, {report.files:,} files, {report.bytes:,} bytes read and compared",
        highlight=False,
    )
    for problem in report.problems:
        place = f"{problem.commit} {problem.file}".strip()
        console.print(f"{place}: {problem.problem}", style="red", highlight=False, markup=False)
    raise SystemExit(FAILED if report.problems else 0)


@lake.command()
@click.option("--older-than", type=HOURS, default=24.0, show_default=True, metavar="HOURS")
def sweep(older_than: float) -> None:
    """Remove what killed processes left unfinished; nothing committed is touched."""
    removed = open_lake().sweep(timedelta(hours=older_than))
    terminal().print(f"{len(removed):,} left-overs removed")
