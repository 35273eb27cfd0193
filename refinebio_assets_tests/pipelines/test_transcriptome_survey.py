"""From an organism's name to a registered transcriptome of Ensembl's, whatever its division."""

from __future__ import annotations

from pathlib import Path

import pytest

from refinebio_assets.errors import NotFoundError, RequestError, TransientError
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.freshness import content_hash
from refinebio_assets.pipelines.references.transcriptome_registry import (
    TRANSCRIPTOME_REGISTRATION,
    TranscriptomeInputs,
    register_transcriptome,
    registered_transcriptome,
)
from refinebio_assets.pipelines.references.transcriptome_survey import (
    find_genome,
    genome_rows,
    register_genome,
)
from refinebio_assets.sources.ensembl.divisions import Division
from refinebio_assets_tests.sources.ensembl.servers import (
    GENOMES,
    MAIN,
    REST,
    Ensembl,
    genome,
    main_species,
)

DIVISIONS_BY_REST = ["EnsemblPlants", "EnsemblMetazoa", "EnsemblProtists"]


@pytest.fixture
def ensembl() -> Ensembl:
    """Yeast and a worm in Ensembl proper, the worm and an octopus among the Metazoa."""
    made = Ensembl()
    made.list_main(main_species("saccharomyces_cerevisiae"), main_species("caenorhabditis_elegans"))
    for division in DIVISIONS_BY_REST:
        made.list_division(division, genome(f"{division.lower()}_only"))
    made.list_division(
        "EnsemblMetazoa", genome("caenorhabditis_elegans"), genome("octopus_vulgaris", taxonomy_id=6645)
    )
    add_files(made, f"{MAIN}/release-110", "saccharomyces_cerevisiae", 110)
    add_files(made, f"{GENOMES}/release-57/metazoa", "caenorhabditis_elegans", 57)
    add_files(made, f"{GENOMES}/release-57/metazoa", "octopus_vulgaris", 57)
    return made


def add_files(ensembl: Ensembl, folder: str, name: str, release: int) -> None:
    ensembl.add_files(
        f"{folder}/fasta/{name}/dna/{name.capitalize()}.A1.dna.toplevel.fa.gz",
        f"{folder}/gtf/{name}/{name.capitalize()}.A1.{release}.gtf.gz",
    )


def test_an_organism_is_looked_for_in_ensembl_proper_first(ensembl: Ensembl) -> None:
    found = find_genome(ensembl.web(), "Saccharomyces cerevisiae")
    assert found.division is Division.MAIN
    assert {url for method, url in ensembl.asked if method == "GET"} == {
        f"{REST}/species",
        f"{REST}/software",
    }


def test_other_divisions_are_asked_when_the_first_has_no_such_genome(ensembl: Ensembl) -> None:
    assert find_genome(ensembl.web(), "Octopus vulgaris").division is Division.METAZOA


def test_a_division_that_lists_a_genome_without_files_does_not_end_the_search(ensembl: Ensembl) -> None:
    assert find_genome(ensembl.web(), "Caenorhabditis elegans").division is Division.METAZOA
    with pytest.raises(NotFoundError, match=r"Caenorhabditis_elegans\.A1\.dna\.primary_assembly"):
        find_genome(ensembl.web(), "Caenorhabditis elegans", "EnsemblMain")


def test_of_a_microbe_only_the_division_of_its_strain_is_asked(ensembl: Ensembl) -> None:
    ensembl.list_division("EnsemblFungi", genome("another"))
    with pytest.raises(NotFoundError, match="Af293"):
        find_genome(ensembl.web(), "Aspergillus fumigatus")
    assert ensembl.asked == [("GET", f"{REST}/genomes/division/EnsemblFungi")]


def test_an_organism_that_no_division_has_is_explained_division_by_division(ensembl: Ensembl) -> None:
    with pytest.raises(NotFoundError) as caught:
        find_genome(ensembl.web(), "Octopus vulgari")
    message = str(caught.value)
    assert all(f"- {division}: " in message for division in Division)
    assert "did you mean octopus_vulgaris?" in message


def test_a_failing_division_is_not_passed_over(ensembl: Ensembl) -> None:
    ensembl.failing.add(f"{REST}/genomes/division/EnsemblPlants")
    with pytest.raises(TransientError, match="EnsemblPlants"):
        find_genome(ensembl.web(), "Octopus vulgaris")


def test_an_unknown_division_is_refused_before_anything_is_asked(ensembl: Ensembl) -> None:
    with pytest.raises(RequestError, match="EnsemblViruses"):
        find_genome(ensembl.web(), "Octopus vulgaris", "EnsemblViruses")
    assert ensembl.asked == []


def test_a_genome_is_registered_with_where_it_is_from(ensembl: Ensembl, tmp_path: Path) -> None:
    lake = Lake(str(tmp_path / "lake"))
    found = find_genome(ensembl.web(), "Octopus vulgaris", release=57)
    register_genome(lake, found)
    inputs, _ = registered_transcriptome(lake, "OCTOPUS_VULGARIS")
    assert inputs == TranscriptomeInputs(
        "OCTOPUS_VULGARIS",
        genome=found.genome_url,
        gtf=found.gtf_url,
        division="EnsemblMetazoa",
        release="57",
        assembly="A1",
        source="Ensembl",
        taxonomy_id=1,
    )


def test_a_genome_is_registered_under_the_name_that_samples_have(ensembl: Ensembl, tmp_path: Path) -> None:
    lake = Lake(str(tmp_path / "lake"))
    register_genome(lake, find_genome(ensembl.web(), "Octopus vulgaris"), "Octopus vulgaris Cuvier")
    inputs, _ = registered_transcriptome(lake, "OCTOPUS_VULGARIS_CUVIER")
    assert inputs.organism == "OCTOPUS_VULGARIS_CUVIER"


def test_registrations_from_before_taxonomy_ids_are_read_and_keep_their_version(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path / "lake"))
    given = {"organism": "MUS_MUSCULUS", "transcripts": "t.fa", "gene_map": "g.tsv", "genome": "", "gtf": ""}
    content = given | dict.fromkeys(["division", "release", "assembly", "source"], "")
    version = content_hash(content)
    with lake.draft(TRANSCRIPTOME_REGISTRATION, "MUS_MUSCULUS") as draft:
        draft.commit(version=version, code_version="1", info={"inputs": content})
    inputs, read_version = registered_transcriptome(lake, "MUS_MUSCULUS")
    assert (inputs, read_version) == (TranscriptomeInputs(**given), version)
    assert register_transcriptome(lake, inputs) == version


def test_a_division_is_listed_by_name_without_looking_for_files(ensembl: Ensembl) -> None:
    rows = genome_rows(ensembl.web(), "EnsemblMetazoa")
    assert [row["organism"] for row in rows] == ["caenorhabditis_elegans", "octopus_vulgaris"]
    assert rows[1]["assembly"] == "A1" and ensembl.heads == []
