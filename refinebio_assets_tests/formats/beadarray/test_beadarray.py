"""Tables of non-normalized intensities: whatever a submitter made of one, its samples are found."""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from refinebio_assets.errors import FormatError, NotFoundError, PermanentError, RequestError
from refinebio_assets.formats.beadarray import BeadArrayTable, Role, SampleNames, read_beadarray
from refinebio_assets_tests.formats.making import zipped

A, B = SampleNames("GSM1", "Liver 1"), SampleNames("GSM2", "Liver 2")
PROBES = ("ILMN_1", "ILMN_2", "ILMN_3", "ILMN_4")
VALUES = np.array([[110.5, 84.25], [1699.0, 1255.5], [-5.75, 90.0], [300.0, 2e3]])
P_VALUES = np.array([[0.25, 0.5], [0.0, 0.0], [0.875, 0.375], [0.03125, 0.0]])
NAMES = ["ID_REF", "Liver 1", "Detection Pval", "Liver 2", "Detection Pval"]
ROWS = [
    [probe, *(str(each) for pair in zip(values, p_values, strict=True) for each in pair)]
    for probe, values, p_values in zip(PROBES, VALUES, P_VALUES, strict=True)
]
files = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def text(names: list[str], rows: list[list[str]] = ROWS, delimiter: str = "\t") -> str:
    return "".join(delimiter.join(line) + "\n" for line in [names, *rows])


PLAIN = text(NAMES)


def read(
    folder: Path, content: str | bytes, samples: tuple[SampleNames, ...] = (A, B), name: str = "table"
) -> BeadArrayTable:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_beadarray(path, samples, label="table of GSE1")


def complaint(folder: Path, content: str | bytes, samples: tuple[SampleNames, ...] = (A, B)) -> str:
    with pytest.raises(FormatError) as caught:
        read(folder, content, samples)
    assert str(caught.value).startswith("table of GSE1")
    return str(caught.value)


def assert_whole(table: BeadArrayTable) -> None:
    assert table.samples == ("GSM1", "GSM2")
    assert table.probe_ids == PROBES
    assert table.values.tolist() == VALUES.tolist()
    assert [None if each is None else each.tolist() for each in table.detection] == P_VALUES.T.tolist()
    assert not table.unmatched


def headed(*names: str) -> str:
    return text(["ID_REF", *names])


def test_values_and_p_values_come_by_sample_in_the_order_asked_for(tmp_path: Path) -> None:
    table = read(tmp_path, PLAIN, (B, A))
    assert table.samples == ("GSM2", "GSM1")
    assert table.values.tolist() == VALUES[:, ::-1].tolist()
    assert table.detection[0] is not None
    assert table.detection[0].tolist() == P_VALUES[:, 1].tolist()
    assert table.values.dtype == np.float64
    assert not table.values.flags.writeable
    assert not table.notes


def test_what_every_column_was_taken_for_is_told(tmp_path: Path) -> None:
    table = read(tmp_path, PLAIN, (A,))
    roles = [(each.index, each.header, each.role, each.sample) for each in table.columns]
    assert roles == [
        (0, "ID_REF", Role.PROBE_ID, ""),
        (1, "Liver 1", Role.VALUES, "GSM1"),
        (2, "Detection Pval", Role.DETECTION, "GSM1"),
        (3, "Liver 2", Role.IGNORED, ""),
        (4, "Detection Pval", Role.IGNORED, ""),
    ]
    assert all(each.reason for each in table.columns)


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


def test_a_missing_first_header_is_that_of_the_probe_ids(tmp_path: Path) -> None:
    table = read(tmp_path, text(NAMES[1:]))
    assert_whole(table)
    assert table.columns[0].header == "ID_REF"
    assert "lacks its first name" in table.notes[0]


def test_an_empty_first_header_is_that_of_the_probe_ids(tmp_path: Path) -> None:
    assert_whole(read(tmp_path, text(["", *NAMES[1:]])))


def test_a_missing_first_header_is_seen_when_samples_are_named_by_accession(tmp_path: Path) -> None:
    names = ["GSM1.AVG_Signal", "GSM1.Detection Pval", "GSM2.AVG_Signal", "GSM2.Detection Pval"]
    assert_whole(read(tmp_path, text(names)))


