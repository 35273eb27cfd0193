"""What ``refinebio-assets compendium show`` tells of a compendium beside its numbers."""

from __future__ import annotations

from rich.console import Console

from refinebio_assets.cli.tables import table
from refinebio_assets.lake.store import Commit, Lake
from refinebio_assets.pipelines.compendia.overview import (
    dropped_by_reason,
    errors_by_method,
    samples_by,
    technical_confounds,
    variance_rows,
)


def say_facts(console: Console, lake: Lake, commit: Commit) -> None:
    """Print samples by platform, errors of imputation, sources of variance and confounds."""
    from refinebio_assets.pipelines.compendia.findings import read_findings
    from refinebio_assets.pipelines.compendia.normalized_compendium import open_compendium

    store = open_compendium(lake, commit.partition, commit.info["number"])
    findings = read_findings(lake, commit)
    console.print(f"{'store':24} {store.folder}", highlight=False, markup=False, soft_wrap=True)
    console.print(table(samples_by(store, "platform"), ["platform", "samples", "share_missing"]))
    errors = errors_by_method(findings)
    if errors:
        title = "Imputation's errors on values that were hidden (log2)"
        console.print(table(errors, ["method", "one_by_one", "by_platform"], title=title))
    shares = variance_rows(findings["structure"])
    title = "Variance of values, before and after normalization"
    console.print(table(shares, ["between", "groups", "before", "after", "by_chance"], title=title))
    for confound in technical_confounds(store):
        console.print(f"- {confound.sentence}", highlight=False, markup=False)


def say_dropped(console: Console, lake: Lake, commit: Commit) -> None:
    """Print what is left out, counted by reason."""
    dropped = dropped_by_reason(lake, commit)
    if dropped:
        console.print(table(dropped, ["kind", "number", "reason"], title="Left out"))
