"""What a search finds: experiments in order, and the samples that a user could download of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from refinebio_assets.api.holdings.holdings import Holdings
from refinebio_assets.api.problems import Invalid, bad_request
from refinebio_assets.api.search.filters import select_experiments
from refinebio_assets.api.search.text import text_scores

ORDERINGS = (
    *("id", "title", "description", "num_total_samples", "num_downloadable_samples"),
    "source_first_published",
)
FACETS = ("technology", "downloadable_organism_names", "platform_accession_codes", "has_publication")
_GLOBAL = "_global"
_MOST_TECHNOLOGIES = 10
MOST_TERMS = 100
"""Texts and lookups of one search: each looks at all experiments."""
MOST_VALUES = 1000
"""Values of all filters of one search."""
Given = Mapping[str, Sequence[str]]
Facets = dict[str, dict[str, int]]


@dataclass(frozen=True, slots=True)
class Hits:
    """The places of the experiments that were found, in order, and the facets over all of them."""

    positions: NDArray[np.int64]
    facets: Facets


def find_experiments(holdings: Holdings, given: Given) -> Hits:
    """Return what parameters find; each name comes with all of its values.

    Raises ApiProblemError for a regular expression that cannot be read.
    """
    asked = {name: tuple(values) for name, values in given.items() if name not in ("limit", "offset")}
    _require_modest(asked)
    return holdings.remember(("search", repr(sorted(asked.items()))), lambda: _find(holdings, asked))


def _require_modest(given: Given) -> None:
    """Raise ApiProblemError for a search that would keep the server busy for others."""
    terms = sum(len(values) for name, values in given.items() if name == "search" or "__" in name)
    if terms > MOST_TERMS:
        raise bad_request(Invalid("invalid_filters", f"At most {MOST_TERMS} texts and lookups.", None))
    if sum(1 + text.count("__") for values in given.values() for text in values) > MOST_VALUES:
        raise bad_request(Invalid("invalid_filters", f"At most {MOST_VALUES:,} values.", None))


def _find(holdings: Holdings, given: Given) -> Hits:
    ranks = _ranks(holdings)
    experiments = len(ranks["default"])
    found = np.zeros(experiments, dtype=bool)
    found[_filtered(holdings, given)] = True
    scores = text_scores(holdings, given["search"], experiments) if "search" in given else None
    if scores is not None:
        found &= scores > 0
    positions = np.flatnonzero(found)
    keys = list(_order_keys(given, ranks, scores))
    order = np.lexsort([key[positions] for key in reversed(keys)])
    facets = count_facets(holdings, found)
    everywhere = [name for name in FACETS if f"{name}{_GLOBAL}" in given.get("facet", ())]
    if everywhere:
        everything = count_facets(holdings, np.ones(experiments, dtype=bool))
        facets |= {f"{name}{_GLOBAL}": everything[name] for name in everywhere}
    return Hits(positions[order], facets)


def _filtered(holdings: Holdings, given: Given) -> Any:
    selection = select_experiments(given)
    try:
        return holdings.columns(f"SELECT position FROM experiments {selection.where}", selection.values)[
            "position"
        ]
    except duckdb.InvalidInputException as error:
        raise bad_request(Invalid("invalid", f"The pattern cannot be read: {error}", "regexp")) from error


def _order_keys(given: Given, ranks: Mapping[str, Any], scores: Any) -> list[Any]:
    """Return arrays by which positions are sorted, the first decides; ties end with the default's."""
    listed = [part.strip() for value in given.get("ordering", ()) for part in value.split(",")]
    wanted = dict.fromkeys(listed)
    keys = [
        -ranks[name[1:]] if name.startswith("-") else ranks[name]
        for name in wanted
        if name.removeprefix("-") in ORDERINGS
    ]
    if not keys and scores is not None:
        keys = [-np.round(scores, 6)]
    return [*keys, ranks["default"]]


def _ranks(holdings: Holdings) -> dict[str, Any]:
    return holdings.remember("ranks", lambda: holdings.columns("SELECT * FROM ranks ORDER BY position"))


@dataclass(frozen=True, slots=True)
class _FacetCounts:
    """Per experiment and facet value the samples that it alone has; those that it shares, as pairs."""

    names: list[tuple[str, str]]
    own: Mapping[str, Any]
    shared: Mapping[str, Any]
    code_of_pair: NDArray[np.int64]


def _facet_counts(holdings: Holdings) -> _FacetCounts:
    rows = holdings.rows("SELECT facet, value FROM facets ORDER BY code")
    shared = holdings.columns("SELECT * FROM shared_samples")
    pairs = np.zeros(int(shared["pair"].max()) + 1 if len(shared["pair"]) else 0, dtype=np.int64)
    pairs[shared["pair"]] = shared["code"]
    names = [(row["facet"], row["value"]) for row in rows]
    return _FacetCounts(names, holdings.columns("SELECT * FROM own_samples"), shared, pairs)


def count_facets(holdings: Holdings, found: NDArray[np.bool_]) -> Facets:
    """Return for each facet value the distinct downloadable samples of the experiments that were found."""
    counts = holdings.remember("facet counts", lambda: _facet_counts(holdings))
    size = len(counts.names)
    chosen = found[counts.own["experiment"]]
    codes = counts.own["code"][chosen]
    present = np.bincount(codes, minlength=size) > 0
    samples = np.bincount(codes, weights=counts.own["samples"][chosen], minlength=size)
    seen = np.zeros(len(counts.code_of_pair), dtype=bool)
    seen[counts.shared["pair"][found[counts.shared["experiment"]]]] = True
    samples += np.bincount(counts.code_of_pair[seen], minlength=size)
    return _by_facet(counts.names, present, samples)


def _by_facet(names: Sequence[tuple[str, str]], present: Any, samples: Any) -> Facets:
    """Return counts by facet, the largest first."""
    facets: Facets = {facet: {} for facet in FACETS}
    for place in sorted(np.flatnonzero(present).tolist(), key=lambda place: (-samples[place], names[place])):
        facet, value = names[place]
        if facet != "technology" or len(facets[facet]) < _MOST_TECHNOLOGIES:
            facets[facet][value] = int(samples[place])
    return facets