@pytest.mark.parametrize(
    "name", ["id_ref ", "PROBE_ID", "IDREF", "ProbeID", "REF_ID", "refid", "IDPROBE", "Id_Probe"]
)
def test_the_column_of_probe_ids_has_many_names(tmp_path: Path, name: str) -> None:
    assert_whole(read(tmp_path, text([name, *NAMES[1:]])))


@pytest.mark.parametrize("before", [["TARGETID"], ["", ""], ["", "Target_ID"], ["TargetID", "ProbeID"]])
def test_columns_before_the_probe_ids_are_passed_over(tmp_path: Path, before: list[str]) -> None:
    cells = [name and ("6450255" if name == "ProbeID" else "EZH2") for name in before]
    names = [*before, "PROBE_ID", *NAMES[1:]]
    table = read(tmp_path, text(names, [[*cells, *row] for row in ROWS]))
    assert_whole(table)
    assert table.columns[len(before)].role == Role.PROBE_ID


def test_target_ids_serve_where_nothing_else_does(tmp_path: Path) -> None:
    assert_whole(read(tmp_path, text(["TargetID", *NAMES[1:]])))


def test_blank_columns_and_those_about_probes_are_ignored(tmp_path: Path) -> None:
    names = [*NAMES, "", "SYMBOL", "ENTREZ_GENE_ID", "", ""]
    table = read(tmp_path, text(names, [[*row, "", "EZH2", "2146"] for row in ROWS]))
    assert_whole(table)
    assert [each.role for each in table.columns[5:8]] == [Role.IGNORED] * 3
    table = read(tmp_path, text(NAMES, [[*row, "", ""] for row in ROWS]))
    assert_whole(table)


@pytest.mark.parametrize(
    "names",
    [
        "{}|{} Detection Pval",
        "{}.AVG_Signal|{}.Detection Pval",
        "{}.AVG_Signal.AVG_Signal|{}.Detection_Pval",
        "AVG_Signal-{}|Detection Pval-{}",
        "Signal-{}|Detection-{}",
        "{}:AVG_Signal|{}:Detection",
        "{} Raw_Value|{} p-value",
        "{}_avg_signal|{}_pvalue",
        "{} (raw signal)|{} (Detection P-Value)",
        "{}.AVG_Signal|{}.DetectionPval",
        "{}|Detection Pval",
        "{}|DETECTION PVAL",
        "{}|Detection_PVal",
        "{}|Detection-Pval",
        "{}|Detection.Pval",
        "{}|DetectionPval",
        "{}|detection p-value",
        "{}|Detection P value",
        "{}|Detection",
        "{}|P-Value",
        "{}|pval",
        "RNA of {}.AVG_Signal|RNA of {}.Detection Pval",
    ],
)
@pytest.mark.parametrize("known_as", ["title", "accession", "description"])
def test_samples_and_their_p_values_are_found_under_every_spelling(
    tmp_path: Path, names: str, known_as: str
) -> None:
    if known_as == "description" and "RNA" in names:
        pytest.skip("descriptions are prose: one that is part of a header says nothing")
    samples = {
        "title": (A, B),
        "accession": (SampleNames("Liver 1", "x"), SampleNames("Liver 2", "y")),
        "description": (
            SampleNames("GSM1", "x", ("none", "Liver 1")),
            SampleNames("GSM2", "y", ("Liver 2",)),
        ),
    }[known_as]
    header = [each.format(name) for name in ("Liver 1", "Liver 2") for each in names.split("|")]
    table = read(tmp_path, headed(*header), samples)
    assert [each.sample != "" for each in table.columns] == [False, True, True, True, True]
    assert table.values.tolist() == VALUES.tolist()
    assert [None if each is None else each.tolist() for each in table.detection] == P_VALUES.T.tolist()


@pytest.mark.parametrize(
    "names",
    [
        ["GSE9.Liver.1", "Detection.Pval", "GSE9.Liver.2", "Detection.Pval.1"],
        ["GSE9_Liver_1", "Detection", "gse9 LIVER  2", "Detection.1"],
        ["GSE9_Liver_1.AVG_Signal", "GSE9_Liver_1.Detection", "GSE9 Liver-2 Signal", "GSE9 Liver-2 Pval"],
    ],
)
def test_names_that_software_has_changed_are_found(tmp_path: Path, names: list[str]) -> None:
    samples = (SampleNames("GSM1", "GSE9 Liver 1"), SampleNames("GSM2", "GSE9 Liver 2"))
    assert_whole(read(tmp_path, headed(*names), samples))


