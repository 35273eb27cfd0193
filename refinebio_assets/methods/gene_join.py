"""The genes that several matrices share, and which of them cost the others how many.

Arrays in, arrays out: ids are compared as they are (see ``gene_ids``). What to say about a loss, and to
whom, is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Indices = npt.NDArray[np.intp]
Memberships = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class GeneCount:
    """What one matrix, or one group of them, has and costs.

    ``genes`` are those that all its matrices have; ``alone_removed`` those that all others have but it has
    not: without it, so many more genes would be left.
    """

    name: str
    genes: int
    alone_removed: int


@dataclass(frozen=True, slots=True)
class GeneLoss:
    """How many genes there are in any matrix and in all of them, and who removed them.

    ``disjoint`` are pairs of groups without one gene in common.
    """

    before: int
    after: int
    groups: tuple[GeneCount, ...]
    disjoint: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, eq=False)
class GeneJoin:
    """The genes that all matrices have, and where each matrix has them.

    ``genes`` are sorted in byte order, as refine.bio's downloads have them. ``rows[name][i]`` is the row
    of ``genes[i]`` in that matrix; matrices with the same ids share one array.
    """

    genes: pa.StringArray
    rows: Mapping[str, Indices]
    loss: GeneLoss


def join_genes(gene_sets: Mapping[str, pa.StringArray], groups: Mapping[str, str] | None = None) -> GeneJoin:
    """Join matrices on their genes, keeping those that are in all of them.

    ``gene_sets`` gives each matrix's ids, none missing and none twice. ``groups`` gives each matrix's group
    for the loss, such as its platform; without it each matrix is one. Matrices of equal ids are compared
    once. Raises ValueError without a matrix, or where an id is missing or comes twice.
    """
    if not gene_sets:
        raise ValueError("there is no matrix to join")
    lists, list_of = _distinct_lists(gene_sets)
    places, everything = _places(lists)
    members = _memberships(places, len(everything))
    order = pc.array_sort_indices(everything)
    shared = np.from_dlpack(order).astype(np.intp)
    in_all: Memberships = np.logical_and.reduce(members, axis=0)
    shared = shared[in_all[shared]]
    rows = [_rows_of(place, shared, len(everything)) for place in places]
    owners = groups or {name: name for name in gene_sets}
    return GeneJoin(
        cast(pa.StringArray, everything.take(shared)),
        {name: rows[list_of[name]] for name in gene_sets},
        _loss(members, list_of, owners),
    )


def _distinct_lists(gene_sets: Mapping[str, pa.StringArray]) -> tuple[list[pa.StringArray], dict[str, int]]:
    """Return the different lists of ids, and which of them each matrix has."""
    lists: list[pa.StringArray] = []
    by_length: dict[int, list[int]] = {}
    list_of = {}
    for name, ids in gene_sets.items():
        alike = by_length.setdefault(len(ids), [])
        same = next((number for number in alike if lists[number].equals(ids)), None)
        if same is None:
            _check_unique(name, ids)
            same = len(lists)
            lists.append(ids)
            alike.append(same)
        list_of[name] = same
    return lists, list_of


def _check_unique(name: str, ids: pa.StringArray) -> None:
    if ids.null_count:
        raise ValueError(f"{ids.null_count:,} genes of {name} have no id")
    distinct = len(ids.unique())
    if distinct < len(ids):
        raise ValueError(f"{len(ids) - distinct:,} rows of {name} have the id of another row")


def _places(lists: Sequence[pa.StringArray]) -> tuple[list[Indices], pa.Array[Any]]:
    """Return each list's ids as numbers of one list of all ids."""
    coded = pa.chunked_array(lists, pa.string()).combine_chunks().dictionary_encode()
    codes = np.from_dlpack(coded.indices).astype(np.intp)
    ends = np.cumsum([len(ids) for ids in lists])
    return np.split(codes, ends[:-1]), coded.dictionary


def _memberships(places: Sequence[Indices], genes: int) -> Memberships:
    members = np.zeros((len(places), genes), np.bool_)
    for row, place in zip(members, places, strict=True):
        row[place] = True
    return members


def _rows_of(place: Indices, shared: Indices, genes: int) -> Indices:
    rows = np.empty(genes, np.intp)
    rows[place] = np.arange(len(place))
    result: Indices = rows[shared]
    return result


def _loss(members: Memberships, list_of: Mapping[str, int], owners: Mapping[str, str]) -> GeneLoss:
    lists_of_group: dict[str, set[int]] = {}
    for name, number in list_of.items():
        lists_of_group.setdefault(owners[name], set()).add(number)
    names = list(lists_of_group)
    common = np.array([members[sorted(numbers)].all(axis=0) for numbers in lists_of_group.values()])
    lacking_one = common.sum(axis=0) == len(names) - 1
    counts = [
        GeneCount(name, int(row.sum()), int((lacking_one & ~row).sum()))
        for name, row in zip(names, common, strict=True)
    ]
    return GeneLoss(
        before=int(members.any(axis=0).sum()),
        after=int(common.all(axis=0).sum()),
        groups=tuple(counts),
        disjoint=tuple(_disjoint(names, common)),
    )


def _disjoint(names: Sequence[str], members: Memberships) -> list[tuple[str, str]]:
    weights = members.astype(np.float32)
    one, other = np.nonzero(np.triu(weights @ weights.T == 0, 1))
    return [(names[first], names[second]) for first, second in zip(one.tolist(), other.tolist(), strict=True)]
