"""``/v1/stats/`` and ``/v1/stats-about/``: how much there is, and how runs went over time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from refinebio_assets.api.answers import add_route, answer, query_parameter
from refinebio_assets.api.holdings.holdings import Holdings, Row
from refinebio_assets.api.models import jobs as models
from refinebio_assets.api.services import holdings_of, services
from refinebio_assets.api.v1.jobs import KINDS, JobKind, utc_text
from refinebio_assets.pipelines.runs import Run, RunState

_RANGES = {
    "day": (timedelta(days=1), timedelta(hours=1)),
    "week": (timedelta(weeks=1), timedelta(days=1)),
    "month": (timedelta(days=30), timedelta(days=1)),
    "year": (timedelta(days=365), timedelta(days=30)),
}
"""How far back a range goes, and the length of its intervals."""

_PARAMETER = query_parameter("range", "`day`, `week`, `month` or `year`: adds a timeline.")


def stats_about(request: Request) -> Response:
    """Say how much there is."""
    holdings = holdings_of(request)
    return answer(holdings.remember("about", lambda: _about(holdings)))


def stats(request: Request) -> Response:
    """Say how runs went and what was made, with a timeline where a range is asked for."""
    holdings = holdings_of(request)
    now = services(request).lake.now().astimezone(UTC)
    starts, step = _intervals(request.query_params.get("range", ""), now)
    found: dict[str, Any] = {"generated_on": utc_text(now)}
    for kind in KINDS:
        runs = services(request).jobs.runs(kind.jobs)
        found[f"{kind.name}_jobs"] = _job_stats(runs, starts, step)
    found |= {
        "experiments": _object_stats(holdings, "experiments", "", starts, step),
        "processed_samples": _object_stats(holdings, "samples", "WHERE is_processed", starts, step)
        | _samples_by(holdings, now),
        "unprocessed_samples": _object_stats(holdings, "samples", "WHERE NOT is_processed", starts, step),
        "dataset": {"total": services(request).datasets.count(), "timeline": []},
    }
    return answer(found | _open_jobs(request))


def _intervals(name: str, now: datetime) -> tuple[list[datetime], timedelta]:
    """Return when each interval of a range starts; none for a range that there is not."""
    if name not in _RANGES:
        return [], timedelta()
    back, step = _RANGES[name]
    return [now - back + step * number for number in range(int(back / step))], step


def _job_stats(runs: Sequence[Run], starts: Sequence[datetime], step: timedelta) -> Row:
    took = [(run.ended - run.started).total_seconds() for run in runs if run.started and run.ended]
    timeline = [
        {"start": utc_text(start), **_totals([run for run in runs if start <= run.created < start + step])}
        for start in starts
    ]
    average = sum(took) / len(took) if took else None
    return _totals(runs) | {"average_time": average, "timeline": timeline}


def _totals(runs: Sequence[Run]) -> Row:
    def count(state: RunState) -> int:
        return sum(run.state is state for run in runs)

    return {
        "total": len(runs),
        "successful": count(RunState.SUCCEEDED),
        "failed": count(RunState.FAILED),
        "pending": count(RunState.QUEUED),
        "open": count(RunState.RUNNING),
    }


def _object_stats(
    holdings: Holdings, table: str, where: str, starts: Sequence[datetime], step: timedelta
) -> Row:
    """Return how many objects there are, and how many came in each interval."""
    sql = f"SELECT left(created_at, 13) AS hour, count(*) AS n FROM {table} {where} GROUP BY ALL"
    rows = holdings.remember(("hours", table, where), lambda: holdings.rows(sql))
    hours = [(datetime.fromisoformat(f"{row['hour']}:00:00+00:00"), row["n"]) for row in rows if row["hour"]]
    timeline = [
        {"start": utc_text(start), "total": sum(n for hour, n in hours if start <= hour < start + step)}
        for start in starts
    ]
    return {"total": sum(row["n"] for row in rows), "timeline": timeline}


def _samples_by(holdings: Holdings, now: datetime) -> Row:
    def counts(column: str) -> dict[str, int]:
        sql = f"SELECT {column} AS name, count(*) AS n FROM samples WHERE is_processed GROUP BY 1 ORDER BY 1"
        return {row["name"]: row["n"] for row in holdings.rows(sql)}

    hour_ago = utc_text(now - timedelta(hours=1))
    sql = "SELECT count(*) AS n FROM samples WHERE is_processed AND last_modified >= ?"
    recent = holdings.row(sql, [hour_ago]) or {"n": 0}
    technologies = holdings.remember("by technology", lambda: counts("technology"))
    organisms = holdings.remember("by organism", lambda: counts("organism"))
    return {"last_hour": recent["n"], "technology": technologies, "organism": organisms}


def _open_jobs(request: Request) -> Row:
    """Return how many runs wait and how many work, in all and by kind."""
    found: Row = {}
    for name, state in (("pending", RunState.QUEUED), ("running", RunState.RUNNING)):
        by_kind = {kind.name: _in_state(request, kind, state) for kind in KINDS}
        found[f"{name}_jobs"] = sum(by_kind.values())
        found[f"{name}_jobs_by_type"] = by_kind
        found[f"{name}_jobs_by_queue"] = {}
    return found


def _in_state(request: Request, kind: JobKind, state: RunState) -> int:
    return sum(run.state is state for run in services(request).jobs.runs(kind.jobs))


def _about(holdings: Holdings) -> Row:
    row = holdings.row(
        """SELECT (SELECT count(*) FROM samples WHERE is_processed) AS samples_available,
                  (SELECT coalesce(sum(size_in_bytes), 0)::BIGINT FROM original_files WHERE is_downloaded)
                      AS total_size_in_bytes,
                  (SELECT count(DISTINCT organism) FROM samples WHERE is_processed) AS supported_organisms,
                  (SELECT count(*) FROM experiments WHERE num_processed_samples > 0)
                      AS experiments_processed"""
    )
    return row or {}


def add_to(router: APIRouter) -> None:
    """Add these endpoints."""
    add_route(router, "/stats-about", stats_about, models.StatsAbout)
    add_route(router, "/stats", stats, models.Stats, parameters=[_PARAMETER])
