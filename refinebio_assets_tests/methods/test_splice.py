"""Exons merged and spliced as RSEM does."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinebio_assets.errors import PermanentError
from refinebio_assets.methods.splice import merge_exons, transcript_sequence

CHROMOSOME = b"ACGTTGCAAC"
exons = st.lists(st.tuples(st.integers(1, 50), st.integers(0, 20)), min_size=1, max_size=8)


def test_exons_are_sorted_joined_and_upper_case() -> None:
    assert transcript_sequence(b"aCgTTgCAaC", [7, 1], [8, 3], "+") == b"ACGCA"


def test_the_minus_strand_is_reverse_complemented() -> None:
    assert transcript_sequence(CHROMOSOME, [1, 7], [3, 8], "-") == b"TGCGT"


def test_overlapping_and_touching_exons_are_merged() -> None:
    assert merge_exons([1, 3, 6, 9], [4, 5, 7, 10]) == [(1, 7), (9, 10)]


def test_an_exon_inside_another_changes_nothing() -> None:
    assert merge_exons([1, 2], [9, 3]) == [(1, 9)]


@pytest.mark.parametrize("strand", ["+", "-"])
def test_other_nucleotide_codes_become_n(strand: str) -> None:
    assert transcript_sequence(b"RYnU-", [1], [5], strand) == b"NNNNN"


def test_an_exon_may_end_with_the_chromosome_but_not_past_it() -> None:
    assert transcript_sequence(CHROMOSOME, [9], [10], "+") == b"AC"
    with pytest.raises(PermanentError, match=r"exon 9-11 runs past the end of the chromosome, which has 10"):
        transcript_sequence(CHROMOSOME, [9], [11], "+")


@pytest.mark.parametrize(("start", "end"), [(0, 5), (5, 4), (-3, 2)])
def test_an_exon_that_does_not_run_forward_is_refused(start: int, end: int) -> None:
    with pytest.raises(PermanentError, match=f"exon {start}-{end}"):
        merge_exons([start], [end])


def test_no_exons_and_no_strand_are_refused() -> None:
    with pytest.raises(PermanentError, match="no exons"):
        transcript_sequence(CHROMOSOME, [], [], "+")
    with pytest.raises(PermanentError, match=r"strand '\.'"):
        transcript_sequence(CHROMOSOME, [1], [2], ".")


@given(exons)
def test_merging_keeps_every_base_once_in_order(pairs: list[tuple[int, int]]) -> None:
    starts = [start for start, _ in pairs]
    ends = [start + length for start, length in pairs]
    covered = {base for start, end in zip(starts, ends, strict=True) for base in range(start, end + 1)}
    merged = merge_exons(starts, ends)
    assert [base for start, end in merged for base in range(start, end + 1)] == sorted(covered)
    assert all(before[1] + 1 < after[0] for before, after in pairwise(merged))


@given(st.binary(min_size=1, max_size=40).map(lambda raw: bytes(b"ACGTN"[byte % 5] for byte in raw)))
def test_the_reverse_complement_of_the_reverse_complement_is_the_sequence(sequence: bytes) -> None:
    once = transcript_sequence(sequence, [1], [len(sequence)], "-")
    assert transcript_sequence(once, [1], [len(sequence)], "-") == sequence
