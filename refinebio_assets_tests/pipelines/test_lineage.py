"""Lineage, upwards and downwards, and the questions that people ask about a sample."""

from __future__ import annotations

import pytest

from refinebio_assets.errors import NotFoundError, RequestError
from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.rows import query_rows
from refinebio_assets.lake.store import InputRef, Lake
from refinebio_assets.pipelines.lineage import Lineage, trace
from refinebio_assets.pipelines.lineage_facts import describe
from refinebio_assets.pipelines.lineage_start import starting_things
from refinebio_assets.pipelines.sample_answers import find_gene, sample_answers
from refinebio_assets_tests.pipelines.study import Study, quant_sf_text


@pytest.fixture
def catalog(study: Study) -> Catalog:
    """The catalog of a processed study, with two datasets that name its matrices."""
    study.process()
    head = study.lake.head("gene_expression", "STUDY")
    assert head is not None
    for dataset, samples in {"with_S1": ["S1", "S2"], "without_S1": ["S2", "S3"]}.items():
        make_dataset(study.lake, dataset, samples, InputRef(head.asset, head.partition, head.version))
    catalog = Catalog(study.lake)
    catalog.sync()
    return catalog


def make_dataset(lake: Lake, dataset: str, samples: list[str], source: InputRef) -> None:
    with lake.draft("dataset_request", dataset) as draft:
        rows = [{"dataset": dataset, "experiment": "STUDY", "sample": sample} for sample in samples]
        draft.write_table("dataset_samples", rows)
        draft.commit(version=f"request {dataset}", code_version="1")
    with lake.draft("dataset_matrices", dataset) as draft:
        inputs = [source, InputRef("dataset_request", dataset, f"request {dataset}")]
        draft.commit(version=f"matrices {dataset}", code_version="1", inputs=inputs)


def found_assets(lineage: Lineage) -> set[str]:
    return {thing.asset for thing in lineage.things()}


def partitions(lineage: Lineage, asset: str) -> set[str]:
    return {thing.partition for thing in lineage.things() if thing.asset == asset}


def test_a_datasets_lineage_reaches_every_raw_file(study: Study, catalog: Catalog) -> None:
    lineage = trace(catalog, starting_things(catalog, "dataset:with_S1"))
    assert partitions(lineage, "sample_quantification") == {"S1", "S2", "S3"}
    checksums = {
        row["sha256"] for row in query_rows(catalog, "SELECT sha256 FROM files WHERE role = 'quant_sf'")
    }
    assert partitions(lineage, "file") == checksums
    facts = describe(catalog, lineage.things())
    origins = {facts[thing]["origin"] for thing in lineage.things() if thing.asset == "file"}
    assert {origin.rsplit("/", 1)[-1] for origin in origins} == {"S1.sf", "S2.sf", "S3.sf"}
    (matrices,) = (facts[thing] for thing in lineage.things() if thing.asset == "gene_expression")
    assert matrices["software"].startswith("refinebio-assets ")
    assert matrices["code_version"]


def test_a_samples_way_down_leads_to_the_datasets_that_hold_it_and_to_no_other(catalog: Catalog) -> None:
    of_first = trace(catalog, starting_things(catalog, "sample:S1"), down=True)
    assert partitions(of_first, "dataset_matrices") == {"with_S1"}
    of_second = trace(catalog, starting_things(catalog, "sample:S2"), down=True)
    assert partitions(of_second, "dataset_matrices") == {"with_S1", "without_S1"}


def test_a_file_is_found_by_name_or_start_of_its_checksum(catalog: Catalog) -> None:
    (row,) = query_rows(catalog, "SELECT sha256 FROM files WHERE sample = 'S1' AND role = 'quant_sf'")
    by_name = starting_things(catalog, "file:S1.sf")
    assert by_name == starting_things(catalog, f"file:{row['sha256'][:10]}")
    down = trace(catalog, by_name, down=True)
    assert partitions(down, "sample_quantification") == {"S1"}
    assert partitions(down, "dataset_matrices") == {"with_S1"}


def test_what_is_beyond_the_limit_is_counted(catalog: Catalog) -> None:
    lineage = trace(catalog, starting_things(catalog, "experiment:STUDY"), limit=2)
    (quantifications,) = (thing for thing in lineage.things() if thing.asset == "sample_quantifications")
    (group,) = (g for g in lineage.next[quantifications] if g.asset == "sample_quantification")
    assert (group.count, len(group.shown), group.more) == (3, 2, 1)


def test_an_earlier_version_is_explained_by_what_it_was_made_from(study: Study, catalog: Catalog) -> None:
    before = study.lake.head("gene_expression", "STUDY")
    old_file = starting_things(catalog, "file:S1.sf")
    study.write("S1.sf", quant_sf_text(99))
    study.process()
    catalog.sync()
    after = study.lake.head("gene_expression", "STUDY")
    assert before is not None and after is not None and before.version != after.version
    old = trace(catalog, starting_things(catalog, f"experiment:STUDY@{before.version[:12]}"))
    new = trace(catalog, starting_things(catalog, "experiment:STUDY"))
    assert old_file[0] in old.things()
    assert old_file[0] not in new.things()
    assert starting_things(catalog, f"file:{old_file[0].version}") == old_file
    assert starting_things(catalog, "file:S1.sf") != old_file
    assert describe(catalog, old_file)[old_file[0]]["name"] == "S1.sf"


