"""What is known of targets, as rows for people: the catalog's targets, and one target's samples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.rows import query_rows, read_rows
from refinebio_assets.lake.store import Commit, Lake
from refinebio_assets.pipelines.outcome import dropped_before


def targets(catalog: Catalog, *, all_versions: bool = False) -> list[dict[str, Any]]:
    """Return a row for each organism's target, or each version of it, the newest first."""
    only_current = "" if all_versions else "WHERE targets.is_current"
    return query_rows(
        catalog,
        f"""SELECT targets.organism, targets.technology, targets.platform, targets.samples, targets.genes,
                   targets.imported, targets.is_current AS newest, commits.created_at AS made, targets.version
            FROM targets JOIN commits ON commits.id = targets.commit_id {only_current}
            ORDER BY targets.organism, commits.created_at DESC""",
    )


def target_facts(lake: Lake, commit: Commit) -> dict[str, Any]:
    """Return what the table ``targets`` says of one version."""
    return read_rows(lake, commit, "targets")[0]


def samples_by_experiment(lake: Lake, commit: Commit) -> list[dict[str, Any]]:
    """Return how many samples each experiment gave to a target, the most first; none for an imported one."""
    if "target_samples" not in commit.tables:
        return []
    counts = Counter(row["experiment"] for row in read_rows(lake, commit, "target_samples"))
    return [{"experiment": name, "samples": count} for name, count in _most_first(counts)]


def skipped_by_reason(lake: Lake, commit: Commit) -> list[dict[str, Any]]:
    """Return how many samples were skipped for which reason, the most frequent first."""
    counts = Counter(item.reason for item in dropped_before(lake, commit))
    return [{"skipped samples": count, "reason": reason} for reason, count in _most_first(counts)]


def _most_first(counts: Counter[str]) -> Sequence[tuple[str, int]]:
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
