"""How long steps take a sample, from what they took before. What is measured is decided in ``costs``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median

from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.rows import query_rows


@dataclass(frozen=True, slots=True)
class Durations:
    """Seconds that a step took a sample, median: of an experiment, and of those of its kind.

    Keys are (asset, experiment), (asset, organism, technology) and (asset, technology).
    """

    own: Mapping[tuple[str, str], float]
    alike: Mapping[tuple[str, ...], float]

    def seconds(self, asset: str, experiment: str, organism: str, technology: str) -> float | None:
        """Return the seconds by the clock that a sample takes: as measured for the experiment itself, else
        for its organism and technology, else for its technology; None where there is no measurement yet.
        """
        return self.own.get(
            (asset, experiment),
            self.alike.get((asset, organism, technology), self.alike.get((asset, technology))),
        )


def measured_durations(catalog: Catalog) -> Durations:
    """Return what the catalog's experiments took."""
    rows = query_rows(catalog, _SECONDS_A_SAMPLE)
    own: dict[tuple[str, str], float] = {}
    alike: dict[tuple[str, ...], list[float]] = defaultdict(list)
    for row in rows:
        asset, seconds = row["asset"], row["seconds"]
        own[asset, row["experiment"]] = seconds
        alike[asset, row["organism"], row["technology"]].append(seconds)
        alike[asset, row["technology"]].append(seconds)
    return Durations(own, {key: median(values) for key, values in alike.items()})


# A sample's own time stands in where no step was timed: samples side by side then count one after another.
_SECONDS_A_SAMPLE = """
    WITH steps AS (
        SELECT asset, experiment, wall_seconds / samples AS seconds FROM step_costs WHERE samples > 0
    ), timed AS (
        FROM steps
        UNION ALL
        SELECT 'sample_quantifications' AS asset, experiment, duration_seconds AS seconds
        FROM results
        WHERE is_current AND duration_seconds IS NOT NULL AND experiment NOT IN (
            SELECT experiment FROM steps WHERE asset = 'sample_quantifications')
    ), kinds AS (
        SELECT experiment, mode(organism) AS organism, mode(technology) AS technology
        FROM samples GROUP BY experiment
    )
    SELECT asset, experiment, coalesce(organism, '') AS organism, coalesce(technology, '') AS technology,
           median(seconds) AS seconds
    FROM timed LEFT JOIN kinds USING (experiment) GROUP BY ALL
"""
