"""The report of a compendium as one HTML page; its size hardly grows with the samples.

What people should know before they compare samples: what groups of them cannot be told apart from
experiments, what they differ by, how well missing values are imputed, and what was left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from refinebio_assets.domain import organism_title
from refinebio_assets.pipelines.compendia.bundle.contents import Contents
from refinebio_assets.pipelines.compendia.bundle.texts import (
    IMPUTED_SAY_LITTLE,
    METHODS,
    error_rows,
    headline,
)
from refinebio_assets.pipelines.compendia.confounds import Confound, Separable
from refinebio_assets.pipelines.compendia.overview import dropped_by_reason, samples_by, variance_rows
from refinebio_assets.pipelines.compendia.report.plots import components_of, errors_plot
from refinebio_assets.pipelines.compendia.structure import LEVELS
from refinebio_assets.pipelines.delivery.explanations import NOT_BATCH_CORRECTED
from refinebio_assets.pipelines.delivery.page import image, muted, page, table
from refinebio_assets.pipelines.delivery.plotting import COLORS

MAX_ROWS = 15
"""Rows of a table; all are in the metadata."""
_LONGEST = 44
"""Letters of a platform's name that leave room for a table beside."""

_STYLE = """
.figures { display: flex; flex-wrap: wrap; gap: 0.8em; margin: 1.4em 0; }
.figures div { flex: 1 1 6em; background: #f4f7fa; border-radius: 6px; padding: 0.7em 1em; }
.figures b { display: block; font-size: 1.5em; font-variant-numeric: tabular-nums; }
.figures span { color: #556; font-size: 0.88em; }
.found { display: grid; grid-template-columns: 7.5em 1fr; gap: 0.5em 1em; margin: 1em 0; }
.badge { align-self: start; text-align: center; border-radius: 1em; padding: 0.1em 0.6em; font-size: 0.85em; }
.no { background: #fbe3d9; color: #8a3200; } .part { background: #fff0c9; color: #6b4a00; }
.yes { background: #d9f2e8; color: #00573f; } .one { background: #eceff2; color: #445; }
.bar { display: flex; height: 2.1em; border-radius: 4px; overflow: hidden; margin: 0.2em 0 0.9em; }
.bar span { color: #fff; font-size: 0.85em; line-height: 2.5em; text-align: center; overflow: hidden;
  white-space: nowrap; }
.beside { display: flex; flex-wrap: wrap; gap: 0 3em; }
.key i { display: inline-block; width: 0.8em; height: 0.8em; border-radius: 2px; margin: 0 0.35em 0 1em; }
"""
_BADGES = {
    Separable.NO: ("no", "not separable"),
    Separable.PARTLY: ("part", "in part"),
    Separable.YES: ("yes", "separable"),
    Separable.ONE_GROUP: ("one", "one group"),
}
_COLORS = (COLORS[0], COLORS[2], COLORS[1], "#9AA5B1")
_NARROW = 0.06
"""Parts of a bar that are narrower have no room for their number."""


def report_html(contents: Contents, found: Sequence[Confound]) -> str:
    """Return the page. ``found`` tells which factors can be separated from experiments."""
    title = f"Compendium of {organism_title(contents.organism)}"
    parts = [
        f"<h1>{escape(title)}, version {contents.row['number']}</h1>",
        f"<p>{escape(headline(contents))}</p>",
        _figures(contents),
        *_confounded(found),
        *_structure(contents),
        *_imputation(contents),
        *_samples(contents),
        *_left_out(contents),
        *_made(contents),
    ]
    return page(title, parts, _STYLE)


def _figures(contents: Contents) -> str:
    row = contents.row
    figures = [
        (f"{row['genes']:,}", "genes"),
        (f"{row['samples']:,}", "samples"),
        (f"{row['experiments']:,}", "experiments"),
        (f"{len(samples_by(contents.store, 'platform')):,}", "platforms"),
        (f"{row['share_missing']:.1%}", "of values " + ("imputed" if contents.imputed else "missing")),
    ]
    if row["block_error"] is not None:
        figures.append((f"{row['block_error']:.2f}", "log2, error of imputation"))
    return (
        '<div class="figures">'
        + "".join(f"<div><b>{value}</b><span>{escape(what)}</span></div>" for value, what in figures)
        + "</div>"
    )


def _confounded(found: Sequence[Confound]) -> Iterator[str]:
    yield "<h2>Before you compare groups</h2>"
    yield (
        "<p>Can a difference between groups of samples be told from one between the experiments that they "
        "are of? Only if some experiments have samples of several groups.</p>"
    )
    lines = []
    for item in found:
        style, word = _BADGES[item.separable]
        lines.append(
            f'<span class="badge {style}">{word}</span><span><b>{escape(item.factor.capitalize())}</b> '
            f"({item.groups:,} {'group' if item.groups == 1 else 'groups'}, {item.samples:,} samples). "
            f"{escape(item.sentence)}</span>"
        )
    yield '<div class="found">' + "\n".join(lines) + "</div>"
    yield muted(f"Nothing was corrected for. {NOT_BATCH_CORRECTED}")


