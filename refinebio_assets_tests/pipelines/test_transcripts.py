"""Transcripts of a genome and GTF: parity with RSEM, and what is left out."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from refinebio_assets.errors import FormatError, PermanentError
from refinebio_assets.formats.fasta import read_fasta
from refinebio_assets.formats.gene_map import write_gene_map
from refinebio_assets.pipelines.references.transcripts import ExtractedTranscripts, extract_transcripts

GOLDEN = Path(__file__).parent / "golden" / "rsem"


def features(name: str, exons: list[tuple[int, int]], *, gene: str = "G1", place: str = "1+") -> list[str]:
    ids = f'gene_id "{gene}"; transcript_id "{name}";'
    chromosome, strand = place[:-1], place[-1]
    return [
        f"{chromosome}\tx\t{feature}\t{start}\t{end}\t.\t{strand}\t.\t{ids}\n"
        for feature, (start, end) in [("transcript", (1, 9)), *(("exon", exon) for exon in exons)]
    ]


def extract(
    folder: Path, gtf: list[str], genome: str = ">1\nACGTTGCAAC\n>2\nGGGGG\n"
) -> ExtractedTranscripts:
    (folder / "genome.fa").write_text(genome)
    (folder / "annotation.gtf").write_text("".join(gtf))
    return extract_transcripts(
        folder / "genome.fa",
        folder / "annotation.gtf",
        folder / "transcripts.fa",
        genome_label="genome",
        gtf_label="annotation",
    )


def test_transcripts_are_those_of_rsem_in_its_order(tmp_path: Path) -> None:
    found = extract_transcripts(GOLDEN / "genome.fa", GOLDEN / "annotation.gtf", tmp_path / "ours.fa")
    ours = [(record.name, record.sequence) for record in read_fasta(tmp_path / "ours.fa")]
    theirs = list(read_fasta(GOLDEN / "expected.transcripts.fa"))
    assert ours == [(record.name, record.sequence.upper()) for record in theirs]
    assert (found.transcripts, found.bases) == (len(ours), sum(len(sequence) for _, sequence in ours))
    write_gene_map(tmp_path / "map", found.gene_map)
    assert (tmp_path / "map").read_bytes() == (GOLDEN / "genes_to_transcripts.txt").read_bytes()


def test_what_was_left_out_is_reported(tmp_path: Path) -> None:
    found = extract_transcripts(GOLDEN / "genome.fa", GOLDEN / "annotation.gtf", tmp_path / "ours.fa")
    lines = (GOLDEN / "annotation.gtf").read_text().splitlines()
    assert found.gtf_lines == len(lines)
    assert found.pseudogene_lines == sum("pseudogene" in line for line in lines) > 0
    assert [(item.item, item.step) for item in found.dropped] == [("ENST90", "transcriptome_index")]
    assert "'KI270706.1' is not in" in found.dropped[0].reason


def test_compressed_input_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("genome.fa", "annotation.gtf"):
        (tmp_path / name).write_bytes(gzip.compress((GOLDEN / name).read_bytes()))
    extract_transcripts(tmp_path / "genome.fa", tmp_path / "annotation.gtf", tmp_path / "one.fa")
    extract_transcripts(GOLDEN / "genome.fa", GOLDEN / "annotation.gtf", tmp_path / "two.fa")
    assert (tmp_path / "one.fa").read_bytes() == (tmp_path / "two.fa").read_bytes()


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        (features("T2", []), "no exons"),
        (features("T2", [(1, 3)])[1:], "no 'transcript' feature, so no gene"),
        (features("T2", [(1, 3)]) + features("T2", [(1, 3)], place="2+")[1:], "several chromosomes: 1, 2"),
        (features("T2", [(1, 3)]) + features("T2", [(1, 3)], place="1-")[1:], "strand '+' and '-'"),
        (features("T2", [(1, 3)], place="1."), "strand '.'"),
        (features("T2", [(5, 3)]), "exon 5-3 does not run forward"),
        (features("T2", [(1, 3)], place="X+"), "its chromosome 'X' is not in genome"),
    ],
)
def test_an_odd_transcript_is_dropped_with_its_reason(tmp_path: Path, odd: list[str], reason: str) -> None:
    found = extract(tmp_path, features("T1", [(1, 2), (9, 10)]) + odd)
    assert [item.item for item in found.dropped] == ["T2"]
    assert reason in found.dropped[0].reason
    assert [(r.name, r.sequence) for r in read_fasta(tmp_path / "transcripts.fa")] == [("T1", b"ACAC")]


def test_transcripts_are_in_byte_order_of_gene_then_name(tmp_path: Path) -> None:
    lines = (
        features("T2", [(1, 2)], gene="b")
        + features("T9", [(1, 2)], gene="B")
        + features("T1", [(1, 2)], gene="b")
    )
    extract(tmp_path, lines)
    assert [record.name for record in read_fasta(tmp_path / "transcripts.fa")] == ["T9", "T1", "T2"]


def test_an_exon_past_the_end_hints_at_another_assembly(tmp_path: Path) -> None:
    with pytest.raises(
        PermanentError, match=r"'T1' of annotation on chromosome '1' of genome: .*same assembly"
    ):
        extract(tmp_path, features("T1", [(1, 11)]))


def test_chromosomes_named_differently_are_explained(tmp_path: Path) -> None:
    with pytest.raises(
        PermanentError, match=r"no chromosome of annotation \(such as chr1\) .* such as 1, 2\)"
    ):
        extract(tmp_path, features("T1", [(1, 2)], place="chr1+"))


def test_when_no_transcript_can_be_used_an_example_says_why(tmp_path: Path) -> None:
    with pytest.raises(
        PermanentError, match=r"no transcript of annotation can be used, .*'T1': it has no exons"
    ):
        extract(tmp_path, features("T1", []))


def test_damaged_files_are_named_by_their_labels(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"^genome, line 1"):
        extract(tmp_path, features("T1", [(1, 2)]), genome="ACGT\n")
    with pytest.raises(FormatError, match=r"^annotation, line 1"):
        extract(tmp_path, ["not a gtf\n"])
