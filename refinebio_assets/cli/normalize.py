"""``refinebio-assets normalize``: a person's own matrix, normalized as samples of datasets are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from refinebio_assets.cli.home import open_lake
from refinebio_assets.cli.output import console_beside, output_option
from refinebio_assets.cli.tables import terminal
from refinebio_assets.domain import organism_name


@click.command()
@click.argument("matrix", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--organism", help="Whose target: for example 'Homo sapiens' or HOMO_SAPIENS.")
@click.option(
    "--target",
    metavar="FILE|VERSION",
    help="A file of a target, or a version of the organism's. Default: the newest.",
)
@output_option()
@click.option("--transpose", is_flag=True, help="Rows are samples and columns are genes.")
def normalize(matrix: Path, organism: str | None, target: str | None, output: Path, transpose: bool) -> None:
    """Normalize MATRIX, your own expression values, to an organism's target.

    MATRIX has a row for each gene (Ensembl ids) and a column for each sample: TSV or CSV (gzip or not),
    Parquet, or h5ad (which has samples as rows by itself). It is written as TSV, CSV, Parquet or h5ad, by the
    name of --output. Each sample gets the distribution of the target, as the samples of a dataset do, so
    that both can be compared. Only ranks within a sample count: any scale will do.
    """
    from refinebio_assets.formats.matrix_file import matrix_writer
    from refinebio_assets.formats.numeric_table import read_numeric_table
    from refinebio_assets.pipelines.targets.normalize import normalize_matrix
    from refinebio_assets.pipelines.whole_file import write_whole

    for given in (matrix, Path(target or matrix)):
        if output.exists() and given.exists() and output.samefile(given):
            raise click.UsageError(f"{output} is what is read; --output must be another file")
    write = matrix_writer(output, source=matrix)
    if transpose and matrix.suffix.lower() == ".h5ad":
        raise click.UsageError("h5ad says by itself which side the samples are on; leave --transpose out")
    values, known, name = _target(organism, target)
    table = read_numeric_table(matrix)
    if transpose:
        table = table.transposed()
    with _progress(len(table.columns)) as tell:
        result = normalize_matrix(table, values, known, tell=tell)
    console = console_beside(output)
    genes = [str(gene) for gene in result.genes.to_pylist()]
    write_whole(output, lambda path: write(path, genes, result.samples, result.values))
    for line in result.report():
        console.print(line, highlight=False, markup=False)
    for line in result.warnings():
        console.print(line, style="yellow", highlight=False, markup=False)
    console.print(f"Normalized to {name}; written to {output}", highlight=False, markup=False, soft_wrap=True)


def _target(organism: str | None, target: str | None) -> tuple[Any, list[str], str]:
    """Return the target's quantiles, the genes of its samples, and its name for people."""
    from refinebio_assets.formats.target_file import read_target_file
    from refinebio_assets.pipelines.target_quantiles import require_target

    if target is not None and Path(target).is_file():
        return read_target_file(Path(target)), [], f"the target in {target}"
    if organism is None:
        raise click.UsageError("give --organism, or the file of a target with --target")
    lake = open_lake()
    chosen = require_target(lake, organism_name(organism), target)
    name = f"the target of {chosen.organism}, version {chosen.version[:12]}"
    return chosen.values(lake), chosen.gene_ids(lake), name


@contextmanager
def _progress(samples: int) -> Iterator[Callable[[int], None]]:
    """Show a bar while the block runs, in a terminal."""
    from refinebio_assets.cli.rich_progress import bars

    with bars(terminal()) as shown:
        task = shown.add_task("normalize", total=samples, unit="samples")
        yield lambda count: shown.advance(task, count)
