"""A small genome whose genes are known: chromosomes, exons, introns, splice variants, odd genes.

Bases are coded 0 to 3 for A, C, G, T (the complement of c is 3 - c); 4 is an unknown base. Coordinates are
0-based and half-open. Text formats are in ``annotation``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Bases = npt.NDArray[np.uint8]
Exons = tuple[tuple[int, int], ...]

CHROMOSOMES = ("1", "2", "3")
UNKNOWN = 4
GC_CONTENT = 0.44
SHORTEST_TRANSCRIPT = 350
"""Bases; longer than nearly every simulated fragment."""

PSEUDOGENE_DIVERGENCE = 0.12
"""Share of bases in which a pseudogene differs from its parent, about that of real processed pseudogenes."""

BIOTYPES = {
    "protein_coding": 120,
    "lncRNA": 8,
    "processed_pseudogene": 6,
    "transcribed_unprocessed_pseudogene": 4,
    "IG_D_gene": 2,  # real ones have 11 to 37 bases, fewer than any index can hold
    "snRNA": 2,  # the second is a copy of the first, as many real ones are
}


@dataclass(frozen=True, slots=True)
class Transcript:
    """One splice variant; ``exons`` ascend along the chromosome whatever the strand."""

    accession: str
    exons: Exons

    @property
    def length(self) -> int:
        """Spliced length in bases."""
        return sum(end - start for start, end in self.exons)


@dataclass(frozen=True, slots=True)
class Gene:
    """One gene; its first transcript has all exons."""

    accession: str
    name: str
    biotype: str
    chromosome: str
    strand: str
    transcripts: tuple[Transcript, ...]

    @property
    def span(self) -> tuple[int, int]:
        """Where its transcripts begin and end on the chromosome."""
        exons = [exon for transcript in self.transcripts for exon in transcript.exons]
        return min(start for start, _ in exons), max(end for _, end in exons)


@dataclass(frozen=True, slots=True)
class Genome:
    """Chromosomes as coded bases, and the genes on them in order."""

    chromosomes: dict[str, Bases]
    genes: tuple[Gene, ...]

    def transcripts(self) -> Iterator[tuple[Gene, Transcript]]:
        """Go through all transcripts, gene by gene."""
        return ((gene, transcript) for gene in self.genes for transcript in gene.transcripts)

    def spliced(self, gene: Gene, transcript: Transcript) -> Bases:
        """Return the bases of a transcript from its 5' end."""
        chromosome = self.chromosomes[gene.chromosome]
        bases = np.concatenate([chromosome[start:end] for start, end in transcript.exons])
        return bases if gene.strand == "+" else reverse_complement(bases)


def reverse_complement(bases: Bases) -> Bases:
    """Return the other strand, along the last axis; every base must be known."""
    return np.ascontiguousarray(3 - bases[..., ::-1])


def simulate_genome(rng: np.random.Generator) -> Genome:
    """Make three chromosomes with the genes counted in ``BIOTYPES``, about half a million bases in all."""
    biotypes = rng.permutation(np.repeat(list(BIOTYPES), list(BIOTYPES.values())))
    parts = np.array_split(biotypes, len(CHROMOSOMES))
    genes: list[Gene] = []
    chromosomes = {}
    for chromosome, part in zip(CHROMOSOMES, parts, strict=True):
        placed, length = _place_genes(chromosome, part.tolist(), len(genes), rng)
        chromosomes[chromosome] = _random_bases(length, rng)
        _write_splice_sites(chromosomes[chromosome], placed)
        genes += placed
    genome = Genome(chromosomes, tuple(genes))
    _copy_sequences(genome, rng)
    for bases in chromosomes.values():
        bases[:500] = UNKNOWN  # as at the ends of real chromosomes
    return genome


def _random_bases(length: int, rng: np.random.Generator) -> Bases:
    strong, weak = GC_CONTENT / 2, (1 - GC_CONTENT) / 2
    return rng.choice(4, size=length, p=[weak, strong, strong, weak]).astype(np.uint8)


def _place_genes(
    chromosome: str, biotypes: Sequence[str], count: int, rng: np.random.Generator
) -> tuple[list[Gene], int]:
    """Lay genes along a chromosome, ``count`` of them being elsewhere; return them and its length."""
    genes = []
    position = 1_000
    for number, biotype in enumerate(biotypes, start=count + 1):
        position += int(rng.integers(300, 1_500))
        strand = str(rng.choice(["+", "-"]))
        variants = _variants(_exons(biotype, position, rng), biotype, strand, rng)
        gene_number = f"{number:011d}"
        transcripts = tuple(
            Transcript(f"ENSSIMT{number * 10 + variant:011d}", exons)
            for variant, exons in enumerate(variants, start=1)
        )
        genes.append(
            Gene(f"ENSSIMG{gene_number}", _name(biotype, number), biotype, chromosome, strand, transcripts)
        )
        position = genes[-1].span[1]
    return genes, position + 1_000


