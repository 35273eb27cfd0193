"""Which platform a GPL or a list of array designs means."""

from __future__ import annotations

import pytest

from refinebio_assets.domain import Manufacturer, Platform, Technology
from refinebio_assets.platforms.array_design import platform_of_array_designs
from refinebio_assets.platforms.geo_platform import platform_of_gpl


def test_a_geo_sample_without_platform_is_an_unknown_microarray() -> None:
    assert platform_of_gpl("", "") == (Platform(), Technology.MICROARRAY)


def test_a_listed_array_has_its_listed_name_whatever_the_title_says() -> None:
    platform, technology = platform_of_gpl("GPL97", "some title")

    assert technology == Technology.MICROARRAY
    assert (platform.accession, platform.source_accession) == ("hgu133b", "GPL97")
    assert platform.name == "[HG-U133B] Affymetrix Human Genome U133B Array"


def test_an_array_without_listed_name_takes_the_title() -> None:
    platform, _ = platform_of_gpl("GPL10558", "Illumina HumanHT-12 V4.0 expression beadchip")

    assert platform == Platform(
        "Illumina_HumanHT-12_V4.0",
        "Illumina HumanHT-12 V4.0 expression beadchip",
        Manufacturer.ILLUMINA,
        "GPL10558",
    )


def test_a_sequencer_is_found_in_the_title() -> None:
    platform, technology = platform_of_gpl("GPL18573", "Illumina NextSeq 500 (Homo sapiens)")

    assert technology == Technology.RNA_SEQ
    assert platform == Platform("NextSeq 500", "NextSeq 500", Manufacturer.ILLUMINA, "GPL18573")


def test_an_unlisted_platform_keeps_accession_and_title() -> None:
    title = "Agilent-014850 Whole Human Genome Microarray 4x44K G4112F (Probe Name version)"

    assert platform_of_gpl("GPL6480", title) == (
        Platform("GPL6480", title, source_accession="GPL6480"),
        Technology.UNKNOWN,
    )


def test_the_revision_of_an_st_array_does_not_matter() -> None:
    assert platform_of_gpl("ragene11stv1", "")[0].accession == "ragene11st"
    assert platform_of_array_designs(["ragene11stv1"])[0].accession == "ragene11st"


def test_one_array_design_decides_and_repeats_do_not_count() -> None:
    platform, technology = platform_of_array_designs(["A-AFFY-1", "A-AFFY-1"])

    assert (platform.accession, technology) == ("hgu95av2", Technology.MICROARRAY)
    assert platform.source_accession == "A-AFFY-1"


def test_an_unsupported_array_design_keeps_its_accession() -> None:
    assert platform_of_array_designs(["A-AGIL-28"]) == (
        Platform("A-AGIL-28", source_accession="A-AGIL-28"),
        Technology.MICROARRAY,
    )


@pytest.mark.parametrize(
    ("designs", "given_as"), [(["A-AFFY-1", "A-AFFY-33"], "A-AFFY-1, A-AFFY-33"), ([], ""), ([" "], "")]
)
def test_several_array_designs_leave_the_platform_open(designs: list[str], given_as: str) -> None:
    assert platform_of_array_designs(designs) == (
        Platform(source_accession=given_as),
        Technology.MICROARRAY,
    )