def test_a_title_that_ends_in_the_header_is_found(tmp_path: Path) -> None:
    samples = (SampleNames("GSM1", "Mouse_Liver 1"), SampleNames("GSM2", "Mouse_Liver 2"))
    assert_whole(read(tmp_path, PLAIN, samples))


def test_the_number_of_an_array_in_a_description_is_found(tmp_path: Path) -> None:
    names = ["X4343238066_A.AVG_Signal", "X4343238066_A.Detection", "4343238066_B_AVG_Signal", "Detection"]
    samples = (
        SampleNames("GSM1", "Liver 1", ("Hybridized to array 4343238066_A of a chip",)),
        SampleNames("GSM2", "Liver 2", ("4343238066_B",)),
    )
    assert_whole(read(tmp_path, headed(*names), samples))


def test_columns_of_beads_are_between_values_and_their_p_values(tmp_path: Path) -> None:
    names = ["ID_REF"]
    for name in ("Liver 1", "Liver 2"):
        names += [f"MIN_Signal-{name}", f"AVG_Signal-{name}", f"NARRAYS-{name}", f"ARRAY_STDEV-{name}"]
        names += [f"BEAD_STDERR-{name}", f"Avg_NBEADS-{name}", f"Detection-{name}"]
    filler = ["9", "1", "0.5", "0.25", "30"]
    rows = [
        [row[0], *(cell for at in (1, 3) for cell in ["7", row[at], *filler[1:], row[at + 1]])]
        for row in ROWS
    ]
    assert_whole(read(tmp_path, text(names, rows)))
    bare = ["ID_REF", *(name.split("-")[0] for name in names[1:])]
    bare[2], bare[9] = "Liver 1", "Liver 2"
    assert_whole(read(tmp_path, text(bare, rows)))


def test_a_title_with_the_word_bead_is_a_title(tmp_path: Path) -> None:
    names = [
        "Bead prep 1.AVG_Signal",
        "Bead prep 1.Detection",
        "Bead prep 2.AVG_Signal",
        "Bead prep 2.Detection",
    ]
    assert_whole(
        read(
            tmp_path, headed(*names), (SampleNames("GSM1", "bead prep 1"), SampleNames("GSM2", "bead prep 2"))
        )
    )


@pytest.mark.parametrize("order", [[1, 3, 2, 4], [2, 1, 4, 3]])
def test_p_values_may_come_before_their_values_or_after_all(tmp_path: Path, order: list[int]) -> None:
    names = [NAMES[place] for place in [0, *order]]
    assert_whole(read(tmp_path, text(names, [[row[place] for place in [0, *order]] for row in ROWS])))


def test_p_values_given_as_one_minus_p_are_turned_round(tmp_path: Path) -> None:
    rows = [[row[0], row[1], str(1 - float(row[2])), row[3], str(1 - float(row[4]))] for row in ROWS]
    table = read(tmp_path, text(NAMES, rows))
    assert_whole(table)
    assert [each.reason.endswith("given as 1 - p, turned round") for each in table.columns[1:]] == [
        False, True, False, True,
    ]  # fmt: skip


def test_a_sample_without_p_values_has_none_of_its_own(tmp_path: Path) -> None:
    table = read(tmp_path, headed("Liver 1", "Detection Pval", "Liver 2", "BEAD_STDEV"))
    assert table.detection[0] is not None
    assert table.detection[1] is None


def test_calls_and_scores_are_no_p_values(tmp_path: Path) -> None:
    rows = [[row[0], row[1], "P", row[3], "87.5"] for row in ROWS]
    table = read(tmp_path, text(NAMES, rows))
    assert table.detection == (None, None)
    assert table.columns[2].role == table.columns[4].role == Role.IGNORED


def test_s1_is_not_s10(tmp_path: Path) -> None:
    samples = (SampleNames("GSM1", "S1"), SampleNames("GSM2", "S10"))
    table = read(
        tmp_path, headed("S10.AVG_Signal", "S10.Detection", "S11.AVG_Signal", "S11.Detection"), samples
    )
    assert table.samples == ("GSM2",)
    assert [each.accession for each in table.unmatched] == ["GSM1"]
    assert (
        "CD34+"
        not in read(tmp_path, headed("CD34", "x", "CD34+ b", "y"), (SampleNames("GSM1", "CD34"),))
        .columns[3]
        .sample
    )


