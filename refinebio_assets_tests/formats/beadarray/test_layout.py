"""However the text of a table is laid out (encoding, lines, delimiters, numbers), it is read."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from refinebio_assets.formats.beadarray import SampleNames
from refinebio_assets_tests.formats.beadarray.small_table import (
    NAMES,
    PLAIN,
    ROWS,
    B,
    assert_whole,
    complaint,
    headed,
    read,
    text,
)
from refinebio_assets_tests.formats.making import zipped


@pytest.mark.parametrize(
    ("encoding", "told"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("latin-1", "latin-1"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
    ],
)
def test_every_encoding_finds_a_title_with_a_letter_beyond_ascii(
    tmp_path: Path, encoding: str, told: str
) -> None:
    content = PLAIN.replace("Liver 1", "24h vem (3µM)").encode(encoding)
    # GEO's titles may have the Greek letter instead of the sign.
    table = read(tmp_path, content, (SampleNames("GSM1", "24h vem (3μM)"), B))
    assert_whole(table)
    assert table.encoding == told


def test_windows_1252_is_read_as_such(tmp_path: Path) -> None:
    content = PLAIN.replace("Liver 1", "5’ end – µ").encode("cp1252")
    table = read(tmp_path, content, (SampleNames("GSM1", "5’ end – µ"), B))
    assert_whole(table)
    assert table.encoding == "cp1252"


@pytest.mark.parametrize("end", ["\r\n", "\r", "\n\n", "\r\r\n"])
def test_every_line_end_is_one(tmp_path: Path, end: str) -> None:
    assert_whole(read(tmp_path, PLAIN.replace("\n", end)))


def test_a_last_line_without_end_is_read(tmp_path: Path) -> None:
    assert_whole(read(tmp_path, PLAIN.rstrip("\n")))


def test_leftovers_of_soft_are_passed_over_and_counted(tmp_path: Path) -> None:
    soft = (
        "^SAMPLE = GSM1\n!Sample_title = x\n#ID_REF =\n\n   \n\t\t\n"
        '"# Values that should be disregarded may be ""null""."\n\'!series\'\n'
    )
    footer = "GSM674408\t1523532074_A\ngsm674409\t1523532074_B\n!sample_table_end\n"
    table = read(tmp_path, soft + PLAIN + footer)
    assert_whole(table)
    assert table.notes == ("6 comment lines passed over", "2 lines that begin with GSM passed over")


def test_lines_of_software_before_the_header_are_passed_over(tmp_path: Path) -> None:
    software = "Illumina Inc. GenomeStudio version 1.8.0\nNormalization = none\nArray Content = x\tHT-12\n"
    table = read(tmp_path, software + PLAIN)
    assert_whole(table)
    assert table.notes == ("3 lines before the header passed over",)


def test_a_list_of_samples_before_the_header_is_no_header(tmp_path: Path) -> None:
    assert_whole(read(tmp_path, "GSM1\tLiver 1\nGSM2\tLiver 2\n" + PLAIN))


def test_names_of_samples_on_a_line_above_repeated_names_are_joined_to_them(tmp_path: Path) -> None:
    above = "\tLiver 1\t\tLiver 2\t\n"
    table = read(tmp_path, above + headed("AVG_Signal", "Detection", "AVG_Signal", "Detection"))
    assert_whole(table)
    assert table.columns[3].header == "Liver 2.AVG_Signal"


@pytest.mark.parametrize("delimiter", ["\t", ",", ";", " "])
@pytest.mark.parametrize("quote", ['"', "'", ""])
def test_every_delimiter_and_quote_is_recognized(tmp_path: Path, delimiter: str, quote: str) -> None:
    names = ["ID_REF", "Liver_1", "Detection_Pval", "Liver_2", "Detection_Pval"] if not quote else NAMES
    content = text(
        [f"{quote}{name}{quote}" for name in names],
        [[f"{quote}{row[0]}{quote}", *row[1:]] for row in ROWS],
        delimiter,
    )
    assert_whole(read(tmp_path, content))


@pytest.mark.parametrize("delimiter", ["\t", ";", " "])
def test_decimal_commas_are_recognized(tmp_path: Path, delimiter: str) -> None:
    rows = [[cell.replace(".", ",") for cell in row] for row in ROWS]
    names = ["ID_REF", '"Liver 1"', '"Detection Pval"', '"Liver 2"', '"Detection Pval"']
    table = read(tmp_path, text(names, rows, delimiter))
    assert_whole(table)
    assert table.notes == ("numbers have decimal commas",)


def test_quoted_decimal_commas_between_commas_are_recognized(tmp_path: Path) -> None:
    rows = [[row[0], *(f'"{cell.replace(".", ",")}"' for cell in row[1:])] for row in ROWS]
    assert_whole(read(tmp_path, text(NAMES, rows, ",")))


def test_commas_between_thousands_are_no_decimal_commas(tmp_path: Path) -> None:
    table = read(tmp_path, PLAIN.replace("1699.0", "1,699").replace("2000.0", "2,000.0"))
    assert_whole(table)
    assert table.notes == ("numbers have commas between thousands",)


def test_a_stray_quote_swallows_no_rows(tmp_path: Path) -> None:
    rows = [[*row, '"5" gel' if row is ROWS[0] else "x"] for row in ROWS]
    assert_whole(read(tmp_path, text([*NAMES, "DEFINITION"], rows)))
    unclosed = [[*row, '"gel' if row is ROWS[0] else "x"] for row in ROWS]
    assert "quotes are not closed" in complaint(tmp_path, text([*NAMES, "DEFINITION"], unclosed, ","))


def test_a_file_may_be_packed(tmp_path: Path) -> None:
    content = PLAIN.encode()
    assert_whole(read(tmp_path, zipped(content)))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("GSE1/GSE1_non-normalized.txt", content)
    assert_whole(read(tmp_path, packed.getvalue()))
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        member = tarfile.TarInfo("table.txt.gz")
        member.size = len(zipped(content))
        archive.addfile(member, io.BytesIO(zipped(content)))
    assert_whole(read(tmp_path, packed.getvalue()))
