"""``refinebio-assets export``: an experiment's matrix as a file."""

from __future__ import annotations

from pathlib import Path

import click

from refinebio_assets.cli.home import open_lake
from refinebio_assets.cli.output import console_beside, output_option

_SUFFIXES = {
    ".tsv": "tsv",
    ".txt": "tsv",
    ".csv": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".h5ad": "h5ad",
}


@click.command()
@click.argument("experiment")
@output_option()
@click.option(
    "--format",
    "form",
    type=click.Choice(["tsv", "csv", "parquet", "h5ad"]),
    help="Default: by the output file's name (.tsv, .csv, .parquet, .h5ad).",
)
@click.option("--matrix", help="Which matrix, where an experiment has several.")
@click.option("--version", default="", help="An earlier version, or the start of it, as `show` lists them.")
def export(experiment: str, output: Path, form: str | None, matrix: str | None, version: str) -> None:
    """Write the gene-expression matrix of EXPERIMENT to a file.

    tsv, csv and parquet: genes x samples, first column Gene. h5ad: AnnData, samples x genes, with the
    submitter's metadata of each sample in obs.
    """
    from refinebio_assets.pipelines.export import (
        export_matrix,
        matrix_warnings,
        newer_inputs,
        submitted_reasons,
    )

    chosen = form or _SUFFIXES.get(output.suffix.lower())
    if chosen is None:
        raise click.UsageError(
            f"cannot tell the format from {output.name}; give --format tsv, csv, parquet or h5ad"
        )
    lake, console = open_lake(), console_beside(output)
    genes, samples = export_matrix(lake, experiment, output, format=chosen, matrix=matrix, version=version)
    console.print(
        f"{genes:,} genes x {samples:,} samples written to {output}", highlight=False, soft_wrap=True
    )
    if version:
        return
    for reason, count in submitted_reasons(lake, experiment, matrix).items():
        console.print(
            f"{count:,} of its samples are submitter-processed: {reason}",
            style="yellow",
            highlight=False,
            markup=False,
        )
    for warning in matrix_warnings(lake, experiment, matrix):
        console.print(warning, style="yellow", highlight=False, markup=False)
    newer = newer_inputs(lake, experiment)
    if newer:
        console.print(
            f"This matrix is older than {' and '.join(newer)} of {experiment}: "
            f"`refinebio-assets process {experiment}` brings it up to date",
            style="yellow",
            highlight=False,
        )
