"""Gene maps: read in every usual form, written in one, explained when they fit nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from refinebio_assets.errors import FormatError, NotFoundError
from refinebio_assets.formats.gene_map import GeneMap, explain_no_match, read_gene_map, write_gene_map
from refinebio_assets_tests.formats.making import zipped

names = st.text(
    st.characters(codec="utf-8", categories=("Lu", "Ll", "Nd"), include_characters=".-_"), min_size=1
)


def written(folder: Path, content: bytes) -> Path:
    path = folder / "map"
    path.write_bytes(content)
    return path


EXPECTED = GeneMap(("G1", "G2"), ("T1", "T2"))


@pytest.mark.parametrize(
    "content",
    [
        b"G1\tT1\nG2\tT2\n",
        b"G1\tT1\nG2\tT2",
        b"G1\tT1\r\nG2\tT2\r\n",
        b"G1,T1\nG2,T2\n",
        b"G1  T1\nG2 T2\n",
        b'"G1","T1"\n"G2","T2"\n',
        b"\xef\xbb\xbfG1\tT1\nG2\tT2\n",
        b"gene_id\ttranscript_id\nG1\tT1\nG2\tT2\n",
        b"#gene\ttranscript\nG1\tT1\nG2\tT2\n",
        b"Gene stable ID,Transcript stable ID\nG1,T1\nG2,T2\n",
        b"TXNAME\tGENEID\nT1\tG1\nT2\tG2\n",
        zipped(b"G1\tT1\nG2\tT2\n"),
    ],
)
def test_the_usual_forms_are_read_alike(tmp_path: Path, content: bytes) -> None:
    assert read_gene_map(written(tmp_path, content)) == EXPECTED


def test_a_gene_called_like_a_column_is_no_header_beside_a_real_transcript(tmp_path: Path) -> None:
    assert read_gene_map(written(tmp_path, b"gene\tT1\n")).genes == ("gene",)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(names, names), min_size=1))
def test_what_is_written_is_read(tmp_path: Path, rows: list[tuple[str, str]]) -> None:
    genes, transcripts = zip(("G0", "T0"), *rows, strict=True)
    gene_map = GeneMap(genes, transcripts)
    write_gene_map(tmp_path / "map", gene_map)
    assert read_gene_map(tmp_path / "map") == gene_map


@given(rows=st.lists(st.tuples(names, names)))
def test_arrow_columns_hold_the_same_names(rows: list[tuple[str, str]]) -> None:
    gene_map = GeneMap(tuple(gene for gene, _ in rows), tuple(transcript for _, transcript in rows))
    transcripts, genes = gene_map.columns()
    assert (tuple(genes.to_pylist()), tuple(transcripts.to_pylist())) == (
        gene_map.genes,
        gene_map.transcripts,
    )


def test_writing_is_gene_tab_transcript_without_header(tmp_path: Path) -> None:
    write_gene_map(tmp_path / "map", EXPECTED)
    assert (tmp_path / "map").read_bytes() == b"G1\tT1\nG2\tT2\n"


def test_the_first_row_of_a_repeated_transcript_counts() -> None:
    assert GeneMap(("G1", "G2"), ("T1", "T1")).gene_of() == {"T1": "G1"}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"G1\tT1\nG2\n", "line 2: expected two fields, a gene and its transcript, found 1 field: 'G2'"),
        (b"G1\tT1\nG2\tT2\tx\n", "line 2: .* found 3 fields"),
        (b"G1\tT1\n\nG2\tT2\n", "line 2: .* found an empty line"),
        (b"G1\tT1\n\tT2\n", "line 2: .* found an empty field"),
        (b"G1\tT1\nG2\t\n", "line 2: .* found an empty field"),
        (b"G1\tT1\nG2\tT\xff\n", r"line 2: expected UTF-8 text, found b'T\\xff'"),
        (b"", "no such line"),
        (b"gene_id\ttranscript_id\n", "no such line"),
        (b"@read\nACGT\n+\nIIII\n", "line 1: .* found 1 field: '@read' .*FASTQ"),
        (zipped(b"G1\tT1\n" * 100)[:-9], "it is cut"),
    ],
)
def test_a_wrong_file_is_named_by_its_line(tmp_path: Path, content: bytes, told: str) -> None:
    with pytest.raises(FormatError, match=f"^map of S1.*{told}"):
        read_gene_map(written(tmp_path, content), label="map of S1")


def test_a_wrong_line_far_down_has_its_number(tmp_path: Path) -> None:
    content = b"ENSG00000000001\tENST00000000001\n" * 200_000 + b"wrong\n"
    with pytest.raises(FormatError, match="line 200,001"):
        read_gene_map(written(tmp_path, content))


def test_a_missing_file_is_not_a_format_error(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        read_gene_map(tmp_path / "absent")


@pytest.mark.parametrize(
    ("transcripts", "gene_map", "told"),
    [
        (["T1"], GeneMap(("T1",), ("G1",)), "columns of the gene map seem to be swapped"),
        (
            ["ENST1.4"],
            GeneMap(("G",), ("ENST1",)),
            "only in the version after the dot: 'ENST1.4' in the samples",
        ),
        (
            ["ENST1"],
            GeneMap(("G",), ("ENST1.4",)),
            "only in the version after the dot: 'ENST1' in the samples",
        ),
        (["ENST1.4|ENSG1.2|x"], GeneMap(("G",), ("ENST1.4",)), "only in the text after the bar"),
        (["FBtr1"], GeneMap(("G",), ("ENST1",)), "another organism or annotation: .*'ENST1'.*'FBtr1'"),
    ],
)
def test_a_map_that_fits_nothing_is_explained(transcripts: list[str], gene_map: GeneMap, told: str) -> None:
    assert re.search(told, explain_no_match(transcripts, gene_map))


def test_the_real_map_of_the_zebrafish_index_is_read(shared_data: Path) -> None:
    gene_map = read_gene_map(shared_data / "rnaseq_zebrafish" / "genes_to_transcripts.txt.gz")
    assert len(gene_map.transcripts) == 59_518
    assert gene_map.gene_of()["ENSDART00000171737"] == "ENSDARG00000102141"
