"""A build that is killed or finds its disk full leaves the version before, and the next one finishes."""

from __future__ import annotations

import resource
from pathlib import Path

import numpy as np
import pytest

from refinebio_assets.errors import StorageError
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.compendia.kinds import CompendiumKind, require_version
from refinebio_assets.pipelines.compendia.rnaseq_samples.rnaseq_sample_compendium import (
    build_rnaseq_sample_compendium,
)
from refinebio_assets_tests.pipelines.compendia.interrupted import build, error_on_small_disk, killed_at
from refinebio_assets_tests.pipelines.compendia.test_rnaseq_samples import Counting, quant_sf
from refinebio_assets_tests.pipelines.datasets.world import HUMAN, World, rna_seq

NORMALIZED, FILES = CompendiumKind.NORMALIZED, CompendiumKind.RNASEQ_SAMPLE
GENES = tuple(f"ENSG{number:011}" for number in range(2_000))


def add(world: World, experiment: str, prefix: str, count: int) -> None:
    names = [f"{prefix}{number}" for number in range(count)]
    rng = np.random.default_rng(len(prefix) + count)
    files = {name: quant_sf(int(rng.integers(1_000)), transcripts=4_000) for name in names}
    world.add(experiment, rna_seq(names, seed=count, genes=GENES), quant_sf=files)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """A lake with both compendia of one experiment, and an experiment that came since."""
    world = World(tmp_path, source="SRA")
    add(world, "SRP1", "SRRA", 8)
    world.target()
    for kind in CompendiumKind:
        build(kind, world.lake)
    add(world, "SRP2", "SRRB", 12)
    return world.lake


def newest(lake: Lake, kind: CompendiumKind) -> int:
    return int(require_version(lake, kind, HUMAN).info["number"])


@pytest.mark.parametrize(
    ("kind", "event", "path"),
    [
        (NORMALIZED, "open", "/measured"),
        (NORMALIZED, "open", "/final"),
        (NORMALIZED, "os.rename", "/assets/normalized_compendium"),
        (FILES, "open", "journal.jsonl"),
        (FILES, "os.rename", "/assets/rnaseq_sample_compendium"),
        (FILES, "open", "/staging/file-"),
    ],
)
def test_a_killed_build_leaves_the_version_before_and_the_next_one_finishes(
    lake: Lake, kind: CompendiumKind, event: str, path: str
) -> None:
    killed_at(kind, lake, event, path)
    assert newest(lake, kind) == 1
    assert lake.verify_all().problems == ()
    outcome = build(kind, lake)
    assert outcome.changed and newest(lake, kind) in (2, 3), "a killed build may have taken a number"
    assert lake.verify_all().problems == ()


@pytest.mark.parametrize(("kind", "room"), [(NORMALIZED, 400_000), (FILES, 100_000)])
def test_a_disk_that_is_too_small_is_told_with_what_is_needed(
    lake: Lake, kind: CompendiumKind, room: int, tmp_path: Path
) -> None:
    (tmp_path / "disk").mkdir()
    told = error_on_small_disk(kind, lake, tmp_path / "disk", room)
    assert told.startswith("StorageError")
    assert "needs about" in told and "are free; make room there" in told


def test_a_disk_that_gets_full_on_the_way_keeps_the_experiments_that_are_whole(lake: Lake) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, before[1]))
    try:
        with pytest.raises(StorageError, match=r"needs about [\d,]+ bytes in .*; make room there"):
            build(FILES, lake)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert newest(lake, FILES) == 1
    progress = Counting()
    assert build_rnaseq_sample_compendium(lake, HUMAN, progress=progress).changed
    assert progress.said[0] == "1 of 2 experiments are there from a build that was interrupted"
    assert progress.done == 12
