"""``refinebio-assets show``: one experiment or one sample, with its files, processing and versions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.markup import escape

from refinebio_assets.cli.home import open_catalog, open_lake
from refinebio_assets.cli.lineage_words import without_folders
from refinebio_assets.cli.tables import cell, table, terminal
from refinebio_assets.domain import counted, some_of

if TYPE_CHECKING:
    from refinebio_assets.pipelines.overview import ExperimentDetails, SampleDetails

NAMED = 3
_FILES = {"processed": "in the lake", "failed": "could not be had"}
"""What a file's verdict means; what became of its sample stands under its results."""


@click.command()
@click.argument("accession")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.option(
    "--faq", is_flag=True, help="Of a sample: genome build, Ensembl release, all software versions."
)
@click.option(
    "--gene", metavar="ENSEMBL_ID", help="Of a sample: is this gene in what it is measured against?"
)
def show(accession: str, form: str, faq: bool, gene: str | None) -> None:
    """Show an EXPERIMENT or a SAMPLE: files, processing and versions."""
    from refinebio_assets.pipelines.overview import ExperimentDetails, require_known

    if faq or gene:
        _answer(accession, gene, form)
        return
    found = require_known(open_catalog(), accession)
    if form == "json":
        content = asdict(found) if isinstance(found, ExperimentDetails) else [asdict(item) for item in found]
        click.echo(json.dumps(content, default=str, indent=2, ensure_ascii=False))
        return
    console = terminal()
    if isinstance(found, ExperimentDetails):
        _show_experiment(console, found)
    else:
        _show_samples(console, found)


def _answer(accession: str, gene: str | None, form: str) -> None:
    """Print a sample's reference and software, or whether a gene is in the reference."""
    from refinebio_assets.pipelines.sample_answers import find_gene, sample_answers

    answers = sample_answers(open_catalog(), accession)
    genes = find_gene(open_lake(), answers, gene) if gene else []
    if form == "json":
        content = {"genes": [asdict(answer) for answer in genes]} if gene else asdict(answers)
        click.echo(json.dumps(content, default=str, indent=2, ensure_ascii=False))
        return
    console = terminal()
    for answer in genes:
        measured = counted(answer.parts, answer.part.removesuffix("s"))
        found = f"yes, with {measured}" if answer.parts else f"no: it has no {answer.part}"
        reference = f"{answer.reference}, version {answer.reference_version[:12]}"
        console.print(
            f"Is {gene} in the reference of {answers.sample} ({reference})? {found}", highlight=False
        )
    if gene and not genes:
        console.print(f"{answers.sample} is not measured against a reference of this lake", highlight=False)
    if not gene:
        columns = ["experiment", "reference_asset", "reference", "genome_build", "ensembl_release"]
        columns += ["ensembl_division", "provider", "brainarray_version", "is_current_reference"]
        console.print(table(answers.references, columns, title=f"What {answers.sample} is measured against"))
        columns = ["experiment", "step", "software", "version", "code_version", "command"]
        rows = [{**row, "command": without_folders(row["command"] or "")} for row in answers.software]
        console.print(table(rows, columns, title="Software that touched it"))


def _show_experiment(console: Console, found: ExperimentDetails) -> None:
    state = found.state
    heading = f"[bold]{escape(state['experiment'])}[/]  {escape(state['title'] or '')}"
    console.print(heading)
    _facts(console, state, ["state", "source", "url", "alternates", "organisms", "technologies", "published"])
    _facts(
        console, state, ["institution", "publication_title", "pubmed_id", "samples", "processed", "failed"]
    )
    _facts(console, state, ["at_source", "at_source_reason"])
    columns = [
        "sample",
        "verdict",
        "title",
        "organism",
        "platform",
        "pipeline",
        "processor",
        "processor_version",
        "processing",
    ]
    columns += ["mapping_rate", "library_type", "reads_processed"]
    console.print(table(found.samples, columns, title="Samples"))
    remarks = list(_remarks(found.samples))
    if remarks:
        console.print(table(remarks, ["samples", "which", "what", "why"], title="What is said of them"))
    matrix_columns = ["matrix", "processing", "unit", "genes", "samples", "missing_values"]
    matrix_columns += ["transcripts", "mapped_transcripts", "version"]
    if found.matrices:
        console.print(table(_short(found.matrices), matrix_columns, title="Matrices"))
    if found.changes:
        console.print(table(found.changes, ["noticed_at", "change"], title="What its source changed"))
    if found.commits:
        columns = ["asset", "created_at", "version", "code_version", "is_current"]
        console.print(table(_short(found.commits), columns, title="Versions, oldest first"))


