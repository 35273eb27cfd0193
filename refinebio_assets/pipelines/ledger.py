"""The ledger of samples: totals, and the proof that every surveyed sample is accounted for."""

from __future__ import annotations

from typing import Any, Literal

from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.rows import query_rows

Grouping = Literal["experiment", "organism"]


def ledger_totals(catalog: Catalog, by: Grouping) -> list[dict[str, Any]]:
    """Return counts by state and costs, a row an experiment or organism, sorted."""
    return query_rows(catalog, f"SELECT * FROM ledger_by_{by} ORDER BY {by}")


def ledger_problems(catalog: Catalog, experiment: str | None = None) -> list[str]:
    """Return what does not add up, of one experiment or all: empty when the ledger proves itself.

    processed + filtered + failed + pending must be what was surveyed; as many samples must be processed as
    the matrices have columns; who is filtered or failed must have a reason; and no result may be of a
    sample that nobody surveyed.
    """
    rows = query_rows(catalog, _PROBLEMS, {"name": experiment or ""})
    return [f"{row['experiment']}: {row['problem']}" for row in rows]


_PROBLEMS = """
    WITH totals AS (SELECT * FROM ledger_by_experiment WHERE $name = '' OR experiment = $name),
    columns AS (SELECT experiment, sum(samples) AS columns FROM matrices GROUP BY experiment)
    SELECT experiment, 'processed + filtered + failed + pending is '
           || (processed + filtered + failed + pending) || ', surveyed are ' || surveyed AS problem
    FROM totals WHERE processed + filtered + failed + pending <> surveyed
    UNION ALL
    SELECT experiment, processed || ' samples count as processed, its matrices have '
           || coalesce(columns, 0) || ' columns'
    FROM totals LEFT JOIN columns USING (experiment) WHERE processed <> coalesce(columns, 0)
    UNION ALL
    SELECT experiment, 'sample ' || sample || ' is ' || state || ' without a reason'
    FROM ledger WHERE state IN ('filtered', 'failed') AND coalesce(reason, '') = ''
      AND ($name = '' OR experiment = $name)
    UNION ALL
    SELECT r.experiment, 'there is a result of sample ' || r.sample || ', which was not surveyed'
    FROM results r ANTI JOIN ledger l ON l.experiment = r.experiment AND l.sample = r.sample
    WHERE r.is_current AND ($name = '' OR r.experiment = $name)
    ORDER BY ALL
"""
