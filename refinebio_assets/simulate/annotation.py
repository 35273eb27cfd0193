"""The text of a simulated genome: FASTA of its chromosomes and GTF of its genes, as Ensembl writes them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from refinebio_assets.simulate.genome import Bases, Gene, Genome, Transcript

ASSEMBLY = "SIM1"
RELEASE = 1
LINE = 60
_LETTERS = np.frombuffer(b"ACGTN", dtype=np.uint8)


def letters(bases: Bases) -> bytes:
    """Return coded bases as text, in the order of the array."""
    return _LETTERS[bases].tobytes()


def fasta_text(genome: Genome) -> bytes:
    """Return the chromosomes as FASTA with 60 bases a line."""
    parts = []
    for name, bases in genome.chromosomes.items():
        place = f"primary_assembly:{ASSEMBLY}:{name}:1:{len(bases)}:1"
        parts.append(f">{name} dna:primary_assembly {place} REF\n".encode())
        text = letters(bases)
        parts += [text[start : start + LINE] + b"\n" for start in range(0, len(text), LINE)]
    return b"".join(parts)


def gtf_text(genome: Genome) -> bytes:
    """Return the genes as GTF: gene, transcript and exon features, exons from the 5' end."""
    lines = [f"#!genome-build {ASSEMBLY}", f"#!genome-version {ASSEMBLY}", "#!genebuild-last-updated 2026-01"]
    for gene in genome.genes:
        lines += _gene_lines(gene)
    return ("\n".join(lines) + "\n").encode()


def _gene_lines(gene: Gene) -> Iterator[str]:
    about_gene = {
        "gene_id": gene.accession,
        "gene_version": "1",
        "gene_name": gene.name,
        "gene_source": "ensembl",
        "gene_biotype": gene.biotype,
    }
    yield _line(gene, "gene", gene.span, about_gene)
    for number, transcript in enumerate(gene.transcripts, start=1):
        yield from _transcript_lines(gene, transcript, number, about_gene)


def _transcript_lines(
    gene: Gene, transcript: Transcript, number: int, about_gene: dict[str, str]
) -> Iterator[str]:
    about = {
        **about_gene,
        "transcript_id": transcript.accession,
        "transcript_version": "1",
        "transcript_name": f"{gene.name}-{200 + number}",
        "transcript_source": "ensembl",
        "transcript_biotype": gene.biotype,
    }
    span = (transcript.exons[0][0], transcript.exons[-1][1])
    yield _line(gene, "transcript", span, about)
    in_order = transcript.exons if gene.strand == "+" else transcript.exons[::-1]
    for exon_number, exon in enumerate(in_order, start=1):
        exon_id = f"{transcript.accession.replace('SIMT', 'SIME')}{exon_number:02d}"
        about_exon = {"exon_number": str(exon_number), "exon_id": exon_id, "exon_version": "1"}
        yield _line(gene, "exon", exon, {**about, **about_exon})


def _line(gene: Gene, feature: str, span: tuple[int, int], attributes: dict[str, str]) -> str:
    """Write one line; GTF counts from 1 and includes the end."""
    text = " ".join(f'{name} "{value}";' for name, value in attributes.items())
    start, end = span
    columns = (gene.chromosome, "ensembl", feature, start + 1, end, ".", gene.strand, ".", text)
    return "\t".join(map(str, columns))