def _structure(contents: Contents) -> Iterator[str]:
    structure = contents.findings["structure"]
    yield "<h2>What samples differ by</h2>"
    yield (
        f"<p>The variance of {structure['genes']:,} genes, divided among technologies, the platforms of a "
        "technology, the experiments on a platform, and the samples of an experiment. Much between "
        "technologies or platforms is of technical origin; what is between experiments may be of biology "
        "as well.</p>"
    )
    yield (
        '<p class="key">'
        + "".join(
            f'<i style="background: {color}"></i>{escape(name)}'
            for name, color in zip((*LEVELS, "samples"), _COLORS, strict=True)
        )
        + "</p>"
    )
    for when, words in (("before", "Before quantile normalization"), ("after", "After")):
        yield f"<div>{words}</div>{_bar(structure[when])}"
    yield _variance_table(structure)
    if any(structure["after"]["explained"]):
        yield image(components_of(contents.store, structure), "principal components of samples")
        if len(structure["places"]) < contents.row["samples"]:
            yield muted(f"{len(structure['places']):,} samples are drawn, evenly chosen.")
        yield _components_table(structure)


def _bar(found: Mapping[str, Any]) -> str:
    shares = [*(found["variance"][level]["share"] for level in LEVELS), found["left"]]
    parts = [
        f'<span style="width: {share:.2%}; background: {color}" title="{name}: {share:.1%}">'
        f"{f'{share:.0%}' if share >= _NARROW else ''}</span>"
        for name, share, color in zip((*LEVELS, "samples"), shares, _COLORS, strict=True)
    ]
    return f'<div class="bar">{"".join(parts)}</div>'


def _variance_table(structure: Mapping[str, Any]) -> str:
    rows = [
        (
            row["between"],
            "" if row["groups"] is None else row["groups"],
            *("" if row[name] is None else f"{row[name]:.1%}" for name in ("before", "after", "by_chance")),
        )
        for row in variance_rows(structure)
    ]
    return table(("Between", "Groups", "Before", "After", "By chance alone"), rows)


def _components_table(structure: Mapping[str, Any]) -> str:
    heads = ["Component", "Variance before", *(f"by {level}" for level in LEVELS)]
    heads += ["Variance after", *(f"by {level}" for level in LEVELS)]
    rows = []
    for number in range(len(structure["after"]["explained"])):
        row = [str(number + 1)]
        for when in ("before", "after"):
            found = structure[when]
            row.append(f"{found['explained'][number]:.1%}")
            row += [f"{found['factors'][level][number]:.0%}" for level in LEVELS]
        rows.append(row)
    return table(heads, rows)


def _imputation(contents: Contents) -> Iterator[str]:
    yield "<h2>Imputation</h2>"
    imputation = contents.findings["imputation"]
    if not contents.imputed:
        yield "<p>Nothing was imputed.</p>"
        return
    settled = "" if imputation["settled"] else " It had not settled when it ended."
    yield (
        f"<p>{imputation['share']:.1%} of the values were not measured. They were imputed with "
        f"<code>{imputation['method']}</code> ({escape(METHODS[imputation['method']])}; rank "
        f"{imputation['rank']}).{settled} {escape(IMPUTED_SAY_LITTLE)}</p>"
    )
    rows = error_rows(contents.findings)
    if rows:
        held_out = imputation["held_out"]
        yield (
            f"<p>To see how well it does, {held_out['hidden_random']:,} known values were hidden one by one "
            f"and {held_out['hidden_block']:,} with all others of their gene on a platform. Root mean square "
            "errors (log2):</p>"
        )
        yield table(("Method", "Hidden one by one", "Hidden by platform"), rows)
        yield image(_errors(contents), "errors of genes, and shares imputed of samples")


def _errors(contents: Contents) -> bytes:
    genes, samples = contents.store.genes, contents.store.samples
    errors = {
        words: np.asarray(genes.column(name).drop_null().to_numpy(), np.float64)
        for words, name in (("hidden one by one", "rmse_random"), ("hidden by platform", "rmse_block"))
    }
    return errors_plot(errors, np.asarray(samples.column("share_missing").to_numpy(), np.float64))


def _samples(contents: Contents) -> Iterator[str]:
    yield "<h2>Samples</h2>"
    missing = "Values imputed" if contents.imputed else "Values missing"
    for columns in (("technology", "organism"), ("platform", "experiment")):
        tables = (_sample_table(contents, column, missing) for column in columns)
        yield f'<div class="beside">{"".join(f"<div>{item}</div>" for item in tables)}</div>'


def _sample_table(contents: Contents, column: str, missing: str) -> str:
    rows = samples_by(contents.store, column)
    shown = [(_short(row[column]), row["samples"], f"{row['share_missing']:.1%}") for row in rows[:MAX_ROWS]]
    more = muted(f"And {len(rows) - MAX_ROWS:,} more.") if len(rows) > MAX_ROWS else ""
    return table((column.capitalize(), "Samples", missing), shown) + more


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 3]}..."


def _left_out(contents: Contents) -> Iterator[str]:
    yield "<h2>What was left out</h2>"
    rows = dropped_by_reason(contents.lake, contents.commit)
    if not rows:
        yield "<p>Nothing.</p>"
        return
    shown = [(row["kind"], row["number"], row["reason"]) for row in rows[:MAX_ROWS]]
    yield table(("What", "Number", "Why"), shown)
    yield muted("Each is listed in dropped_genes.tsv or filtered_samples_metadata.tsv.")


def _made(contents: Contents) -> Iterator[str]:
    row = contents.row
    yield "<h2>How it was made</h2>"
    facts = [
        ("Organisms", ", ".join(row["organisms"])),
        ("Target of quantile normalization", row["target"][:12]),
        *((name, version) for name, version in sorted(contents.lock["software"].items())),
    ]
    if row["ks_statistic"] is not None:
        worst = f"{row['ks_statistic']:.2g} (p = {row['ks_pvalue']:.3g})"
        facts.append(("Largest distance between upper halves of two samples, of 100 pairs", worst))
    yield table(("What", "Which"), facts)
