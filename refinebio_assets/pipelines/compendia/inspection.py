"""Reads a compendium back and tells what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow.parquet as pq

from refinebio_assets.domain import DropKind, some_of
from refinebio_assets.formats.compendium_store import CompendiumStore, layout
from refinebio_assets.lake.rows import read_rows
from refinebio_assets.lake.store import Commit, Lake
from refinebio_assets.pipelines.compendia.lake_matrices import lake_matrices
from refinebio_assets.pipelines.compendia.model import Imputation
from refinebio_assets.pipelines.compendia.normalized_compendium import ASSET, FOLDER
from refinebio_assets.pipelines.outcome import dropped_before, require_head
from refinebio_assets.platforms.compendium_organisms import organisms_of_compendium

_SHOWN = 5
_LOOKED_AT = 20
"""Samples whose values are read, evenly spread: each sample's are written by the same code."""


def compendium_problems(lake: Lake, organism: str) -> list[str]:
    """Return what is wrong with an organism's newest compendium, one sentence each."""
    commit = require_head(lake, ASSET, organism)
    store = CompendiumStore(lake.local_folder(commit, FOLDER))
    imputation = read_rows(lake, commit, "compendia")[0]["imputation"]
    return [*store_problems(store, imputation), *_samples_lost(lake, organism, commit, store)]


def store_problems(store: CompendiumStore, imputation: str) -> list[str]:
    """Return what is wrong with a store by itself: names that differ, values that are missing."""
    return [*_names_differ(store), *_values_are_missing(store, imputation)]


def _names_differ(store: CompendiumStore) -> Iterator[str]:
    for table, file, column in (
        (store.samples, layout.BY_SAMPLE, layout.SAMPLE),
        (store.genes, layout.BY_GENE, layout.GENE),
    ):
        listed = table.column(column).to_pylist()
        there = pq.read_table(store.folder / file, columns=[column]).column(column).to_pylist()
        if listed != there:
            yield f"{file} has {len(there):,} {column}s, the table of {column}s {len(listed):,} or others"
        if len(set(listed)) != len(listed):
            yield f"the table of {column}s has a {column} twice"


def _values_are_missing(store: CompendiumStore, imputation: str) -> Iterator[str]:
    if imputation == Imputation.NONE:
        return
    names = store.sample_names
    for place in np.unique(np.linspace(0, len(names) - 1, _LOOKED_AT).astype(int)).tolist():
        absent = int(np.count_nonzero(~np.isfinite(store.sample(names[place]))))
        if absent:
            yield f"{absent:,} values of sample {names[place]} are missing"


def _samples_lost(lake: Lake, organism: str, commit: Commit, store: CompendiumStore) -> Iterator[str]:
    """Compare with today's matrices, unless they changed since."""
    matrices = lake_matrices(lake, organisms_of_compendium(organism)).matrices
    basis = commit.info["basis"]
    expected = {
        sample
        for matrix in matrices
        if basis.get(f"{matrix.name} of {matrix.experiment}") == [matrix.version, len(matrix.samples)]
        for sample in matrix.samples
    }
    known = set(store.sample_names)
    known |= {item.item for item in dropped_before(lake, commit) if item.kind == DropKind.SAMPLE}
    lost = sorted(expected - known)
    if lost:
        yield f"{len(lost):,} samples are neither in it nor listed as dropped: {some_of(lost, _SHOWN)}"
