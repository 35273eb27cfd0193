"""Which column of detection p-values belongs to which column of values, and which way they run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from refinebio_assets.formats.beadarray.columns import Column
from refinebio_assets.formats.beadarray.matching import Match
from refinebio_assets.formats.beadarray.model import Vector
from refinebio_assets.formats.beadarray.spelling import Kind, is_only_number

_TAIL = 0.1
"""Share of the probes, brightest and dimmest, whose p-values tell which way they run."""


def pair_detection(
    columns: Sequence[Column], values: Mapping[str, Match], named: Mapping[int, str]
) -> dict[str, tuple[Column, str]]:
    """Return for each sample its column of p-values and why, for those that have one.

    ``values`` are the samples' columns of values, ``named`` the samples that headers of p-values name, by
    column. A header that names nothing (``Detection Pval``) is found by its place: beside its values, or,
    when all values come first, in the same order.
    """
    pairs: dict[str, tuple[Column, str]] = {}
    unnamed: list[Column] = []
    of_rest = {match.column.rest: accession for accession, match in values.items() if match.column.rest}
    for column in columns:
        if column.kind != Kind.DETECTION or not column.probability:
            continue
        accession = of_rest.get(column.rest) or named.get(column.index, "")
        if accession in values:
            pairs.setdefault(accession, (column, "its header names the sample"))
        elif is_only_number(column.rest):
            unnamed.append(column)
    owner_of = {match.column.index: accession for accession, match in values.items()}
    for column, index in _by_place(columns, unnamed, owner_of):
        if index in owner_of:
            pairs.setdefault(owner_of[index], (column, "its place beside the values"))
    return pairs


def run_as_complement(values: Vector, p_values: Vector) -> bool:
    """Tell whether p-values are given as 1 - p: larger for the brightest probes than for the dimmest.

    Both have one entry a probe, NaN where missing. False when they do not tell.
    """
    known = np.isfinite(values) & np.isfinite(p_values)
    values, p_values = values[known], p_values[known]
    if len(values) < 2:
        return False
    tail = max(1, int(_TAIL * len(values)))
    by_brightness = np.argpartition(values, [tail - 1, len(values) - tail])
    return bool(p_values[by_brightness[-tail:]].mean() > p_values[by_brightness[:tail]].mean())


def _by_place(
    columns: Sequence[Column], unnamed: Sequence[Column], taken: Mapping[int, str]
) -> list[tuple[Column, int]]:
    """Pair unnamed columns of p-values with the places of columns of values."""
    if not unnamed:
        return []
    values = [each.index for each in columns if each.index in taken or each.may_be_values]
    places = [column.index for column in unnamed]
    # Before the first or behind the last values: all in one block, or each p-value before its values.
    if len(values) == len(places):
        in_turn = all(value < place for value, place in zip(values, places, strict=True))
        next_before = all(place < value for place, value in zip(places, values[1:], strict=False))
        before = all(place < value for place, value in zip(places, values, strict=True)) and all(
            value < place for value, place in zip(values, places[1:], strict=False)
        )
        if (in_turn and (next_before or values[-1] < places[0])) or before:
            return list(zip(unnamed, values, strict=True))
    return _nearest_before(unnamed, values)


def _nearest_before(unnamed: Sequence[Column], values: Sequence[int]) -> list[tuple[Column, int]]:
    """Pair each column of p-values with the last column of values before it."""
    pairs = []
    for column in unnamed:
        before = [index for index in values if index < column.index]
        if before:
            pairs.append((column, before[-1]))
    return pairs
