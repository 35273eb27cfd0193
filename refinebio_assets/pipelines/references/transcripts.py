"""Makes the transcripts of an organism from its genome and GTF: a FASTA file and a gene map.

The rules are refine.bio's (GTF filter and gene map) and those of ``rsem-prepare-reference``, which it
ran (sequences, order). Indexing the transcripts is the work of ``transcriptome_index``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from refinebio_assets.domain import DropKind, Dropped
from refinebio_assets.errors import PermanentError
from refinebio_assets.formats.fasta import FastaRecord, read_fasta, write_fasta
from refinebio_assets.formats.gene_map import GeneMap
from refinebio_assets.formats.gtf import Exons, GtfTranscripts, read_gtf
from refinebio_assets.methods.splice import merge_exons, transcript_sequence

STEP = "transcriptome_index"
_CHROMOSOMES_NAMED = 3


@dataclass(frozen=True, slots=True)
class ExtractedTranscripts:
    """What was made of a genome and a GTF.

    ``gene_map`` has a row per ``transcript`` feature, as refine.bio's ``genes_to_transcripts.txt``.
    ``transcripts`` were written, with ``bases`` in all. Of ``gtf_lines``, ``pseudogene_lines`` were left
    out. ``dropped`` names each transcript that was not written, and why.
    """

    gene_map: GeneMap
    transcripts: int
    bases: int
    gtf_lines: int
    pseudogene_lines: int
    dropped: tuple[Dropped, ...]


def extract_transcripts(
    genome: Path,
    gtf: Path,
    target: Path,
    *,
    genome_label: str | None = None,
    gtf_label: str | None = None,
) -> ExtractedTranscripts:
    """Write the spliced transcripts of a genome (FASTA) and GTF, both plain or gzip, to ``target``.

    Chromosomes stream by, the transcripts' sequences are held (0.4 GB for human). They are written in
    byte order of gene, then transcript, as RSEM does: of transcripts with one sequence Salmon keeps the
    first, so the order decides which. The same input gives the same bytes.

    A transcript is dropped with its reason when its chromosome is absent, when it has no exons or no
    gene (no ``transcript`` feature), or when its exons contradict each other. Raises FormatError for a
    damaged file, PermanentError for an exon past the end of its chromosome (another assembly) and when
    not one transcript is left.
    """
    genome_name, gtf_name = genome_label or str(genome), gtf_label or str(gtf)
    annotation = read_gtf(gtf, gtf_name)
    usable, dropped = _usable_transcripts(annotation)
    sequences = _splice_all(genome, genome_name, usable, gtf_name)
    for name, transcript in usable.items():
        if name not in sequences:
            reason = f"its chromosome {transcript.places[0][0]!r} is not in {genome_name}"
            dropped.append(Dropped(DropKind.TRANSCRIPT, name, STEP, reason))
    if not sequences:
        raise PermanentError(_nothing_left(genome, genome_name, gtf_name, usable, dropped))
    gene_of = annotation.gene_map.gene_of()
    order = sorted(sequences, key=lambda name: (gene_of[name], name))
    written = write_fasta(target, (FastaRecord(name, sequences[name]) for name in order))
    return ExtractedTranscripts(
        gene_map=annotation.gene_map,
        transcripts=written,
        bases=sum(map(len, sequences.values())),
        gtf_lines=annotation.lines,
        pseudogene_lines=annotation.pseudogene_lines,
        dropped=tuple(dropped),
    )


def _usable_transcripts(annotation: GtfTranscripts) -> tuple[dict[str, Exons], list[Dropped]]:
    """Return the transcripts that the GTF describes wholly, in its order, and the others with reasons."""
    usable: dict[str, Exons] = {}
    dropped = []
    in_map = dict.fromkeys(annotation.gene_map.transcripts)
    for name in in_map | dict.fromkeys(annotation.exons):
        exons = annotation.exons.get(name, Exons())
        reason = "it has no 'transcript' feature, so no gene" if name not in in_map else _problem(exons)
        if reason is None:
            usable[name] = exons
        else:
            dropped.append(Dropped(DropKind.TRANSCRIPT, name, STEP, reason))
    return usable, dropped


def _problem(exons: Exons) -> str | None:
    """Say why exons make no transcript, or return None."""
    if not exons.starts:
        return "it has no exons"
    chromosomes, strands = (sorted(set(column)) for column in zip(*exons.places, strict=True))
    if len(chromosomes) > 1:
        return f"its exons are on several chromosomes: {', '.join(chromosomes)}"
    if len(strands) > 1 or strands[0] not in {"+", "-"}:
        return f"its exons are on strand {' and '.join(map(repr, strands))}, not on '+' or '-'"
    try:
        merge_exons(exons.starts, exons.ends)
    except PermanentError as error:
        return str(error)
    return None


def _splice_all(
    genome: Path, genome_name: str, transcripts: Mapping[str, Exons], gtf_name: str
) -> dict[str, bytes]:
    """Return the sequences of all transcripts whose chromosome the genome has."""
    on_chromosome: dict[str, list[str]] = defaultdict(list)
    for name, exons in transcripts.items():
        on_chromosome[exons.places[0][0]].append(name)
    sequences = {}
    for chromosome in read_fasta(genome, genome_name):
        for name in on_chromosome.get(chromosome.name, ()):
            exons = transcripts[name]
            try:
                sequences[name] = transcript_sequence(
                    chromosome.sequence, exons.starts, exons.ends, exons.places[0][1]
                )
            except PermanentError as error:
                raise PermanentError(
                    f"transcript {name!r} of {gtf_name} on chromosome {chromosome.name!r} of {genome_name}: "
                    f"{error}. Are both of the same assembly?"
                ) from error
    return sequences


def _nothing_left(
    genome: Path,
    genome_name: str,
    gtf_name: str,
    usable: Mapping[str, Exons],
    dropped: Sequence[Dropped],
) -> str:
    if not usable:
        example = dropped[0]
        return f"no transcript of {gtf_name} can be used, for example {example.item!r}: {example.reason}"
    in_gtf = list(dict.fromkeys(exons.places[0][0] for exons in usable.values()))
    in_genome = list(_first_names(genome, genome_name))
    return (
        f"no chromosome of {gtf_name} (such as {', '.join(in_gtf[:_CHROMOSOMES_NAMED])}) is in {genome_name} "
        f"(which has such as {', '.join(in_genome)}): they must name chromosomes alike"
    )


def _first_names(genome: Path, genome_name: str) -> Iterator[str]:
    for _, record in zip(range(_CHROMOSOMES_NAMED), read_fasta(genome, genome_name), strict=False):
        yield record.name
