"""When to do something again: failures by back-off, surveys by age, targets and compendia by growth.

Nothing is started here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.rows import query_rows
from refinebio_assets.sources.sample_sheet import SOURCE as SAMPLE_SHEET

FIRST_WAIT = timedelta(hours=1)
ATTEMPTS = 6
"""After waits of 1, 2, 4, 8, 16 and 32 hours a failure is parked: it did not pass in 63 hours."""


def wait_after(failures: int) -> timedelta:
    """Return how long to wait after so many failures in a row (1 or more): 1, 2, 4, 8, 16, then 32 hours."""
    doublings: int = min(failures, ATTEMPTS) - 1
    return FIRST_WAIT * (1 << doublings)


@dataclass(frozen=True, slots=True)
class Attempt:
    """An experiment to try again, for which time, and the moment before which it is not tried once more."""

    experiment: str
    number: int
    not_before: datetime


def next_attempts(
    failing: Iterable[Mapping[str, Any]], before: Mapping[str, Attempt], now: datetime, limit: int
) -> tuple[list[Attempt], dict[str, Attempt]]:
    """Return which failing experiments are due for another try, and all attempts to remember.

    The first time one is seen failing it waits an hour, then twice as long each time, six times in all. What
    no longer fails is forgotten.
    """
    due: list[Attempt] = []
    kept: dict[str, Attempt] = {}
    for row in failing:
        name = row["experiment"]
        known = before.get(name, Attempt(name, 0, now + FIRST_WAIT))
        if now >= known.not_before and known.number < ATTEMPTS and len(due) < limit:
            number = known.number + 1
            known = Attempt(name, number, now + FIRST_WAIT * 2**number)
            due.append(known)
        kept[name] = known
    return due, kept


def read_attempts(cursor: str | None) -> dict[str, Attempt]:
    """Return the attempts that a cursor holds."""
    return {
        name: Attempt(name, number, datetime.fromisoformat(moment))
        for name, (number, moment) in json.loads(cursor or "{}").items()
    }


def write_attempts(attempts: Mapping[str, Attempt]) -> str:
    """Return attempts as a cursor."""
    return json.dumps(
        {name: [attempt.number, attempt.not_before.isoformat()] for name, attempt in attempts.items()}
    )


def oldest_surveys(
    catalog: Catalog, asked: Mapping[str, str], now: datetime, age: timedelta, limit: int
) -> list[str]:
    """Return archives' experiments that were neither surveyed nor asked about for ``age``, oldest first."""
    rows = query_rows(
        catalog,
        """SELECT c."partition" AS experiment, max(c.created_at) AS surveyed FROM commits c
           JOIN experiments e ON e.experiment = c."partition"
           WHERE c.asset = 'experiment_record' AND e.source <> $sheet
           GROUP BY ALL ORDER BY surveyed, experiment""",
        {"sheet": SAMPLE_SHEET},
    )
    latest = now - age
    old = [row["experiment"] for row in rows if row["surveyed"] < latest]
    return [name for name in old if datetime.fromisoformat(asked.get(name, _NEVER)) < latest][:limit]


_NEVER = "1970-01-01T00:00:00+00:00"
GROWTH = 0.2
"""A target or compendium is made again for a fifth more samples; fewer move the mean little."""


def growing_targets(catalog: Catalog) -> list[dict[str, Any]]:
    """Return targets with a fifth more samples of their organism, of any technology, that are not in them.

    Which of those a target would take, the catalog does not tell: see ``outgrown.targets_to_make``. Only
    where one was made of samples: the first is made by a person who decides what of.
    """
    return query_rows(
        catalog,
        f"""WITH {_SUMMARIZED}
            SELECT t.organism, t.commit_id, t.samples AS before, count(*) AS new
            FROM targets t JOIN (SELECT DISTINCT organism, sample FROM summarized WHERE is_current) s
              ON s.organism = t.organism
            WHERE t.is_current AND NOT t.imported AND NOT EXISTS (
                FROM target_samples x WHERE x.organism = t.organism AND x.sample = s.sample)
            GROUP BY ALL HAVING new >= $growth * before ORDER BY t.organism""",
        {"growth": GROWTH},
    )


