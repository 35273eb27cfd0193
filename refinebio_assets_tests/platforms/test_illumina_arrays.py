"""BeadArray packages: each array has exactly one, and each organism its candidates in order."""

from __future__ import annotations

import re

from refinebio_assets.domain import Manufacturer
from refinebio_assets.platforms.illumina_arrays import (
    candidate_packages,
    illumina_package,
    illumina_packages,
    package_of_platform,
)
from refinebio_assets.platforms.microarrays import supported_microarrays
from refinebio_assets.platforms.tables_on_disk import table_lines


def test_every_supported_beadarray_is_served_by_exactly_one_package() -> None:
    served = [platform for package in illumina_packages() for platform in package.platforms]
    arrays = [
        each.accession for each in supported_microarrays() if each.manufacturer is Manufacturer.ILLUMINA
    ]
    assert sorted(served) == sorted(arrays)
    for accession in arrays:
        package = package_of_platform(accession.upper())
        assert package is not None and accession in package.platforms


def test_the_candidates_of_an_organism_come_in_the_order_that_decides_ties() -> None:
    names = {organism: [package.name for package in candidate_packages(organism)] for organism in ORGANISMS}
    assert names == {
        "HOMO_SAPIENS": ["illuminaHumanv1", "illuminaHumanv2", "illuminaHumanv3", "illuminaHumanv4"],
        "MUS_MUSCULUS": ["illuminaMousev1", "illuminaMousev1p1", "illuminaMousev2"],
        "RATTUS_NORVEGICUS": ["illuminaRatv1"],
        "DANIO_RERIO": [],
    }


ORGANISMS = ("HOMO_SAPIENS", "MUS_MUSCULUS", "RATTUS_NORVEGICUS", "DANIO_RERIO")


def test_a_package_names_the_array_that_has_all_of_its_probes() -> None:
    largest = {package.name: package.platform for package in illumina_packages()}
    assert largest["illuminaHumanv4"] == "Illumina_HumanHT-12_V4.0"
    assert largest["illuminaHumanv2"] == "Illumina_Human-6_V2.0"
    assert largest["illuminaMousev2"] == "Illumina_MouseWG-6_v2.0"


def test_a_package_is_found_by_its_name_as_people_write_it() -> None:
    package = illumina_package("illuminaHumanV4.db")
    assert package is not None and package.name == "illuminaHumanv4"
    assert illumina_package("illuminaHumanv5") is None
    assert package_of_platform("hgu133a") is None


def test_addresses_and_checksums_are_complete() -> None:
    assert len({line.count("\t") for line in table_lines("illumina_packages.tsv")}) == 1
    assert len({package.md5 for package in illumina_packages()}) == 8
    for package in illumina_packages():
        assert re.fullmatch(r"[0-9a-f]{32}", package.md5)
        assert package.location.endswith(f"/{package.name}.db_1.26.0.tar.gz")
        assert re.fullmatch(
            r"https://\S+/org\.(Hs|Mm|Rn)\.eg\.db_3\.11\.4\.tar\.gz", package.organism_location
        )
