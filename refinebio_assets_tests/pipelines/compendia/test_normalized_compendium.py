"""An organism's compendium in the lake: what takes part, versions, and what a check finds."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from refinebio_assets.errors import NotFoundError, PermanentError
from refinebio_assets.formats.compendium_store import CompendiumStore, layout
from refinebio_assets.lake.rows import read_rows
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.compendia.inspection import compendium_problems, store_problems
from refinebio_assets.pipelines.compendia.model import Imputation
from refinebio_assets.pipelines.compendia.normalized_compendium import (
    ASSET,
    build_normalized_compendium,
    open_compendium,
    require_compendium,
)
from refinebio_assets.pipelines.compendia.overview import dropped_by_reason, samples_by
from refinebio_assets.pipelines.outcome import Outcome
from refinebio_assets.pipelines.progress import Silent
from refinebio_assets.pipelines.target_quantiles import build_target
from refinebio_assets.pipelines.targets.settings import decide_samples
from refinebio_assets.platforms.compendium_organisms import organisms_of_compendium
from refinebio_assets_tests.pipelines.expression_making import MadeMatrix, put_expression

MOUSE, SPRETUS = "MUS_MUSCULUS", "MUS_SPRETUS"
GENES = [f"ENSMUSG{number:011}" for number in range(50)]


def arrays(rng: np.random.Generator, prefix: str, count: int, **how: object) -> MadeMatrix:
    """Return arrays that miss the last five genes."""
    level = np.random.default_rng(0).normal(0.0, 2.0, 45)[:, None]
    values = level + rng.normal(0.0, 0.5, (45, count))
    return MadeMatrix([f"{prefix}{n}" for n in range(count)], GENES[:45], values, organism=MOUSE, **how)  # type: ignore[arg-type]


def reads(rng: np.random.Generator, prefix: str, count: int, organism: str = MOUSE) -> MadeMatrix:
    """Return sequencing of all genes, ids with versions."""
    values = np.exp2(rng.normal(6.0, 2.0, (50, count)))
    names = [f"{prefix}{n}" for n in range(count)]
    return MadeMatrix(
        names, [f"{gene}.3" for gene in GENES], values, "HiSeq", "RNA-SEQ", organism, reference="index"
    )


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """Four experiments: arrays and reads, a related species, a submitter's values, and a sample twice."""
    made, rng = Lake(str(tmp_path / "lake")), np.random.default_rng(1)
    put_expression(made, "GSE1", arrays(rng, "A", 6))
    put_expression(made, "GSE2", arrays(rng, "A", 1), arrays(rng, "P", 1, processing="submitter-processed"))
    put_expression(made, "SRP1", reads(rng, "R", 12))
    put_expression(made, "SRP2", reads(rng, "Q", 4, SPRETUS))
    decide_samples(made, MOUSE, minimum=2)
    build_target(made, MOUSE)
    return made


def test_samples_of_the_genus_take_part_once_and_others_are_listed(lake: Lake) -> None:
    outcome = build_normalized_compendium(lake, MOUSE)
    store = open_compendium(lake, MOUSE)
    names = store.samples.column("sample").to_pylist()
    assert names == [f"A{n}" for n in range(6)] + [f"R{n}" for n in range(12)] + [f"Q{n}" for n in range(4)]
    assert set(store.samples.column("organism").to_pylist()) == {MOUSE, SPRETUS}
    weak = {item.item for item in outcome.dropped if "tenth percentile" in item.reason}
    assert len(weak) == 5 and store.gene_names == [gene for gene in GENES if gene not in weak]
    assert store.about["compendium_version"] == 1
    assert [item.item for item in outcome.dropped_samples] == ["P0"]
    assert "submitter-processed" in outcome.dropped_samples[0].reason
    row = read_rows(lake, outcome.commit, "compendia")[0]
    assert (row["samples"], row["dropped_samples"], row["experiments"]) == (22, 1, 3)
    assert {(item.asset, item.partition) for item in outcome.commit.inputs} == {
        ("gene_expression", "GSE1"),
        ("gene_expression", "SRP1"),
        ("gene_expression", "SRP2"),
        ("target_quantiles", MOUSE),
    }
    assert samples_by(store, "technology")[0] == {
        "technology": "RNA-SEQ",
        "samples": 16,
        "share_missing": pytest.approx(0.1, abs=0.1),
    }
    assert sum(row["number"] for row in dropped_by_reason(lake, outcome.commit)) == 6
    assert compendium_problems(lake, MOUSE) == []


