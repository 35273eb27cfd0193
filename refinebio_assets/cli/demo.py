"""``refinebio-assets demo``: a simulated world, processed as real data would be, and its truth beside it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import click
from rich.console import Console

from refinebio_assets.cli.exit_codes import FAILED
from refinebio_assets.cli.home import lake_url, open_lake
from refinebio_assets.cli.tables import table, terminal


@click.command()
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("demo"),
    show_default=True,
    help="Where the simulated genome and reads go.",
)
@click.option("--seed", default=20, show_default=True, help="Another seed makes another world.")
def demo(folder: Path, seed: int) -> None:
    """Simulate a small organism and the archives that hold its experiments; survey, process, compare.

    The archives' answers are a mirror in the folder, so that everything goes the way of real accessions.
    """
    from refinebio_assets.cli.platforms import build as annotate
    from refinebio_assets.cli.processing import Request, process_experiments
    from refinebio_assets.cli.reference import build
    from refinebio_assets.cli.survey import survey_experiments
    from refinebio_assets.pipelines.demo_report import agreement_of_arrays, agreement_with_truth
    from refinebio_assets.pipelines.platform_registry import PlatformInputs, register_platform
    from refinebio_assets.pipelines.transcriptome_registry import TranscriptomeInputs, register_transcriptome
    from refinebio_assets.simulate.world import simulate_world
    from refinebio_assets.sources.web.settings import MIRROR_VARIABLE

    started = time.monotonic()
    console = terminal()
    world = simulate_world(folder.resolve(), seed=seed)
    os.environ[MIRROR_VARIABLE] = str(world.mirror)
    console.print(f"Simulated organism {world.organism} in {world.folder}", highlight=False, soft_wrap=True)
    inputs = TranscriptomeInputs(
        organism=world.organism, genome=str(world.genome), gtf=str(world.gtf), source="simulated"
    )
    register_transcriptome(open_lake(), inputs)
    build(console, world.organism)
    register_platform(
        open_lake(),
        PlatformInputs(
            world.array_platform,
            probe_tab=str(world.probe_tab),
            brainarray=str(world.brainarray),
            source="simulated",
        ),
    )
    annotate(console, world.array_platform)
    surveyed = survey_experiments(console, world.archive_accessions)
    states = process_experiments(console, [*world.experiments, *world.array_experiments], Request())
    rows = agreement_with_truth(open_lake(), world)
    columns = ["experiment", "sample", "expressed_genes", "spearman", "pearson_log2", "median_error"]
    console.print(table(rows, columns, title="Estimates against the simulated truth (expected reads a gene)"))
    arrays = agreement_of_arrays(open_lake(), world)
    columns = ["experiment", "sample", "genes", "spearman"]
    console.print(table(arrays, columns, title="Arrays against the simulated truth (log2 expression a gene)"))
    _say_where(console, world.experiments[0], time.monotonic() - started)
    if "failed" in {*states.values(), *surveyed.values()}:
        raise SystemExit(FAILED)


def _say_where(console: Console, accession: str, seconds: float) -> None:
    lines = [
        f"Done in {seconds:.0f} s. The lake is {lake_url()}",
        "",
        "Next:",
        "  make ui                                      runs, lineage and versions in Dagster, http://127.0.0.1:3000",
        "  .venv/bin/refinebio-assets status            experiments by state",
        f"  .venv/bin/refinebio-assets show {accession}    samples, results, versions",
        f"  .venv/bin/refinebio-assets metadata show {accession}    harmonized metadata",
        f"  .venv/bin/refinebio-assets export {accession} --output {accession}.tsv",
    ]
    console.print("\n".join(lines), highlight=False, soft_wrap=True)
