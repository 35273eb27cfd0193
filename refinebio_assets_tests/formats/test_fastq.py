"""FASTQ: every byte checked, from chunks cut anywhere."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinebio_assets.errors import FormatError
from refinebio_assets.formats.fastq import FastqScanner, FastqStats, scan_fastq
from refinebio_assets_tests.formats.making import zipped

GOOD = b"@a 1:N:0\nACGT\n+\nII!~\n@b\nAC\n+b\nII\n"
reads = st.lists(st.text("ACGTN", max_size=12), min_size=1, max_size=9)


def pieces(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


def file_of(sequences: list[str], line_end: str = "\n") -> bytes:
    lines = []
    for number, sequence in enumerate(sequences):
        lines += [f"@read{number} x\t{number}", sequence, "+", "@" * len(sequence)]
    return "".join(line + line_end for line in lines).encode()


def complaint(data: bytes, size: int = 7) -> str:
    with pytest.raises(FormatError) as caught:
        scan_fastq(pieces(data, size), "reads.fastq")
    message = str(caught.value)
    assert message.startswith("reads.fastq")
    return message


@given(reads, st.integers(1, 40), st.booleans(), st.sampled_from(["\n", "\r\n"]))
def test_reads_and_bases_are_counted_however_the_file_is_cut(
    sequences: list[str], size: int, compressed: bool, line_end: str
) -> None:
    data = file_of(sequences, line_end)
    stats = scan_fastq(pieces(zipped(data) if compressed else data, size), "reads.fastq")
    lengths = [len(sequence) for sequence in sequences]
    assert stats == FastqStats(len(lengths), sum(lengths), min(lengths), max(lengths))
    assert stats.mean_length == pytest.approx(sum(lengths) / len(lengths))


@given(reads, st.data())
def test_a_file_cut_anywhere_inside_a_record_is_noticed(sequences: list[str], data: st.DataObject) -> None:
    whole = file_of(["ACGT", *sequences, "ACGT"])
    cut = whole[: data.draw(st.integers(0, len(whole) - 2))]
    records = {len(file_of(["ACGT", *sequences][:count])) for count in range(1, len(sequences) + 2)}
    # Without its last line end, or with that of an empty quality line missing, a record is still whole.
    if cut and ({len(cut), len(cut) + 1} & records):
        assert scan_fastq([cut], "reads.fastq").reads > 0
    else:
        complaint(cut)


def test_long_files_are_checked_in_blocks_that_end_anywhere() -> None:
    data = file_of(["ACGTN" * (number % 90) for number in range(9_000)])
    assert len(data) > 2_000_000
    assert scan_fastq(pieces(data, 99_991), "reads.fastq").reads == 9_000
    complaint_far_down = complaint(data + b"@x\nAC_T\n+\nIIII\n", 99_991)
    assert "line 36,002: expected a line of bases, found 'AC_T'" in complaint_far_down


def test_reads_longer_than_a_block_are_counted() -> None:
    data = file_of(["ACGT" * 500_000, "AC", "ACGT" * 700_000])
    assert scan_fastq(pieces(data, 70_001), "reads.fastq") == FastqStats(3, 4_800_002, 2, 2_800_000)


def test_several_gzip_members_are_one_file() -> None:
    assert scan_fastq([zipped(GOOD) * 3], "reads.fastq").reads == 6


def test_the_scanner_gives_statistics_once_it_is_finished() -> None:
    scanner = FastqScanner("reads.fastq")
    scanner.feed(GOOD)
    assert scanner.finish() == scanner.stats() == FastqStats(2, 6, 2, 4)


def test_all_letters_and_the_rare_gaps_are_bases() -> None:
    assert scan_fastq([b"@a\nACGTNRYacgt.-*\n+\n" + b"I" * 14 + b"\n"], "reads.fastq").bases == 14


def test_blank_lines_after_the_last_record_are_accepted() -> None:
    assert scan_fastq([GOOD + b"\n\r\n"], "reads.fastq").reads == 2


@pytest.mark.parametrize("data", [b"", b"\n", zipped(b"")])
def test_an_empty_file_has_no_reads(data: bytes) -> None:
    assert "no reads: the file is empty" in complaint(data)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (GOOD + b"@c\nACGT\n+\nII\n", "line 12: expected 4 qualities, one a base, found 2: 'II'"),
        (GOOD + b"@c\nAC\n+\nIIII\n", "line 12: expected 2 qualities, one a base, found 4: 'IIII'"),
        (GOOD + b"c\nAC\n+\nII\n", "line 9: expected a header that starts with '@', found 'c'"),
        (GOOD + b"@c\nAC\n-\nII\n", "line 11: expected a line that starts with '.', found '-'"),
        (GOOD + b"@c\nA1\n+\nII\n", "line 10: expected a line of bases, found 'A1'"),
        (GOOD + b"@c\nA C\n+\nIII\n", "line 10: expected a line of bases, found 'A C'"),
        (GOOD + b"@c\nACG\n+\nI I\n", "line 12: expected printable characters"),
        (GOOD + b"@c\nACG\n+\nI\x7fI\n", "line 12: expected printable characters"),
        (GOOD + b"@c\nACG\n+\nI\xffI\n", "line 12: expected printable characters"),
        (GOOD + b"@c\x00\nACG\n+\nIII\n", "line 9: expected printable characters"),
        (GOOD + b"@c\nAC\nII\n@d\nAC\n+\nII\n", "line 11: expected a line that starts with '.', found 'II'"),
        (GOOD + b"\n" + GOOD, "line 9: expected a header that starts with '@', found ''"),
        (GOOD + b"@c\nAC\n+\nI", "line 12: expected 2 qualities, .*at the end of the file: it is cut"),
        (
            GOOD + b"@c\nAC\n+\n",
            "line 11: expected a whole record .* found only 3, the last '.': the file is cut",
        ),
        (GOOD + b"@c", "line 9: expected a whole record .* found only 1"),
        (b">a\nACGT\n>b\nACGT\n", r"line 1: expected a header that starts with '@', found '>a' \(FASTA\?\)"),
        (b"NCBI.sra" + bytes(100), r"line 1: expected a header .*\(an SRA archive\?\)"),
        (bytes(range(256)) * 20, "line 1: expected a header that starts with '@'"),
        (b"T0123\n", "line 1: expected a header"),
        (zipped(GOOD)[:-1], "the end of the file: it is cut"),
        (zipped(GOOD * 99)[:-8] + bytes(8), "damage"),
        (zipped(GOOD) + b"junk", "nothing after the gzip stream"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(data: bytes, told: str) -> None:
    for size in (1, 7, 10_000):
        with pytest.raises(FormatError, match=told):
            scan_fastq(pieces(data, size), "reads.fastq")


def test_the_first_of_several_wrong_lines_is_named() -> None:
    assert "line 2" in complaint(b"@a\nA1\n+\nII\nb\nAC\n+\nI\n", 1000)


def test_a_wrong_line_far_down_has_its_number() -> None:
    data = GOOD * 50_000 + b"@x\nACGT\n+\nIII\n"
    assert "line 400,004" in complaint(data, 1 << 16)


def test_an_endless_line_is_refused_before_it_fills_the_memory() -> None:
    tracemalloc.start()
    with pytest.raises(FormatError, match="line 2: expected lines of at most 50,000,000 bytes"):
        scan_fastq([b"@a\n", *([b"A" * 4_000_000] * 100)], "reads.fastq")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 400_000_000


def test_real_reads_are_counted(shared_data: Path) -> None:
    data = (shared_data / "rnaseq_human_chr21" / "sample_a_1.fastq.gz").read_bytes()
    assert scan_fastq(pieces(data, 1 << 16), "sample_a_1") == FastqStats(4_857, 353_935, 55, 75)
