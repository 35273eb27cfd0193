"""Which compendia are out of date, and what is told of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from refinebio_assets.pipelines.compendia.bundle.compendium_bundle import build_compendium_bundle
from refinebio_assets.pipelines.compendia.normalized_compendium import build_normalized_compendium
from refinebio_assets.pipelines.compendia.rnaseq_samples.rnaseq_sample_compendium import (
    build_rnaseq_sample_compendium,
)
from refinebio_assets.pipelines.compendia.standing import stale_compendia, what_changed
from refinebio_assets_tests.pipelines.compendia.test_rnaseq_samples import add_reads
from refinebio_assets_tests.pipelines.datasets.world import HUMAN, World, rna_seq


def test_a_compendium_of_files_says_which_samples_came(tmp_path: Path) -> None:
    world = World(tmp_path, source="SRA")
    add_reads(world, "SRP1", "SRR1", "SRR2")
    build_rnaseq_sample_compendium(world.lake, HUMAN)
    assert list(stale_compendia(world.lake)) == []
    add_reads(world, "SRP2", "SRR3")
    add_reads(world, "SRP1", "SRR1", "SRR2", "SRR4")
    (stale,) = stale_compendia(world.lake)
    assert (stale.step, stale.number, stale.samples) == ("rnaseq_sample_compendium", 1, 4)
    assert stale.inputs == ("experiments",)
    assert stale.reasons == ("1 experiment added (1 sample)", "1 experiment changed (3 samples)")


def test_a_normalized_compendium_says_that_its_target_changed(tmp_path: Path) -> None:
    world = World(tmp_path)
    made = rna_seq([f"SRR{number}" for number in range(6)], seed=1)
    world.add("SRP1", made)
    world.target()
    build_normalized_compendium(world.lake, HUMAN)
    (without_zip,) = stale_compendia(world.lake)
    assert (without_zip.step, without_zip.reasons) == ("compendium_bundle", ("not made before",))
    build_compendium_bundle(world.lake, HUMAN)
    assert list(stale_compendia(world.lake)) == []
    world.add("SRP1", made, title="Another title")
    (with_other_metadata,) = stale_compendia(world.lake)
    assert with_other_metadata.step == "compendium_bundle"
    assert with_other_metadata.reasons == ("1 experiment changed",)
    world.target(values=np.linspace(1, 2, 50).tolist())
    (stale,) = stale_compendia(world.lake)
    assert stale.inputs == ("target",) and stale.samples == 0
    assert len(stale.reasons) == 1 and stale.reasons[0].startswith("target changed")


def test_experiments_are_told_of_together_and_all_else_by_itself() -> None:
    old = {
        "code version": "1",
        "rna-seq_a of E1": ["x", 3],
        "array_b of E1": ["x", 2],
        "rna-seq_a of E2": ["x", 7],
    }
    new = {
        "code version": "2",
        "rna-seq_a of E1": ["y", 4],
        "array_b of E1": ["x", 2],
        "rna-seq_a of E3": ["z", 1],
    }
    inputs, reasons, samples = what_changed(old, new)
    assert inputs == ["experiments", "code version"]
    assert reasons == [
        "1 experiment added (1 sample)",
        "1 experiment removed (7 samples)",
        "1 experiment changed (6 samples)",
        "code version changed: 1 -> 2",
    ]
    assert samples == 14