def test_neighbors_behind_others_are_not_direct(catalog: Catalog) -> None:
    (root,) = starting_things(catalog, "experiment:STUDY")
    lineage = trace(catalog, [root])
    assert {group.asset for group in lineage.next[root]} >= {"sample_quantifications", "raw_files"}
    assert "raw_files" not in {group.asset for group in lineage.direct(root)}


@pytest.mark.parametrize(
    ("asked", "error", "said"),
    [
        ("S1", RequestError, "does not say of what"),
        ("experiment:STUDIE", NotFoundError, "Did you mean STUDY"),
        ("sample:S9", NotFoundError, "no result of a sample S9"),
        ("file:0123456789ab", NotFoundError, "no source file"),
        ("nonsense:S1", NotFoundError, "there is no asset nonsense"),
        ("experiment:STUDY@ffffffffffff0", NotFoundError, "no version that starts with"),
    ],
)
def test_what_cannot_be_found_is_refused_with_what_there_is(
    catalog: Catalog, asked: str, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        starting_things(catalog, asked)


def test_a_samples_software_is_listed_step_by_step(catalog: Catalog) -> None:
    answers = sample_answers(catalog, "S1")
    steps = {row["step"]: row for row in answers.software}
    assert steps["sample_quantification"]["software"] == "submitted"
    assert steps["gene_expression"]["software"] == "refinebio-assets"
    assert steps["gene_expression"]["version"]
    assert steps["gene_expression"]["code_version"]


def test_reference_views_tell_build_and_release_of_the_index_that_was_used(study: Study) -> None:
    lake = study.lake
    index_of(lake, "v1", "109", ["ENSG1.2", "ENSG2"])
    with lake.draft("sample_quantifications", "E1") as draft:
        draft.write_table(
            "results",
            [
                {
                    "experiment": "E1",
                    "sample": "R1",
                    "verdict": "processed",
                    "version": "q1",
                    "processor": "Salmon",
                    "processor_version": "1.10.1",
                }
            ],
        )
        names = ("asset", "partition", "version")
        output = dict(zip((f"output_{n}" for n in names), ("sample_quantification", "R1", "q1"), strict=True))
        source = dict(
            zip((f"input_{n}" for n in names), ("transcriptome_index", "DANIO_RERIO", "v1"), strict=True)
        )
        draft.write_table("lineage", [output | source])
        draft.commit(version="e1", code_version="1")
    index_of(lake, "v2", "110", ["ENSG2"])
    catalog = Catalog(lake)
    catalog.sync()
    answers = sample_answers(catalog, "R1")
    (row,) = answers.references
    assert (row["genome_build"], row["ensembl_release"]) == ("GRCz11", "109")
    assert row["is_current_reference"] is False
    by_salmon = query_rows(
        catalog, "SELECT sample FROM sample_software WHERE software = 'Salmon' AND version = '1.10.1'"
    )
    assert {row["sample"] for row in by_salmon} == {"R1"}
    (gene,) = find_gene(lake, answers, "ensg1")
    assert (gene.parts, gene.part, gene.reference_version) == (1, "transcripts", "v1")
    (absent,) = find_gene(lake, answers, "ENSG3")
    assert absent.parts == 0


def test_a_file_that_came_from_two_places_is_told_of_with_the_one_of_the_experiment(study: Study) -> None:
    """The newest place of its content may be one that the experiment never saw."""
    study.process()
    study.add_sample("T1", 0, experiment="OTHER")
    study.register()
    study.process("OTHER")
    for experiment, name in {"STUDY": "S1.sf", "OTHER": "T1.sf"}.items():
        lineage = trace(study.catalog, starting_things(study.catalog, f"experiment:{experiment}"))
        facts = describe(study.catalog, lineage.things())
        shared = [found for thing, found in facts.items() if thing.asset == "file" and found["other_places"]]
        assert [(file["name"], file["other_places"]) for file in shared if file["role"] == "quant_sf"] == [
            (name, 1)
        ]


def index_of(lake: Lake, version: str, release: str, genes: list[str]) -> None:
    with lake.draft("transcriptome_index", "DANIO_RERIO") as draft:
        row = {"organism": "DANIO_RERIO", "version": version, "release": release, "assembly": "GRCz11"}
        draft.write_table("transcriptomes", [row | {"salmon_version": "1.10.1"}])
        lines = "".join(f"{gene}\tT{place}\n" for place, gene in enumerate(genes))
        (draft.folder / "genes_to_transcripts.txt").write_text(lines)
        draft.commit(version=version, code_version="1")
