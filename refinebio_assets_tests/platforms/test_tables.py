"""The package's own tables are whole, and what is looked up in them is found."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from refinebio_assets.domain import Manufacturer, Platform
from refinebio_assets.platforms.microarrays import (
    find_by_chip_type,
    find_microarray,
    is_supported,
    supported_microarrays,
)
from refinebio_assets.platforms.readable import readable
from refinebio_assets.platforms.sequencers import find_sequencer, sequencer_of_run, supported_sequencers
from refinebio_assets.platforms.strains import Strain, find_strain
from refinebio_assets.platforms.tables_on_disk import table_lines, table_rows

TABLES = ("microarrays.tsv", "microbial_strains.tsv")


@pytest.mark.parametrize("table", TABLES)
def test_every_row_has_as_many_columns_as_the_header(table: str) -> None:
    widths = {line.count("\t") for line in table_lines(table)}

    assert len(widths) == 1


def test_no_accession_means_two_arrays() -> None:
    accessions = Counter(
        accession.lower()
        for array in supported_microarrays()
        for accession in (array.accession, *array.source_accessions)
    )

    assert [accession for accession, count in accessions.items() if count > 1] == []


def test_every_array_is_complete() -> None:
    known = re.compile(r"GPL\d+|A-[A-Z]{4}-\d+")
    for array in supported_microarrays():
        assert array.manufacturer in (Manufacturer.AFFYMETRIX, Manufacturer.ILLUMINA), array
        assert array.source_accessions, array
        assert all(known.fullmatch(accession) for accession in array.source_accessions), array
    assert len(supported_microarrays()) == 140


def test_the_arrays_without_a_listed_name_are_known() -> None:
    unnamed = [array.accession for array in supported_microarrays() if not array.name]

    assert [name for name in unnamed if not name.startswith("Illumina_")] == [
        "clariomsmouseht",
        "HuEx-1_0-st",
    ]
    assert len(unnamed) == 17


def test_sequencers_and_strains_are_listed_once() -> None:
    organisms = [row["organism"] for row in table_rows("microbial_strains.tsv")]

    assert len(set(supported_sequencers())) == len(supported_sequencers()) == 23
    assert len(set(organisms)) == len(organisms) == 8
    assert all(all(row.values()) for row in table_rows("microbial_strains.tsv"))


@pytest.mark.parametrize("accession", ["GPL96", "gpl96", "A-AFFY-33", "A-GEOD-96", "hgu133a", "HGU133A"])
def test_an_array_is_found_by_any_of_its_accessions(accession: str) -> None:
    assert find_microarray(accession) == Platform(
        accession="hgu133a",
        name="[HG-U133A] Affymetrix Human Genome U133A Array",
        manufacturer=Manufacturer.AFFYMETRIX,
        source_accession=accession,
    )


@pytest.mark.parametrize("accession", ["", " ", "GPL", "GPL6480", "GPL9", "U133A", "Illumina HiSeq 2000"])
def test_what_is_no_supported_array_is_not_found(accession: str) -> None:
    assert find_microarray(accession) is None


def test_an_array_without_a_listed_name_is_called_by_its_accession() -> None:
    array = find_microarray("A-MEXP-1171")

    assert array is not None
    assert (array.accession, array.name) == ("Illumina_HumanHT-12_V3.0", "Illumina_HumanHT-12_V3.0")
    assert array.manufacturer == Manufacturer.ILLUMINA


@pytest.mark.parametrize(
    ("chip_type", "accession"),
    [
        ("HG-U133_Plus_2", "hgu133plus2"),
        ("HuEx-1_0-st-v2", "HuEx-1_0-st"),
        ("RaGene-1_1-st-v1", "ragene11st"),
    ],
)
def test_the_chip_type_in_a_cel_header_names_its_array(chip_type: str, accession: str) -> None:
    array = find_by_chip_type(chip_type)

    assert array is not None
    assert array.accession == accession
    assert find_by_chip_type("NotAChip-1_0") is None


def test_every_affymetrix_array_has_a_chip_type_of_its_own() -> None:
    found = [find_by_chip_type(array.accession) for array in supported_microarrays()]

    assert [platform.accession if platform else "" for platform in found] == [
        array.accession for array in supported_microarrays()
    ]


def test_an_array_is_supported_only_as_a_whole_but_a_sequencer_within_a_text() -> None:
    assert is_supported("gpl570")
    assert is_supported("IlluminaHiSeq2000")
    assert is_supported("Illumina HiSeq 2000 (Mus musculus)")
    assert not is_supported("GPL570 (custom)")
    assert not is_supported("Ion Torrent PGM")
    assert not is_supported("")


def test_the_longest_listed_name_in_a_text_is_the_sequencer() -> None:
    found = find_sequencer("ILLUMINA GENOME ANALYZER IIX (Homo sapiens)")

    assert found is not None
    assert (found.accession, found.name) == ("Illumina Genome Analyzer IIx",) * 2
    assert find_sequencer("454 GS FLX (Homo sapiens)") is None


@pytest.mark.parametrize(
    ("text", "manufacturer"),
    [
        ("Illumina NextSeq 500 (Homo sapiens)", Manufacturer.ILLUMINA),
        ("Illumina MiSeq", Manufacturer.ILLUMINA),
        ("Ion Torrent Proton (Danio rerio)", Manufacturer.ION_TORRENT),
    ],
)
def test_the_maker_of_a_sequencer_follows_from_its_name(text: str, manufacturer: Manufacturer) -> None:
    found = find_sequencer(text)

    assert found is not None
    assert found.manufacturer == manufacturer


def test_a_runs_sequencer_is_named_without_blanks() -> None:
    assert sequencer_of_run("ILLUMINA", "NextSeq 500") == Platform(
        "NextSeq500", "NextSeq 500", Manufacturer.ILLUMINA, "NextSeq 500"
    )


def test_of_a_run_by_another_maker_only_the_model_is_kept() -> None:
    assert sequencer_of_run("PACBIO_SMRT", "Sequel II") == Platform(source_accession="Sequel II")
    assert sequencer_of_run("PACBIO_SMRT", "") == Platform(source_accession="PACBIO_SMRT")
    assert sequencer_of_run("", "") == Platform()


@pytest.mark.parametrize(
    ("platform", "text"),
    [
        (
            Platform("hgu133a", "[HG-U133A] Affymetrix Human Genome U133A Array"),
            "Affymetrix Human Genome U133A Array (hgu133a)",
        ),
        (Platform("GPL9", "Our array [custom]"), "Our array [custom] (GPL9)"),
        (Platform(name="My array"), "My array"),
        (Platform("GPL9"), "GPL9"),
        (Platform(source_accession="Sequel II"), "Sequel II"),
        (Platform(), ""),
    ],
)
def test_a_platforms_name_is_written_for_people(platform: Platform, text: str) -> None:
    assert readable(platform) == text


@pytest.mark.parametrize("organism", ["candida_albicans", "Candida albicans", "CANDIDA_ALBICANS"])
def test_a_microbes_strain_is_found_however_the_organism_is_written(organism: str) -> None:
    assert find_strain(organism) == Strain(
        "CANDIDA_ALBICANS", "SC5314", "Cand_albi_SC5314_V4", "EnsemblFungi", 5476
    )
    assert find_strain("Saccharomyces cerevisiae") is None
