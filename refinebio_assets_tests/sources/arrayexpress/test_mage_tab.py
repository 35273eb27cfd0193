"""Reading IDF and SDRF files, sound ones and others."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinebio_assets.errors import FormatError
from refinebio_assets.sources.arrayexpress.mage_tab import read_idf, read_sdrf

HEADER = "Source Name\tCharacteristics [organism]\tProtocol REF\tProtocol REF\n"


def test_a_row_is_read_by_headers_in_any_spelling_and_kept_as_written() -> None:
    (row,) = read_sdrf(HEADER + "liver 1\t Mus musculus \tP-1\t  \n", "x.sdrf.txt").rows
    assert row.first("characteristics[organism]") == "Mus musculus"
    assert row.values("protocolref") == ["P-1"]
    assert row.pairs == (
        ("Source Name", "liver 1"),
        ("Characteristics [organism]", " Mus musculus "),
        ("Protocol REF", "P-1"),
        ("Protocol REF", "  "),
    )
    assert row.line == 2


def test_empty_cells_at_the_end_may_be_missing_or_too_many() -> None:
    text = HEADER.replace("\n", "\t\n") + "a\tMus\n" + "b\tMus\tP\tQ\t\t \n" + "\t\t\n\n" + "c\tMus\tP\n"
    sdrf = read_sdrf(text, "x.sdrf.txt")
    assert [row.cells for row in sdrf.rows] == [
        ("a", "Mus", "", ""),
        ("b", "Mus", "P", "Q"),
        ("c", "Mus", "P", ""),
    ]
    assert sdrf.misfits == ()


def test_a_row_with_too_many_cells_is_reported_with_its_line_and_both_numbers() -> None:
    sdrf = read_sdrf(HEADER + "a\tMus\tP\tQ\n" + "b\tMus\tP\tQ\tR\n", "https://x.org/x.sdrf.txt")
    assert [row.first("sourcename") for row in sdrf.rows] == ["a"]
    (misfit,) = sdrf.misfits
    assert (misfit.place, misfit.expected, misfit.found) == (
        "x.sdrf.txt, line 3",
        "4 cells, as in the header",
        "5",
    )


def test_the_last_row_of_a_cut_file_is_reported() -> None:
    sdrf = read_sdrf(HEADER + "a\tMus\tP\tQ\n" + "b\tMus\tP", "x.sdrf.txt")
    assert len(sdrf.rows) == 1
    assert [(misfit.place, misfit.found) for misfit in sdrf.misfits] == [("x.sdrf.txt, line 3", "3")]


def test_a_whole_last_row_needs_no_line_end() -> None:
    sdrf = read_sdrf(HEADER + "a\tMus\tP\tQ", "x.sdrf.txt")
    assert (len(sdrf.rows), sdrf.misfits) == (1, ())


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_quoted_cells_may_hold_tabs_quotes_and_line_ends(end: str) -> None:
    text = (HEADER + '"liver\t""1"""\t"Mus' + "\n" + 'musculus"\tP-1\t5" tube\n' + "b\tMus\tP\tQ\n").replace(
        "\n", end
    )
    first, second = read_sdrf(text, "x.sdrf.txt").rows
    assert first.cells == ('liver\t"1"', f"Mus{end}musculus", "P-1", '5" tube')
    assert (first.line, second.line) == (2, 4)


def test_a_quotation_mark_that_is_never_closed_is_text() -> None:
    first, second = read_sdrf(HEADER + '"5-prime\tMus\tP\tQ\n' + "b\tMus\tP\tQ\n", "x.sdrf.txt").rows
    assert first.first("sourcename") == '"5-prime'
    assert second.first("sourcename") == "b"


def test_a_text_that_is_no_sdrf_is_refused_with_what_it_starts_with() -> None:
    with pytest.raises(
        FormatError, match=r"x\.sdrf\.txt, line 1: expected the header of an SDRF.*'Investigation"
    ):
        read_sdrf("Investigation Title\tLivers\n", "x.sdrf.txt")


def test_an_empty_sdrf_has_no_rows() -> None:
    assert read_sdrf("", "x.sdrf.txt").rows == ()
    assert read_sdrf(HEADER, "x.sdrf.txt").rows == ()


def test_an_idf_gives_values_by_key_and_cells_by_position() -> None:
    idf = read_idf(
        "Investigation Title\tLivers\t\t\n\n"
        "Protocol Name\tP-1\tP-2\n"
        "Protocol Description\t\tThey grew. \n"
        "Comment[SecondaryAccession]\tGSE1\n"
        "Comment [SecondaryAccession]\tERP1\n",
        "x.idf.txt",
    )
    assert idf.values("investigationtitle") == ["Livers"]
    assert idf.cells("protocoldescription") == ("", "They grew.")
    assert idf.values("comment[secondaryaccession]") == ["GSE1", "ERP1"]
    assert idf.values("pubmedid") == []
    assert ("Protocol Description", "They grew. ") in idf.pairs


@pytest.mark.parametrize("text", ["", "not a table\n", "Source Name\tx\n"])
def test_a_text_that_is_no_idf_is_refused(text: str) -> None:
    with pytest.raises(FormatError, match="expected an IDF"):
        read_idf(text, "x.idf.txt")


CELLS = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=12)


@given(st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=6))
def test_cells_that_were_quoted_come_back_as_they_were(rows: list[tuple[str, str, str]]) -> None:
    quoted = ["\t".join('"' + cell.replace('"', '""') + '"' for cell in ("s", *row)) for row in rows]
    sdrf = read_sdrf("Source Name\tA\tB\tC\n" + "\n".join(quoted) + "\n", "x.sdrf.txt")
    assert [row.cells[1:] for row in sdrf.rows] == rows


@given(st.text(max_size=200))
def test_any_text_after_a_header_is_rows_or_misfits(text: str) -> None:
    sdrf = read_sdrf("Source Name\tA\n" + text, "x.sdrf.txt")
    assert all(len(row.cells) == 2 for row in sdrf.rows)


def test_all_real_files_are_read_whole(shared_data: Path) -> None:
    folder = shared_data / "mage_tab"
    idfs, sdrfs = sorted(folder.glob("*.idf.txt.gz")), sorted(folder.glob("*.sdrf.txt.gz"))
    assert idfs
    assert sdrfs
    for path in idfs:
        text = gzip.decompress(path.read_bytes()).decode()
        idf = read_idf(text, path.name)
        assert idf.values("sdrffile") == [path.name.split(".")[0] + ".sdrf.txt"]
        assert [key for key, _ in idf.rows] == [
            line.split("\t")[0] for line in text.splitlines() if line.split("\t")[0].strip()
        ]
    for path in sdrfs:
        text = gzip.decompress(path.read_bytes()).decode()
        lines = [line for line in text.split("\n") if line]
        sdrf = read_sdrf(text, path.name)
        assert sdrf.misfits == ()
        assert [row.line for row in sdrf.rows] == list(range(2, len(lines) + 1))
        width = len(sdrf.rows[0].header)
        assert [list(row.cells) for row in sdrf.rows] == [line.split("\t")[:width] for line in lines[1:]]
