"""Datasets as people ask for them: which there are, and what is known of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.rows import query_rows

UNFINISHED = "unfinished"
"""The state of a dataset whose newest version has matrices and no zip yet: its build was interrupted."""
_STATES = f"""
    WITH zips AS (
        SELECT c.partition AS dataset, c.created_at AS built,
               coalesce(max(d.number) FILTER (d.commit_id < c.id), min(d.number)) AS built_version
        FROM commits c JOIN lineage l ON l.commit_id = c.id AND l.input_asset = 'dataset_matrices'
        JOIN datasets d ON d.dataset = c.partition AND d.version = l.input_version
        WHERE c.is_current AND c.asset = 'dataset_bundle' GROUP BY ALL
    ), made AS (
        SELECT dataset, number AS newest FROM datasets WHERE is_current
    ), zipped AS (
        SELECT dataset, number AS built_version, matrices, genes, filtered, len(warnings) AS warnings
        FROM datasets
    ), requests AS (
        SELECT partition AS dataset, created_at AS requested FROM commits
        WHERE is_current AND asset = 'dataset_request'
    )
    SELECT dataset, CASE WHEN r.deleted THEN 'deleted'
                         WHEN newest IS DISTINCT FROM built_version THEN '{UNFINISHED}'
                         WHEN built IS NULL THEN 'requested'
                         WHEN built < requested THEN 'built of an earlier request' ELSE 'built' END AS state,
           r.experiments, r.samples, filtered, matrices, genes, warnings, built_version,
           r.aggregate_by, r.scale_by, r.quantile_normalize, r.quant_sf_only, r.h5ad, requested, built,
           r.notes, r.origin, r.deleted
    FROM dataset_requests r JOIN requests USING (dataset) LEFT JOIN made USING (dataset)
    LEFT JOIN zips USING (dataset) LEFT JOIN zipped USING (dataset, built_version)
"""


@dataclass(frozen=True, slots=True)
class DatasetDetails:
    """One dataset: how it stands, its versions, and what its newest version holds and lacks.

    ``experiments`` has a row for each experiment of the request, with how many of its samples are in it;
    None where the newest version is not finished.
    """

    state: Mapping[str, Any]
    versions: Sequence[Mapping[str, Any]]
    matrices: Sequence[Mapping[str, Any]]
    experiments: Sequence[Mapping[str, Any]]
    gene_loss: Sequence[Mapping[str, Any]]
    filtered: Sequence[Mapping[str, Any]]

    @property
    def newest(self) -> Mapping[str, Any]:
        """The newest version's row of ``datasets``; empty when nothing was built yet."""
        return self.versions[-1] if self.versions else {}

    @property
    def is_finished(self) -> bool:
        """Whether the newest version has its zip."""
        return bool(self.versions) and self.newest["number"] == self.state["built_version"]


def dataset_states(catalog: Catalog) -> list[dict[str, Any]]:
    """Return a row for each dataset, deleted ones too, sorted by id."""
    return query_rows(catalog, f"{_STATES} ORDER BY dataset")


def dataset_details(catalog: Catalog, dataset: str) -> DatasetDetails | None:
    """Return what is known of a dataset, or None when there is none of this id."""
    states = _rows(catalog, f"{_STATES} WHERE dataset = $name", dataset)
    if not states:
        return None
    versions = _rows(
        catalog,
        """SELECT d.*, c.created_at AS made FROM datasets d JOIN commits c ON c.id = d.commit_id
           WHERE d.dataset = $name ORDER BY d.number, d.commit_id""",
        dataset,
    )
    details = DatasetDetails(
        states[0],
        versions,
        _rows(catalog, "SELECT * FROM dataset_matrices WHERE dataset = $name ORDER BY matrix", dataset),
        _rows(
            catalog,
            """SELECT s.experiment, e.title, count(*) AS requested,
                      count(*) FILTER (c.verdict = 'delivered') AS delivered,
                      count(*) FILTER (c.verdict = 'filtered') AS filtered
               FROM dataset_samples s LEFT JOIN experiments e USING (experiment)
               LEFT JOIN dataset_contents c ON c.dataset = s.dataset AND c.experiment = s.experiment
                                           AND c.sample = s.sample
               WHERE s.dataset = $name GROUP BY ALL ORDER BY s.experiment""",
            dataset,
        ),
        _rows(
            catalog,
            """SELECT matrix, measured_with, samples, genes, alone_removed FROM gene_loss
               WHERE dataset = $name ORDER BY matrix, alone_removed DESC, measured_with""",
            dataset,
        ),
        _rows(
            catalog,
            """SELECT experiment, sample, matrix, reason FROM dataset_contents
               WHERE dataset = $name AND verdict = 'filtered' ORDER BY ALL""",
            dataset,
        ),
    )
    if details.is_finished:
        return details
    unknown = {"delivered": None, "filtered": None}
    return replace(details, experiments=[dict(row) | unknown for row in details.experiments])


def _rows(catalog: Catalog, sql: str, dataset: str) -> list[dict[str, Any]]:
    return query_rows(catalog, sql, {"name": dataset})