def outgrown_compendia(catalog: Catalog, code_versions: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return compendia that are to be made again as they grew, or for what ``why`` says.

    ``new`` counts samples that it was not made of, whenever they were processed. ``code_versions`` are those
    of now, by asset. Only where one was made: the first is made by a person.
    """
    rows = query_rows(catalog, _COMPENDIA_AND_WHAT_IS_NEW)
    found = []
    for row in rows:
        why = []
        if row["code_version"] != code_versions[row["asset"]]:
            why.append("code version")
        if row["other_target"]:
            why.append("target")
        if why or (row["new"] and row["new"] >= GROWTH * row["before"]):
            known = {name: row[name] for name in ("asset", "organism", "commit_id", "new", "before")}
            found.append(known | {"why": why})
    return found


_QUANTIFIED = """
    quantified AS (
        SELECT c."partition" AS experiment, c.version, c.is_current, r.sample, s.organism,
               r.file_path LIKE '%quant.sf.gz' AS has_quant_sf
        FROM commits c JOIN results r ON r.commit_id = c.id
        LEFT JOIN samples s ON s.experiment = c."partition" AND s.sample = r.sample
        WHERE c.asset = 'sample_quantifications' AND r.verdict = 'processed'
          AND coalesce(r.processing, 'from raw') = 'from raw'
    )
"""
"""Samples of every version of quantifications. The organism is what is recorded now."""

_SUMMARIZED = f"""
    {_QUANTIFIED}, summarized AS (
        SELECT c."partition" AS experiment, c.version, c.is_current, q.sample, q.organism
        FROM commits c
        JOIN lineage l ON l.commit_id = c.id AND l.input_asset = 'sample_quantifications'
        JOIN (SELECT DISTINCT experiment, version, sample, organism FROM quantified) q
          ON q.experiment = l.input_partition AND q.version = l.input_version
        WHERE c.asset = 'gene_expression'
    )
"""
"""Samples of every version of matrices: those of the quantifications that it was made of."""

_COMPENDIA_AND_WHAT_IS_NEW = f"""
    WITH {_SUMMARIZED}, made AS (
        SELECT c.*, commits.asset, commits.code_version
        FROM compendia c JOIN commits ON commits.id = c.commit_id WHERE c.is_current
    ), there_now AS (
        SELECT DISTINCT 'normalized' AS kind, s.organism, s.sample
        FROM summarized s JOIN matrices m ON m.experiment = s.experiment AND m.organism = s.organism
        WHERE s.is_current AND coalesce(m.processing, 'from raw') = 'from raw'
          AND coalesce(m.level, 'gene') = 'gene'
        UNION
        SELECT 'rnaseq-sample', organism, sample FROM quantified WHERE is_current AND has_quant_sf
    ), versions AS (
        SELECT 'gene_expression' AS asset, experiment, version, sample FROM summarized
        UNION
        SELECT 'sample_quantifications', experiment, version, sample FROM quantified WHERE has_quant_sf
    ), taken AS (
        SELECT DISTINCT made.commit_id, v.sample
        FROM made JOIN lineage l ON l.commit_id = made.commit_id
        JOIN versions v ON v.asset = l.input_asset AND v.experiment = l.input_partition
          AND v.version = l.input_version
    ), new AS (
        SELECT made.commit_id, count(DISTINCT n.sample) AS samples
        FROM made JOIN there_now n ON n.kind = made.kind AND list_contains(made.organisms, n.organism)
        ANTI JOIN taken t ON t.commit_id = made.commit_id AND t.sample = n.sample
        GROUP BY ALL
    )
    SELECT made.asset, made.organism, made.commit_id, made.code_version, made.samples AS before,
           coalesce(new.samples, 0)::BIGINT AS new,
           coalesce(t.commit_id > made.commit_id AND t.version <> made.target, false) AS other_target
    FROM made LEFT JOIN new USING (commit_id)
    LEFT JOIN targets t ON t.organism = made.organism AND t.is_current
    ORDER BY made.asset, made.organism
"""


def in_turn(names: Sequence[str], asked: Mapping[str, str], now: datetime, age: timedelta) -> str:
    """Return a cursor that remembers when names were asked about, for as long as it matters."""
    latest = now - age
    recent = {name: moment for name, moment in asked.items() if datetime.fromisoformat(moment) >= latest}
    return json.dumps(recent | {name: now.isoformat() for name in names})
