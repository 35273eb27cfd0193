"""The subcommands of ``dataset`` that look at built datasets: status, show, diff, download, regenerate."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape

from refinebio_assets.cli.exit_codes import DONE, EXPLANATION
from refinebio_assets.cli.home import open_catalog, open_lake
from refinebio_assets.cli.output import output_option
from refinebio_assets.cli.questions import agreed
from refinebio_assets.cli.tables import rows_format, say_reasons, table, terminal, write_rows
from refinebio_assets.domain import as_argument, counted, some_of
from refinebio_assets.errors import NotFoundError, RefinebioError
from refinebio_assets.lake.store import Commit, Lake

MAX_CAUSES = 30
MAX_SAMPLES = 20
NAMED = 5
_FORMAT = click.Choice(["text", "json"])
_INPUT = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("datasets", nargs=-1)
@rows_format()
def status(datasets: tuple[str, ...], form: str) -> None:
    """Say of DATASETS, or of all, whether they are up to date, and what has changed where they are not."""
    from refinebio_assets.pipelines.datasets.registry import registered_dataset, registered_datasets
    from refinebio_assets.pipelines.datasets.standing import due_dataset

    lake = open_lake()
    names = [registered_dataset(lake, name).dataset for name in datasets] or registered_datasets(lake)
    rows = []
    for name in names:
        try:
            due = due_dataset(lake, name)
        except RefinebioError as error:
            rows.append({"dataset": name, "state": "cannot be built", "why": str(error)})
            continue
        state = "up to date" if due is None else f"due from {due[0]} on"
        rows.append({"dataset": name, "state": state, "why": "; ".join(due[1]) if due else ""})
    if form != "table":
        write_rows(rows, form)
    elif rows:
        terminal().print(table(rows, ["dataset", "state", "why"]))
    else:
        terminal().print("No datasets yet. Ask for one with `refinebio-assets dataset create`.")


@click.command()
@click.argument("dataset")
@click.option("--format", "form", type=_FORMAT, default="text", show_default=True)
def show(dataset: str, form: str) -> None:
    """Show a DATASET: request, matrices, samples left out and why, genes lost, warnings, versions, lock."""
    from refinebio_assets.cli.dataset_facts import say_dataset
    from refinebio_assets.pipelines.datasets import bundle
    from refinebio_assets.pipelines.datasets.dataset_matrices import read_dataset_lock
    from refinebio_assets.pipelines.datasets.difference import dataset_version
    from refinebio_assets.pipelines.datasets.overview import dataset_details
    from refinebio_assets.pipelines.datasets.registry import registered_dataset

    lake = open_lake()
    details = dataset_details(open_catalog(), dataset)
    if details is None:
        registered_dataset(lake, dataset)
        raise NotFoundError(f"dataset {dataset} is not in the catalog: `refinebio-assets catalog sync`")
    zipped = lake.head(bundle.ASSET, dataset)
    if form == "text":
        say_dataset(terminal(), lake, details, zipped)
        return
    content: dict[str, Any] = asdict(details)
    if zipped is not None:
        file = zipped.file(zipped.info["file"])
        content["bundle"] = {"path": f"{lake.url}/{file.path}", "size": file.size, "sha256": file.sha256}
        content["lock"] = read_dataset_lock(lake, dataset_version(lake, dataset))
    click.echo(json.dumps(content, default=str, indent=2, ensure_ascii=False))


@click.command()
@click.argument("dataset")
@output_option()
def download(dataset: str, output: Path) -> None:
    """Copy the zip of a DATASET (`liver`, or an earlier version `liver@2`) to a file."""
    from refinebio_assets.cli.dataset_building import copy_bundle

    copy_bundle(_bundle(open_lake(), dataset), output)


def _bundle(lake: Lake, name: str) -> Commit:
    """Return the bundle of a version of a dataset; NotFoundError when it has none."""
    from refinebio_assets.pipelines.datasets import bundle
    from refinebio_assets.pipelines.datasets.difference import dataset_version

    version = dataset_version(lake, name)
    for commit in reversed(lake.history(bundle.ASSET, version.partition)):
        if commit.info["matrices"] == version.id:
            return commit
    command = f"refinebio-assets dataset build {as_argument(version.partition)}"
    raise NotFoundError(f"{name} has no zip: `{command}` makes it")


@click.command()
@click.argument("before")
@click.argument("after")
@click.option("--format", "form", type=_FORMAT, default="text", show_default=True)
def diff(before: str, after: str, form: str) -> None:
    """Say what differs between BEFORE and AFTER, and why.

    Each is a dataset, a version of one (`liver@1`), a lockfile or a zip. Of files the causes are told;
    genes, samples and values are compared where both versions are in the lake.
    """
    from refinebio_assets.pipelines.datasets.causes import explain_locks
    from refinebio_assets.pipelines.datasets.difference import (
        DatasetDifference,
        dataset_version,
        diff_datasets,
    )

    lake = open_lake()
    if any(Path(name).is_file() for name in (before, after)):
        causes = tuple(explain_locks(_lock(lake, before), _lock(lake, after)))
        found = DatasetDifference((), causes)
    else:
        found = diff_datasets(lake, dataset_version(lake, before), dataset_version(lake, after))
    if form == "json":
        click.echo(json.dumps(asdict(found), default=str, indent=2, ensure_ascii=False))
        return
    console = terminal()
    if not found.causes and not found:
        console.print(f"{before} and {after} are the same", highlight=False, markup=False)
    for cause in found.causes[:MAX_CAUSES]:
        console.print(f"  - {escape(cause)}", highlight=False)
    if len(found.causes) > MAX_CAUSES:
        console.print(f"  - and {len(found.causes) - MAX_CAUSES:,} more: --format json lists all")
    for matrix in found.matrices:
        _say_matrix(console, matrix)
    if found.metadata:
        title = f"Metadata that differ: {len(found.metadata):,} values"
        rows = [asdict(change) for change in found.metadata[:MAX_SAMPLES]]
        console.print(table(rows, ["sample", "column", "before", "after"], title=title))


def _lock(lake: Lake, name: str) -> dict[str, Any]:
    from refinebio_assets.pipelines.datasets.dataset_matrices import read_dataset_lock
    from refinebio_assets.pipelines.datasets.difference import dataset_version
    from refinebio_assets.pipelines.datasets.standing import read_any_lock

    if Path(name).is_file():
        return read_any_lock(Path(name))
    return read_dataset_lock(lake, dataset_version(lake, name))


def _say_matrix(console: Console, matrix: Any) -> None:
    console.print(f"[bold]{escape(matrix.key)}[/]", highlight=False)
    parts = {
        ("sample", "added"): matrix.samples_added,
        ("sample", "removed"): matrix.samples_removed,
        ("gene", "added"): matrix.genes_added,
        ("gene", "removed"): matrix.genes_removed,
    }
    for (noun, how), names in parts.items():
        if names:
            told = f"{counted(len(names), noun)} {how}: {some_of(names, NAMED)}"
            console.print(f"  {escape(told)}", highlight=False)
    if matrix.changes:
        title = f"Values that differ, of {matrix.genes_compared:,} genes that both have"
        rows = [asdict(change) for change in matrix.changes[:MAX_SAMPLES]]
        console.print(table(rows, ["sample", "changed", "largest"], title=title))


@click.command(epilog=EXPLANATION)
@click.argument("dataset", required=False)
@click.option("--from-lock", type=_INPUT, help="Make exactly what this lockfile, or zip, names.")
@click.option("--dry-run", is_flag=True, help="Say what would change, and do nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def regenerate(dataset: str | None, from_lock: Path | None, dry_run: bool, yes: bool) -> None:
    """Build a new version of a DATASET of what is in the lake now, or the version that a lockfile names.

    What will change is said first. Experiments that were asked for with ALL give all samples that are
    processed now. Earlier versions stay.
    """
    console = terminal()
    if from_lock is not None:
        raise SystemExit(_regenerate_from_lock(console, dataset, from_lock, dry_run, yes))
    if dataset is None:
        raise click.UsageError("name a dataset, or give --from-lock FILE")
    raise SystemExit(_regenerate(console, dataset, dry_run, yes))


def _regenerate(console: Console, dataset: str, dry_run: bool, yes: bool) -> int:
    from refinebio_assets.cli.dataset_building import build_datasets
    from refinebio_assets.pipelines.datasets.causes import of_samples
    from refinebio_assets.pipelines.datasets.difference import what_would_change
    from refinebio_assets.pipelines.datasets.registry import register_dataset, registered_dataset
    from refinebio_assets.pipelines.datasets.standing import asked_anew, due_dataset

    lake = open_lake()
    registered = registered_dataset(lake, dataset)
    anew = asked_anew(lake, open_catalog(), registered)
    before = set(registered.request.samples)
    added = [sample for sample in anew.request.samples if sample not in before]
    changes = (
        [of_samples(added, "is new: it was processed since", "are new: they were processed since")]
        if added
        else []
    )
    changes += what_would_change(lake, dataset)
    if changes and not dry_run:
        due_dataset(lake, dataset)  # what cannot be built is refused before anybody is asked
    if not _agreed(console, dataset, changes, dry_run, yes):
        return DONE
    if anew.request != registered.request:
        register_dataset(lake, anew, dataset=dataset, update=True, origin="regenerated")
    return build_datasets([dataset], console=console)


def _regenerate_from_lock(console: Console, dataset: str | None, path: Path, dry_run: bool, yes: bool) -> int:
    from refinebio_assets.cli.dataset_building import build_from_lock
    from refinebio_assets.pipelines.datasets.causes import explain_locks
    from refinebio_assets.pipelines.datasets.dataset_matrices import (
        assess_lock,
        dataset_versions,
        read_dataset_lock,
        require_buildable,
    )
    from refinebio_assets.pipelines.datasets.standing import read_any_lock, register_lock

    lake, lock = open_lake(), read_any_lock(path)
    name = dataset or str(lock["dataset"])
    versions = dataset_versions(lake, name)
    changes = (
        explain_locks(read_dataset_lock(lake, versions[-1]), lock)
        if versions
        else ["it is not built here yet"]
    )
    require_buildable(assess_lock(lake, name, lock))
    if not _agreed(console, name, changes, dry_run, yes):
        return DONE
    register_lock(lake, lock, dataset=name, origin=str(path))
    return build_from_lock(console, name, path)


def _agreed(console: Console, dataset: str, changes: Sequence[str], dry_run: bool, yes: bool) -> bool:
    """Say what will change, and ask unless that was agreed to before."""
    if not changes:
        console.print(f"[bold]{escape(dataset)}[/]: nothing has changed, the newest version stands")
        return False
    console.print(f"[bold]{escape(dataset)}[/]: {'would' if dry_run else 'will'} change, because")
    say_reasons(console, changes)
    if dry_run:
        return False
    return yes or agreed("Build the new version?")
