"""``refinebio-assets dataset``: ask for datasets, build them, look at them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.markup import escape

from refinebio_assets.cli.dataset_reading import diff, download, regenerate, show, status
from refinebio_assets.cli.exit_codes import DONE, EXPLANATION, PARTIAL
from refinebio_assets.cli.home import open_catalog, open_lake
from refinebio_assets.cli.output import output_option
from refinebio_assets.cli.questions import agreed
from refinebio_assets.cli.tables import rows_format, table, terminal, write_rows
from refinebio_assets.domain import as_argument, counted

if TYPE_CHECKING:
    from refinebio_assets.lake.store import Lake
    from refinebio_assets.pipelines.datasets.registry import RegisteredDataset
    from refinebio_assets.pipelines.datasets.request import DatasetRequest

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_JSON = click.Choice(["text", "json"])
LIST_COLUMNS = [
    *("dataset", "state", "experiments", "samples", "aggregate_by", "scale_by", "quantile_normalize"),
    *("quant_sf_only", "built", "notes", "origin"),
]


@click.group()
def dataset() -> None:
    """Ask for datasets, build them, and see what is in them and why."""


def _choice(*names: str) -> click.Choice[str]:
    return click.Choice(names, case_sensitive=False)


@dataset.command(epilog=EXPLANATION)
@click.option(
    "--experiment",
    "experiments",
    multiple=True,
    metavar="EXPERIMENT[:SAMPLE,...]",
    help="All processed samples of an experiment, or only these. May be given again.",
)
@click.option("--from", "file", type=_FILE, help="A request in YAML or JSON, instead of the other options.")
@click.option("--name", help="The dataset's name. Default: the request's own, or a new id.")
@click.option(
    "--aggregate-by",
    type=_choice("experiment", "species", "all"),
    help="What one matrix holds. Default: experiment.",
)
@click.option(
    "--scale-by",
    type=_choice("none", "minmax", "standard", "robust"),
    help="How each gene is scaled. Default: none.",
)
@click.option(
    "--no-quantile-normalize", is_flag=True, help="Leave values as they are: RNA-seq by experiment only."
)
@click.option("--quant-sf-only", is_flag=True, help="Deliver Salmon's quant.sf files instead of matrices.")
@click.option("--h5ad", is_flag=True, help="Deliver each matrix as AnnData, too.")
@click.option("--notes", help="Notes that are kept with the request.")
@click.option("--build", "build_now", is_flag=True, help="Build it at once.")
@click.option("--update", is_flag=True, help="Make a new version of the dataset that has this name.")
@click.option("--format", "form", type=_JSON, default="text", show_default=True)
def create(
    name: str | None, file: Path | None, update: bool, build_now: bool, form: str, **options: Any
) -> None:
    """Ask for a dataset: which samples, and how their matrices are made.

    What cannot be met is refused with everything that stands against it. Nothing is built yet, unless with
    --build.
    """
    from refinebio_assets.pipelines.datasets.acceptance import read_and_accept
    from refinebio_assets.pipelines.datasets.registry import register_dataset
    from refinebio_assets.pipelines.datasets.request_file import read_request_file

    lake = open_lake(new=True)
    if file is not None and any(options.values()):
        raise click.UsageError("--from FILE says everything: give no other options than --name and --update")
    if file is None and not options["experiments"]:
        raise click.UsageError("name experiments with --experiment, or give --from FILE")
    if name is not None and not name.strip():
        raise click.UsageError("--name is empty: give a name, or leave --name out for a new id")
    accepted = read_and_accept(
        lake,
        open_catalog(new=True),
        lambda: read_request_file(file) if file else _request(lake, options),
        about=str(file) if file else "",
    )
    origin = str(file) if file else "command line"
    made = register_dataset(lake, accepted, dataset=name or "", update=update, origin=origin)
    if form == "json":
        click.echo(json.dumps({"id": made.dataset, **made.request.plain(), "advice": list(accepted.advice)}))
    else:
        _say_created(terminal(), made, accepted.advice, build_now=build_now)
    if build_now:
        from refinebio_assets.cli.dataset_building import build_datasets

        console = Console(stderr=True) if form == "json" else terminal()
        raise SystemExit(build_datasets([made.dataset], console=console))


def _request(lake: Lake, options: dict[str, Any]) -> DatasetRequest:
    """Make the request that the options ask for, by the same rules as a file."""
    from refinebio_assets.pipelines.datasets.candidates import registered_name
    from refinebio_assets.pipelines.datasets.request import ALL, parse_request

    data: dict[str, Any] = {}
    for given in options["experiments"]:
        experiment, separator, listed = given.partition(":")
        name = registered_name(lake, experiment)
        samples = [sample.strip() for sample in listed.split(",") if sample.strip()] if separator else [ALL]
        data[name] = [*data.get(name, []), *samples]
    document: dict[str, Any] = {
        "data": data,
        "quantile_normalize": not options["no_quantile_normalize"],
        "quant_sf_only": options["quant_sf_only"],
        "h5ad": options["h5ad"],
    }
    document |= {key: options[key] for key in ("aggregate_by", "scale_by", "notes") if options[key]}
    return parse_request(document)


def _say_created(
    console: Console, made: RegisteredDataset, advice: Sequence[str], *, build_now: bool
) -> None:
    request = made.request
    verb = "asked for" if made.changed else "is there already, with the same request"
    console.print(
        f"Dataset [bold]{escape(made.dataset)}[/] {verb}: {counted(len(request.samples), 'sample')} of "
        f"{counted(len(request.data), 'experiment')}, by {request.aggregate_by.lower()}",
        highlight=False,
        soft_wrap=True,
    )
    for line in advice:
        console.print(escape(line), style="yellow", highlight=False, soft_wrap=True)
    if not build_now:
        console.print(
            f"Build it with `refinebio-assets dataset build {escape(as_argument(made.dataset))}`",
            highlight=False,
            soft_wrap=True,
        )


@dataset.command(epilog=EXPLANATION)
@click.argument("datasets", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All datasets that are not up to date.")
@output_option("Copy the zip of the one dataset.", required=False)
def build(datasets: tuple[str, ...], everything: bool, output: Path | None) -> None:
    """Build DATASETS, one Dagster run each; what is up to date is not built again.

    Says which samples are left out and why, what genes were lost, what is odd, and where the zip is.
    """
    from refinebio_assets.cli.dataset_building import build_datasets, copy_bundle
    from refinebio_assets.pipelines.datasets import bundle
    from refinebio_assets.pipelines.datasets.registry import registered_datasets
    from refinebio_assets.pipelines.outcome import require_head

    lake = open_lake()
    names = list(dict.fromkeys([*datasets, *(registered_datasets(lake) if everything else [])]))
    if not names:
        raise click.UsageError("name datasets, or give --all")
    if output is not None and len(names) > 1:
        raise click.UsageError("--output FILE is for one dataset")
    code = build_datasets(names)
    if output is not None and code in (DONE, PARTIAL):
        copy_bundle(require_head(lake, bundle.ASSET, names[0]), output)
    raise SystemExit(code)


@dataset.command("list")
@click.option("--deleted", is_flag=True, help="Deleted datasets, too.")
@rows_format()
def list_datasets(deleted: bool, form: str) -> None:
    """List all datasets: requested, unfinished (no zip yet), built, or built of an earlier request."""
    from refinebio_assets.pipelines.datasets.overview import dataset_states

    rows = [row for row in dataset_states(open_catalog()) if deleted or not row["deleted"]]
    if form != "table":
        write_rows(rows, form)
    elif rows:
        terminal().print(table(rows, LIST_COLUMNS, title="Datasets"))
    else:
        terminal().print("No datasets yet. Ask for one with `refinebio-assets dataset create`.")


@dataset.command()
@click.argument("datasets", nargs=-1, required=True)
@click.option("--files", is_flag=True, help="Remove what was built, in all versions, for good.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete(datasets: tuple[str, ...], files: bool, yes: bool) -> None:
    """Mark DATASETS as deleted: no longer listed or built. Their versions stay, unless with --files."""
    from refinebio_assets.pipelines.datasets.registry import (
        delete_dataset,
        registered_dataset,
        registered_datasets,
        remove_built,
    )

    lake = open_lake()
    gone = set(registered_datasets(lake, deleted=True)) - set(registered_datasets(lake)) if files else set()
    live = [registered_dataset(lake, name).dataset for name in datasets if name not in gone]
    what = "all their versions, for good" if files else "which leaves their versions in the lake"
    if not (yes or agreed(f"Delete {', '.join(datasets)}, {what}?")):
        raise click.Abort
    for name in live:
        delete_dataset(lake, name)
    for name in datasets:
        kept = f"{remove_built(lake, name):,} bytes removed" if files else "its versions stay in the lake"
        click.echo(f"{name}: deleted, {kept}")


@dataset.command(epilog=EXPLANATION)
@click.option("--no-build", is_flag=True, help="Only take the requests; build them later.")
def inbox(no_build: bool) -> None:
    """Take the requests that lie in the inbox folder, once, and build them.

    The folder is REFINEBIO_INBOX, else `inbox` in the lake. Each file is moved to accepted/ or refused/, with
    a text beside it. When some requests are refused and others are not, the exit code is 3. The sensor
    `dataset_inbox` in Dagster does the same while the daemon runs.
    """
    from refinebio_assets.cli.dataset_building import build_inbox

    raise SystemExit(build_inbox(no_build=no_build))


for _command in (status, show, diff, regenerate, download):
    dataset.add_command(_command)
