"""Builds one partition of a reference in a Dagster run, and tells how it went."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from refinebio_assets.cli.exit_codes import FAILED, TRY_AGAIN
from refinebio_assets.cli.home import lake_url

if TYPE_CHECKING:
    from dagster import Definitions

    from refinebio_assets.defs.launch import RunOutcome

Run = Callable[["Definitions", Callable[[str], None]], "RunOutcome"]
"""Runs the build with these definitions; the second argument is told what a person should know."""


def build_reference(console: Console, name: str, what: str, run: Run) -> None:
    """Build ``what`` (an index, an annotation) of a partition; SystemExit when that failed."""
    from refinebio_assets.cli.rich_progress import BarProgressSource, bars
    from refinebio_assets.definitions import build_definitions
    from refinebio_assets.defs.instance import prepare_dagster_home

    prepare_dagster_home(lake_url())
    with bars(console) as shown:
        outcome = run(build_definitions(BarProgressSource(shown, name)), shown.console.print)
    if not outcome.success:
        console.print(f"[red]{escape(name)}: no {what} was built[/] (run {outcome.run_id})")
        console.print(escape(outcome.problem), highlight=False)
        raise SystemExit(FAILED if outcome.permanent else TRY_AGAIN)
