"""References, targets, datasets and compendia that were damaged in the lake: what makes them whole again."""

from __future__ import annotations

from pathlib import Path

import pytest

from refinebio_assets.errors import NotFoundError
from refinebio_assets.lake.store import Commit, Lake
from refinebio_assets.pipelines.compendia.model import Imputation
from refinebio_assets.pipelines.compendia.normalized_compendium import build_normalized_compendium
from refinebio_assets.pipelines.compendia.rnaseq_samples.rnaseq_sample_compendium import (
    build_rnaseq_sample_compendium,
)
from refinebio_assets.pipelines.datasets.bundle import build_bundle
from refinebio_assets.pipelines.datasets.dataset_matrices import NOT_ZIPPED, build_matrices
from refinebio_assets.pipelines.datasets.registry import registered_dataset
from refinebio_assets.pipelines.datasets.standing import due_dataset
from refinebio_assets.pipelines.delivery.lock_entries import release_of
from refinebio_assets.pipelines.outcome import NOT_WHOLE
from refinebio_assets.pipelines.references.gene_index import (
    GeneIndexInputs,
    build_gene_index,
    register_gene_index,
)
from refinebio_assets.pipelines.references.transcriptome_registry import (
    TranscriptomeInputs,
    register_transcriptome,
)
from refinebio_assets.pipelines.remedies import findings, in_order, known_losses
from refinebio_assets.pipelines.target_quantiles import build_target
from refinebio_assets_tests.lake.making import commit_files
from refinebio_assets_tests.pipelines.compendia.test_rnaseq_samples import add_reads
from refinebio_assets_tests.pipelines.compendia.world import ORGANISM, compendium_world
from refinebio_assets_tests.pipelines.datasets.world import World, rna_seq
from refinebio_assets_tests.pipelines.test_damage_of_results import (
    damage_in_place,
    head_of,
    set_all_aside,
)


def damage_own_files(lake: Lake, commit: Commit) -> None:
    for file in commit.files:
        if file.path.startswith(commit.entry.folder):
            damage_in_place(lake, file)


def test_a_compendium_is_made_again(tmp_path: Path) -> None:
    lake = compendium_world(tmp_path).lake
    before = build_normalized_compendium(lake, ORGANISM, imputation=Imputation.NONE).commit
    damage_own_files(lake, before)
    assert set_all_aside(lake) == [f"compendium build {ORGANISM}"]
    made = build_normalized_compendium(lake, ORGANISM)
    assert (made.reasons, made.commit.version) == ((NOT_WHOLE,), before.version)
    lake.verify(made.commit)


