"""Datasets as people ask for them: which there are, and how each stands."""

from __future__ import annotations

from typing import Any

from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.rows import query_rows

_STATES = """
    WITH bundles AS (
        SELECT partition AS dataset, version AS bundle_version, created_at AS built FROM commits
        WHERE is_current AND asset = 'dataset_bundle'
    ), requests AS (
        SELECT partition AS dataset, created_at AS requested FROM commits
        WHERE is_current AND asset = 'dataset_request'
    )
    SELECT dataset, r.experiments, r.samples, r.aggregate_by, r.scale_by, r.quantile_normalize,
           r.quant_sf_only, r.h5ad, requested, built, r.notes, r.origin, r.deleted,
           CASE WHEN r.deleted THEN 'deleted'
                WHEN built IS NULL THEN 'requested'
                WHEN built < requested THEN 'built of an earlier request'
                ELSE 'built' END AS state
    FROM dataset_requests r JOIN requests USING (dataset) LEFT JOIN bundles USING (dataset)
    ORDER BY dataset
"""


def dataset_states(catalog: Catalog) -> list[dict[str, Any]]:
    """Return a row for each dataset, deleted ones too, sorted by id."""
    return query_rows(catalog, _STATES)
