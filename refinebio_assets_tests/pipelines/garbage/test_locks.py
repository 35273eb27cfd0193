"""`gc --lockfile`: what users have of datasets and compendia keeps the versions, and what is behind."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from refinebio_assets.errors import FormatError
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.compendia.bundle.compendium_bundle import build_compendium_bundle
from refinebio_assets.pipelines.compendia.kinds import CompendiumKind, require_zip, zip_of
from refinebio_assets.pipelines.compendia.normalized_compendium import build_normalized_compendium
from refinebio_assets.pipelines.compendia.rnaseq_samples.rnaseq_sample_compendium import (
    build_rnaseq_sample_compendium,
)
from refinebio_assets.pipelines.datasets.bundle import build_bundle
from refinebio_assets.pipelines.datasets.dataset_matrices import (
    build_matrices,
    dataset_versions,
    rebuild_from_lock,
)
from refinebio_assets.pipelines.datasets.registry import delete_dataset
from refinebio_assets.pipelines.garbage.candidates import Terms
from refinebio_assets.pipelines.garbage.collection import plan_removal
from refinebio_assets.pipelines.garbage.locks import read_pinned
from refinebio_assets.pipelines.garbage.removal import remove
from refinebio_assets_tests.pipelines.compendia.world import ORGANISM, compendium_world
from refinebio_assets_tests.pipelines.datasets.world import HUMAN, World, rna_seq
from refinebio_assets_tests.pipelines.garbage.test_commits_meanwhile import Arrivals, commit, later


def collect(lake: Lake, *lockfiles: Path) -> list[str]:
    """Remove all that may go but what the lockfiles pin; return the assets of what went."""
    seen = later(lake)
    plan = plan_removal(seen, Terms(old_datasets=True, locks=[read_pinned(path) for path in lockfiles]))
    remove(seen, plan)
    return [item.asset for item in plan.removals]


@pytest.mark.parametrize("name", ["D.zip", "dataset.lock.json"])
def test_a_dataset_is_made_again_of_its_lockfile_or_zip(tmp_path: Path, name: str) -> None:
    world = World.by_species(tmp_path)
    build_matrices(world.lake, "D")
    delivered = build_bundle(world.lake, "D").commit
    path = tmp_path / name
    if name == "D.zip":
        path.write_bytes(world.lake.local(delivered.file(name)).read_bytes())
    else:
        (first,) = dataset_versions(world.lake, "D")
        path.write_bytes(world.lake.local(first.file(name)).read_bytes())
    world.express("SRP1", rna_seq(["SRR1", "SRR2"], 9))
    world.target(HUMAN, np.linspace(5, 6, 30).tolist())
    build_matrices(world.lake, "D")
    build_bundle(world.lake, "D")
    assert not {"dataset_bundle", "dataset_matrices", "gene_expression"} & set(collect(world.lake, path))
    lock = json.loads(zipfile.ZipFile(world.lake.local(delivered.file("D.zip"))).read("dataset.lock.json"))
    rebuild_from_lock(world.lake, "D", lock)
    again = build_bundle(world.lake, "D").commit
    assert members(world.lake.local(again.file("D.zip")), "tsv") == members(
        world.lake.local(delivered.file("D.zip")), "tsv"
    )


def members(path: Path, suffix: str) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist() if name.endswith(suffix)}


def test_the_zip_of_a_normalized_compendium_keeps_its_version(tmp_path: Path) -> None:
    world = compendium_world(tmp_path)
    build_normalized_compendium(world.lake, ORGANISM)
    build_compendium_bundle(world.lake, ORGANISM)
    kept = zip_copy(world.lake, CompendiumKind.NORMALIZED, tmp_path)
    world.target(ORGANISM, np.linspace(5, 6, 30).tolist())
    build_normalized_compendium(world.lake, ORGANISM)
    build_compendium_bundle(world.lake, ORGANISM)
    made_of = {"normalized_compendium", "compendium_bundle", "gene_expression", "target_quantiles"}
    assert not made_of & set(collect(world.lake, kept))
    assert require_zip(world.lake, CompendiumKind.NORMALIZED, ORGANISM, 1)
    assert {"normalized_compendium", "compendium_bundle"} <= set(collect(world.lake))


def test_the_zip_of_an_rna_seq_sample_compendium_keeps_its_version(tmp_path: Path) -> None:
    world = World(tmp_path, source="SRA")
    quant_sf = b"Name\tLength\tEffectiveLength\tTPM\tNumReads\nT1\t1000\t820.5\t7.25\t3.000\n"
    for experiment, sample in (("SRP1", "SRR1"), ("SRP2", "SRR2")):
        world.add(experiment, rna_seq([sample]), quant_sf={sample: quant_sf})
        build_rnaseq_sample_compendium(world.lake, HUMAN)
        kept = zip_copy(world.lake, CompendiumKind.RNASEQ_SAMPLE, tmp_path)
        if experiment == "SRP1":
            first = kept.rename(tmp_path / "first.zip")
    assert collect(world.lake, first, kept).count("rnaseq_sample_compendium") == 0
    assert collect(world.lake, kept).count("rnaseq_sample_compendium") == 1


def zip_copy(lake: Lake, kind: CompendiumKind, folder: Path) -> Path:
    path = folder / "kept.zip"
    path.write_bytes(lake.local(zip_of(require_zip(lake, kind, ORGANISM))).read_bytes())
    return path


def zipped(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return made.getvalue()


WHOLE: dict[str, Any] = {"format": 1, "compendium": HUMAN, "number": 1, "matrices": [], "target": "t"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"kept\.x: expected a lockfile \(dataset\.lock\.json or compendium\.lock\.json\), or a zip"),
        (b"[1]", "found JSON that is a list"),
        (b'"\x80"', "found 'utf-8' codec"),
        (b'{"format": 1}', "lockfile of a dataset or compendium, format 1, found format 1 with format"),
        (b'{"dataset": "D", "format": 9}', "expected a dataset lockfile, format 1, found format 9"),
        (json.dumps(WHOLE | {"format": 2}).encode(), "found format 2"),
        (json.dumps(WHOLE | {"matrices": [{}]}).encode(), "expected a whole lockfile, found no 'experiment'"),
        (json.dumps(WHOLE | {"matrices": 5}).encode(), "expected a whole lockfile, found 'int' object"),
        (zipped({"README.md": b""}), r"found a zip of 1 files without one"),
        (zipped({"compendium.lock.json": b"{"}), r"kept\.x: expected a lockfile"),
        (zipped({"dataset.lock.json": b'{"dataset": 1, "format": 1}'}), r"dataset\.lock\.json in .*kept\.x"),
    ],
)
def test_what_is_no_lockfile_is_refused_by_name(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "kept.x"
    path.write_bytes(content)
    with pytest.raises(FormatError, match=message):
        read_pinned(path)


def test_the_zip_of_a_version_that_came_into_use_while_gc_removes_stays(tmp_path: Path) -> None:
    world = World.by_species(tmp_path)
    matrices, bundle = build_matrices(world.lake, "D").commit, build_bundle(world.lake, "D").commit
    delete_dataset(world.lake, "D")
    seen = later(world.lake)
    plan = plan_removal(seen, Terms())
    assert {matrices.id, bundle.id} <= {item.id for item in plan.removals}
    arrived: list[str] = []

    def arrive() -> None:
        if not arrived:
            arrived.append(commit(world.lake, "other", "x", "1", [matrices]).id)

    arrive()
    remove(seen, plan, at_once=1, progress=Arrivals(arrive))
    assert world.lake.history("dataset_bundle", "D") == [bundle]
    assert world.lake.history("dataset_matrices", "D") == [matrices]