def test_the_raw_values_of_a_sample_are_preferred_to_others(tmp_path: Path) -> None:
    table = read(tmp_path, headed("Liver 1 normalized", "Liver 1 Raw", "Liver 1", "Detection"), (A,))
    assert [each.header for each in table.columns if each.role == Role.VALUES] == ["Liver 1 Raw"]


def test_two_columns_that_name_one_sample_equally_are_no_values_of_it(tmp_path: Path) -> None:
    table = read(tmp_path, headed("Liver 1", "Liver 1", "Liver 2", "Detection"))
    assert table.samples == ("GSM2",)
    assert table.unmatched[0].reason == "several columns may hold its values: 'Liver 1', 'Liver 1'"


def test_a_description_that_samples_share_names_none(tmp_path: Path) -> None:
    samples = (SampleNames("GSM1", "x", ("Liver 1",)), SampleNames("GSM2", "y", ("Liver 1",)))
    assert "expected a column of values for a sample ('x', 'y')" in complaint(tmp_path, PLAIN, samples)


@pytest.mark.parametrize("name", ["RAW_VALUE", "Raw Value", "AVG_Signal", "SAMPLE 1", "X9.AVG_Signal"])
def test_the_only_column_of_values_is_the_only_samples(tmp_path: Path, name: str) -> None:
    rows = [[row[0], "7.5", *row[1:3]] for row in ROWS]
    table = read(tmp_path, text(["ID_REF", "VALUE", name, "Detection Pval"], rows), (A,))
    assert table.values[:, 0].tolist() == VALUES[:, 0].tolist()
    assert table.detection[0] is not None


def test_one_sample_of_several_columns_is_not_guessed(tmp_path: Path) -> None:
    assert "'ID_REF | SAMPLE 1" in complaint(
        tmp_path, headed("SAMPLE 1", "Detection", "SAMPLE 2", "Detection"), (A,)
    )


@pytest.mark.parametrize("absent", ["", "NA", "nan", "null", "NULL", " ", "N/A", "#NUM!", "inf", "-"])
def test_missing_cells_are_nan(tmp_path: Path, absent: str) -> None:
    table = read(tmp_path, PLAIN.replace("1699.0", absent).replace("0.875", absent))
    assert np.argwhere(np.isnan(table.values)).tolist() == [[1, 0]]
    assert table.detection[0] is not None
    assert np.isnan(table.detection[0]).tolist() == [False, False, True, False]


def test_rows_that_end_early_lack_their_last_cells(tmp_path: Path) -> None:
    table = read(tmp_path, PLAIN.replace("\t90.0\t0.375", ""))
    assert np.isnan(table.values[2]).tolist() == [False, True]
    assert table.notes == ("1 rows lack cells at their end, taken as missing",)


def test_rows_without_probe_id_are_left_out_and_counted(tmp_path: Path) -> None:
    table = read(tmp_path, PLAIN + "\t1\t0.5\t1\t0.5\n")
    assert_whole(table)
    assert table.notes == ("1 rows without a probe id left out",)


def test_an_empty_column_leaves_its_sample_unmatched(tmp_path: Path) -> None:
    table = read(tmp_path, text(NAMES, [[*row[:3], "", ""] for row in ROWS]))
    assert table.samples == ("GSM1",)
    assert table.unmatched[0].reason == "its column of values is empty"


