"""Builds datasets in Dagster runs, by name or from the inbox, and says what became of them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from refinebio_assets.cli.command_name import command_name
from refinebio_assets.cli.dataset_facts import say_built
from refinebio_assets.cli.ended import say_up_to_date
from refinebio_assets.cli.exit_codes import DONE, FAILED, PARTIAL, TRY_AGAIN
from refinebio_assets.cli.home import lake_url, open_catalog, open_lake
from refinebio_assets.cli.output import console_beside, say_copied
from refinebio_assets.cli.tables import say_reasons, terminal
from refinebio_assets.errors import RefinebioError
from refinebio_assets.lake.store import Commit, Lake
from refinebio_assets.pipelines.datasets import bundle
from refinebio_assets.pipelines.datasets.inbox import InboxPass, inbox_folder, take_requests
from refinebio_assets.pipelines.datasets.overview import dataset_details
from refinebio_assets.pipelines.datasets.registry import registered_dataset
from refinebio_assets.pipelines.datasets.standing import due_dataset, unbuilt_requests
from refinebio_assets.pipelines.outcome import require_head
from refinebio_assets.pipelines.whole_file import copy_whole


def build_datasets(names: Sequence[str], *, console: Console | None = None) -> int:
    """Bring datasets up to date, one run each, and report; return the exit code.

    Raises NotFoundError, before any work, when one of them is unknown.
    """
    lake = open_lake()
    for name in names:
        registered_dataset(lake, name)
    shown = console or terminal()
    codes = [_bring_up_to_date(shown, lake, name) for name in names]
    return _worst(codes)


def build_from_lock(console: Console, dataset: str, lock: Path) -> int:
    """Build a dataset from its lockfile in one run, and report; return the exit code."""
    return _run(console, open_lake(), dataset, str(lock.absolute()))


def build_inbox(*, no_build: bool) -> int:
    """Take what lies in the inbox, build what was never built, and report; return the exit code.

    A refused request counts as failed, and one that is taken as done where nothing is built.
    """
    console, lake = terminal(), open_lake()
    folder = inbox_folder(lake, os.environ)
    done = take_requests(lake, open_catalog(), folder)
    _say_taken(console, done, folder)
    codes = [FAILED] if any(not taken.dataset for taken in done.taken) else []
    if no_build and any(taken.dataset for taken in done.taken):
        codes.append(DONE)
    if done.failed:
        codes.append(TRY_AGAIN)
    if not no_build:
        codes += [_bring_up_to_date(console, lake, name) for name in unbuilt_requests(lake)]
    return _worst(codes)


def copy_bundle(commit: Commit, output: Path) -> None:
    """Copy a dataset's zip out of the lake."""
    source = open_lake().local(commit.file(commit.info["file"]))
    console = console_beside(output)
    say_copied(console, copy_whole(source, output), output)


def _worst(codes: Sequence[int]) -> int:
    """Return one exit code for several datasets: in part, when one failed and another was delivered."""
    if FAILED in codes or TRY_AGAIN in codes:
        delivered = set(codes) & {DONE, PARTIAL}
        return PARTIAL if delivered else (FAILED if FAILED in codes else TRY_AGAIN)
    return PARTIAL if PARTIAL in codes else DONE


def _bring_up_to_date(console: Console, lake: Lake, dataset: str) -> int:
    try:
        due = due_dataset(lake, dataset)
    except RefinebioError as error:
        console.print(f"[red]{escape(dataset)}[/]: {escape(str(error))}", highlight=False)
        return FAILED if error.permanent else TRY_AGAIN
    if due is None:
        say_up_to_date(console, dataset)
        return _report(console, lake, dataset)
    asset, reasons = due
    console.print(f"[bold]{escape(dataset)}[/]: from {asset} on, because")
    say_reasons(console, reasons)
    return _run(console, lake, dataset, "")


def _run(console: Console, lake: Lake, dataset: str, lock: str) -> int:
    from refinebio_assets.cli.rich_progress import BarProgressSource, bars
    from refinebio_assets.definitions import build_definitions
    from refinebio_assets.defs.dagster_home import prepare_dagster_home
    from refinebio_assets.defs.launch import register_datasets, run_dataset

    prepare_dagster_home(lake_url())
    register_datasets([dataset])
    with bars(console) as shown:
        outcome = run_dataset(
            build_definitions(BarProgressSource(shown, dataset)),
            dataset,
            asked_by=command_name(),
            lock=lock,
            tell=shown.console.print,
        )
    if not outcome.success:
        console.print(f"[red]{escape(dataset)} failed[/] (run {outcome.run_id}):")
        console.print(escape(outcome.problem), highlight=False)
        return FAILED if outcome.permanent else TRY_AGAIN
    return _report(console, lake, dataset)


def _report(console: Console, lake: Lake, dataset: str) -> int:
    """Say what a dataset holds; return whether every sample that was asked for is in it."""
    details = dataset_details(open_catalog(), dataset)
    if details is not None:
        say_built(console, lake, details, require_head(lake, bundle.ASSET, dataset))
    return PARTIAL if details is not None and details.filtered else DONE


def _say_taken(console: Console, done: InboxPass, folder: Path) -> None:
    if not done.taken and not done.waiting and not done.failed:
        console.print(f"No requests in {folder}", highlight=False, soft_wrap=True)
    for taken in done.taken:
        if taken.dataset:
            console.print(
                f"{escape(taken.file)}: accepted as dataset {escape(taken.dataset)}", highlight=False
            )
            for line in taken.advice:
                console.print(escape(line), style="yellow", highlight=False)
        else:
            console.print(f"[red]{escape(taken.file)}[/]: refused. {escape(taken.problem)}", highlight=False)
    for name in done.waiting:
        console.print(f"{escape(name)}: may not be whole yet, left for the next time", highlight=False)
    for name, problem in (done.failed or {}).items():
        console.print(f"[red]{escape(name)}[/]: stays. {escape(problem)}", highlight=False)
