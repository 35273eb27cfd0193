"""Accessions as people paste them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinebio_assets.sources.accessions import (
    Archive,
    Kind,
    Names,
    accessions_in,
    geo_twin,
    is_accession,
    recognize,
)


@pytest.mark.parametrize(
    ("text", "canonical", "archive", "names"),
    [
        ("GSE12955", "GSE12955", Archive.GEO, Names.EXPERIMENT),
        (" gse1\n", "GSE1", Archive.GEO, Names.EXPERIMENT),
        ("GSM32878", "GSM32878", Archive.GEO, Names.SAMPLE),
        ("SRP095529", "SRP095529", Archive.SRA, Names.EXPERIMENT),
        ("ERP108370", "ERP108370", Archive.SRA, Names.EXPERIMENT),
        ("DRR002116", "DRR002116", Archive.SRA, Names.RUN),
        ("SRX1234567", "SRX1234567", Archive.SRA, Names.RUN),
        ("SAMEA123456", "SAMEA123456", Archive.SRA, Names.SAMPLE),
        ("PRJEB25848", "PRJEB25848", Archive.SRA, Names.PROJECT),
        ("e-mtab-3050", "E-MTAB-3050", Archive.ARRAY_EXPRESS, Names.EXPERIMENT),
        ("E-GEOD-44719", "E-GEOD-44719", Archive.ARRAY_EXPRESS, Names.EXPERIMENT),
    ],
)
def test_every_kind_is_recognized_in_any_case(
    text: str, canonical: str, archive: Archive, names: Names
) -> None:
    found = recognize(text)
    assert found is not None
    assert (found.text, found.archive, found.names) == (canonical, archive, names)


@pytest.mark.parametrize("text", ["", "GSE", "GSE12a", "SRP1", "E-MTAB", "GPL96", "my study", "GSE１２"])
def test_what_is_no_experiment_of_an_archive_is_not_recognized(text: str) -> None:
    assert recognize(text) is None


@given(number=st.integers(1, 10**7))
def test_the_twin_of_a_twin_is_the_series_itself(number: int) -> None:
    assert geo_twin(f"GSE{number}") == f"E-GEOD-{number}"
    assert geo_twin(geo_twin(f"GSE{number}")) == f"GSE{number}"


def test_other_experiments_have_no_twin() -> None:
    assert geo_twin("E-MTAB-3050") == ""
    assert geo_twin("SRP095529") == ""


def test_the_accessions_of_one_kind_are_found_in_a_text_each_once() -> None:
    text = "SRA: x/sra?term=SRP051521, PRJNA271109; GSE1 E-MTAB-12;GSE1;SRP051521 xGSE2 GSE3a E-MTAB-12-GSM1"
    assert accessions_in(text, Kind.SRA_STUDY) == ["SRP051521"]
    assert accessions_in(text, Kind.BIOPROJECT) == ["PRJNA271109"]
    assert accessions_in(text, Kind.GEO_SERIES) == ["GSE1"]
    assert accessions_in(text, Kind.ARRAY_EXPRESS) == ["E-MTAB-12"]
    assert accessions_in("", Kind.SRA_RUN) == []


def test_an_accession_is_the_whole_text_and_of_one_of_the_kinds_asked_for() -> None:
    assert is_accession("SRP051521", Kind.GEO_SERIES, Kind.SRA_STUDY)
    assert not is_accession("SRP051521 ", Kind.SRA_STUDY)
    assert not is_accession("GSE1", Kind.SRA_STUDY)
