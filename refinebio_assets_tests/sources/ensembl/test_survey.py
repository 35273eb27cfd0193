"""Surveys of Ensembl: which URLs are handed out, what is skipped and why, and what bad servers do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from refinebio_assets.errors import FormatError, RequestError, TransientError
from refinebio_assets.sources.ensembl.divisions import Division, find_division
from refinebio_assets.sources.ensembl.survey import survey_ensembl
from refinebio_assets.sources.web.settings import open_web
from refinebio_assets.sources.web.urls import https_url
from refinebio_assets_tests.sources.ensembl.servers import (
    GENOMES,
    MAIN,
    REST,
    TABLE_HEADER,
    Ensembl,
    genome,
    main_species,
    table_row,
)

DOG = f"{MAIN}/release-110/{{}}/canis_lupus_familiaris/{{}}Canis_lupus_familiaris.ROS_Cfam_1.0"
DOG_DNA = DOG.format("fasta", "dna/") + ".dna"
DOG_GTF = DOG.format("gtf", "") + ".110.gtf.gz"
PLANTS = f"{GENOMES}/release-57/plants"


@pytest.fixture
def ensembl() -> Ensembl:
    return Ensembl()


def add_dog(ensembl: Ensembl) -> None:
    ensembl.list_main(
        main_species("homo_sapiens", "GRCh38", taxon_id="9606"),
        main_species("canis_lupus_familiaris", "ROS_Cfam_1.0", taxon_id="9615", aliases=["canis familiaris"]),
        main_species("canis_lupus_familiarisboxer", "Dog10K_Boxer_Tasha", taxon_id="9615"),
    )


def add_plant(ensembl: Ensembl, name: str, assembly: str, *, file_assembly: str = "") -> None:
    ensembl.add_files(
        f"{PLANTS}/fasta/{name}/dna/{name.capitalize()}.{file_assembly or assembly}.dna.toplevel.fa.gz",
        f"{PLANTS}/gtf/{name}/{name.capitalize()}.{file_assembly or assembly}.57.gtf.gz",
    )


def add_microbe(ensembl: Ensembl, division: str, assembly: str, directory: str, core_db: str) -> str:
    short = division.removeprefix("Ensembl").lower()
    ensembl.list_division(
        division, genome("another", "B2"), genome(directory, assembly, species_taxonomy_id=9)
    )
    table = TABLE_HEADER + table_row("another", "B2", "another_core_57_110_1")
    ensembl.put(
        f"{GENOMES}/{short}/current/species_{division}.txt", table + table_row(directory, assembly, core_db)
    )
    return f"{GENOMES}/release-57/{short}"


def test_a_genome_is_named_as_samples_name_it_with_its_taxonomy_id(ensembl: Ensembl) -> None:
    add_dog(ensembl)
    ensembl.add_files(f"{DOG_DNA}.primary_assembly.fa.gz", f"{DOG_DNA}.toplevel.fa.gz", DOG_GTF)
    (found,) = survey_ensembl(ensembl.web(), "Ensembl", "Canis lupus  familiaris").found
    assert (found.organism, found.taxonomy_id) == ("CANIS_LUPUS_FAMILIARIS", 9615)
    assert (found.division, found.release, found.assembly) == (Division.MAIN, 110, "ROS_Cfam_1.0")
    assert found.directory == "canis_lupus_familiaris"
    assert found.genome_url == f"{DOG_DNA}.primary_assembly.fa.gz"
    assert (found.gtf_url, found.gtf_size) == (DOG_GTF, 7)


def test_without_a_primary_assembly_all_sequences_are_taken(ensembl: Ensembl) -> None:
    add_dog(ensembl)
    ensembl.add_files(f"{DOG_DNA}.toplevel.fa.gz", DOG_GTF)
    (found,) = survey_ensembl(ensembl.web(), "EnsemblMain", "CANIS_LUPUS_FAMILIARIS").found
    assert found.genome_url == f"{DOG_DNA}.toplevel.fa.gz"


def test_an_empty_file_is_no_genome(ensembl: Ensembl) -> None:
    add_dog(ensembl)
    ensembl.add_files(f"{DOG_DNA}.primary_assembly.fa.gz", size=0)
    ensembl.add_files(f"{DOG_DNA}.toplevel.fa.gz", DOG_GTF)
    (found,) = survey_ensembl(ensembl.web(), "main", "canis_lupus_familiaris").found
    assert found.genome_url == f"{DOG_DNA}.toplevel.fa.gz"


def test_files_with_an_underscore_after_the_assembly_are_found_and_the_assembly_keeps_its_name(
    ensembl: Ensembl,
) -> None:
    folder = add_microbe(
        ensembl,
        "EnsemblBacteria",
        "ASM676v1",
        "pseudomonas_aeruginosa_pao1_gca_000006765",
        "bacteria_5_collection_core_57_110_1",
    )
    name = "pseudomonas_aeruginosa_pao1_gca_000006765"
    stem = f"bacteria_5_collection/{name}"
    dna = f"{folder}/fasta/{stem}/dna/{name.capitalize()}.ASM676v1_.dna.toplevel.fa.gz"
    gtf = f"{folder}/gtf/{stem}/{name.capitalize()}.ASM676v1_.57.gtf.gz"
    ensembl.add_files(dna, gtf)
    (found,) = survey_ensembl(ensembl.web(), "EnsemblBacteria", "Pseudomonas aeruginosa").found
    assert (found.genome_url, found.gtf_url, found.assembly) == (dna, gtf, "ASM676v1")


def test_a_strain_stands_for_its_species_and_is_found_in_its_collection(ensembl: Ensembl) -> None:
    name = "candida_albicans_sc5314_gca_000784635"
    folder = add_microbe(
        ensembl, "EnsemblFungi", "Cand_albi_SC5314_V4", name, "fungi_ascomycota2_collection_core_57_110_1"
    )
    stem = f"fungi_ascomycota2_collection/{name}"
    ensembl.add_files(
        f"{folder}/fasta/{stem}/dna/{name.capitalize()}.Cand_albi_SC5314_V4.dna.toplevel.fa.gz",
        f"{folder}/gtf/{stem}/{name.capitalize()}.Cand_albi_SC5314_V4.57.gtf.gz",
    )
    survey = survey_ensembl(ensembl.web(), "EnsemblFungi", "candida ALBICANS")
    assert survey.skipped == ()
    assert survey.found[0].organism == "CANDIDA_ALBICANS"
    assert (survey.found[0].taxonomy_id, survey.found[0].directory) == (5476, name)


def test_an_assembly_with_blanks_is_looked_up_as_it_is_and_filed_with_underscores(ensembl: Ensembl) -> None:
    name = "escherichia_coli_atcc_25922_gca_000743255"
    folder = add_microbe(
        ensembl, "EnsemblBacteria", "Escherichia coli ATCC 25922", name, f"{name}_core_57_110_1"
    )
    dna = f"{folder}/fasta/{name}/dna/{name.capitalize()}.Escherichia_coli_ATCC_25922.dna.toplevel.fa.gz"
    ensembl.add_files(dna, f"{folder}/gtf/{name}/{name.capitalize()}.Escherichia_coli_ATCC_25922.57.gtf.gz")
    (found,) = survey_ensembl(ensembl.web(), "bacteria", "Escherichia coli").found
    assert (found.genome_url, found.taxonomy_id) == (dna, 562)


def test_files_named_after_the_default_assembly_are_found(ensembl: Ensembl) -> None:
    ensembl.list_division(
        "EnsemblPlants", genome("triticum_aestivum_mace", "PGSBv2.0_Mace", assembly_default="PGSBv2.1")
    )
    add_plant(ensembl, "triticum_aestivum_mace", "PGSBv2.1")
    (found,) = survey_ensembl(ensembl.web(), "EnsemblPlants", "Triticum aestivum mace").found
    assert found.assembly == "PGSBv2.1"
    assert "PGSBv2.1.dna" in found.genome_url and "PGSBv2.1.57" in found.gtf_url


def test_genome_and_gtf_are_never_of_two_assemblies(ensembl: Ensembl) -> None:
    ensembl.list_division("EnsemblPlants", genome("zea_mays", "Old", assembly_default="New"))
    ensembl.add_files(
        f"{PLANTS}/fasta/zea_mays/dna/Zea_mays.Old.dna.toplevel.fa.gz",
        f"{PLANTS}/gtf/zea_mays/Zea_mays.New.57.gtf.gz",
    )
    survey = survey_ensembl(ensembl.web(), "EnsemblPlants", "zea_mays")
    assert survey.found == () and len(survey.skipped) == 1


def test_a_division_is_surveyed_whole_and_genomes_without_files_are_reported(ensembl: Ensembl) -> None:
    ensembl.list_division("EnsemblPlants", genome("zea_mays", "Z 1"), genome("lost"), genome("vague", ""))
    add_plant(ensembl, "zea_mays", "Z_1")
    survey = survey_ensembl(ensembl.web(), "EnsemblPlants")
    assert [found.organism for found in survey.found] == ["ZEA_MAYS"]
    lost, vague = survey.skipped
    assert (lost.name, lost.division) == ("lost", Division.PLANTS)
    assert f"{PLANTS}/fasta/lost/dna/Lost.A1.dna.primary_assembly.fa.gz" in lost.tried
    assert set(lost.tried) <= set(ensembl.heads)
    assert "no assembly" in vague.reason and vague.tried == ()
    assert {survey.found[0].genome_url, survey.found[0].gtf_url} <= set(ensembl.heads)


def test_another_release_is_asked_for_files_and_collections_of_its_own(ensembl: Ensembl) -> None:
    name = "aspergillus_fumigatus"
    add_microbe(ensembl, "EnsemblFungi", "ASM265v1", name, "ignored_core_57_110_1")
    folder = f"{GENOMES}/release-49/fungi"
    ensembl.put(
        f"{folder}/species_EnsemblFungi.txt",
        TABLE_HEADER + table_row(name, "ASM265v1", "fungi_old_collection_core_49_102_1"),
    )
    stem = f"fungi_old_collection/{name}"
    ensembl.add_files(
        f"{folder}/fasta/{stem}/dna/Aspergillus_fumigatus.ASM265v1.dna.toplevel.fa.gz",
        f"{folder}/gtf/{stem}/Aspergillus_fumigatus.ASM265v1.49.gtf.gz",
    )
    (found,) = survey_ensembl(ensembl.web(), "EnsemblFungi", "Aspergillus fumigatus", 49).found
    assert found.release == 49
    assert ("GET", f"{REST}/eg_version") not in ensembl.asked


@pytest.mark.parametrize("organism", [None, "Saccharomyces cerevisiae"])
def test_of_fungi_only_chosen_strains_are_looked_for(organism: str | None, ensembl: Ensembl) -> None:
    survey = survey_ensembl(ensembl.web(), "EnsemblFungi", organism)
    assert survey.found == () and "chosen" in survey.skipped[0].reason
    assert ensembl.asked == []


def test_a_strain_of_another_division_is_said_to_be_there(ensembl: Ensembl) -> None:
    survey = survey_ensembl(ensembl.web(), "EnsemblBacteria", "Candida albicans")
    assert "SC5314, is in EnsemblFungi" in survey.skipped[0].reason


def test_a_strain_whose_assembly_several_genomes_have_is_not_guessed(ensembl: Ensembl) -> None:
    ensembl.list_division("EnsemblFungi", genome("one", "ASM265v1"), genome("two", "ASM265v1"))
    survey = survey_ensembl(ensembl.web(), "EnsemblFungi", "Aspergillus fumigatus")
    assert "one, two" in survey.skipped[0].reason and survey.found == ()


def test_a_strain_that_the_table_of_databases_lacks_is_reported_with_the_table(ensembl: Ensembl) -> None:
    add_microbe(ensembl, "EnsemblFungi", "ASM265v1", "aspergillus_fumigatus", "x_core_57_110_1")
    table = f"{GENOMES}/fungi/current/species_EnsemblFungi.txt"
    ensembl.put(table, TABLE_HEADER + table_row("another", "B2", "another_core_57_110_1"))
    survey = survey_ensembl(ensembl.web(), "EnsemblFungi", "Aspergillus fumigatus")
    assert table in survey.skipped[0].reason


@pytest.mark.parametrize(
    ("organism", "meant"),
    [("Homo sapien", "homo_sapiens"), ("Canis familiaris", "canis_lupus_familiaris"), ("zebra", None)],
)
def test_an_unknown_organism_is_reported_with_names_that_may_be_meant(
    organism: str, meant: str | None, ensembl: Ensembl
) -> None:
    add_dog(ensembl)
    survey = survey_ensembl(ensembl.web(), "EnsemblMain", organism)
    assert survey.found == ()
    reason = survey.skipped[0].reason
    assert (f"did you mean {meant}" in reason) if meant else ("did you mean" not in reason)


def test_the_strains_of_a_name_are_suggested(ensembl: Ensembl) -> None:
    ensembl.list_division("EnsemblPlants", genome("avena_sativa_sang"), genome("avena_sativa_ot3098"))
    survey = survey_ensembl(ensembl.web(), "EnsemblPlants", "Avena sativa")
    assert "avena_sativa_sang, avena_sativa_ot3098" in survey.skipped[0].reason


@pytest.mark.parametrize(
    "failing", [f"{REST}/species", f"{REST}/software", f"{DOG_DNA}.primary_assembly.fa.gz"]
)
def test_a_failing_server_is_not_a_missing_genome(failing: str, ensembl: Ensembl) -> None:
    add_dog(ensembl)
    ensembl.add_files(f"{DOG_DNA}.toplevel.fa.gz", DOG_GTF)
    ensembl.failing.add(failing)
    with pytest.raises(TransientError, match=failing.rsplit("/", 1)[-1]):
        survey_ensembl(ensembl.web(), "EnsemblMain", "Canis lupus familiaris")


def test_a_genome_whose_files_only_the_mirror_lacks_is_said_to_be_unknown(tmp_path: Path) -> None:
    listed = {"species": [main_species("canis_lupus_familiaris", "ROS_Cfam_1.0")]}
    for name, answer in {"species": listed, "software": {"release": 110}}.items():
        place = tmp_path / "rest.ensembl.org" / "info" / f"{name}?content-type=application%2Fjson"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(json.dumps(answer))
    with open_web({"REFINEBIO_MIRROR": str(tmp_path)}) as web:
        skipped = survey_ensembl(web, "main", "Canis lupus familiaris").skipped
        assert web.missing_from_mirror == skipped[0].tried
    assert skipped[0].reason == (
        "whether release 110 has it is not known: the mirror has no answer for 4 of 4 addresses"
    )


@pytest.mark.parametrize("division", list(Division))
def test_files_are_where_ftp_addresses_of_the_server_lead(division: Division) -> None:
    files = division.files_url(57)
    assert https_url("ftp" + files[files.index(":") :]) == files


def test_an_empty_list_is_a_fault_of_the_server(ensembl: Ensembl) -> None:
    ensembl.list_division("EnsemblPlants")
    with pytest.raises(TransientError, match="no genome at all"):
        survey_ensembl(ensembl.web(), "EnsemblPlants", "Zea mays")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"error": "no such division"}, "a list of genomes"),
        ([{"assembly_name": "A1"}], "genome 1: expected an object with 'name'"),
        (["zea_mays"], "genome 1: expected an object with 'name'"),
        ([genome("")], "expected a name"),
        ([genome("zea_mays", species_taxonomy_id="unknown")], "expected a taxonomy id"),
    ],
)
def test_an_answer_that_is_no_list_of_genomes_is_refused(
    answer: Any, expected: str, ensembl: Ensembl
) -> None:
    ensembl.put(f"{REST}/genomes/division/EnsemblPlants", answer)
    with pytest.raises(FormatError, match=expected):
        survey_ensembl(ensembl.web(), "EnsemblPlants", "Zea mays")


@pytest.mark.parametrize("answer", [{}, {"release": None}, {"release": "next"}, []])
def test_an_answer_without_a_release_is_refused(answer: Any, ensembl: Ensembl) -> None:
    add_dog(ensembl)
    ensembl.put(f"{REST}/software", answer)
    with pytest.raises(FormatError, match="release"):
        survey_ensembl(ensembl.web(), "EnsemblMain", "homo_sapiens")


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("", "expected columns species, assembly, core_db, found an empty file"),
        ("#name\tspecies\tassembly\n", "line 1: expected columns core_db"),
        (TABLE_HEADER + "cut off\taspergillus", "line 2: expected 7 columns, found 2"),
    ],
)
def test_a_damaged_table_of_databases_is_refused(table: str, expected: str, ensembl: Ensembl) -> None:
    add_microbe(ensembl, "EnsemblFungi", "ASM265v1", "aspergillus_fumigatus", "x_core_57_110_1")
    ensembl.put(f"{GENOMES}/fungi/current/species_EnsemblFungi.txt", table)
    with pytest.raises(FormatError, match=expected):
        survey_ensembl(ensembl.web(), "EnsemblFungi", "Aspergillus fumigatus")


@pytest.mark.parametrize(
    ("text", "division"),
    [
        ("Ensembl", Division.MAIN),
        ("ensemblvertebrates", Division.MAIN),
        ("EnsemblMain", Division.MAIN),
        (" plants ", Division.PLANTS),
        ("ENSEMBLFUNGI", Division.FUNGI),
    ],
)
def test_divisions_have_several_spellings(text: str, division: Division) -> None:
    assert find_division(text) is division


@pytest.mark.parametrize("text", ["", "EnsemblViruses", "plant"])
def test_an_unknown_division_is_refused_with_those_that_exist(text: str) -> None:
    with pytest.raises(RequestError, match="EnsemblMetazoa"):
        find_division(text)
