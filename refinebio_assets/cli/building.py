"""Builds one partition of a reference in a Dagster run, and tells how it went."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape

from refinebio_assets.cli.exit_codes import FAILED, TRY_AGAIN
from refinebio_assets.cli.home import lake_url

if TYPE_CHECKING:
    from refinebio_assets.pipelines.outcome import Situation


def build_reference(
    console: Console,
    name: str,
    what: str,
    situation: Situation,
    job: str,
    *,
    config: Mapping[str, Any] | None = None,
) -> None:
    """Build ``what`` (an index, an annotation) of a partition by Dagster's ``job``, unless it is up to date.

    ``config`` is that of the job's assets, by name. SystemExit when the build failed.
    """
    if situation.current is not None:
        console.print(f"[bold]{escape(name)}[/]: {what} is up to date, nothing to do")
        return
    from refinebio_assets.cli.rich_progress import BarProgressSource, bars
    from refinebio_assets.definitions import build_definitions
    from refinebio_assets.defs.instance import prepare_dagster_home
    from refinebio_assets.defs.launch import run_reference

    prepare_dagster_home(lake_url())
    with bars(console) as shown:
        definitions = build_definitions(BarProgressSource(shown, name))
        outcome = run_reference(definitions, job, name, tell=shown.console.print, config=config)
    if not outcome.success:
        console.print(f"[red]{escape(name)}: no {what} was built[/] (run {outcome.run_id})")
        console.print(escape(outcome.problem), highlight=False)
        raise SystemExit(FAILED if outcome.permanent else TRY_AGAIN)