def _remarks(samples: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield what is said of samples, each sentence once, with how many and which samples it is about."""
    about: dict[tuple[str, str], list[str]] = {}
    for row in samples:
        said = [(row["verdict"], row["reason"]), (row["processing"], row["processing_reason"])]
        said += [("warning", text) for text in row["warnings"] or ()]
        for what, text in said:
            if text:
                about.setdefault((what, text), []).append(row["sample"])
    for (what, text), names in about.items():
        yield {"samples": len(names), "which": some_of(names, NAMED), "what": what, "why": text}


def _show_samples(console: Console, found: Sequence[SampleDetails]) -> None:
    for details in found:
        console.print(
            f"[bold]{escape(details.sample['sample'])}[/] of {escape(details.sample['experiment'])}"
        )
        _facts(console, details.sample, ["title", "organism", "technology", "platform", "platform_accession"])
        _facts(console, details.sample, ["source_platform", "pipeline", "pipeline_reason"])
        if details.harmonized:
            columns = ["field", "value", "key", "text", "origin"]
            console.print(
                table(details.harmonized, columns, title="Harmonized metadata, and what it is from")
            )
        if details.attributes:
            columns = ["name", "ontology_term", "value", "unit", "probability", "source", "methods_url"]
            console.print(table(details.attributes, columns, title="What others say of it"))
        said = [row for row in details.metadata if row["value"]]
        if said:
            console.print(table(said, ["key", "value"], title="Submitter's metadata"))
        for file in details.files:
            standing = _FILES.get(file["verdict"], str(file["verdict"]))
            console.print(f"[bold]File[/] {file['role']}: {escape(standing)}")
            fields = [
                "reason",
                "origin",
                "member",
                "size",
                "reads",
                "mean_read_length",
                "md5",
                "sha256",
                "path",
            ]
            _facts(console, file, fields)
        for result in details.results:
            _show_result(console, result)
        _show_tables(console, details)


def _show_tables(console: Console, details: SampleDetails) -> None:
    """Show how a submitter's table was understood: its columns, its platform, its values."""
    if details.columns:
        columns = ["position", "header", "role", "reason"]
        console.print(table(details.columns, columns, title="Columns of its table"))
    if details.detection:
        columns = ["platform", "probes", "found", "detection_percentage", "mapped_percentage", "detected"]
        columns.append("passed")
        console.print(table(details.detection, columns, title="Platforms that its table may be of"))
    for submitted in details.submitted:
        console.print("[bold]Submitter's values[/]")
        _facts(console, submitted, ["converted_by", "id_kind", "overlap", "rows", "duplicated_ids"])
        _facts(console, submitted, ["missing_values", "rows_without_gene", "genes", "header", "encoding"])
        _facts(console, submitted, ["number_style", "description", "log2_taken", "log2_reason", "doubts"])
        _facts(console, submitted, ["without_logarithm", "minimum", "median", "percentile_99", "maximum"])


def _show_result(console: Console, result: Mapping[str, Any]) -> None:
    standing = "current" if result["is_current"] else "earlier"
    console.print(f"[bold]Result[/] ({standing}): {escape(str(result['verdict']))}")
    fields = [
        "reason",
        "processing",
        "processing_reason",
        "processor",
        "processor_version",
        "platform",
        "detected_platform",
        "detection_percentage",
        "mapped_percentage",
        "command",
        "mapping_rate",
        "library_type",
        "reads_processed",
    ]
    fields += [
        "reads_mapped",
        "duration_seconds",
        "cpu_seconds",
        "peak_memory_bytes",
        "started_at",
        "reference",
        "warnings",
        "notes",
        "why",
        "file_path",
        "version",
    ]
    _facts(console, result, fields)


def _facts(console: Console, row: Mapping[str, Any], fields: Sequence[str]) -> None:
    for name in fields:
        text = cell(row.get(name))
        if text:
            console.print(f"  {name.replace('_', ' ')}: {escape(text)}", highlight=False, soft_wrap=True)


def _short(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Shorten versions to what a person compares; the whole is in the catalog."""
    return [dict(row) | {"version": str(row["version"])[:12]} for row in rows]