def test_a_stray_quote_swallows_no_rows(tmp_path: Path) -> None:
    rows = [[*row, '"5" gel' if row is ROWS[0] else "x"] for row in ROWS]
    assert_whole(read(tmp_path, text([*NAMES, "DEFINITION"], rows)))
    unclosed = [[*row, '"gel' if row is ROWS[0] else "x"] for row in ROWS]
    assert "quotes are not closed" in complaint(tmp_path, text([*NAMES, "DEFINITION"], unclosed, ","))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "an empty file"),
        (b"\n \r\n", "an empty file"),
        (b"# a\n!b\n", "2 comment lines and nothing else"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "plain text"),
        (b"<html><body>Not found</body></html>\n", "HTML or XML"),
        (text(["Illumicode", *NAMES[1:]]).encode(), "bead type files"),
        (text(["Gene", *NAMES[1:]]).encode(), "the header 'Gene | Liver 1 | Detection Pval"),
        (text(["ID_REF", "a", "b", "c", "d"]).encode(), "('Liver 1', 'Liver 2'), found the header 'ID_REF"),
        (text(NAMES, []).encode(), "expected"),
        ("".join("\t".join(row) + "\n" for row in ROWS).encode(), "line 1: expected a table with a header"),
        (PLAIN.replace("1699.0", "x9").encode(), "line 3, column 2 ('Liver 1'): expected a number"),
        (PLAIN.replace("0.875\t", "0.875\t1\t").encode(), "line 4: expected 5 fields as in the header"),
        (PLAIN.encode()[:-12], "it is cut"),
        (zipped(PLAIN.encode())[:-12], "it is cut"),
    ],
)  # fmt: skip
def test_what_cannot_be_recognized_is_an_error_that_quotes_it(
    tmp_path: Path, content: bytes, said: str
) -> None:
    assert said in complaint(tmp_path, content)


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


def test_no_file_and_no_samples_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        read_beadarray(tmp_path / "none", [A])
    with pytest.raises(RequestError, match="no samples"):
        read(tmp_path, PLAIN, ())


@files
@given(data=st.data())
def test_no_change_of_bytes_does_worse_than_an_error_of_the_format(
    tmp_path: Path, data: st.DataObject
) -> None:
    content = bytearray(PLAIN.encode())
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(content)))
        extra = data.draw(
            st.binary(max_size=4) | st.sampled_from([b"\t", b"\n", b'"', b",", b"'", b"\r", b" "])
        )
        content[place : place + data.draw(st.integers(0, 9))] = extra
    try:
        table = read(tmp_path, bytes(content))
    except PermanentError:
        return
    assert table.values.shape == (len(table.probe_ids), len(table.samples))


@files
@given(st.binary(max_size=300) | st.text("ID_REF,;\t \n\r\"'#GSM123.-eé\0", max_size=300).map(str.encode))
def test_any_bytes_are_a_table_or_an_error_of_the_format(tmp_path: Path, content: bytes) -> None:
    try:
        read(tmp_path, content)
    except PermanentError:
        return


def test_reading_does_not_import_pandas(tmp_path: Path) -> None:
    path = tmp_path / "table"
    path.write_text(PLAIN.replace("90.0", "NA"))
    program = (
        "import sys; from pathlib import Path; from refinebio_assets.formats.beadarray import *;"
        f"read_beadarray(Path({str(path)!r}), [SampleNames('GSM1', 'Liver 1')]);"
        "print('pandas' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


REAL = "geo_soft/with_tables"


def test_real_heads_of_odd_files_are_read(shared_data: Path) -> None:
    samples = [SampleNames("GSM9", "PBMC", ("SAMPLE 4",)), SampleNames("GSM8", "PBMC", ("SAMPLE 1",))]
    table = read_beadarray(shared_data / REAL / "GSE101710_Expression.raw.head.txt", samples)
    assert table.values[0].tolist() == [114.169, 110.7045]
    assert [None if each is None else each[1] for each in table.detection] == [0.5792208, 0.2571429]
    table = read_beadarray(
        shared_data / REAL / "SDY180_raw_expression.head.txt", [SampleNames("GSM744991", "x")]
    )
    assert (table.values[0, 0], table.detection[0][0]) == (56.5509, 0.0026)  # type: ignore[index]


def test_a_real_table_without_raw_values_is_refused_with_its_header(shared_data: Path) -> None:
    with pytest.raises(FormatError, match=r"ID_REF \| VALUE \| Detection Pval"):
        read_beadarray(shared_data / REAL / "GSM2712880.soft.gz", [SampleNames("GSM2712880", "x")])


def test_the_barnes_arrays_are_read_with_p_values_as_they_are(shared_data: Path) -> None:
    samples = [SampleNames(f"GSM{number}", name) for number, name in enumerate(("A01", "A02", "B01", "B02"))]
    table = read_beadarray(shared_data / "illumina/lumi_barnes_8000_nonnormalized.txt.gz", samples)
    assert table.values.shape == (8000, 4)
    assert table.values[0].tolist() == [195.0, 223.9, 191.0, 181.1]
    assert table.detection[2] is not None
    assert table.detection[2][0] == 8.56999999998553e-06
    assert not table.unmatched
    assert not table.notes
