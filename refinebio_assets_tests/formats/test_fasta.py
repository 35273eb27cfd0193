"""FASTA read record by record, whatever the lines and chunks."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from refinebio_assets.errors import FormatError, NotFoundError
from refinebio_assets.formats.fasta import FastaRecord, read_fasta, write_fasta
from refinebio_assets_tests.formats.making import zipped

sequences = st.text("ACGTacgtNRY-", min_size=1, max_size=200).map(str.encode)
records = st.lists(sequences, min_size=1, max_size=6).map(
    lambda found: [FastaRecord(f"seq{number}", sequence) for number, sequence in enumerate(found)]
)


def written(folder: Path, content: bytes) -> Path:
    path = folder / "file"
    path.write_bytes(content)
    return path


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(found=records, width=st.integers(1, 70))
def test_what_is_written_is_read(tmp_path: Path, found: list[FastaRecord], width: int) -> None:
    assert write_fasta(tmp_path / "file", found, width=width) == len(found)
    assert list(read_fasta(tmp_path / "file")) == found


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50])
def test_chunks_may_be_cut_anywhere(tmp_path: Path, size: int) -> None:
    content = b">a first\r\nAC\r\n\r\nGT\r\n>b\nTT\n>c > d\nGGGGGGGGGGGGG\nA"
    # Each gzip member arrives as a chunk of its own.
    members = [zipped(content[start : start + size]) for start in range(0, len(content), size)]
    found = [(record.name, record.sequence) for record in read_fasta(written(tmp_path, b"".join(members)))]
    assert found == [("a", b"ACGT"), ("b", b"TT"), ("c", b"GGGGGGGGGGGGGA")]


def test_the_name_is_the_first_word_and_gzip_is_told_by_content(tmp_path: Path) -> None:
    path = written(tmp_path, zipped(b">ENST1.2 cdna chromosome:GRCh38\nACGT\n"))
    assert list(read_fasta(path)) == [FastaRecord("ENST1.2", b"ACGT")]


def test_lines_are_sixty_bases_as_in_ensembl(tmp_path: Path) -> None:
    write_fasta(tmp_path / "file", [FastaRecord("a", b"A" * 61)])
    assert (tmp_path / "file").read_bytes() == b">a\n" + b"A" * 60 + b"\nA\n"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "an empty file"),
        (b"\n\n", "an empty file"),
        (b"ACGT\n>a\nACGT\n", r"line 1: expected a FASTA header \('>name'\), found 'ACGT\\n"),
        (b"@read\nACGT\n+\nIIII\n", "line 1: expected a FASTA header .*FASTQ"),
        (b">a\nACGT\n> \nACGT\n", "line 3: expected a name after '>'"),
        (b">a\nACGT\n> b\nACGT\n", "line 3: expected a name after '>'"),
        (b">a\nACGT\n>b\n>c\nACGT\n", "line 3: expected bases of 'b', found none"),
        (b">a\nACGT\n>b\n", "line 3: expected bases of 'b', found none"),
        (b">a\nACGT\n>b", "line 3: expected bases after the header, found the end of the file"),
        (
            b">a\nACGT\n>b\nTT\n>a\nGG\n",
            "line 5: expected each name once, found 'a', which is also on line 1",
        ),
        (b">a\nAC\nAC\nA!\nAC\n", "line 4: expected IUPAC nucleotide codes, found '!' in 'a'"),
        (b">a\nAC\nA C\n", "line 3: expected IUPAC nucleotide codes, found ' '"),
        (b">a\nMKLVPE\n", "line 2: expected IUPAC nucleotide codes, found 'L'"),
        (b">\xff\nAC\n", "line 1: expected UTF-8 text"),
        (zipped(b">a\n" + b"ACGT\n" * 100)[:-9], "it is cut"),
    ],
)
def test_a_wrong_file_is_named_by_its_line(tmp_path: Path, content: bytes, told: str) -> None:
    with pytest.raises(FormatError, match=f"^genome.*{told}"):
        list(read_fasta(written(tmp_path, content), label="genome"))


def test_a_header_without_end_does_not_fill_the_memory(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="line 1: expected a header line, found more than"):
        list(read_fasta(written(tmp_path, b">" + b"x" * 5_000_000)))


def test_a_missing_file_is_not_a_format_error(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        list(read_fasta(tmp_path / "absent"))


def test_real_transcripts_are_read(shared_data: Path) -> None:
    found = list(read_fasta(shared_data / "rnaseq_human_chr21" / "transcripts.fa.gz"))
    assert len(found) == 2_457
    assert sum(len(record.sequence) for record in found) == 3_766_318
