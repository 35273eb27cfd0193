"""What a result was made from, and what was made from it: a walk along the catalog's ``lineage_edges``.

Nothing is computed again and no file is opened: versions are followed as commits recorded them. What is
known of each thing on the way is in `lineage_facts.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.rows import query_rows
from refinebio_assets.lake.views import EDGE_SOURCES

QUANTIFICATION = "sample_quantification"
FILE = "file"
DEPTH = 12
"""Longest way that is followed; the longest there is has nine steps, from a bundle to a source file."""


@dataclass(frozen=True, slots=True, order=True)
class Thing:
    """One version of one asset's partition; a source file has its SHA-256 as partition and version."""

    asset: str
    partition: str
    version: str


@dataclass(frozen=True, slots=True)
class Group:
    """Things of one asset that are next to another: how many there are, and the first of them."""

    asset: str
    count: int
    shown: tuple[Thing, ...]

    @property
    def more(self) -> int:
        """How many are not shown."""
        return self.count - len(self.shown)


@dataclass(slots=True)
class Lineage:
    """What was found on the way from ``roots``: upwards to what they are made from, or downwards.

    ``next`` gives the neighbors of each thing, grouped by asset; one without an entry has none.
    """

    roots: tuple[Thing, ...]
    down: bool
    next: dict[Thing, tuple[Group, ...]] = field(default_factory=dict)
    _reached: dict[Thing, set[Thing]] = field(default_factory=dict, repr=False)

    def things(self) -> list[Thing]:
        """Return all things that are shown, in the order in which they were found."""
        found = dict.fromkeys(self.roots)
        for groups in self.next.values():
            found |= dict.fromkeys(thing for group in groups for thing in group.shown)
        return list(found)

    def direct(self, thing: Thing) -> list[Group]:
        """Return a thing's neighbors without those that are also reached through another of them.

        ``raw_files`` beside ``sample_quantifications``, which are made of them, explain nothing more.
        """
        groups = self.next.get(thing, ())
        behind: set[Thing] = set()
        for group in groups:
            for neighbor in group.shown:
                behind |= self._reach(neighbor)
        kept = []
        for group in groups:
            shown = tuple(neighbor for neighbor in group.shown if neighbor not in behind)
            if shown:
                kept.append(Group(group.asset, group.count - len(group.shown) + len(shown), shown))
        return kept

    def _reach(self, thing: Thing) -> set[Thing]:
        """Return everything that lies behind a thing; worked out once."""
        known = self._reached.get(thing)
        if known is None:
            known = self._reached[thing] = set()
            for group in self.next.get(thing, ()):
                for neighbor in group.shown:
                    known |= {neighbor} | self._reach(neighbor)
        return known


# A list that is looked through reaches the scan as a filter, five times as fast as a join alone; a join is
# right for long lists (measured on a catalog of a million samples).
_SHORT_LIST = 100
# Things are numbered by their place in the lists, and pairs hold a thing's two names as one text: comparing
# the names of a million samples costs half as much then.
_WANTED = """
    WITH wanted AS (
        SELECT unnest(range(len($assets))) AS place, unnest($assets) AS a, unnest($partitions) AS p,
               unnest($versions) AS v
    ), near AS (
        SELECT * FROM ({sources}) WHERE $any_partition OR list_contains($partitions, {side}_partition)
    ),
"""
# A version that several commits gave is explained by the newest of them: what it is made from now.
_UP = """
    edges AS (
        SELECT place, near.* FROM near
        JOIN wanted ON output_asset = a AND output_partition = p AND output_version = v
    ), newest AS (
        SELECT place, max(commit_id) AS commit_id FROM edges GROUP BY place
    ), pairs AS (
        SELECT DISTINCT place, input_asset AS asset, input_partition || chr(9) || input_version AS name
        FROM edges JOIN newest USING (place, commit_id)
    )
"""
_DOWN = """
    pairs AS (
        SELECT DISTINCT place, output_asset AS asset, output_partition || chr(9) || output_version AS name
        FROM near JOIN wanted ON input_asset = a AND input_partition = p AND input_version = v
        WHERE is_current OR $history
    )
"""
# Where pairs of these assets are found, beside those that commits name. Upwards, the files of an experiment
# are reached through its samples.
_SOURCES_UP = {
    "sample_quantifications": "samples",
    "transcriptome_index": "references",
    "platform_annotation": "references",
}
_SOURCES_DOWN = {QUANTIFICATION: ("samples",), FILE: ("files", "references")}
_GROUPED = """
    SELECT place, asset, count(*) AS count, min(name, $limit) AS shown
    FROM pairs GROUP BY place, asset ORDER BY place, asset
"""


