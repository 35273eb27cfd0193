"""``refinebio-assets gc``: remove old versions that nothing uses, after saying which."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

from refinebio_assets.cli.amounts import DAYS
from refinebio_assets.cli.home import open_catalog, open_lake
from refinebio_assets.cli.tables import rows_format, table, terminal, write_rows
from refinebio_assets.domain import counted

if TYPE_CHECKING:
    from refinebio_assets.lake.store import Lake
    from refinebio_assets.pipelines.garbage.candidates import Terms
    from refinebio_assets.pipelines.garbage.collection import Plan
    from refinebio_assets.pipelines.garbage.removal import Removed

SHOWN = 20
_COLUMNS = ["asset", "partition", "version", "made", "bytes", "why"]
_ALL_COLUMNS = ["goes", *_COLUMNS, "used_by"]


@click.command()
@click.option(
    "--older-than",
    type=DAYS,
    default=30.0,
    show_default=True,
    metavar="DAYS",
    help="Only what has been out of use for so long.",
)
@click.option("--asset", "assets", multiple=True, help="Only versions of this asset; `file` for raw files.")
@click.option("--old-datasets", is_flag=True, help="Earlier versions of datasets and compendia, too.")
@click.option(
    "--lockfile",
    "lockfiles",
    multiple=True,
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A dataset or compendium that must stay although its version in the lake may go: its lockfile, or "
    "the zip that was delivered. May be given several times.",
)
@rows_format(help="The others list everything, also what stays and what uses it.")
@click.option("--delete", "--yes", "delete", is_flag=True, help="Remove it; without, nothing is changed.")
def gc(
    older_than: float,
    assets: tuple[str, ...],
    old_datasets: bool,
    lockfiles: tuple[Path, ...],
    form: str,
    delete: bool,
) -> None:
    """Remove versions that are not current and that nothing uses any more.

    Never removed are newest versions, versions of datasets and compendia (see --old-datasets), all that
    their lockfiles pin, targets in use, and what any version that stays was made from. Datasets that were
    deleted go.
    """
    from refinebio_assets.pipelines.garbage.candidates import Terms
    from refinebio_assets.pipelines.garbage.locks import read_pinned

    locks = [read_pinned(path) for path in lockfiles]
    terms = Terms(timedelta(days=older_than), frozenset(assets), old_datasets, locks)
    lake, console = open_lake(), terminal()
    plan = _plan(lake, terms)
    if form == "table":
        _say(console, plan, delete=delete)
    else:
        rows = list(_rows(plan))
        write_rows(rows, form, _ALL_COLUMNS)
        if not any(row["goes"] for row in rows):
            click.echo("Nothing to remove.", err=True)
    if delete:
        _remove(lake, plan, console if form == "table" else terminal(stderr=True))


def _plan(lake: Lake, terms: Terms) -> Plan:
    from refinebio_assets.cli.rich_progress import BarProgress, bars
    from refinebio_assets.pipelines.garbage.collection import plan_removal
    from refinebio_assets.pipelines.progress import SILENT

    with bars(terminal(stderr=True)) as shown:
        return plan_removal(lake, terms, BarProgress(shown, "gc", SILENT))


def _remove(lake: Lake, plan: Plan, console: Console) -> None:
    """Remove what a plan lists, and say what went, also when it ends early."""
    from refinebio_assets.cli.rich_progress import BarProgress, bars
    from refinebio_assets.pipelines.garbage.removal import Removed, remove
    from refinebio_assets.pipelines.progress import SILENT

    removed = Removed()
    try:
        with bars(terminal(stderr=True)) as shown:
            remove(lake, plan, progress=BarProgress(shown, "gc", SILENT), removed=removed)
    except BaseException:
        terminal(stderr=True).print(
            f"Ended early: {_went(removed)} before. What went is on record, or will be with the next `gc`; "
            "run it again for the rest.",
            highlight=False,
        )
        raise
    open_catalog()
    if plan.removals or plan.raw_files:
        console.print(f"{_went(removed).capitalize()}.", highlight=False)
    if removed.spared:
        console.print(f"{removed.spared:,} that came into use meanwhile stay.", highlight=False)


def _went(removed: Removed) -> str:
    versions, files = counted(removed.versions, "version"), counted(removed.raw_files, "raw file")
    return f"removed {versions} and {files}, {removed.size:,} bytes"


def _say(console: Console, plan: Plan, *, delete: bool) -> None:
    going = [row for row in _rows(plan) if row["goes"]]
    if going:
        console.print(table(_totals(going), ["asset", "versions", "bytes"]))
        console.print(table(going[:SHOWN], _COLUMNS))
        if len(going) > SHOWN:
            console.print(f"and {len(going) - SHOWN:,} more (--format tsv lists all)", highlight=False)
    for line in _summary(plan, len(going), delete=delete):
        console.print(line, highlight=False)


def _summary(plan: Plan, going: int, *, delete: bool) -> Iterator[str]:
    """Yield what goes and what stays, in sentences."""
    can_go = f"{going:,} can go, {plan.size:,} bytes."
    if going and not delete:
        can_go += " Nothing is changed without --delete."
    yield can_go if going else "Nothing to remove."
    stay = list(_staying(plan))
    if stay:
        yield f"Not current, but staying: {'; '.join(stay)}."


def _staying(plan: Plan) -> Iterator[str]:
    if plan.spared:
        yield f"{counted(len(plan.spared), 'version')} that something uses"
    if plan.datasets:
        yield f"{counted(plan.datasets, 'version')} of datasets and compendia (see --old-datasets)"
    if plan.first is not None:
        days = plan.terms.older_than / timedelta(days=1)
        age = "a day" if days == 1 else f"{days:g} days"
        young = f"{counted(plan.young, 'version')} not current for less than {age}"
        yield f"{young} (the first can go after {plan.first:%Y-%m-%d %H:%M} UTC, unless something uses it)"


def _totals(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    groups: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        groups[row["asset"]].append(row["bytes"])
    for asset, sizes in sorted(groups.items()):
        yield {"asset": asset, "versions": len(sizes), "bytes": sum(sizes)}


def _rows(plan: Plan) -> Iterator[dict[str, Any]]:
    """Yield what goes, then what stays though it is not current."""
    listed = [(item, "") for item in plan.removals] + list(plan.spared)
    for item, user in listed:
        yield {
            "goes": not user,
            "asset": item.asset,
            "partition": item.partition,
            "version": item.version[:12],
            "made": item.made_at,
            "bytes": item.size,
            "why": item.unused.why,
            "used_by": user,
        }
    for content in plan.raw_files:
        yield {
            "goes": True,
            "asset": "file",
            "partition": content.sha256[:12],
            "version": "",
            "made": content.modified,
            "bytes": content.size,
            "why": content.why,
            "used_by": "",
        }
