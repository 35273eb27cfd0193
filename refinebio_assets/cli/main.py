"""The command ``refinebio-assets``: its subcommands, loaded when they are called."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click

from refinebio_assets import __version__
from refinebio_assets.cli.exit_codes import EXPLANATION, errors_shown

_COMMANDS = {
    "process": (
        "refinebio_assets.cli.process",
        "process",
        "Process experiments to gene-expression matrices.",
    ),
    "survey": (
        "refinebio_assets.cli.survey",
        "survey",
        "Ask the public archives what they say of experiments.",
    ),
    "discover": (
        "refinebio_assets.cli.discover",
        "discover",
        "Find experiments in the public archives, or take up a list.",
    ),
    "metadata": (
        "refinebio_assets.cli.metadata",
        "metadata",
        "Correct and extend what submitters said about samples.",
    ),
    "reference": (
        "refinebio_assets.cli.reference",
        "reference",
        "Register and build what samples are measured against.",
    ),
    "status": ("refinebio_assets.cli.status", "status", "List experiments by state."),
    "show": (
        "refinebio_assets.cli.show",
        "show",
        "Show an experiment or a sample: files, processing, versions.",
    ),
    "lineage": (
        "refinebio_assets.cli.lineage",
        "lineage",
        "Explain what a number was made from, or what was made from it.",
    ),
    "export": ("refinebio_assets.cli.export", "export", "Write an experiment's matrix to a file."),
    "target": (
        "refinebio_assets.cli.target",
        "target",
        "Make the distributions that samples are normalized to.",
    ),
    "normalize": (
        "refinebio_assets.cli.normalize",
        "normalize",
        "Normalize your own matrix as datasets are.",
    ),
    "dataset": (
        "refinebio_assets.cli.dataset",
        "dataset",
        "Ask for datasets of any samples, and build them.",
    ),
    "compendium": (
        "refinebio_assets.cli.compendium",
        "compendium",
        "Put all samples of an organism together, and read parts of it.",
    ),
    "catalog": ("refinebio_assets.cli.catalog", "catalog", "Query and maintain the DuckDB catalog."),
    "lake": ("refinebio_assets.cli.lake", "lake", "Verify stored files and clean up after killed processes."),
    "gc": ("refinebio_assets.cli.gc", "gc", "Remove old versions that nothing uses."),
    "api": ("refinebio_assets.cli.api", "api", "Serve the lake to refine.bio's clients over HTTP."),
    "ui": ("refinebio_assets.cli.ui", "ui", "Open Dagster's UI on the same instance."),
    "worker": ("refinebio_assets.cli.worker", "worker", "Execute runs on this machine of a cluster."),
    "demo": ("refinebio_assets.cli.demo", "demo", "Simulate a small world and process it."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called, so that help is instant."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order a user meets them."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command."""
        if cmd_name not in _COMMANDS:
            return None
        module, attribute, _ = _COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, _, summary) in _COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; errors that a user can act on are shown as one message."""
        with errors_shown():
            return super().invoke(ctx)


@click.group(cls=LazyGroup, epilog=EXPLANATION, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, package_name="refinebio-assets")
@click.option(
    "--home",
    metavar="FOLDER|URL",
    help="The lake: a folder or any fsspec URL. Default: $REFINEBIO_HOME, else ./refinebio_home.",
)
def main(home: str | None) -> None:
    """Uniformly processed gene expression: from reads or arrays to matrices of Ensembl genes."""
    from refinebio_assets.cli.home import use_home

    use_home(home)


if __name__ == "__main__":
    main()
