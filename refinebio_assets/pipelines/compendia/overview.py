"""What is known of compendia, as rows for people."""

from __future__ import annotations

from collections import Counter
from typing import Any

from refinebio_assets.formats.compendium_store import CompendiumStore
from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.rows import query_rows
from refinebio_assets.lake.store import Commit, Lake
from refinebio_assets.pipelines.outcome import dropped_before


def compendia(catalog: Catalog, *, all_versions: bool = False) -> list[dict[str, Any]]:
    """Return a row for each organism's newest compendium, or each version of it, the newest first."""
    only_current = "" if all_versions else "WHERE compendia.is_current"
    return query_rows(
        catalog,
        f"""SELECT kind, organism, number AS version, genes, samples, experiments, share_missing, imputation,
                   block_error, gene_mean_block_error, commits.created_at AS made
            FROM compendia JOIN commits ON commits.id = compendia.commit_id {only_current}
            ORDER BY organism, kind, number DESC""",
    )


def samples_by(store: CompendiumStore, column: str) -> list[dict[str, Any]]:
    """Return how many samples each platform, say, has, and the mean share of their genes that is missing."""
    groups: dict[str, list[float]] = {}
    names = store.samples.column(column).to_pylist()
    for name, share in zip(names, store.samples.column("share_missing").to_pylist(), strict=True):
        groups.setdefault(str(name), []).append(float(share or 0))
    rows = [
        {column: name, "samples": len(shares), "share_missing": sum(shares) / len(shares)}
        for name, shares in groups.items()
    ]
    return sorted(rows, key=lambda row: (-row["samples"], row[column]))


def dropped_by_reason(lake: Lake, commit: Commit) -> list[dict[str, Any]]:
    """Return how many genes and samples were left out for which reason, the most frequent first.

    Numbers in reasons differ from gene to gene; reasons are counted by their words.
    """
    counts = Counter((str(item.kind), _words(item.reason)) for item in dropped_before(lake, commit))
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return [{"kind": kind, "number": count, "reason": reason} for (kind, reason), count in ordered]


def _words(reason: str) -> str:
    """Return a reason with its first number, which is the gene's or sample's own, left open."""
    return " ".join(
        "..." if word.replace(",", "").isdigit() and number < 4 else word
        for number, word in enumerate(reason.split())
    )
