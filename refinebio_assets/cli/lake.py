"""``refinebio-assets lake``: are the stored files whole, and what did killed processes leave behind."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import click
from rich.console import Console

from refinebio_assets.cli.amounts import HOURS
from refinebio_assets.cli.exit_codes import FAILED
from refinebio_assets.cli.home import open_lake
from refinebio_assets.cli.tables import terminal
from refinebio_assets.domain import counted
from refinebio_assets.lake.upkeep import LEAST_AGE, OrphanKind

if TYPE_CHECKING:
    from refinebio_assets.lake.damage import VerifyProblem
    from refinebio_assets.lake.store import Lake
    from refinebio_assets.pipelines.remedies import Finding

SET_ASIDE = "lake verify --set-aside"


@click.group()
def lake() -> None:
    """Verify stored files and clean up after killed processes."""


@lake.command()
@click.option(
    "--set-aside",
    is_flag=True,
    help="Move what is damaged to damaged/ in the lake, so that it counts as lost and is made again.",
)
def verify(set_aside: bool) -> None:
    """Read every committed file and compare its checksum; say what makes whole again what is not.

    Ends with 1 when anything is damaged or lost, other than files of earlier versions whose damage or loss
    was taken note of with --set-aside. Nothing is changed without that, and with it nothing is deleted.
    """
    from refinebio_assets.pipelines.remedies import findings, known_losses

    console, opened = terminal(), open_lake()
    report = opened.verify_all()
    console.print(
        f"{report.commits:,} commits, {report.files:,} files, {report.bytes:,} bytes read and compared",
        highlight=False,
    )
    known = set(known_losses(opened, report.problems))
    found = findings(opened, [problem for problem in report.problems if problem not in known])
    if known:
        paths = {problem.path for problem in known}
        _print(console, f"{counted(len(paths), 'file')} of earlier versions known to be lost")
    _say_unrecorded(console, opened)
    for finding in found:
        _say(console, finding)
    moved = _set_aside(console, opened, report.problems) if set_aside else 0
    _say_commands(console, found, moved, set_aside=set_aside)
    raise SystemExit(FAILED if found else 0)


def _say_unrecorded(console: Console, opened: Lake) -> None:
    """Say of how many outputs there are files, but no record; a writer may be between both for a while."""
    outputs = [left for left in opened.orphans(LEAST_AGE) if left.kind is OrphanKind.OUTPUT]
    if outputs:
        _print(
            console,
            f"{counted(len(outputs), 'output')} without a record in log/, as {outputs[0].path}: left by a "
            "killed process, or the record was deleted; `refinebio-assets lake sweep` removes the files",
        )


def _say(console: Console, finding: Finding) -> None:
    """Say of one file what is wrong, whose it is, and what makes it whole again."""
    _print(console, finding.problem, style="red")
    _print(console, f"  {finding.damage}; it is of {', '.join(finding.named_by)}")
    commands = " or ".join(f"`refinebio-assets {command}`" for command in finding.commands)
    _print(console, f"  made again by {commands}" if commands else f"  {finding.note}")


def _set_aside(console: Console, opened: Lake, problems: Sequence[VerifyProblem]) -> int:
    from refinebio_assets.lake.damage import set_aside

    moved = 0
    for path, target in set_aside(opened, problems):
        _print(console, f"Set aside: {path} is now {target}")
        moved += 1
    return moved


def _say_commands(console: Console, found: Sequence[Finding], moved: int, *, set_aside: bool) -> None:
    """List the commands that make whole again what can be, in their order."""
    from refinebio_assets.pipelines.remedies import REQUEST, in_order

    commands = in_order(command for finding in found for command in finding.commands)
    if set_aside and found:
        _print(console, f"{counted(moved, 'file')} set aside, to damaged/ in the lake")
    elif any(finding.movable for finding in found):
        commands.insert(0, SET_ASIDE)
    if commands:
        _print(console, "To make it whole again:")
    for command in commands:
        _print(console, f"  refinebio-assets {command}")
    if any(command.endswith(f" {REQUEST}") for command in commands):
        _print(console, f"{REQUEST}: a file with the request, as the dataset's request.json in damaged/")


def _print(console: Console, text: str, style: str = "") -> None:
    console.print(text, style=style, highlight=False, markup=False, soft_wrap=True)


@lake.command()
@click.option("--older-than", type=HOURS, default=24.0, show_default=True, metavar="HOURS")
def sweep(older_than: float) -> None:
    """Remove what killed processes left unfinished; nothing committed is touched."""
    removed = open_lake().sweep(timedelta(hours=older_than))
    terminal().print(f"{len(removed):,} left-overs removed")
