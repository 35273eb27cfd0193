"""Lockfiles, differences between versions, and what a killed build leaves."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from refinebio_assets.errors import (
    FormatError,
    NotFoundError,
    PermanentError,
    RemovedMeanwhileError,
    RequestError,
)
from refinebio_assets.lake.removals import removal_note
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.datasets.acceptance import accept_request
from refinebio_assets.pipelines.datasets.bundle import build_bundle
from refinebio_assets.pipelines.datasets.dataset_matrices import (
    build_matrices,
    dataset_versions,
    read_dataset_lock,
    rebuild_from_lock,
)
from refinebio_assets.pipelines.datasets.difference import (
    MetadataChange,
    dataset_version,
    diff_datasets,
    what_would_change,
)
from refinebio_assets.pipelines.datasets.lockfile import lock_bytes, read_lock
from refinebio_assets.pipelines.datasets.registry import delete_dataset, register_dataset, remove_built
from refinebio_assets.pipelines.datasets.request import parse_request
from refinebio_assets.pipelines.datasets.standing import register_lock
from refinebio_assets.pipelines.metadata_overlays import import_attributes
from refinebio_assets.pipelines.progress import Silent
from refinebio_assets_tests.pipelines.datasets import killed_builds
from refinebio_assets_tests.pipelines.datasets.world import GENES, HUMAN, World, arrays, rna_seq


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A dataset by species that is built."""
    made = World.by_species(tmp_path)
    build_matrices(made.lake, "D")
    return made


class Deletion(Silent):
    """Deletes a dataset with its files just before another build of it is done."""

    def __init__(self, world: World) -> None:
        self.lake = Lake(world.lake.url)

    def say(self, text: str) -> None:
        if text == "check the bundle":
            delete_dataset(self.lake, "D")
            assert remove_built(self.lake, "D") > 0


def test_a_zip_whose_matrices_are_deleted_while_it_is_made_is_not_kept(world: World) -> None:
    with pytest.raises(RemovedMeanwhileError, match=r"dataset_matrices\[D\]"):
        build_bundle(world.lake, "D", progress=Deletion(world))
    assert world.lake.history("dataset_bundle", "D") == []
    assert world.lake.storage.names("removing") == []


def test_who_misses_a_version_of_a_deleted_dataset_is_told_what_became_of_it(world: World) -> None:
    matrices, zipped = dataset_version(world.lake, "D"), build_bundle(world.lake, "D").commit
    delete_dataset(world.lake, "D")
    remove_built(world.lake, "D")
    for commit in (matrices, zipped):
        note = removal_note(world.lake, commit.asset, "D", version=commit.version)
        assert f"of {commit.asset} of D was removed on" in note
        assert note.endswith(f"its dataset was deleted on {world.lake.now():%Y-%m-%d}")
    assert remove_built(world.lake, "D") == 0
    with pytest.raises(NotFoundError, match="nothing that was built of it is in the lake"):
        dataset_version(world.lake, "D@1")


def matrix_bytes(world: World, number: int) -> bytes:
    commit = dataset_version(world.lake, f"D@{number}")
    return world.lake.local(commit.file(f"{HUMAN}.parquet")).read_bytes()


def test_a_lockfile_gives_the_same_bytes_although_everything_is_newer(world: World) -> None:
    build_bundle(world.lake, "D")
    path = world.folder / "dataset.lock.json"
    with zipfile.ZipFile(world.lake.local(build_bundle(world.lake, "D").commit.file("D.zip"))) as archive:
        path.write_bytes(archive.read("dataset.lock.json"))
    world.express("SRP1", rna_seq(["SRR1", "SRR2"], 9))
    world.target(HUMAN, np.linspace(5, 6, 30).tolist())
    build_matrices(world.lake, "D")
    again = rebuild_from_lock(world.lake, "D", read_lock(path))
    assert again.commit.info["number"] == 3
    assert matrix_bytes(world, 1) == matrix_bytes(world, 3) != matrix_bytes(world, 2)
    assert read_dataset_lock(world.lake, again.commit)["matrices"] == read_lock(path)["matrices"]
    build_bundle(world.lake, "D")


