"""GTF transcripts after refine.bio's rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from refinebio_assets.errors import FormatError, NotFoundError
from refinebio_assets.formats.gene_map import write_gene_map
from refinebio_assets.formats.gtf import GtfTranscripts, read_gtf
from refinebio_assets_tests.formats.making import zipped

IDS = 'gene_id "G1"; gene_version "2"; transcript_id "T1"; transcript_version "7"; gene_biotype "lncRNA";'


def line(
    feature: str, attributes: str = IDS, *, start: int | str = 1, end: int | str = 9, place: str = "1+"
) -> str:
    return f"{place[:-1]}\tx\t{feature}\t{start}\t{end}\t.\t{place[-1]}\t.\t{attributes}\n"


def read(folder: Path, *lines: str, compressed: bool = False) -> GtfTranscripts:
    content = "".join(lines).encode()
    path = folder / "file"
    path.write_bytes(zipped(content) if compressed else content)
    return read_gtf(path, label="annotation")


@pytest.mark.parametrize("compressed", [False, True])
def test_genes_come_from_transcripts_and_exons_from_exons(tmp_path: Path, compressed: bool) -> None:
    found = read(
        tmp_path,
        "#!genome-build X\n",
        line("gene"),
        line("transcript"),
        line("exon", start=5, end=9),
        line("CDS"),
        line("exon", start=1, end=2),
        compressed=compressed,
    )
    assert (found.gene_map.genes, found.gene_map.transcripts) == (("G1",), ("T1",))
    exons = found.exons["T1"]
    assert (exons.starts, exons.ends, exons.places) == ([5, 1], [9, 2], [("1", "+")])
    assert (found.lines, found.pseudogene_lines) == (6, 0)


@pytest.mark.parametrize(
    "attributes",
    [
        IDS.replace("lncRNA", "processed_pseudogene"),
        IDS + ' transcript_biotype "unitary_pseudogene";',
        IDS + ' gene_name "pseudogene-like 1";',
    ],
)
def test_the_word_pseudogene_anywhere_drops_the_line(tmp_path: Path, attributes: str) -> None:
    found = read(
        tmp_path, line("transcript"), line("exon"), line("transcript", attributes), line("exon", attributes)
    )
    assert found.pseudogene_lines == 2
    assert found.gene_map.transcripts == ("T1",)
    assert found.exons["T1"].starts == [1]


@pytest.mark.parametrize(
    ("attributes", "gene", "transcript"),
    [
        ('transcript_id "T2"; gene_id "G2"', "G2", "T2"),
        ('gene_id "G2"; transcript_id "T2"', "G2", "T2"),
        ("gene_id G2; transcript_id T2;", "G2", "T2"),
        ('gene_id "G2"; gene_name "two words"; transcript_id "T2";', "G2", "T2"),
        ('gene_id "YAL069W"; transcript_id "YAL069W_mRNA"; tag "x"', "YAL069W", "YAL069W_mRNA"),
        ('old_gene_id "X"; gene_id "G2"; old_transcript_id "X"; transcript_id "T2";', "G2", "T2"),
        ('gene_id "G2.5"; transcript_id "T2.1"; gene_version "9";', "G2.5", "T2.1"),
        ('gene_id "G2"; transcript_id "T2";\r', "G2", "T2"),
    ],
)
def test_ids_are_the_words_after_their_keys(
    tmp_path: Path, attributes: str, gene: str, transcript: str
) -> None:
    found = read(tmp_path, line("transcript", attributes), line("exon", attributes))
    assert (found.gene_map.genes, found.gene_map.transcripts) == ((gene,), (transcript,))
    assert list(found.exons) == [transcript]


def test_places_that_contradict_each_other_are_all_kept(tmp_path: Path) -> None:
    found = read(tmp_path, line("transcript"), line("exon"), line("exon", place="2-"), line("exon"))
    assert found.exons["T1"].places == [("1", "+"), ("2", "-")]


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        ("1\tx\texon\t1\t9\n", "line 2: expected 9 columns separated by tabs, found 5"),
        ("not a gtf\n", "line 2: expected 9 columns separated by tabs, found 1: 'not a gtf'"),
        (line("transcript", 'gene_id "G1";'), "line 2: expected transcript_id and its value in column 9"),
        (line("transcript", 'transcript_id "T1";'), "line 2: expected gene_id and its value in column 9"),
        (line("exon", 'gene_id "G1"; transcript_id'), "line 2: expected transcript_id and its value"),
        (line("exon", 'transcript_id "";'), "line 2: expected transcript_id and its value"),
        (line("exon", start="one"), "line 2: expected numbers as start and end of the exon, found 'one-9'"),
        (line("exon", end="9.5"), "line 2: expected numbers as start and end of the exon, found '1-9.5'"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, bad: str, told: str) -> None:
    with pytest.raises(FormatError, match=f"^annotation, {told}"):
        read(tmp_path, line("transcript"), bad)


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ([], "no features"),
        ([line("mRNA"), line("exon")], "only 'mRNA'"),
        ([line("transcript", IDS.replace("lncRNA", "pseudogene"))], "none beside 1 lines with the word"),
    ],
)
def test_a_file_without_transcripts_says_what_it_has_instead(
    tmp_path: Path, lines: list[str], found: str
) -> None:
    with pytest.raises(FormatError, match=f"expected 'transcript' features, found {found}"):
        read(tmp_path, *lines)


def test_ids_that_are_not_utf_8_and_absent_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(line("transcript").replace("T1", "T\xff").encode("latin-1"))
    with pytest.raises(FormatError, match="UTF-8"):
        read_gtf(tmp_path / "file")
    with pytest.raises(NotFoundError):
        read_gtf(tmp_path / "absent")


def test_the_gene_map_is_that_of_refine_bio(shared_data: Path, tmp_path: Path) -> None:
    files = shared_data / "metadata_oracles" / "files"
    found = read_gtf(files / "synthetic.gtf")
    write_gene_map(tmp_path / "map", found.gene_map)
    assert (tmp_path / "map").read_bytes() == (files / "synthetic.genes_to_transcripts.txt").read_bytes()
    assert (found.lines, found.lines - found.pseudogene_lines) == (18, 13)
