"""Makes the simulated input of this golden case: a genome of three chromosomes and its GTF.

Run from this folder: ``python simulate.py``. The same seed gives the same bytes.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
SEED = 10_331
LENGTHS = {"1": 3_000, "2": 2_000, "MT": 700}
LINE = 60


def main() -> None:
    """Write ``genome.fa`` and ``annotation.gtf``."""
    rng = np.random.default_rng(SEED)
    genome = []
    for chromosome, length in LENGTHS.items():
        bases = rng.choice(list("ACGTacgtNnRy"), length, p=[0.2] * 4 + [0.045] * 4 + [0.005] * 4)
        text = "".join(bases)
        genome.append(f">{chromosome} dna:chromosome simulated\n")
        genome += [f"{text[start : start + LINE]}\n" for start in range(0, length, LINE)]
    (HERE / "genome.fa").write_text("".join(genome))
    lines = ["#!genome-build simulated\n"]
    for number in range(14):
        lines += gene_lines(rng, number)
    # Its chromosome is not in the genome.
    lines += transcript_lines("KI270706.1", "ENSG90", "ENST90", "+", [(10, 50)], "protein_coding")
    (HERE / "annotation.gtf").write_text("".join(lines))


def gene_lines(rng: np.random.Generator, number: int) -> list[str]:
    """Return the lines of a gene with one to three transcripts; every fifth gene is a pseudogene."""
    chromosome = list(LENGTHS)[number % 3]
    strand = "+-"[int(rng.integers(2))]
    biotype = "processed_pseudogene" if number % 5 == 4 else "protein_coding"
    gene = f"ENSG{20 - number:02d}"
    lines = [
        line(
            chromosome, "gene", 1, LENGTHS[chromosome], strand, f'gene_id "{gene}"; gene_biotype "{biotype}";'
        )
    ]
    for copy in range(int(rng.integers(1, 4))):
        points = np.sort(rng.choice(np.arange(1, LENGTHS[chromosome]), 6, replace=False)).tolist()
        exons = [(points[0], points[1]), (points[2], points[3]), (points[4], points[5])]
        if number == 3:  # exons that touch and overlap
            exons = [(points[0], points[2]), (points[2] + 1, points[4]), (points[3], points[5])]
        if number == 6:  # up to the last base, from the first
            exons = [(1, points[0]), (points[5], LENGTHS[chromosome])]
        if strand == "-":  # Ensembl lists exons in the order of transcription
            exons.reverse()
        lines += transcript_lines(chromosome, gene, f"ENST{number:02d}{9 - copy}", strand, exons, biotype)
    return lines


def transcript_lines(
    chromosome: str, gene: str, name: str, strand: str, exons: list[tuple[int, int]], biotype: str
) -> list[str]:
    """Return the ``transcript`` line and the ``exon`` lines of a transcript."""
    ids = f'gene_id "{gene}"; gene_version "2"; transcript_id "{name}"; gene_biotype "{biotype}";'
    start, end = min(start for start, _ in exons), max(end for _, end in exons)
    return [
        line(chromosome, "transcript", start, end, strand, ids),
        *(line(chromosome, "exon", *exon, strand, ids) for exon in exons),
    ]


def line(chromosome: str, feature: str, start: int, end: int, strand: str, attributes: str) -> str:
    """Return one GTF line."""
    return f"{chromosome}\tsimulated\t{feature}\t{start}\t{end}\t.\t{strand}\t.\t{attributes}\n"


if __name__ == "__main__":
    main()