def test_a_sample_compendium_is_made_again(tmp_path: Path) -> None:
    world = World(tmp_path)
    add_reads(world, "SRP1", "SRR1", "SRR2")
    build_rnaseq_sample_compendium(world.lake, ORGANISM)
    before = head_of(world.lake, "rnaseq_sample_compendium", ORGANISM)
    damage_own_files(world.lake, before)
    assert set_all_aside(world.lake) == [f"compendium build {ORGANISM} --kind rnaseq-sample"]
    made = build_rnaseq_sample_compendium(world.lake, ORGANISM)
    assert (made.reasons, made.commit.version) == ((NOT_WHOLE,), before.version)
    world.lake.verify(made.commit)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A dataset that was built."""
    made = World.by_species(tmp_path)
    build_matrices(made.lake, "D")
    build_bundle(made.lake, "D")
    return made


def test_a_dataset_and_its_target_are_made_again(world: World) -> None:
    lake = world.lake
    before = head_of(lake, "dataset_matrices", "D").version
    for asset, partition in (
        ("target_quantiles", ORGANISM),
        ("dataset_matrices", "D"),
        ("dataset_bundle", "D"),
    ):
        damage_own_files(lake, head_of(lake, asset, partition))
    commands = set_all_aside(lake)
    origin = head_of(lake, "target_registration", ORGANISM).info["settings"]["origin"]
    assert set(commands) == {f"target import {origin} --organism {ORGANISM}", "dataset build D"}
    assert build_target(lake, ORGANISM).reasons == (NOT_WHOLE,)
    assert due_dataset(lake, "D") == ("dataset_matrices", (NOT_WHOLE,))
    assert build_matrices(lake, "D").commit.version == before
    build_bundle(lake, "D")
    assert due_dataset(lake, "D") is None
    report = lake.verify_all()
    assert list(report.problems) == known_losses(lake, report.problems), "all that is lost is known to be"


def test_a_zip_that_is_lost_with_the_records_it_is_made_of_is_made_of_what_is_there(world: World) -> None:
    lake = world.lake
    before = head_of(lake, "dataset_matrices", "D").version
    damage_own_files(lake, head_of(lake, "dataset_bundle", "D"))
    lake.storage.put_bytes(b"{", head_of(lake, "experiment_record", "SRP1").entry.path)
    set_all_aside(lake)
    world.add("SRP1", rna_seq(["SRR1", "SRR2"]))
    assert due_dataset(lake, "D") == ("dataset_matrices", (NOT_ZIPPED,))
    assert build_matrices(lake, "D").commit.version == before
    build_bundle(lake, "D")
    assert due_dataset(lake, "D") is None
    lake.verify(head_of(lake, "dataset_bundle", "D"))


def test_a_dataset_names_what_it_is_made_from_that_is_lost(world: World) -> None:
    damage_own_files(world.lake, head_of(world.lake, "gene_expression", "SRP1"))
    assert set_all_aside(world.lake) == ["process SRP1"]
    with pytest.raises(
        NotFoundError, match="`refinebio-assets process SRP1` makes again gene_expression of SRP1"
    ):
        due_dataset(world.lake, "D")


def test_a_request_that_is_lost_is_asked_for_again_under_its_name(world: World) -> None:
    lake = world.lake
    request = registered_dataset(lake, "D").request
    damage_own_files(lake, head_of(lake, "dataset_request", "D"))
    assert set_all_aside(lake) == ["dataset create --name D --from REQUEST"]
    with pytest.raises(NotFoundError, match="ask for it again"):
        registered_dataset(lake, "D")
    world.ask("D", {"SRP1": ["ALL"], "GSE1": ["ALL"]}, aggregate_by="SPECIES")
    assert registered_dataset(lake, "D").request == request
    assert due_dataset(lake, "D") is None


def test_a_reference_names_the_files_it_was_made_from(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path / "lake"))
    table = tmp_path / "my table.tsv"
    table.write_text("Probe Set ID\tEnsembl\n1_at\tENSG01\n2_at\tENSG02\n")
    inputs = GeneIndexInputs("hgu133a", str(table), source="me")
    register_gene_index(lake, inputs)
    build_gene_index(lake, "hgu133a")
    damage_own_files(lake, head_of(lake, "gene_index", "hgu133a"))
    assert set_all_aside(lake) == [f"reference add-gene-index --platform hgu133a --source me '{table}'"]
    register_gene_index(lake, inputs)
    version = build_gene_index(lake, "hgu133a").commit.version
    lake.verify(head_of(lake, "gene_index", "hgu133a"))
    assert release_of(lake, "gene_index", "hgu133a", version) == {"source": "me"}, "told of the whole one"


def test_an_index_is_made_again_from_the_registered_genome(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path / "lake"))
    register_transcriptome(
        lake,
        TranscriptomeInputs("DANIO_RERIO", genome="/g.fa", gtf="/g.gtf", release="110", taxonomy_id=7955),
    )
    commit = commit_files(lake, "transcriptome_index", "DANIO_RERIO", {"k31/info.json": b"{}"})
    damage_in_place(lake, commit.files[0])
    (finding,) = findings(lake, lake.verify_all().problems)
    assert finding.commands == (
        "reference add-transcriptome --organism DANIO_RERIO --genome /g.fa --gtf /g.gtf --release 110",
    )


def test_commands_are_in_the_order_in_which_things_are_made_of_each_other() -> None:
    given = ["dataset build D", "compendium build X", "process B", "process A", "target build X", "process B"]
    assert in_order([*given, "reference add-platform"]) == [
        "reference add-platform",
        "process B",
        "process A",
        "target build X",
        "dataset build D",
        "compendium build X",
    ]
