"""``refinebio-assets metadata``: corrections and attributes that overlay what submitters said."""

from __future__ import annotations

from pathlib import Path

import click

from refinebio_assets.cli.home import open_catalog, open_lake
from refinebio_assets.cli.tables import rows_format, table, terminal, write_rows
from refinebio_assets.domain import counted, some_of

SHOWN_SAMPLES = 5
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def metadata() -> None:
    """Correct and extend what submitters said about samples."""


@metadata.command("import-corrections")
@click.argument("file", type=_FILE)
@click.option("--name", help="Replaces what was imported under this name before. Default: the file's name.")
def import_corrections(file: Path, name: str | None) -> None:
    """Import a table of corrections (TSV: sample, field, value, source, note).

    They lie over what submitters say, also after a new survey; an empty value clears a field. Importing
    again under the same name replaces them: a table with a header only takes them back.
    """
    from refinebio_assets.pipelines import metadata_overlays

    commit, changed = metadata_overlays.import_corrections(open_lake(new=True), file, name or file.stem)
    _say(commit.partition, "corrections", changed, metadata_overlays.CORRECTIONS)


@metadata.command("import-attributes")
@click.argument("file", type=_FILE)
@click.option("--source", required=True, help="Who says so, for example MetaSRA.")
@click.option("--methods-url", default="", help="Where it is described how they were found out.")
def import_attributes(file: Path, source: str, methods_url: str) -> None:
    """Import attributes or keywords of samples from others than their submitters (JSON or TSV)."""
    from refinebio_assets.pipelines import metadata_overlays

    commit, changed = metadata_overlays.import_attributes(open_lake(new=True), file, source, methods_url)
    _say(commit.partition, "attributes", changed, metadata_overlays.ATTRIBUTES)


@metadata.command("show")
@click.argument("experiment")
@rows_format()
def show_metadata(experiment: str, form: str) -> None:
    """Show the harmonized metadata of an EXPERIMENT's samples, or of one SAMPLE."""
    from refinebio_assets.pipelines.overview import harmonized_rows, require_known
    from refinebio_assets.sources.accessions import spellings

    catalog = open_catalog()
    rows = next((rows for name in spellings(experiment) if (rows := harmonized_rows(catalog, name))), [])
    if not rows:
        require_known(catalog, experiment)
    if form != "table":
        write_rows(rows, form)
    elif rows:
        columns = [name for name in rows[0] if name != "experiment"]
        terminal().print(table(rows, columns, title=f"Harmonized metadata of {experiment}"))
    else:
        terminal().print(f"{experiment} has no harmonized metadata yet")


def _say(name: str, what: str, changed: bool, rows_table: str) -> None:
    from refinebio_assets.pipelines.overview import overlay_counts, unknown_samples

    catalog = open_catalog()
    counts = overlay_counts(catalog, rows_table, name)
    verb = "imported" if changed else "the same as before"
    terminal().print(
        f"{name}: {what} {verb}: {counts['rows']:,} for {counted(counts['samples'], 'sample')}, of which "
        f"{counts['known']:,} are here",
        highlight=False,
    )
    unknown = unknown_samples(catalog, rows_table, name)
    if unknown:
        terminal().print(
            f"no experiment here has {some_of(unknown, SHOWN_SAMPLES)}",
            style="yellow",
            highlight=False,
        )
    if changed and rows_table == "metadata_corrections":
        terminal().print("They are applied when their experiments are processed or surveyed next.")