def _name(biotype: str, number: int) -> str:
    return f"SIM{number}P" if biotype.endswith("pseudogene") else f"SIM{number}"


def _exons(biotype: str, position: int, rng: np.random.Generator) -> Exons:
    """Draw the exons of a gene that starts at a position."""
    if biotype == "IG_D_gene":
        return ((position, position + int(rng.integers(11, 31))),)
    if biotype == "snRNA":
        return ((position, position + 400),)
    if biotype.endswith("pseudogene"):  # processed: without introns
        return ((position, position + int(rng.integers(500, 1_200))),)
    number = int(rng.integers(3, 10)) if biotype == "protein_coding" else int(rng.integers(1, 4))
    lengths = rng.integers(90, 320, size=number)
    lengths[[0, -1]] += rng.integers(100, 500, size=2)  # untranslated regions
    starts = position + np.concatenate([[0], np.cumsum(lengths + rng.integers(70, 500, size=number))[:-1]])
    return tuple((int(start), int(start + length)) for start, length in zip(starts, lengths, strict=True))


def _variants(exons: Exons, biotype: str, strand: str, rng: np.random.Generator) -> list[Exons]:
    """Return one to four distinct splice variants, the one with all exons first."""
    if biotype != "protein_coding":
        return [exons]
    inner = int(rng.integers(1, len(exons) - 1))
    (first_start, first_end), (last_start, last_end) = exons[0], exons[-1]
    skipped = exons[:inner] + exons[inner + 1 :]
    retained = (*exons[:inner], (exons[inner][0], exons[inner + 1][1]), *exons[inner + 2 :])
    shorter_end = (
        (*exons[:-1], (last_start, (last_start + last_end) // 2))
        if strand == "+"
        else (((first_start + first_end) // 2, first_end), *exons[1:])
    )
    late_start = exons[1:] if strand == "+" else exons[:-1]
    others = [skipped, retained, shorter_end, late_start]
    chosen = rng.choice(4, size=int(rng.integers(0, 4)), replace=False)
    variants = [exons, *(others[choice] for choice in sorted(chosen.tolist()))]
    return [each for each in variants if Transcript("", each).length >= SHORTEST_TRANSCRIPT]


def _write_splice_sites(chromosome: Bases, genes: Sequence[Gene]) -> None:
    """Make every intron begin with GT and end with AG, on the strand of its gene."""
    for gene in genes:
        exons = gene.transcripts[0].exons
        for (_, start), (end, _) in pairwise(exons):
            first, last = ([2, 3], [0, 2]) if gene.strand == "+" else ([1, 3], [0, 1])
            chromosome[start : start + 2] = first
            chromosome[end - 2 : end] = last


def _copy_sequences(genome: Genome, rng: np.random.Generator) -> None:
    """Give pseudogenes the altered sequence of a gene, and the second snRNA that of the first."""
    parents = [gene for gene in genome.genes if gene.biotype == "protein_coding"]
    for gene in genome.genes:
        if gene.biotype.endswith("pseudogene"):
            parent = parents[int(rng.integers(len(parents)))]
            bases = genome.spliced(parent, parent.transcripts[0])
            _overwrite(genome, gene, _diverged(bases, rng))
    original, copy = (gene for gene in genome.genes if gene.biotype == "snRNA")
    _overwrite(genome, copy, genome.spliced(original, original.transcripts[0]))


def _diverged(bases: Bases, rng: np.random.Generator) -> Bases:
    changed = rng.random(len(bases)) < PSEUDOGENE_DIVERGENCE
    shifts = rng.integers(1, 4, size=len(bases)) * changed
    return ((bases + shifts) % 4).astype(np.uint8)


def _overwrite(genome: Genome, gene: Gene, bases: Bases) -> None:
    """Write bases, from the 5' end as far as they reach, over a gene of one exon."""
    ((start, end),) = gene.transcripts[0].exons
    used = bases[: end - start]
    chromosome = genome.chromosomes[gene.chromosome]
    if gene.strand == "+":
        chromosome[start : start + len(used)] = used
    else:
        chromosome[end - len(used) : end] = reverse_complement(used)
