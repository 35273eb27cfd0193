"""A file's name tells what it is for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinebio_assets.domain import FileRole
from refinebio_assets.platforms.file_roles import is_archive, role_of_file


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("ftp://ftp.ncbi.nlm.nih.gov/geo/samples/GSM1nnn/GSM1/suppl/GSM1.a.5.CEL.gz", FileRole.CEL),
        ("C30057.cel", FileRole.CEL),
        (".CEL", None),
        ("CEL", None),
        ("SRR1_1.fastq.gz", FileRole.FASTQ_1),
        ("SRR1_2.fastq.gz", FileRole.FASTQ_2),
        ("liver_S1_L001_R1_001.fq.gz", FileRole.FASTQ_1),
        ("liver_S1_L001_R2_001.fq.gz", FileRole.FASTQ_2),
        ("SRR1603661.fastq.gz", FileRole.FASTQ_1),
        ("https://sra-pub-run-odp.s3.amazonaws.com/sra/SRR123456/SRR123456", FileRole.SRA),
        ("SRR123456.lite.1", FileRole.SRA),
        ("x.sra", FileRole.SRA),
        ("SRR1234", None),
        ("GSE1_non-normalized.txt.gz", FileRole.BEADARRAY),
        ("GSE1_Non_Normalized.txt", FileRole.BEADARRAY),
        ("X-non_normalized.txt.gz", FileRole.BEADARRAY),
        ("X-non-normalized.txt", FileRole.BEADARRAY),
        ("GSE1_nonnormalized.txt.gz", FileRole.PROCESSED),
        ("GSE1_raw.txt.gz", FileRole.PROCESSED),
        ("GSM1-tbl-1.txt", FileRole.PROCESSED),
        ("d.csv.gz", FileRole.PROCESSED),
        ("GSM1_Grn.idat.gz", None),
        ("GSM1.CHP.gz", None),
        ("GSM1.EXP.gz", None),
        ("GSM1.tif.gz", None),
        ("GSM1_Grn.xml.gz", None),
        ("images.tif.zip", None),
        ("E-MTAB-3050.raw.1.zip", FileRole.ARCHIVE),
        ("E-GEOD-44719.processed.1.zip", FileRole.ARCHIVE),
        ("GSE1_RAW.tar", FileRole.ARCHIVE),
        ("GSE1_family.xml.tgz", FileRole.ARCHIVE),
        ("GSE1_family.xml", None),
        ("https://host/download/a.CEL?token=b.txt", FileRole.CEL),
        ("", None),
    ],
)
def test_a_file_has_the_role_its_name_tells(name: str, role: FileRole | None) -> None:
    assert role_of_file(name) == role


@pytest.mark.parametrize("name", ["a.tar", "a.TAR", "a.tgz", "a.tar.gz", "a.zip"])
def test_tar_and_zip_are_archives(name: str) -> None:
    assert is_archive(name)


@pytest.mark.parametrize("name", ["a.gz", "a.CEL.gz", "a.CEL", "a.bz2", "a", ""])
def test_a_compressed_file_is_no_archive(name: str) -> None:
    assert not is_archive(name)


@given(st.text())
def test_any_name_can_be_judged_and_compression_changes_nothing(name: str) -> None:
    plain = name.split("?", 1)[0].rstrip("/")

    assert role_of_file(plain + ".gz") == role_of_file(plain) or is_archive(plain + ".gz")
