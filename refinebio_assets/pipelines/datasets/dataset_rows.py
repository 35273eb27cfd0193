"""Turns a built dataset into rows of the lake's tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from refinebio_assets.domain import Processing
from refinebio_assets.pipelines.datasets.aggregation import BuiltMatrix, source_label
from refinebio_assets.pipelines.datasets.selection import Group, Selection

DELIVERED, FILTERED = "delivered", "filtered"


def dataset_row(
    lock: Mapping[str, Any],
    version: str,
    selection: Selection,
    matrices: Sequence[Mapping[str, Any]],
    warnings: Sequence[str],
    worst: tuple[float, float] | None,
) -> dict[str, Any]:
    """Return the row for ``datasets``; ``worst`` is the statistic and p-value of the worst pair."""
    request = lock["request"]
    return {
        "dataset": lock["dataset"],
        "number": lock["number"],
        "version": version,
        "requested_at": datetime.fromisoformat(lock["requested_at"]).replace(tzinfo=UTC),
        "aggregate_by": request["aggregate_by"],
        "scale_by": request["scale_by"],
        "quantile_normalized": bool(request["quantile_normalize"] and not request["quant_sf_only"]),
        "quant_sf_only": request["quant_sf_only"],
        "matrices": len(matrices),
        "experiments": len(request["data"]),
        "samples": len(selection.samples),
        "filtered": len({item.sample for item in selection.filtered}),
        "genes": min((row["genes"] for row in matrices), default=None),
        "targets": [f"{organism} {target}" for organism, target in lock["targets"].items()],
        "ks_statistic": worst[0] if worst else None,
        "ks_pvalue": worst[1] if worst else None,
        "warnings": list(warnings),
    }


def matrix_row(dataset: str, matrix: BuiltMatrix, path: str, gene_set: str, values: str) -> dict[str, Any]:
    """Return the row for ``dataset_matrices``."""
    return {
        "dataset": dataset,
        "matrix": matrix.key,
        "path": path,
        "genes": len(matrix.genes),
        "genes_before": matrix.loss.before,
        "samples": len(matrix.members),
        "type": str(matrix.values.dtype),
        "gene_set": gene_set,
        "values_sha256": values,
        "largest_departure": max(matrix.departures, default=None),
    }


def gene_loss_rows(dataset: str, matrix: BuiltMatrix) -> Iterator[dict[str, Any]]:
    """Yield the rows for ``gene_loss``."""
    group = Group(matrix.key, matrix.members)
    labels = [source_label(group, member) for member in matrix.members]
    for count in matrix.loss.groups:
        yield {
            "dataset": dataset,
            "matrix": matrix.key,
            "measured_with": count.name,
            "samples": labels.count(count.name),
            "genes": count.genes,
            "alone_removed": count.alone_removed,
        }


def content_rows(dataset: str, selection: Selection) -> Iterator[dict[str, Any]]:
    """Yield the rows for ``dataset_contents``: one for each experiment that lists a sample."""
    for group in selection.groups:
        for member in group.members:
            source = member.source
            processing = (
                Processing.SUBMITTER_PROCESSED if source and source.submitted else Processing.FROM_RAW
            )
            for experiment in member.experiments:
                yield {
                    "dataset": dataset,
                    "experiment": experiment,
                    "sample": member.sample,
                    "matrix": group.key,
                    "verdict": DELIVERED,
                    "technology": str(member.technology),
                    "processing": str(processing),
                    "source_experiment": source.experiment if source else None,
                    "source_matrix": source.matrix if source else None,
                    "source_commit": source.commit.id if source else None,
                }
    for item in selection.filtered:
        yield {
            "dataset": dataset,
            "experiment": item.experiment,
            "sample": item.sample,
            "matrix": item.key,
            "verdict": FILTERED,
            "reason": item.reason,
        }