def test_versions_count_up_and_old_ones_stay_readable(lake: Lake) -> None:
    first = build_normalized_compendium(lake, MOUSE)
    again = build_normalized_compendium(lake, MOUSE)
    assert not again.changed and again.commit.id == first.commit.id
    assert again.dropped == first.dropped
    put_expression(lake, "SRP9", reads(np.random.default_rng(9), "Z", 3))
    second = build_normalized_compendium(lake, MOUSE, imputation=Imputation.ITERATIVE_SVD)
    assert second.changed and any("SRP9" in reason for reason in second.reasons)
    assert open_compendium(lake, MOUSE).about["compendium_version"] == 2
    assert open_compendium(lake, MOUSE, 1).shape == (45, 22)
    third = build_normalized_compendium(lake, MOUSE)
    assert not third.changed, "the imputation that was chosen stays"
    with pytest.raises(NotFoundError, match="no normalized compendium version 7; it has 1, 2"):
        require_compendium(lake, MOUSE, 7)


def test_a_failed_build_leaves_the_version_before_and_nothing_in_scratch(lake: Lake) -> None:
    first = build_normalized_compendium(lake, MOUSE)
    put_expression(lake, "SRP9", reads(np.random.default_rng(9), "Z", 3))
    with pytest.raises(PermanentError, match="memory limit of at least"):
        build_normalized_compendium(lake, MOUSE, memory_limit=1 << 20)
    head = lake.head(ASSET, MOUSE)
    assert head is not None and head.id == first.commit.id
    assert not any(lake.storage.scratch.iterdir())
    assert build_normalized_compendium(lake, MOUSE).commit.info["number"] == 2, "a failure takes no number"


class AnotherBuild(Silent):
    """Builds the compendium, of one experiment more or the same, while another build is at it."""

    def __init__(self, lake: Lake, *, of_more: bool) -> None:
        self.lake, self.of_more = lake, of_more
        self.made: Outcome | None = None

    def say(self, text: str) -> None:
        if text.startswith("look at what samples differ by"):
            if self.of_more:
                put_expression(self.lake, "SRP9", reads(np.random.default_rng(9), "Z", 3))
            self.made = build_normalized_compendium(self.lake, MOUSE)


def test_equal_builds_side_by_side_make_one_version(lake: Lake) -> None:
    other = AnotherBuild(lake, of_more=False)
    slower = build_normalized_compendium(lake, MOUSE, progress=other)
    assert other.made is not None and other.made.changed
    assert (slower.changed, slower.commit.id) == (False, other.made.commit.id)
    assert len(lake.history(ASSET, MOUSE)) == 1
    assert not any(lake.storage.scratch.iterdir())


def test_builds_side_by_side_get_numbers_in_the_order_in_which_they_come(lake: Lake) -> None:
    other = AnotherBuild(lake, of_more=True)
    slower = build_normalized_compendium(lake, MOUSE, progress=other)
    assert other.made is not None
    for number, made, samples in ((1, other.made, 25), (2, slower, 22)):
        assert made.commit.info["number"] == number
        assert read_rows(lake, made.commit, "compendia")[0]["number"] == number
        store = open_compendium(lake, MOUSE, number)
        assert (store.about["compendium_version"], store.shape[1]) == (number, samples)
        locked = json.loads(lake.local(made.commit.file("compendium.lock.json")).read_text(encoding="utf-8"))
        assert locked["number"] == number


def test_a_compendium_without_target_or_samples_says_what_to_do(lake: Lake, tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="no samples of DANIO_RERIO that were processed from raw"):
        build_normalized_compendium(lake, "DANIO_RERIO")
    bare = Lake(str(tmp_path / "bare"))
    put_expression(bare, "GSE1", arrays(np.random.default_rng(1), "A", 3))
    with pytest.raises(NotFoundError, match=r"target build MUS_MUSCULUS"):
        build_normalized_compendium(bare, MOUSE)
    with pytest.raises(NotFoundError, match=r"compendium build DANIO_RERIO"):
        open_compendium(lake, "DANIO_RERIO")


def test_tables_and_values_that_are_not_of_the_same_samples_are_found(lake: Lake, tmp_path: Path) -> None:
    build_normalized_compendium(lake, MOUSE)
    store = open_compendium(lake, MOUSE)
    assert store_problems(store, "factors") == []
    shutil.copytree(store.folder, tmp_path / "copy")
    copy = CompendiumStore(tmp_path / "copy")
    path = copy.folder / layout.SAMPLES
    path.unlink()
    pq.write_table(store.samples.slice(0, 21), path)
    (problem,) = store_problems(copy, "factors")
    assert "by_sample.parquet has 22 samples, the table of samples 21" in problem


def test_genera_are_those_of_the_documentation() -> None:
    assert organisms_of_compendium("Mus musculus")[:2] == (MOUSE, SPRETUS)
    assert organisms_of_compendium("ORYZA_SATIVA")[0] == "ORYZA_SATIVA"
    assert organisms_of_compendium("UNHEARD_OF") == ("UNHEARD_OF",)
