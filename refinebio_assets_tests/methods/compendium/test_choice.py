"""Genes and samples are those of the specification, however the samples are divided into blocks."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refinebio_assets.errors import PermanentError
from refinebio_assets.methods.compendium.choice import GeneTally, choose_genes, enough_genes, scaled
from refinebio_assets.methods.compendium.gene_rows import gene_rows, places_in
from refinebio_assets.methods.compendium.scale import log2_abundance
from refinebio_assets_tests.methods.compendium.by_pandas import Simulated, compendium_by_pandas


def simulate(rng: np.random.Generator) -> list[Simulated]:
    """Return a few matrices of both technologies, of different genes, with zeros and missing values."""
    genes = np.array([f"G{number:03}" for number in range(int(rng.integers(5, 40)))])
    sources = []
    for number in range(int(rng.integers(1, 6))):
        sequencing = bool(rng.random() < 0.5)
        chosen = rng.permutation(genes[rng.random(len(genes)) < rng.uniform(0.6, 1.0)])
        shape = (len(chosen), int(rng.integers(1, 7)))
        values = rng.gamma(1.0, 50.0, shape) if sequencing else rng.normal(0.0, 2.0, shape)
        if sequencing:
            values[rng.random(shape) < rng.uniform(0, 0.4)] = 0.0
        values[rng.random(shape) < 0.05] = np.nan
        if not sequencing:
            values[rng.random(shape) < 0.02] = np.inf
        names = [f"S{number}_{column}" for column in range(shape[1])]
        sources.append(Simulated(pd.DataFrame(values.astype(np.float32), chosen, names), sequencing))
    return sources


def compendium_by_blocks(sources: list[Simulated], rows: int) -> pd.DataFrame:
    """Return genes x samples of the same steps by our kernels, some samples at a time."""
    found = gene_rows((list(source.frame.index), source.frame.shape[1]) for source in sources)
    tally, blocks = GeneTally(len(found.genes)), []
    for source in sources:
        to, of = places_in(found.genes, list(source.frame.index))
        for start in range(0, source.frame.shape[1], rows):
            part = source.frame.iloc[:, start : start + rows]
            block = np.full((part.shape[1], len(found.genes)), np.nan, np.float32)
            block[:, to] = part.to_numpy().T[:, of]
            tally.add(block, sequencing=source.sequencing)
            blocks.append((block, source.sequencing, list(part.columns)))
    choice = choose_genes(tally)
    kept = [gene for gene, keep in zip(found.genes, choice.kept, strict=True) if keep]
    columns = {}
    for block, sequencing, samples in blocks:
        values, present = scaled(block, choice, sequencing=sequencing)
        for sample, row, enough in zip(samples, values, enough_genes(present, len(kept)), strict=True):
            if enough:
                columns[sample] = row
    return pd.DataFrame(columns, kept)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 5))
def test_blocks_give_what_whole_frames_give(seed: int, rows: int) -> None:
    sources = simulate(np.random.default_rng(seed))
    expected = compendium_by_pandas(sources)
    if expected.empty and not len(expected):
        with pytest.raises(PermanentError):
            compendium_by_blocks(sources, rows)
        return
    found = compendium_by_blocks(sources, rows)
    expected = expected.reindex(index=sorted(expected.index), columns=found.columns)
    assert sorted(found.columns) == sorted(expected.columns) and list(found.index) == list(expected.index)
    np.testing.assert_array_equal(found.to_numpy(), expected.to_numpy())


def test_a_gene_of_half_the_samples_is_no_row_and_is_listed_with_its_count() -> None:
    rows = gene_rows([(["b", "a"], 5), (["a", "c"], 5), (["a"], 1)])
    assert rows.genes == ("a",) and rows.rare == {"b": 5, "c": 5} and rows.samples == 11


def test_zeros_count_as_absent_and_are_values_afterwards() -> None:
    few, many = [0.0] * 3 + [9.0] * 7, [0.0] * 4 + [9.0] * 6
    block = np.array([[1.0] * 10, few, many], np.float32).T
    tally = GeneTally(3)
    tally.add(block, sequencing=True)
    choice = choose_genes(tally)
    np.testing.assert_array_equal(choice.weak, [True, False, False])
    np.testing.assert_array_equal(choice.present, [0, 7, 6])
    np.testing.assert_array_equal(choice.kept, [False, True, False])
    values, present = scaled(block, choice, sequencing=True)
    assert values[0, 0] == 0.0 and present.tolist() == [0] * 3 + [1] * 7


def test_the_weakest_tenth_loses_its_sequencing_values_but_not_those_of_arrays() -> None:
    tally = GeneTally(10)
    tally.add(np.tile(np.arange(1.0, 11.0, dtype=np.float32), (4, 1)), sequencing=True)
    tally.add(np.ones((16, 10), np.float32), sequencing=False)
    choice = choose_genes(tally)
    assert choice.weak.tolist() == [True] + [False] * 9 and choice.kept.all()
    assert choice.least_sum == pytest.approx(4 * 1.9)
    sequenced, _ = scaled(np.ones((1, 10), np.float32), choice, sequencing=True)
    arrays, _ = scaled(np.ones((1, 10), np.float32), choice, sequencing=False)
    assert np.isnan(sequenced[0, 0]) and arrays[0, 0] == 1.0


def test_logarithms_in_place_of_abundances_are_noticed() -> None:
    with pytest.raises(PermanentError, match="logarithms already"):
        log2_abundance(np.array([[3.0, -1.5]], np.float32))


def test_nothing_to_choose_from_is_refused_with_numbers() -> None:
    with pytest.raises(PermanentError, match="0 samples share 4 genes"):
        choose_genes(GeneTally(4))
    tally = GeneTally(1)
    tally.add(np.array([[np.nan], [1.0]], np.float32), sequencing=False)
    with pytest.raises(PermanentError, match=r"70 % of the 2 samples; the most common is in 1"):
        choose_genes(tally)