def test_what_is_pinned_and_gone_is_named(world: World) -> None:
    lock = read_dataset_lock(world.lake, dataset_versions(world.lake, "D")[0])
    head = world.lake.head("gene_expression", "GSE1")
    assert head is not None
    world.lake.local(head.files[0]).unlink()
    lock["experiments"]["SRP1"]["expression"]["commit"] = "20200101T000000.000000Z-00000000"
    with pytest.raises(NotFoundError, match=r"(?s)gene_expression\[GSE1\].*SRP1, commit 2020"):
        rebuild_from_lock(world.lake, "D", lock)
    lock["targets"][HUMAN] = "f" * 64
    with pytest.raises(NotFoundError):
        rebuild_from_lock(world.lake, "D", lock)


def test_values_that_are_not_those_of_the_lock_are_refused(world: World) -> None:
    lock = read_dataset_lock(world.lake, dataset_versions(world.lake, "D")[0])
    lock["matrices"][HUMAN]["values_sha256"] = "0" * 64
    world.target(HUMAN, [1.0, 2.0])
    build_matrices(world.lake, "D")
    with pytest.raises(PermanentError, match=f"{HUMAN} differ"):
        rebuild_from_lock(world.lake, "D", lock)
    assert len(dataset_versions(world.lake, "D")) == 2


def test_a_lock_of_other_code_names_the_software_that_made_it(world: World) -> None:
    lock = read_dataset_lock(world.lake, dataset_versions(world.lake, "D")[0])
    lock["software"]["dataset_matrices"] = "0"
    with pytest.raises(PermanentError, match="use refinebio-assets 0"):
        rebuild_from_lock(world.lake, "D", lock)


def test_the_lock_of_another_dataset_is_refused(world: World) -> None:
    lock = read_dataset_lock(world.lake, dataset_versions(world.lake, "D")[0])
    with pytest.raises(RequestError, match="of dataset D, not of E"):
        rebuild_from_lock(world.lake, "E", lock)
    assert dataset_versions(world.lake, "E") == []


def test_a_lock_of_the_same_request_leaves_its_notes_and_all(world: World) -> None:
    data = {"SRP1": ["ALL"], "GSE1": ["ALL"]}
    request = parse_request({"data": data, "aggregate_by": "SPECIES", "notes": "for the paper"})
    accepted = accept_request(world.lake, world.catalog, request)
    register_dataset(world.lake, accepted, dataset="D", update=True)
    lock = read_dataset_lock(world.lake, dataset_versions(world.lake, "D")[0])
    kept = register_lock(world.lake, lock, dataset="D", origin="a lockfile")
    assert (kept.request.notes, sorted(kept.whole)) == ("for the paper", ["GSE1", "SRP1"])


@pytest.mark.parametrize("text", ["{", "[]", '{"format": 9}', '{"format": 1, "dataset": "D"}'])
def test_a_file_that_is_no_lock_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(text, encoding="utf-8")
    with pytest.raises(FormatError, match="lockfile"):
        read_lock(tmp_path / "x.json")


def test_a_difference_names_genes_samples_values_and_what_caused_it(world: World) -> None:
    world.express("GSE1", arrays(["GSM1"], 1, genes=GENES[:50]), failed={"GSM2": "it is lost"})
    told = what_would_change(world.lake, "D")
    build_matrices(world.lake, "D")
    (found,) = diff_datasets(
        world.lake, dataset_version(world.lake, "D@1"), dataset_version(world.lake, "D@2")
    ).matrices
    assert found.genes_removed == GENES[50:]
    assert found.samples_removed == ("GSM2",)
    assert found.genes_compared == 50
    assert {change.sample for change in found.changes} >= {"SRR1", "SRR2"}
    assert all(change.largest > 0 for change in found.changes)
    causes = diff_datasets(world.lake, *dataset_versions(world.lake, "D")).causes
    assert "sample GSM2 is no longer in HOMO_SAPIENS: it is lost" in causes
    assert any(line.startswith("sample GSM1 of HOMO_SAPIENS: its experiment's matrix") for line in causes)
    assert set(told) == set(causes)


