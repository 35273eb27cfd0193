"""The genes that matrices share, and who costs how many."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinebio_assets.methods.gene_join import GeneCount, join_genes

GENE_SETS = st.lists(st.lists(st.sampled_from("abcdefgh"), unique=True), min_size=1, max_size=5)


@given(GENE_SETS)
def test_the_join_has_the_genes_of_all_matrices_sorted_and_tells_where_they_are(
    sets: list[list[str]],
) -> None:
    named = {f"m{number}": pa.array(ids, pa.string()) for number, ids in enumerate(sets)}
    join = join_genes(named)
    assert join.genes.to_pylist() == sorted(set.intersection(*map(set, sets)))
    for name, ids in named.items():
        assert ids.take(join.rows[name]).to_pylist() == join.genes.to_pylist()


@given(GENE_SETS)
def test_the_loss_counts_what_each_matrix_alone_removed(sets: list[list[str]]) -> None:
    named = {f"m{number}": pa.array(ids, pa.string()) for number, ids in enumerate(sets)}
    loss = join_genes(named).loss
    assert (loss.before, loss.after) == (len(set().union(*sets)), len(set.intersection(*map(set, sets))))
    for number, counted in enumerate(loss.groups):
        others = [set(ids) for place, ids in enumerate(sets) if place != number]
        shared = set.intersection(*others) if others else set().union(*sets)
        assert counted == GeneCount(f"m{number}", len(sets[number]), len(shared - set(sets[number])))
    pairs = [(f"m{i}", f"m{j}") for i in range(len(sets)) for j in range(i + 1, len(sets))]
    assert list(loss.disjoint) == [
        (one, other) for one, other in pairs if not set(sets[int(one[1:])]) & set(sets[int(other[1:])])
    ]


def test_the_loss_is_told_by_platform_when_asked() -> None:
    sets = {
        "E1": pa.array(["a", "b", "c", "d"]),
        "E2": pa.array(["a", "b", "c", "d"]),
        "E3": pa.array(["a", "b", "x"]),
        "E4": pa.array(["b", "a", "c"]),
    }
    join = join_genes(sets, {"E1": "old chip", "E2": "old chip", "E3": "new chip", "E4": "RNA-seq"})
    assert join.genes.to_pylist() == ["a", "b"]
    assert join.rows["E1"] is join.rows["E2"]
    assert join.rows["E4"].tolist() == [1, 0]
    assert join.loss.groups == (
        GeneCount("old chip", 4, 0),
        GeneCount("new chip", 3, 1),
        GeneCount("RNA-seq", 3, 0),
    )
    assert (join.loss.before, join.loss.after, join.loss.disjoint) == (5, 2, ())


def test_disjoint_matrices_join_to_nothing_and_are_named() -> None:
    join = join_genes({"mouse": pa.array(["m1"]), "human": pa.array(["h1"]), "both": pa.array(["m1", "h1"])})
    assert join.genes.to_pylist() == []
    assert join.rows["mouse"].dtype == np.intp
    assert join.loss.disjoint == (("mouse", "human"),)


@pytest.mark.parametrize(("ids", "problem"), [(["a", "a"], "another row"), (["a", None], "no id")])
def test_ids_that_are_missing_or_come_twice_are_refused(ids: list[str | None], problem: str) -> None:
    with pytest.raises(ValueError, match=f"of m.*{problem}|{problem}"):
        join_genes({"m": pa.array(ids)})


def test_nothing_to_join_is_refused() -> None:
    with pytest.raises(ValueError, match="no matrix"):
        join_genes({})
