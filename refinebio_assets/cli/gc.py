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

if TYPE_CHECKING:
    from refinebio_assets.pipelines.garbage.collection import Plan

SHOWN = 20
_COLUMNS = ["asset", "partition", "version", "made", "bytes", "why"]


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
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A dataset that must stay reproducible although its lockfile is not in the lake.",
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
    from refinebio_assets.pipelines.datasets.lockfile import read_lock
    from refinebio_assets.pipelines.garbage.candidates import Terms
    from refinebio_assets.pipelines.garbage.collection import plan_removal, remove

    lake, console = open_lake(), terminal()
    locks = [read_lock(path) for path in lockfiles]
    terms = Terms(timedelta(days=older_than), frozenset(assets), old_datasets, locks)
    plan = plan_removal(lake, terms)
    if form == "table":
        _say(console, plan)
    else:
        write_rows(list(_rows(plan)), form)
    if not delete:
        return
    removed = remove(lake, plan)
    open_catalog()
    if form == "table":
        console.print(
            f"Removed {removed.versions:,} versions and {removed.raw_files:,} raw files, "
            f"{removed.size:,} bytes",
            highlight=False,
        )


def _say(console: Console, plan: Plan) -> None:
    going = [row for row in _rows(plan) if row["goes"]]
    kept = f"{len(plan.spared):,} versions that are not current stay, as something uses them"
    if not going:
        console.print(f"Nothing to remove; {kept}.", highlight=False)
        return
    console.print(table(_totals(going), ["asset", "versions", "bytes"]))
    console.print(table(going[:SHOWN], _COLUMNS))
    if len(going) > SHOWN:
        console.print(f"and {len(going) - SHOWN:,} more (--format tsv lists all)", highlight=False)
    console.print(
        f"{len(going):,} can go, {plan.size:,} bytes; {kept}. Nothing is changed without --delete.",
        highlight=False,
    )


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
        commit = item.commit
        yield {
            "goes": not user,
            "asset": commit.asset,
            "partition": commit.partition,
            "version": commit.version[:12],
            "made": commit.created_at,
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
            "why": "no version that stays names it",
            "used_by": "",
        }