def test_a_newer_target_is_named_before_and_after(world: World) -> None:
    world.target(HUMAN, np.linspace(5, 6, 30).tolist())
    (told,) = what_would_change(world.lake, "D")
    assert told.startswith(f"target of {HUMAN}: ")
    build_matrices(world.lake, "D")
    difference = diff_datasets(world.lake, *dataset_versions(world.lake, "D"))
    assert difference.causes == (told,)
    assert {change.changed for change in difference.matrices[0].changes} == {len(GENES)}
    assert what_would_change(world.lake, "D") == []


def test_equal_versions_do_not_differ(world: World) -> None:
    commit = dataset_version(world.lake, "D")
    difference = diff_datasets(world.lake, commit, commit)
    assert not difference
    assert difference.causes == ()


def test_versions_that_are_not_there_are_named(world: World) -> None:
    with pytest.raises(NotFoundError, match="has version 1, and no 4"):
        dataset_version(world.lake, "D@4")
    with pytest.raises(NotFoundError, match="there is no dataset X"):
        dataset_version(world.lake, "X")


class Killed(Silent):
    """A progress at which the build is interrupted as soon as samples are read."""

    def advance(self, task: str, note: str = "", amount: int = 1) -> None:
        raise KeyboardInterrupt


def test_a_build_killed_while_it_works_leaves_the_version_before(world: World) -> None:
    before = matrix_bytes(world, 1)
    world.target(HUMAN, [1.0, 2.0])
    with pytest.raises(KeyboardInterrupt):
        build_matrices(world.lake, "D", progress=Killed())
    assert len(dataset_versions(world.lake, "D")) == 1
    assert matrix_bytes(world, 1) == before
    assert build_matrices(world.lake, "D").commit.info["number"] == 2


def test_a_build_killed_at_any_file_operation_leaves_every_version_whole(world: World) -> None:
    first = build_bundle(world.lake, "D").commit
    zipped = world.lake.local(first.file("D.zip")).read_bytes()
    world.target(HUMAN, [1.0, 2.0, 4.0])
    command = [sys.executable, "-m", killed_builds.__name__, world.lake.url, "D"]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(run.stdout) > 4, run.stderr
    assert world.lake.verify_all().problems == ()
    assert world.lake.local(first.file("D.zip")).read_bytes() == zipped
    numbers = [commit.info["number"] for commit in dataset_versions(world.lake, "D")]
    assert numbers[0] == 1 and len(numbers) == 2
    assert build_bundle(world.lake, "D").commit.info["matrices"] == dataset_versions(world.lake, "D")[1].id


FULL = """
import resource, signal, sys
from refinebio_assets.errors import StorageError
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.datasets.bundle import build_bundle
from refinebio_assets.pipelines.datasets.dataset_matrices import build_matrices

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
for limit in (5_000, 60_000):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        build_matrices(Lake(sys.argv[1]), "D")
        build_bundle(Lake(sys.argv[1]), "D")
    except StorageError as error:
        print(limit, error)
"""
"""Builds on a disk where files may not grow beyond a limit, as on one that is full; prints what is said."""


