"""Which files each sample of a series has, and which of them are raw."""

from __future__ import annotations

import pytest

from refinebio_assets.domain import FileRole, Manufacturer, SourceFile, Technology
from refinebio_assets_tests.sources.geo.small_series import HTTPS, SUPPL, sample, series


def test_a_cel_file_is_raw_and_comes_first_whatever_else_there_is(survey):
    (found,) = survey(
        sample(
            files=("NONE", SUPPL + "a.txt.gz"),
            supplementary_file_1=[SUPPL + "a.CEL.gz"],
            supplementary_file_2=[SUPPL + "a.CHP.gz", SUPPL + "a.EXP.gz"],
        )
    ).samples
    assert found.has_raw
    assert found.files == (
        SourceFile(FileRole.CEL, HTTPS + "a.CEL.gz"),
        SourceFile(FileRole.PROCESSED, HTTPS + "a.txt.gz"),
    )


def test_a_cel_file_makes_an_unknown_platform_a_microarray_of_affymetrix(survey):
    (found,) = survey(sample("GPL99999", [SUPPL + "a.cel.gz"])).samples
    assert found.technology == Technology.MICROARRAY
    assert (found.platform.accession, found.platform.manufacturer) == ("GPL99999", Manufacturer.AFFYMETRIX)


def test_a_sample_without_raw_data_has_its_values_in_the_miniml_archive(survey):
    (found,) = survey(sample(files=[SUPPL + "a.csv.gz"])).samples
    assert not found.has_raw
    assert found.files == (
        SourceFile(FileRole.PROCESSED, HTTPS + "a.csv.gz"),
        SourceFile(
            FileRole.PROCESSED,
            "https://ftp.ncbi.nlm.nih.gov/geo/series/GSE900nnn/GSE900001/miniml/GSE900001_family.xml.tgz",
            member="GSM9000001-tbl-1.txt",
            columns=("ID_REF",),
        ),
    )


def test_a_sample_whose_record_has_no_rows_is_not_sent_to_the_miniml_archive(survey):
    assert survey(sample(data_row_count=["0"])).samples[0].files == ()


def test_a_sample_whose_processing_is_not_described_counts_as_raw(survey):
    (found,) = survey(sample(data_processing=[])).samples
    assert (found.has_raw, found.files) == (True, ())


@pytest.mark.parametrize("spelling", ["_non_norm", "_non-norm", "-non-norm", "-non_norm"])
def test_a_table_of_the_series_that_is_not_normalized_belongs_to_each_sample(survey, spelling):
    folder = "ftp://ftp.ncbi.nlm.nih.gov/geo/series/GSE900nnn/GSE900001/suppl/"
    table = f"GSE900001{spelling}alized.txt.gz"
    facts = series(supplementary_file=[folder + "GSE900001_RAW.tar", folder + table])
    found = survey(sample("GPL10558"), sample("GPL10558"), sample("GPL9115"), facts=facts)
    shared = SourceFile(FileRole.BEADARRAY, folder.replace("ftp:", "https:") + table)
    assert [one.files for one in found.samples] == [(shared,), (shared,), ()]
    assert [one.has_raw for one in found.samples] == [True, True, False]


def test_csv_files_of_illumina_and_what_scanners_leave_behind_are_ignored(survey):
    names = ("a_Grn.idat.gz", "a_Grn.xml.gz", "b.locs.gz", "d.csv.gz", "e.txt.gz", "f.bgx.gz")
    (found,) = survey(sample("GPL10558", [SUPPL + name for name in names])).samples
    assert [file.name for file in found.files] == ["e.txt.gz", "GSM9000001-tbl-1.txt"]


def test_what_is_no_address_is_no_file_and_other_servers_keep_theirs(survey):
    urls = ("file3.gpr", "https://example.org/a.CEL.gz", "ftp://lab.example.org/b.CEL.gz")
    (found,) = survey(sample(files=urls)).samples
    assert [file.location for file in found.files] == list(urls[1:])
