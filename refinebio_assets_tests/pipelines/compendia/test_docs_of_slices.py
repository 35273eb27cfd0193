"""The examples of docs/compendia.md do what they say, on the store of a small compendium."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from refinebio_assets.formats.compendium_store import CompendiumStore
from refinebio_assets.pipelines.compendia.normalized_compendium import (
    build_normalized_compendium,
    open_compendium,
)
from refinebio_assets_tests.conftest import REPOSITORY
from refinebio_assets_tests.pipelines.compendia.world import ORGANISM, compendium_world

TEXT = (REPOSITORY / "docs" / "compendia.md").read_text(encoding="utf-8")
READ = "SRR15"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> CompendiumStore:
    lake = compendium_world(tmp_path_factory.mktemp("world")).lake
    build_normalized_compendium(lake, ORGANISM)
    return open_compendium(lake, ORGANISM)


def examples(language: str, store: CompendiumStore) -> list[str]:
    """Return the examples in a language, with genes and samples that the store has."""
    blocks = re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)
    named = {
        "path/to/store": str(store.folder),
        "'store/": f"'{store.folder}/",
        "ENSMUSG00000000001": store.gene_names[0],
        "ENSMUSG00000000028": store.gene_names[7],
        "SRR1000001": READ,
    }
    for name, own in named.items():
        blocks = [block.replace(name, own) for block in blocks]
    return blocks


def test_the_examples_in_python_give_slices(
    store: CompendiumStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for block in examples("python", store):
        exec(block, names)
    np.testing.assert_array_equal(names["values"], store.matrix()[0])
    np.testing.assert_array_equal(names["sample"], store.matrix(samples=[READ])[:, 0])
    assert names["frame"].shape == (2, 18) and list(names["by_platform"].index) == ["Illumina HiSeq 2000"]
    assert set(names["trusted"]) <= set(store.gene_names)
    assert names["part"].shape == (36, len(store.gene_names)) and (tmp_path / "part.h5ad").is_file()
    assert np.isnan(names["part"].X).sum() == np.isnan(store.matrix(layer="measured")).sum()


def test_the_examples_in_sql_give_the_same_values(store: CompendiumStore) -> None:
    gene, sample, pair = (duckdb.sql(block).fetchall() for block in examples("sql", store))
    imputed = store.gene(store.gene_names[0], "imputed")
    found = {name: (value, is_imputed) for name, _, value, is_imputed in gene}
    for place, name in enumerate(store.sample_names):
        assert found[name] == (float(store.gene(store.gene_names[0])[place]), not np.isnan(imputed[place]))
    measured = store.sample(READ, "measured")
    assert dict(sample) == {
        name: float(value)
        for name, value in zip(store.gene_names, measured, strict=True)
        if not np.isnan(value)
    }
    others = store.matrix(genes=[store.gene_names[0], store.gene_names[7]])
    assert {name: (one, other) for name, _, one, other in pair} == {
        name: tuple(map(float, others[:, place])) for place, name in enumerate(store.sample_names)
    }