def test_a_full_disk_is_told_of_and_leaves_the_versions_before(world: World) -> None:
    before = matrix_bytes(world, 1)
    build_bundle(world.lake, "D")
    world.add("GSE2", arrays([f"GSM{number}" for number in range(10, 40)], 2))
    world.ask("D", {"SRP1": ["ALL"], "GSE2": ["ALL"]}, aggregate_by="SPECIES")
    run = subprocess.run([sys.executable, "-c", FULL, world.lake.url], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout.count("staging dataset_matrices[D]") >= 1, run.stdout
    assert run.stdout.count("staging dataset_bundle[D]") >= 1, run.stdout
    assert matrix_bytes(world, 1) == before
    assert world.lake.verify_all().problems == ()
    assert build_matrices(world.lake, "D").commit.info["number"] == 2
    assert build_bundle(world.lake, "D").commit.info["number"] == 2


class Meanwhile(Silent):
    """A progress at which something else happens as soon as samples are read, or a step is begun."""

    def __init__(self, happens: Callable[[], object]) -> None:
        self.happens = [happens]

    def advance(self, task: str, note: str = "", amount: int = 1) -> None:
        for happens in self.happens:
            self.happens = []
            happens()

    def say(self, text: str) -> None:
        self.advance(text)


def test_of_two_builds_of_the_same_inputs_the_slower_takes_what_the_other_made(world: World) -> None:
    world.target(HUMAN, [1.0, 2.0])
    slower = build_matrices(world.lake, "D", progress=Meanwhile(lambda: build_matrices(world.lake, "D")))
    assert len(dataset_versions(world.lake, "D")) == 2
    assert not slower.changed and slower.commit == dataset_versions(world.lake, "D")[1]
    assert slower.reasons == ("another build made it meanwhile",)
    zipped = build_bundle(world.lake, "D", progress=Meanwhile(lambda: build_bundle(world.lake, "D")))
    assert (zipped.changed, zipped.reasons) == (False, slower.reasons)
    assert world.lake.history("dataset_bundle", "D")[-1:] == [zipped.commit]


def test_two_builds_of_different_inputs_at_once_get_different_numbers(world: World) -> None:
    def other() -> None:
        world.target(HUMAN, [5.0, 9.0])
        build_matrices(world.lake, "D")

    world.target(HUMAN, [1.0, 2.0])
    assert build_matrices(world.lake, "D", progress=Meanwhile(other)).commit.info["number"] == 3
    assert [commit.info["number"] for commit in dataset_versions(world.lake, "D")] == [1, 2, 3]
    assert matrix_bytes(world, 2) != matrix_bytes(world, 3)


def test_a_difference_tells_what_others_now_say_of_samples(world: World) -> None:
    file = world.folder / "attributes.tsv"
    file.write_text("sample\tname\tvalue\nSRR1\tage\t30\n", encoding="utf-8")
    import_attributes(world.lake, file, "MetaSRA", "https://example.org/methods")
    (told,) = what_would_change(world.lake, "D")
    assert told.startswith("attributes from MetaSRA: none -> ")
    build_matrices(world.lake, "D")
    found = diff_datasets(world.lake, *dataset_versions(world.lake, "D"))
    assert found.causes == (told,) and not found.matrices
    assert found.metadata == (MetadataChange("SRR1", "MetaSRA_age", "", "30"),)
    assert found


def test_a_lock_lists_a_sample_that_turned_out_empty_as_filtered_only(world: World) -> None:
    made = arrays(["GSM1", "GSM2"], 1)
    made.abundances[:, 1] = np.nan
    world.express("GSE1", made)
    build_matrices(world.lake, "D")
    lock = read_dataset_lock(world.lake, dataset_version(world.lake, "D"))
    assert [entry["sample"] for entry in lock["samples"]] == ["GSM1", "SRR1", "SRR2"]
    assert [entry["sample"] for entry in lock["filtered"]] == ["GSM2"]
    causes = diff_datasets(world.lake, *dataset_versions(world.lake, "D")).causes
    assert any(
        line.startswith("sample GSM2 is no longer in HOMO_SAPIENS: it has no value") for line in causes
    )


def test_a_lock_pins_samples_targets_and_genes(world: World) -> None:
    lock = json.loads(lock_bytes(read_dataset_lock(world.lake, dataset_versions(world.lake, "D")[0])))
    assert [entry["sample"] for entry in lock["samples"]] == ["GSM1", "GSM2", "SRR1", "SRR2"]
    assert lock["samples"][0]["processor"] == "Affymetrix SCAN"
    assert lock["targets"].keys() == {HUMAN}
    assert lock["matrices"][HUMAN]["genes"] == len(GENES)
    assert lock["experiments"]["GSE1"].keys() == {"record", "metadata", "quantified", "expression"}
