"""The overview of a dataset as one HTML page that opens with a double click, its plots inside.

What biologists look at first: which samples and genes, what was lost, whether normalization worked,
whether a technical factor dominates.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from refinebio_assets.domain import counted, organism_title
from refinebio_assets.pipelines.datasets.explanations import WHY_FEW_GENES
from refinebio_assets.pipelines.datasets.lockfile import delivered_experiments
from refinebio_assets.pipelines.datasets.report_plots import spread_plot
from refinebio_assets.pipelines.delivery.explanations import NOT_BATCH_CORRECTED
from refinebio_assets.pipelines.delivery.metadata import DeliveredMetadata
from refinebio_assets.pipelines.delivery.page import beside, image, muted, page, table, warning
from refinebio_assets.pipelines.delivery.plotting import component_plots

MAX_MATRICES = 50
"""Matrices that are drawn; a page with hundreds of plots opens slowly. All are in the tables."""


def report_html(
    lock: Mapping[str, Any],
    row: Mapping[str, Any],
    overview: Mapping[str, Any],
    loss: Sequence[Mapping[str, Any]],
    metadata: DeliveredMetadata,
    listing: Mapping[str, Sequence[str]],
) -> str:
    """Return the page: ``row`` is that of the table ``datasets``, ``loss`` are rows of ``gene_loss``."""
    labels = sample_labels(lock, metadata)
    parts = [
        f"<h1>Dataset {escape(lock['dataset'])}, version {lock['number']}</h1>",
        f"<p>{escape(_headline(lock, row))}</p>",
        muted(_made_with(lock, row)),
        *map(warning, row["warnings"] or ()),
        "<h2>Samples</h2>",
        beside(_sample_tables(lock, listing, labels)),
        *_filtered(lock),
        *(_genes(lock, loss, row["warnings"] or ()) if lock["matrices"] else ()),
        *(part for key in list(overview)[:MAX_MATRICES] for part in _matrix(key, overview[key], row, labels)),
    ]
    if lock["matrices"]:
        parts.append(muted(NOT_BATCH_CORRECTED))
    return page(f"Dataset {lock['dataset']}", parts)


def sample_labels(lock: Mapping[str, Any], metadata: DeliveredMetadata) -> dict[str, dict[str, str]]:
    """Return each technical factor's label of every sample."""
    experiments: dict[str, set[str]] = {}
    for experiment, samples in lock["request"]["data"].items():
        for sample in samples:
            experiments.setdefault(sample, set()).add(experiment)
    technologies = {entry["sample"]: entry["technology"] for entry in lock["samples"]}
    known = metadata.samples
    return {
        "experiment": {name: ";".join(sorted(experiments.get(name, ()))) for name in known},
        "platform": {name: str(item.refinebio.get("refinebio_platform", "")) for name, item in known.items()},
        "technology": {name: technologies.get(name, "") for name in known},
    }


def _headline(lock: Mapping[str, Any], row: Mapping[str, Any]) -> str:
    request = lock["request"]
    experiments = len(delivered_experiments(lock))
    text = f"{counted(row['samples'], 'sample')} of {counted(experiments, 'experiment')}"
    if request["quant_sf_only"]:
        return text + ", as quant.sf files."
    text += f" in {counted(row['matrices'], 'matrix')}, aggregated by {request['aggregate_by'].lower()}, "
    text += "quantile normalized" if row["quantile_normalized"] else "not quantile normalized"
    return text + (f", scaled by {request['scale_by'].lower()}." if request["scale_by"] != "NONE" else ".")


def _made_with(lock: Mapping[str, Any], row: Mapping[str, Any]) -> str:
    """Say what samples were normalized to, how well that went, and what made the dataset."""
    text = "".join(
        f"Normalized to the target of {organism_title(organism)}, version {version[:12]}. "
        for organism, version in lock["targets"].items()
    )
    if row["ks_statistic"] is not None:
        text += (
            f"Of the pairs of samples that were compared afterwards, the worst has a Kolmogorov-Smirnov "
            f"statistic of {row['ks_statistic']:.2g} (p = {row['ks_pvalue']:.2g}). "
        )
    made = f"Asked for on {lock['requested_at'][:10]}, made by refinebio-assets "
    return text + made + f"{lock['software']['refinebio-assets']}."


def _sample_tables(
    lock: Mapping[str, Any], listing: Mapping[str, Sequence[str]], labels: Mapping[str, Mapping[str, str]]
) -> Iterator[str]:
    rows = [
        (key, lock["matrices"].get(key, {}).get("genes", ""), len(samples))
        for key, samples in sorted(listing.items())
    ]
    yield table(("Matrix", "Genes", "Samples"), rows)
    delivered = {name for names in listing.values() for name in names}
    for factor, of in labels.items():
        counts = Counter(of.get(name, "") for name in sorted(delivered))
        yield table((factor.capitalize(), "Samples"), [(name or "unknown", n) for name, n in counts.items()])


def _filtered(lock: Mapping[str, Any]) -> Iterator[str]:
    if lock["filtered"]:
        yield "<h2>Samples that could not be delivered</h2>"
        rows = [(item["sample"], item["experiment"], item["reason"]) for item in lock["filtered"]]
        yield table(("Sample", "Experiment", "Reason"), rows)


def _genes(
    lock: Mapping[str, Any], loss: Sequence[Mapping[str, Any]], warnings: Sequence[str]
) -> Iterator[str]:
    yield "<h2>Genes</h2>"
    is_lost = any(lock["matrices"][item["matrix"]]["genes"] < item["genes"] for item in loss)
    if is_lost and not any(WHY_FEW_GENES in warning for warning in warnings):
        yield f"<p>{escape(WHY_FEW_GENES)}</p>"
    rows = [
        (
            item["matrix"],
            item["measured_with"],
            item["samples"],
            item["genes"],
            lock["matrices"][item["matrix"]]["genes"],
            item["alone_removed"],
        )
        for item in loss
    ]
    heads = ("Matrix", "Measured with", "Samples", "Genes", "Left in the matrix", "It alone removed")
    yield table(heads, rows)


def _matrix(
    key: str, shown: Mapping[str, Any], row: Mapping[str, Any], labels: Mapping[str, Mapping[str, str]]
) -> Iterator[str]:
    yield f"<h2>{escape(key)}</h2>"
    plot = spread_plot(shown["before"], shown["after"], normalized=row["quantile_normalized"])
    yield image(plot, f"distribution of values of {key}")
    picture = shown["picture"]
    if picture["explained"] and any(picture["explained"]):
        given = {factor: [of.get(name, "") for name in shown["samples"]] for factor, of in labels.items()}
        yield image(component_plots(picture, given), f"principal components of {key}")
        yield from _explained(picture)


def _explained(picture: Mapping[str, Any]) -> Iterator[str]:
    if not picture["factors"]:
        yield muted(
            "All samples are of one experiment, platform and technology, or each is of its own: nothing "
            "technical tells groups apart."
        )
        return
    heads = ("Component", "Share of the variance", *(f"Explained by {name}" for name in picture["factors"]))
    rows = [
        (number + 1, f"{share:.1%}", *(f"{values[number]:.0%}" for values in picture["factors"].values()))
        for number, share in enumerate(picture["explained"])
    ]
    yield table(heads, rows)
