"""Which files a run is offered as."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinebio_assets.domain import FileRole, SourceFile
from refinebio_assets.sources.sra.run_files import files_of_run

RUN = "SRR1603661"
FOLDER = f"ftp.sra.ebi.ac.uk/vol1/fastq/SRR160/001/{RUN}"


def report(*names: str, **changes: str) -> dict[str, str]:
    sizes = ";".join(str(100 + number) for number in range(len(names)))
    checksums = ";".join(f"{number:032x}" for number in range(len(names)))
    paths = ";".join(f"{FOLDER}/{name}" for name in names)
    return {
        "run_accession": RUN,
        "fastq_ftp": paths,
        "fastq_bytes": sizes,
        "fastq_md5": checksums,
        "sra_bytes": "900",
        "sra_md5": "f" * 32,
    } | changes


def roles(run: dict[str, str]) -> list[tuple[FileRole, str]]:
    return [(file.role, file.name) for file in files_of_run(run)]


def test_mates_come_over_https_with_their_own_size_and_checksum_and_ncbi_last() -> None:
    first, second, ncbi = files_of_run(report(f"{RUN}_1.fastq.gz", f"{RUN}_2.fastq.gz"))
    assert first == SourceFile(
        FileRole.FASTQ_1, f"https://{FOLDER}/{RUN}_1.fastq.gz", size=100, md5=f"{0:032x}"
    )
    assert second == SourceFile(
        FileRole.FASTQ_2, f"https://{FOLDER}/{RUN}_2.fastq.gz", size=101, md5=f"{1:032x}"
    )
    assert ncbi.location == f"https://sra-pub-run-odp.s3.amazonaws.com/sra/{RUN}/{RUN}"


def test_of_three_files_the_one_with_unmated_reads_is_not_taken() -> None:
    first, second, _ = files_of_run(report(f"{RUN}.fastq.gz", f"{RUN}_1.fastq.gz", f"{RUN}_2.fastq.gz"))
    assert (first.name, first.size, first.md5) == (f"{RUN}_1.fastq.gz", 101, f"{1:032x}")
    assert (second.name, second.size, second.md5) == (f"{RUN}_2.fastq.gz", 102, f"{2:032x}")


def test_what_ena_promises_of_its_own_sra_copy_is_not_promised_of_ncbis() -> None:
    ncbi = files_of_run(report(f"{RUN}.fastq.gz"))[-1]
    assert (ncbi.role, ncbi.size, ncbi.md5) == (FileRole.SRA, None, "")


@pytest.mark.parametrize("name", [f"{RUN}.fastq.gz", f"{RUN}_1.fastq.gz", f"{RUN}_2.fastq.gz"])
def test_a_paired_run_with_one_file_is_read_as_that_one_file(name: str) -> None:
    run = report(name, library_layout="PAIRED")
    assert roles(run) == [(FileRole.FASTQ_1, name), (FileRole.SRA, RUN)]


def test_a_single_run_with_two_mates_has_two_mates() -> None:
    run = report(f"{RUN}_1.fastq.gz", f"{RUN}_2.fastq.gz", library_layout="SINGLE")
    assert [role for role, _ in roles(run)] == [FileRole.FASTQ_1, FileRole.FASTQ_2, FileRole.SRA]


@pytest.mark.parametrize(
    "names",
    [
        (),
        (f"{RUN}_1.fastq.gz", f"{RUN}_2.fastq.gz", f"{RUN}_3.fastq.gz"),
        (f"{RUN}.fastq.gz", f"{RUN}_1.fastq.gz"),
        ("lane1.fastq.gz", "lane2.fastq.gz"),
    ],
)
def test_files_that_are_not_one_read_or_two_mates_leave_only_ncbis(names: tuple[str, ...]) -> None:
    assert roles(report(*names)) == [(FileRole.SRA, RUN)]


def test_sizes_and_checksums_of_another_number_of_files_are_not_trusted() -> None:
    run = report(f"{RUN}_1.fastq.gz", f"{RUN}_2.fastq.gz", fastq_bytes="100", fastq_md5="")
    assert [(file.size, file.md5) for file in files_of_run(run)] == [(None, "")] * 3


@given(st.permutations([f"{RUN}.fastq.gz", f"{RUN}_1.fastq.gz", f"{RUN}_2.fastq.gz"]))
def test_the_order_in_which_ena_lists_files_does_not_matter(names: list[str]) -> None:
    assert [name for _, name in roles(report(*names))] == [f"{RUN}_1.fastq.gz", f"{RUN}_2.fastq.gz", RUN]


@given(st.text(), st.text(), st.text())
def test_any_report_gives_ncbis_file_last(paths: str, sizes: str, checksums: str) -> None:
    run = {"run_accession": RUN, "fastq_ftp": paths, "fastq_bytes": sizes, "fastq_md5": checksums}
    assert files_of_run(run)[-1].role is FileRole.SRA
