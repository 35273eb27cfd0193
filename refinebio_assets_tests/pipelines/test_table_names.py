"""Under which names tables may know a sample, from what its source says; whose a table in an archive is."""

from __future__ import annotations

from dataclasses import replace

from refinebio_assets.domain import FileRole, Sample, SourceFile, Technology
from refinebio_assets.lake.store import StoredFile
from refinebio_assets.pipelines.fetch_file import Origin
from refinebio_assets.pipelines.gathering import parts_of
from refinebio_assets.pipelines.raw_file import RawFile
from refinebio_assets.pipelines.table_names import names_in_tables

SAMPLE = Sample("GSM1", "HOMO_SAPIENS", Technology.MICROARRAY, title="blood 1")


def test_a_sample_of_geo_has_its_accession_title_and_description() -> None:
    told = (
        ("description", "4343238066_A"),
        ("characteristics_ch1", "age: 3"),
        ("description", "replicate 1"),
    )
    names = names_in_tables(replace(SAMPLE, metadata=told))
    assert (names.accession, names.title) == ("GSM1", "blood 1")
    assert names.descriptions == ("4343238066_A", "replicate 1")


def test_a_sample_of_arrayexpress_has_the_names_of_its_assay_before_those_of_its_source() -> None:
    told = (
        ("Source Name", "donor 1"),
        ("Characteristics [sex]", "male"),
        ("Hybridization Name", "H1"),
        ("Derived Array Data File", "S1.txt"),
        ("Scan Name", ""),
    )
    assert names_in_tables(replace(SAMPLE, metadata=told)).descriptions == ("H1", "donor 1", "S1.txt")


def test_what_a_sheet_says_of_the_column_comes_first() -> None:
    told = (("description", "other"), ("table_column", "column 7"))
    assert names_in_tables(replace(SAMPLE, metadata=told)).descriptions == ("column 7", "other")


def test_a_table_that_is_alone_in_an_archive_is_of_all_samples_that_share_it() -> None:
    archive = SourceFile(FileRole.ARCHIVE, "https://a.org/E-MTAB-1.raw.1.zip")
    stored = StoredFile("table.txt", "objects/aa", 3, "aa")
    table = RawFile("", FileRole.PROCESSED, Origin(archive.location, 3, ""), stored, member="table.txt")
    assert parts_of(SAMPLE, archive, [table], alone=False) == [table]
    two = [table, replace(table, member="other.txt")]
    (failed,) = parts_of(SAMPLE, archive, two, alone=False)
    assert "does not tell which file is this sample's" in failed.reason
