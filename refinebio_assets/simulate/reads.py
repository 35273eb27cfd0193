"""Sequencing reads drawn from known transcript abundances, as FASTQ text.

A library here is unstranded: the first read of a pair comes from either strand, the mates face each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from refinebio_assets.simulate.annotation import letters
from refinebio_assets.simulate.genome import Bases, reverse_complement

FRAGMENT_MEAN, FRAGMENT_SD = 200.0, 25.0
ERROR_RATE = 0.005
NOISE = 0.03
"""Share of fragments that come from nothing in the genome."""

_NUMBER_WIDTH = 7
_GOOD, _FAIR, _POOR = (np.uint8(ord(symbol)) for symbol in "F:,")
"""Illumina's binned qualities 37, 25 and 11."""


@dataclass(frozen=True, slots=True)
class Transcriptome:
    """Spliced transcripts end to end as coded bases, and where each begins and how long it is."""

    bases: Bases
    starts: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int64]

    @classmethod
    def of(cls, sequences: Sequence[Bases]) -> Transcriptome:
        """Join sequences."""
        lengths = np.array([len(sequence) for sequence in sequences], dtype=np.int64)
        starts = np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.int64)
        return cls(np.concatenate(sequences), starts, lengths)


@dataclass(frozen=True, slots=True)
class Library:
    """The reads of one sample: one or two mates as FASTQ text, and the true fragments per transcript."""

    mates: tuple[bytes, ...]
    fragments: npt.NDArray[np.int64]


def simulate_library(
    name: str,
    transcriptome: Transcriptome,
    tpm: npt.NDArray[np.float64],
    *,
    fragments: int,
    read_length: int,
    paired: bool,
    rng: np.random.Generator,
) -> Library:
    """Sequence a sample.

    ``tpm`` is the molar abundance per transcript; a transcript is drawn in proportion to it and to the
    number of places where a fragment of mean length fits. Noise is part of ``fragments``, but of no
    transcript, so the counts that are returned add up to a little less.
    """
    places = np.maximum(transcriptome.lengths - FRAGMENT_MEAN + 1, 1.0)
    weights = tpm * places
    noise = int(rng.binomial(fragments, NOISE))
    counts = rng.multinomial(fragments - noise, weights / weights.sum())
    ends = _fragment_ends(transcriptome, counts, read_length, rng)
    foreign = rng.integers(4, size=(2, noise, read_length), dtype=np.uint8)
    order = rng.permutation(fragments)
    mates = [np.concatenate([end, other])[order] for end, other in zip(ends, foreign, strict=True)]
    texts = [_fastq_text(name, reads, rng) for reads in (mates if paired else mates[:1])]
    return Library(tuple(texts), counts)


def _fragment_ends(
    transcriptome: Transcriptome,
    counts: npt.NDArray[np.int64],
    read_length: int,
    rng: np.random.Generator,
) -> tuple[Bases, Bases]:
    """Draw fragments and return the first and second reads, each of shape fragments x bases."""
    source = np.repeat(np.arange(len(counts)), counts)
    longest = transcriptome.lengths[source]
    drawn = np.rint(rng.normal(FRAGMENT_MEAN, FRAGMENT_SD, size=len(source))).astype(np.int64)
    lengths = np.clip(drawn, read_length, longest)
    starts = transcriptome.starts[source] + rng.integers(0, longest - lengths + 1)
    along = np.arange(read_length)
    left = transcriptome.bases[starts[:, None] + along]
    right = reverse_complement(transcriptome.bases[(starts + lengths - read_length)[:, None] + along])
    flipped = (rng.random(len(source)) < 0.5)[:, None]
    return np.where(flipped, right, left), np.where(flipped, left, right)


def _fastq_text(name: str, reads: Bases, rng: np.random.Generator) -> bytes:
    """Add sequencing errors and qualities and write FASTQ; all records are equally long."""
    number, length = reads.shape
    wrong = rng.integers(reads.size, size=int(rng.binomial(reads.size, ERROR_RATE)))
    codes = reads.reshape(-1).copy()
    codes[wrong] = (codes[wrong] + rng.integers(1, 4, size=len(wrong), dtype=np.uint8)) % 4
    decline = rng.integers(length // 2, length + length // 2, size=number)
    qualities = np.where(np.arange(length) < decline[:, None], _GOOD, _FAIR).reshape(-1)
    qualities[wrong] = _POOR
    head = f"@{name}.".encode()
    pieces = [
        _constant(head, number),
        _decimal(np.arange(1, number + 1)),
        _constant(b"\n", number),
        np.frombuffer(letters(codes), dtype=np.uint8).reshape(number, length),
        _constant(b"\n+\n", number),
        qualities.reshape(number, length),
        _constant(b"\n", number),
    ]
    return np.concatenate(pieces, axis=1).tobytes()


def _constant(text: bytes, number: int) -> npt.NDArray[np.uint8]:
    return np.broadcast_to(np.frombuffer(text, dtype=np.uint8), (number, len(text)))


def _decimal(numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
    """Write numbers with leading zeros, one a row."""
    powers = 10 ** np.arange(_NUMBER_WIDTH - 1, -1, -1)
    return (numbers[:, None] // powers % 10 + ord("0")).astype(np.uint8)