def trace(
    catalog: Catalog, roots: Sequence[Thing], *, down: bool = False, limit: int = 5, history: bool = False
) -> Lineage:
    """Follow what things were made from, or with ``down`` what was made from them.

    At most ``limit`` things of an asset are shown and followed beside each other; the others are counted.
    Downwards, only newest results count unless ``history``. Datasets and targets
    that are made of a traced sample's experiment, but without the sample, are left out.
    """
    lineage = Lineage(tuple(roots), down)
    frontier, seen = list(roots), set(roots)
    for _ in range(DEPTH):
        if not frontier:
            break
        found = _neighbors(catalog, frontier, down=down, limit=limit, history=history)
        if down:
            found = _without_strangers(catalog, lineage, found)
        lineage.next |= found
        fresh = dict.fromkeys(t for groups in found.values() for group in groups for t in group.shown)
        new = [thing for thing in fresh if thing not in seen]
        seen |= set(new)
        frontier = [thing for thing in new if down or thing.asset != FILE]
    return lineage


def _neighbors(
    catalog: Catalog, things: Sequence[Thing], *, down: bool, limit: int, history: bool
) -> dict[Thing, tuple[Group, ...]]:
    parameters: dict[str, Any] = {
        "assets": [thing.asset for thing in things],
        "partitions": [thing.partition for thing in things],
        "versions": [thing.version for thing in things],
        "limit": limit,
        "any_partition": len(things) > _SHORT_LIST,
        **({"history": history} if down else {}),
    }
    sources = " UNION ALL ".join(EDGE_SOURCES[name] for name in _sources(things, down=down))
    wanted = _WANTED.format(sources=sources, side="input" if down else "output")
    query = wanted + (_DOWN if down else _UP) + _GROUPED
    found: dict[Thing, tuple[Group, ...]] = {}
    for row in query_rows(catalog, query, parameters):
        thing = things[row["place"]]
        shown = tuple(Thing(row["asset"], *name.rsplit("\t", 1)) for name in row["shown"])
        found[thing] = (*found.get(thing, ()), Group(row["asset"], row["count"], shown))
    return found


def _sources(things: Sequence[Thing], *, down: bool) -> list[str]:
    """Return where pairs with these things are to be looked for."""
    assets = {thing.asset for thing in things}
    if down:
        more = {name for asset in assets for name in _SOURCES_DOWN.get(asset, ())}
    else:
        more = {_SOURCES_UP[asset] for asset in assets if asset in _SOURCES_UP}
    return ["commits", *sorted(more)]


# Tables that say which samples of an experiment went in, for the assets whose partition they name.
_MEMBERS = {
    "dataset_samples": ("dataset", ("dataset_request", "dataset_matrices", "dataset_bundle")),
    "target_samples": ("organism", ("target_quantiles",)),
}


def _without_strangers(
    catalog: Catalog, lineage: Lineage, found: Mapping[Thing, tuple[Group, ...]]
) -> dict[Thing, tuple[Group, ...]]:
    """Leave out datasets and targets that hold the experiment, but none of the samples that are traced."""
    if not {root.asset for root in lineage.roots} <= {QUANTIFICATION, FILE}:
        return dict(found)
    samples = {thing.partition for thing in lineage.things() if thing.asset == QUANTIFICATION}
    shown = {thing for groups in found.values() for group in groups for thing in group.shown}
    strangers: set[Thing] = set()
    for table, (column, assets) in _MEMBERS.items():
        asked = {thing for thing in shown if thing.asset in assets}
        if asked and samples:
            rows = query_rows(
                catalog,
                f"""SELECT {column} AS name FROM {table} WHERE list_contains($names, {column})
                    GROUP BY {column} HAVING NOT bool_or(list_contains($samples, sample))""",
                {"names": sorted(thing.partition for thing in asked), "samples": sorted(samples)},
            )
            without = {row["name"] for row in rows}
            strangers |= {thing for thing in asked if thing.partition in without}
    kept = {}
    for thing, groups in found.items():
        reduced = (_reduced(group, strangers) for group in groups)
        kept[thing] = tuple(group for group in reduced if group.count)
    return kept


def _reduced(group: Group, strangers: set[Thing]) -> Group:
    shown = tuple(thing for thing in group.shown if thing not in strangers)
    return Group(group.asset, group.count - len(group.shown) + len(shown), shown)
