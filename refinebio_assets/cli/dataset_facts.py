"""What a terminal shows of a dataset: its matrices, what was lost and why, warnings, versions, the zip."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape

from refinebio_assets.cli.tables import cell, table
from refinebio_assets.domain import as_argument
from refinebio_assets.lake.store import Commit, Lake
from refinebio_assets.pipelines.datasets.explanations import WHY_FEW_GENES
from refinebio_assets.pipelines.datasets.overview import DatasetDetails

MAX_ROWS = 20
_OPTIONS = ("aggregate_by", "scale_by", "quantile_normalize", "quant_sf_only", "h5ad")
_MATRICES = ["matrix", "samples", "genes", "genes_before", "type"]
_LOSS = ["matrix", "measured_with", "samples", "genes", "alone_removed"]
_VERSIONS = ["number", "made", "samples", "filtered", "matrices", "genes", "targets", "version"]


def say_dataset(console: Console, lake: Lake, details: DatasetDetails, bundle: Commit | None) -> None:
    """Show everything that is known of a dataset."""
    state = details.state
    console.print(f"[bold]{escape(state['dataset'])}[/]  {escape(state['state'])}", highlight=False)
    for name in ("notes", "origin", "requested", *_OPTIONS):
        text = cell(state[name])
        if text:
            console.print(f"  {name.replace('_', ' ')}: {escape(text)}", highlight=False, soft_wrap=True)
    columns = ["experiment", "title", "requested", "delivered", "filtered"]
    console.print(table(details.experiments[:MAX_ROWS], columns, title="Experiments"))
    _say_more(console, len(details.experiments))
    if details.is_finished and bundle is not None:
        say_built(console, lake, details, bundle)
    elif details.versions:
        _say_unfinished(console, details)
    if len(details.versions) > 1:
        rows = [_short(row) for row in details.versions]
        console.print(table(rows, _VERSIONS, title="Versions, oldest first"))


def _say_unfinished(console: Console, details: DatasetDetails) -> None:
    command = f"refinebio-assets dataset build {as_argument(details.state['dataset'])}"
    console.print(
        f"Version {details.newest['number']} has its matrices and no zip yet: its build is under way, or was "
        f"interrupted. `{escape(command)}` finishes it.",
        style="yellow",
        highlight=False,
        soft_wrap=True,
    )


def say_built(console: Console, lake: Lake, details: DatasetDetails, bundle: Commit) -> None:
    """Show what the newest version holds, what it lacks and why, and where the zip is."""
    newest = details.newest
    if details.matrices:
        console.print(table(details.matrices[:MAX_ROWS], _MATRICES, title="Matrices"))
        _say_more(console, len(details.matrices))
    if any(row["alone_removed"] for row in details.gene_loss):
        console.print(table(details.gene_loss[:MAX_ROWS], _LOSS, title="Genes lost"))
        if not any(WHY_FEW_GENES in warning for warning in newest["warnings"]):
            console.print(WHY_FEW_GENES, style="dim", highlight=False)
    if details.filtered:
        title = "Samples that are not in it"
        console.print(table(details.filtered[:MAX_ROWS], ["experiment", "sample", "reason"], title=title))
        _say_more(console, len(details.filtered))
    if newest["quantile_normalized"] and newest["ks_statistic"] is not None:
        console.print(
            f"Worst pair after quantile normalization: Kolmogorov-Smirnov statistic "
            f"{newest['ks_statistic']:.3g}, p {newest['ks_pvalue']:.3g}",
            highlight=False,
        )
    for target in newest["targets"]:
        organism, _, version = target.partition(" ")
        console.print(f"Target of {organism}: version {version[:12]}", highlight=False)
    for warning in newest["warnings"]:
        console.print(escape(warning), style="yellow", highlight=False)
    file = bundle.file(bundle.info["file"])
    console.print(
        f"Version {newest['number']}, {file.size:,} bytes: {lake.url}/{file.path}",
        highlight=False,
        soft_wrap=True,
        markup=False,
    )


def _say_more(console: Console, count: int) -> None:
    if count > MAX_ROWS:
        console.print(f"and {count - MAX_ROWS:,} more: `refinebio-assets dataset show --format json`")


def _short(row: Mapping[str, Any]) -> dict[str, Any]:
    """Shorten hashes to what a person compares."""
    targets = [" ".join(part[:12] for part in target.rsplit(" ", 1)) for target in row["targets"]]
    return dict(row) | {"version": str(row["version"])[:12], "targets": targets}
