"""What is known of compendia, as rows for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from refinebio_assets.formats.compendium_store import CompendiumStore
from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.rows import query_rows
from refinebio_assets.lake.store import Commit, Lake
from refinebio_assets.pipelines.compendia.confounds import Confound, confounds, technical_factors
from refinebio_assets.pipelines.compendia.model import Imputation
from refinebio_assets.pipelines.compendia.structure import LEVELS
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


def technical_confounds(store: CompendiumStore) -> list[Confound]:
    """Return which technical factors can be told apart from the experiments."""
    experiments = list(map(str, store.samples.column("experiment").to_pylist()))
    return confounds(technical_factors(store), experiments)


def errors_by_method(findings: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return each method's errors (log2; None where none was hidden) on hidden values, the one used first.

    Where there are many samples, refine.bio's method was tried on some of them, and the one used once more
    beside it. Empty where nothing was imputed.
    """
    imputation = findings["imputation"]
    held_out = imputation["held_out"]
    if held_out is None:
        return []
    rows = [
        (f"{imputation['method']} (used)", held_out["random"], held_out["block"]),
        ("the gene's mean", held_out["gene_mean_random"], held_out["gene_mean_block"]),
    ]
    rows += _compared(imputation["method"], held_out)
    return [{"method": name, "one_by_one": random, "by_platform": block} for name, random, block in rows]


def _compared(method: str, held_out: Mapping[str, Any]) -> Iterator[tuple[str, float, float]]:
    """Yield refine.bio's method, after the one used where both were tried on some of the samples."""
    tried = {item["method"]: item for item in held_out["compared"]}
    if Imputation.ITERATIVE_SVD not in tried:
        return
    ours, ancestor = tried[method], tried[Imputation.ITERATIVE_SVD]
    of_some = f", of {ancestor['samples']:,} samples alone"
    if ours["random"] == held_out["random"]:
        of_some = ""
    else:
        yield f"{method}{of_some}", ours["random"], ours["block"]
    yield f"iterative_svd (refine.bio's){of_some}", ancestor["random"], ancestor["block"]


def variance_rows(structure: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the shares of variance between nested groups, before and after normalization, and by chance."""
    rows: list[dict[str, Any]] = []
    for level in LEVELS:
        before, after = (structure[when]["variance"][level] for when in ("before", "after"))
        row = {"between": level, "groups": after["groups"], "before": before["share"]}
        rows.append(row | {"after": after["share"], "by_chance": after["by_chance"]})
    left = {when: structure[when]["left"] for when in ("before", "after")}
    return [*rows, {"between": "samples of an experiment", "groups": None, **left, "by_chance": None}]


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
