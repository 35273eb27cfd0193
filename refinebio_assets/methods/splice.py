"""Transcript sequences: exons cut out of a chromosome and joined, as ``rsem-prepare-reference`` does.

Bytes in, bytes out. Which exons make a transcript is the work of ``formats.gtf``.
Source: RSEM 1.3.3, ``rsem-extract-reference-transcripts``.
"""

from __future__ import annotations

from collections.abc import Sequence

from refinebio_assets.errors import PermanentError


def _table(replaced: dict[str, str]) -> bytes:
    """Return a translation of nucleotide codes, upper case, everything else N."""
    table = bytearray(b"N" * 256)
    for old, new in replaced.items():
        table[ord(old)] = table[ord(old.lower())] = ord(new)
    return bytes(table)


_FORWARD = _table({"A": "A", "C": "C", "G": "G", "T": "T"})
_COMPLEMENT = _table({"A": "T", "C": "G", "G": "C", "T": "A"})


def merge_exons(starts: Sequence[int], ends: Sequence[int]) -> list[tuple[int, int]]:
    """Sort exons by start and join those that overlap or touch.

    Positions are 1-based and inclusive. Raises PermanentError for an exon that begins before 1 or ends
    before it begins, and when there is none.
    """
    if not starts:
        raise PermanentError("no exons")
    merged: list[tuple[int, int]] = []
    for start, end in sorted(zip(starts, ends, strict=True)):
        if not 1 <= start <= end:
            raise PermanentError(f"exon {start}-{end} does not run forward from 1 or later")
        if merged and start <= merged[-1][1] + 1:
            merged[-1] = merged[-1][0], max(merged[-1][1], end)
        else:
            merged.append((start, end))
    return merged


def transcript_sequence(chromosome: bytes, starts: Sequence[int], ends: Sequence[int], strand: str) -> bytes:
    """Return the sequence of a transcript: A, C, G, T, and N for every other code, in upper case.

    ``starts`` and ``ends`` are those of its exons (1-based, inclusive, in any order) on ``chromosome``;
    ``strand`` is ``+`` or ``-`` (reverse complement). Raises PermanentError as ``merge_exons``, for an exon
    past the end of the chromosome, and for another strand.
    """
    exons = merge_exons(starts, ends)
    last_end = exons[-1][1]
    if last_end > len(chromosome):
        raise PermanentError(
            f"exon {exons[-1][0]}-{last_end} runs past the end of the chromosome, which has "
            f"{len(chromosome):,} bases"
        )
    spliced = b"".join(chromosome[start - 1 : end] for start, end in exons)
    if strand == "+":
        return spliced.translate(_FORWARD)
    if strand == "-":
        return spliced.translate(_COMPLEMENT)[::-1]
    raise PermanentError(f"strand {strand!r} is neither '+' nor '-'")
