"""``refinebio-assets demo``: a simulated world, processed as real data would be, and its truth beside it."""

from __future__ import annotations

import os
import time
from pathlib import Path
from shutil import copyfile
from typing import TYPE_CHECKING

import click
from rich.console import Console

from refinebio_assets.cli.exit_codes import DONE, FAILED
from refinebio_assets.cli.home import lake_url, open_catalog, open_lake
from refinebio_assets.cli.tables import table, terminal

if TYPE_CHECKING:
    from refinebio_assets.simulate.world import World


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

    Then make two datasets and both compendia.

    The archives' answers are a mirror in the folder, so that everything goes the way of real accessions.
    """
    from refinebio_assets.cli.building import build_transcriptome
    from refinebio_assets.cli.platforms import build as annotate
    from refinebio_assets.cli.processing import ProcessRequest, process_experiments
    from refinebio_assets.cli.survey import survey_experiments
    from refinebio_assets.pipelines.demo_report import agreement_of_arrays, agreement_with_truth
    from refinebio_assets.pipelines.references.platform_registry import PlatformInputs, register_platform
    from refinebio_assets.pipelines.references.transcriptome_registry import (
        TranscriptomeInputs,
        register_transcriptome,
    )
    from refinebio_assets.simulate.world import simulate_world
    from refinebio_assets.sources.web.settings import MIRROR_VARIABLE

    started = time.monotonic()
    console = terminal()
    world = simulate_world(folder.resolve(), seed=seed)
    os.environ[MIRROR_VARIABLE] = str(world.mirror)
    _offer_rules(world)
    console.print(f"Simulated organism {world.organism} in {world.folder}", highlight=False, soft_wrap=True)
    inputs = TranscriptomeInputs(
        organism=world.organism, genome=str(world.genome), gtf=str(world.gtf), source="simulated"
    )
    register_transcriptome(open_lake(new=True), inputs)
    build_transcriptome(console, world.organism)
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
    _add_bead_arrays(console, world)
    surveyed = survey_experiments(console, world.archive_accessions)
    states = process_experiments(console, [*world.experiments, *world.array_experiments], ProcessRequest())
    rows = agreement_with_truth(open_lake(), world)
    columns = ["experiment", "sample", "expressed_genes", "spearman", "pearson_log2", "median_error"]
    console.print(table(rows, columns, title="Estimates against the simulated truth (expected reads a gene)"))
    arrays = agreement_of_arrays(open_lake(), world)
    columns = ["experiment", "sample", "processing", "genes", "spearman"]
    console.print(table(arrays, columns, title="Arrays against the simulated truth (log2 expression a gene)"))
    code = _build_datasets(console, world)
    compendia = _build_compendia(console, world.organism)
    _say_where(console, world.experiments[0], compendia, time.monotonic() - started)
    if code != DONE or "failed" in {*states.values(), *surveyed.values()}:
        raise SystemExit(FAILED)


def _offer_rules(world: World) -> None:
    """Put the world's rules of discovery into a local lake that has none."""
    from refinebio_assets.pipelines.discovery_rules import rules_path
    from refinebio_assets.simulate.searches import RULES

    lake = open_lake(new=True)
    if lake.is_local and not rules_path(lake, {}).exists():
        rules_path(lake, {}).parent.mkdir(parents=True, exist_ok=True)
        copyfile(world.folder / RULES, rules_path(lake, {}))


def _build_datasets(console: Console, world: World) -> int:
    """Make the organism's target and two datasets, and show what a user gets; return the exit code."""
    from refinebio_assets.cli.dataset_building import build_datasets
    from refinebio_assets.cli.target import build as build_target
    from refinebio_assets.pipelines.datasets.acceptance import accept_request
    from refinebio_assets.pipelines.datasets.registry import register_dataset
    from refinebio_assets.pipelines.datasets.request import ALL, parse_request
    from refinebio_assets.pipelines.targets.settings import decide_samples

    lake, catalog = open_lake(), open_catalog()
    # A target of a hundred samples is better; a simulated world has few arrays.
    decide_samples(lake, world.organism, minimum=1)
    build_target(console, world.organism)
    experiments = [world.experiments[0], world.array_experiments[0]]
    for dataset, aggregate_by in (("demo-by-experiment", "EXPERIMENT"), ("demo-by-species", "SPECIES")):
        document = {"data": {name: [ALL] for name in experiments}, "aggregate_by": aggregate_by}
        accepted = accept_request(lake, catalog, parse_request(document))
        register_dataset(lake, accepted, dataset=dataset, update=True, origin="demo")
    return build_datasets(["demo-by-experiment", "demo-by-species"], console=console)


def _build_compendia(console: Console, organism: str) -> list[str]:
    """Make both compendia of the organism; return commands that read them."""
    from refinebio_assets.cli.compendium import build_normalized, build_samples
    from refinebio_assets.pipelines.compendia.kinds import CompendiumKind, require_zip, zip_of
    from refinebio_assets.pipelines.compendia.normalized_compendium import open_compendium

    build_normalized(console, organism)
    build_samples(console, organism)
    lake = open_lake()
    store = open_compendium(lake, organism)
    console.print(f"  store: {store.folder}", highlight=False, soft_wrap=True)
    for kind in CompendiumKind:
        path = lake.local(zip_of(require_zip(lake, kind, organism)))
        console.print(f"  zip, {kind}: {path}", highlight=False, soft_wrap=True)
    program = ".venv/bin/refinebio-assets compendium"
    return [
        f"{program} slice {organism} --gene {store.gene_names[0]} --output gene.tsv",
        f"{program} show {organism}",
        f"{program} download {organism} --kind rnaseq-sample --output quant_sf.zip",
    ]


def _add_bead_arrays(console: Console, world: World) -> None:
    """Annotate the simulated BeadArrays, and index the genes of the array without raw data."""
    from refinebio_assets.cli.gene_indexes import build as index_genes
    from refinebio_assets.cli.platforms import build as annotate
    from refinebio_assets.pipelines.references.bead_registry import BeadInputs, register_bead_platform
    from refinebio_assets.pipelines.references.gene_index import GeneIndexInputs, register_gene_index

    packages = {
        world.bead_platform: world.bead_package,
        world.older_bead_platform: world.older_bead_package,
    }
    for platform, package in packages.items():
        inputs = BeadInputs(
            platform,
            world.organism,
            package=str(package),
            organism_package=str(world.bead_organism_package),
            gene_choices=str(world.bead_gene_choices),
            source="simulated",
        )
        register_bead_platform(open_lake(), inputs)
        annotate(console, platform)
    table = GeneIndexInputs(world.gene_index_platform, str(world.gene_index), source="simulated")
    register_gene_index(open_lake(), table)
    index_genes(console, world.gene_index_platform)


def _say_where(console: Console, accession: str, compendia: list[str], seconds: float) -> None:
    lines = [
        f"Done in {seconds:.0f} s. The lake is {lake_url()}",
        "",
        "Next:",
        "  make ui                                      runs, lineage and versions in Dagster, http://127.0.0.1:3000",
        "  .venv/bin/refinebio-assets status            experiments by state",
        f"  .venv/bin/refinebio-assets show {accession}    samples, results, versions",
        f"  .venv/bin/refinebio-assets metadata show {accession}    harmonized metadata",
        "  .venv/bin/refinebio-assets dataset download demo-by-species --output demo.zip",
        f"  .venv/bin/refinebio-assets export {accession} --output {accession}.tsv",
        *(f"  {command}" for command in compendia),
    ]
    console.print("\n".join(lines), highlight=False, soft_wrap=True)
