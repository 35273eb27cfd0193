"""Submitters' tables: which column is what, numbers as people write them, and files that cannot be told."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinebio_assets.errors import FormatError, NotFoundError
from refinebio_assets.formats.processed_numbers import parse_numbers
from refinebio_assets.formats.processed_table import (
    ProcessedTable,
    read_processed_table,
)

NAN = float("nan")


def read(
    folder: Path, content: str | bytes, *, sample: str = "", column_names: tuple[str, ...] = ()
) -> ProcessedTable:
    path = folder / "table.txt"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_processed_table(path, label="table.txt", sample=sample, column_names=column_names)


def roles(table: ProcessedTable) -> list[tuple[str, str]]:
    return [(column.name, column.role) for column in table.columns]


def soft(sample: str, *rows: str) -> str:
    head = [f"^SAMPLE = {sample}", "!Sample_title = a title", "#ID_REF =", "#VALUE = log2 RMA"]
    return "\n".join([*head, "!sample_table_begin", "ID_REF\tVALUE", *rows, "!sample_table_end", ""])


@pytest.mark.parametrize(
    ("content", "ids", "values"),
    [
        ("ID_REF\tVALUE\na\t1.5\nb\t-2\n", ("a", "b"), [1.5, -2]),
        ("id_ref\tvalue\na\t1\n", ("a",), [1]),
        ("Probe\tSignal\na\t9.1\n", ("a",), [9.1]),
        ("a\t9.1\nb\t2\n", ("a", "b"), [9.1, 2]),
        ("a\tnull\nb\t2\n", ("a", "b"), [NAN, 2]),
        ("1007\t9,1\n1053\t8,2\n", ("1007", "1053"), [9.1, 8.2]),
        ("ID_REF\tVALUE\r\na\t1\r\n", ("a",), [1]),
        ("\ufeffID_REF\tVALUE\na\t1", ("a",), [1]),
        ('"ID_REF"\t"VALUE"\n"a"\t"1"\n', ("a",), [1]),
        ('ID_REF,VALUE\n"a,b",1\n', ("a,b",), [1]),
        ("ID_REF;VALUE\na;1,5\n", ("a",), [1.5]),
        ("Probe Signal\na 1,5\nb 2,5\n", ("a", "b"), [1.5, 2.5]),
        ("ID_REF\tVALUE\n\n# a remark\na\t1\n", ("a",), [1]),
        ("Made by some program\nID_REF\tVALUE\na\t1\n", ("a",), [1]),
        (" ID_REF\tVALUE \na \t 1\n b\t2\n", ("a", "b"), [1, 2]),
        ("ID_REF\tVALUE\na\xa0\t1\n", ("a",), [1]),
        ("VALUE\tID_REF\n1\ta\n", ("a",), [1]),
        ("ID_REF\tVALUE\t\na\t1\t\n", ("a",), [1]),
        ("\tS1\na\t1\n", ("a",), [1]),
        ("TargetID\tProbeID\tS1\ng\ta\t1\n", ("a",), [1]),
        ("Scan REF\tS1\nComposite Element REF\tRMA\na\t1\n", ("a",), [1]),
    ],
)
def test_ids_and_values_of_many_layouts(
    tmp_path: Path, content: str, ids: tuple[str, ...], values: list[float]
) -> None:
    table = read(tmp_path, content)
    assert table.ids == ids
    np.testing.assert_array_equal(table.values, values)


def test_calls_and_p_values_are_recognized_and_left_out(tmp_path: Path) -> None:
    table = read(tmp_path, "ID_REF\tABS_CALL\tDETECTION P-VALUE\tVALUE\na\tP\t0.01\t953.9\nb\tA\t0.6\t2\n")
    assert table.values.tolist() == [953.9, 2]
    assert [role for _, role in roles(table)] == ["id", "detection call", "detection p-value", "value"]


def test_a_table_without_header_may_have_calls_and_p_values(tmp_path: Path) -> None:
    assert read(tmp_path, "a\t953.9\tP\t0.01\nb\t20\tA\t0.6\n").values.tolist() == [953.9, 20]
    three = read(tmp_path, "ILMN_1\t95.1\t0.01\nILMN_2\t80\t0.5\n")
    assert roles(three) == [("ID_REF", "id"), ("VALUE", "value"), ("DETECTION P-VALUE", "detection p-value")]


@pytest.mark.parametrize("row", ["ILMN_1\t9.1\t0.01\t3\n", "a\t9.1\t8.2\n", "a\t1\t0.5\t0.5\n"])
def test_numbers_without_names_are_not_guessed(tmp_path: Path, row: str) -> None:
    with pytest.raises(FormatError, match=r"line 1: expected names of the columns .* columns without names"):
        read(tmp_path, row)


def test_names_given_from_elsewhere_serve_a_table_without_header(tmp_path: Path) -> None:
    names = ("ID_REF", "RAW", "VALUE")
    assert read(tmp_path, "a\t1\t2\n", column_names=names).values.tolist() == [2]
    with pytest.raises(FormatError, match="expected 3 columns"):
        read(tmp_path, "a\t1\t2\t3\n", column_names=names)


def test_names_in_the_file_go_before_names_given(tmp_path: Path) -> None:
    table = read(tmp_path, "ID_REF\tVALUE\na\t1\n", column_names=("ID_REF", "VALUE", "ABS_CALL"))
    assert roles(table)[:2] == [("ID_REF", "id"), ("VALUE", "value")]


def test_a_missing_first_name_becomes_id_ref(tmp_path: Path) -> None:
    table = read(tmp_path, "S1\tS2\na\t1\t2\nb\t3\t4\n", sample="S2")
    assert roles(table)[0] == ("ID_REF", "id")
    assert table.values.tolist() == [2, 4]
    assert "missing first name" in table.header


def test_the_column_of_a_sample_is_taken_from_a_file_of_several(tmp_path: Path) -> None:
    matrix = '"ID_REF"\t"GSM1"\t"GSM12"\n"a"\t1\t2\n'
    content = f'!Series_title\t"x"\n!series_matrix_table_begin\n{matrix}!series_matrix_table_end\n'
    assert read(tmp_path, content, sample="GSM12").values.tolist() == [2]
    with pytest.raises(
        FormatError, match=r"line 3: expected one value column .*, found 2 columns of numbers"
    ):
        read(tmp_path, content)


def test_a_sample_is_found_at_the_beginning_of_its_signals_name(tmp_path: Path) -> None:
    content = "ID_REF\tGSM1.AVG_Signal\tGSM1.Detection_Pval\tGSM12.AVG_Signal\na\t5\t0.1\t6\n"
    assert read(tmp_path, content, sample="GSM1").values.tolist() == [5]


def test_names_of_samples_above_names_of_columns_are_known(tmp_path: Path) -> None:
    content = "Scan REF\tS1\tS2\nReporter REF\tVALUE\tVALUE\na\t1\t2\n"
    assert read(tmp_path, content, sample="S2").values.tolist() == [2]


def test_one_table_of_a_soft_family_is_read(tmp_path: Path) -> None:
    family = soft("GSM1", "a\t1", "b\t2") + soft("GSM2", "a\t3", "b\t4")
    table = read(tmp_path, family, sample="GSM2")
    assert table.values.tolist() == [3, 4]
    assert table.description == "log2 RMA"
    with pytest.raises(FormatError, match=r"found 2 among 2 tables \(GSM1, GSM2\)"):
        read(tmp_path, family)
    with pytest.raises(FormatError, match="expected one table of GSM3, found 0 among 2"):
        read(tmp_path, family, sample="GSM3")


def test_a_soft_table_without_its_end_is_cut(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="it is cut"):
        read(tmp_path, soft("GSM1", "a\t1").replace("!sample_table_end", ""))


def test_what_was_recognized_is_evidence_that_can_be_stored(tmp_path: Path) -> None:
    evidence = read(tmp_path, "#x\nProbe\tSignal\tNote\na\t1,5\tx\na\tNA\ty\n\t-inf\n").evidence()
    assert json.loads(json.dumps(evidence)) == evidence
    assert evidence | {"columns": 0} == {
        "rows": 3,
        "duplicated_ids": 1,
        "empty_ids": 1,
        "columns": 0,
        "header": "the file",
        "encoding": "utf-8",
        "delimiter": "\t",
        "number_style": "decimal comma",
        "missing_values": 1,
        "infinite_values": 1,
        "skipped_lines": 1,
        "short_rows": 1,
        "description": "",
    }


@pytest.mark.parametrize(
    ("texts", "values", "style"),
    [
        (["1", "2e3", " 3 "], [1, 2000, 3], "plain"),
        (["9,123", "8,001"], [9.123, 8.001], "decimal comma"),
        (["1,234", "345"], [1234, 345], "thousands comma"),
        (["1,234.5", "7"], [1234.5, 7], "thousands comma"),
        (["1,234,567"], [1234567], "thousands comma"),
        (["0,5", "1,25", "3"], [0.5, 1.25, 3], "decimal comma"),
        (["1", "#DIV/0!", "null", "", "n/a", "--"], [1, *[NAN] * 5], "plain"),
        (["\u22121.5"], [-1.5], "plain"),
    ],
)
def test_numbers_as_people_write_them(texts: list[str], values: list[float], style: str) -> None:
    numbers = parse_numbers(texts)
    assert numbers is not None
    np.testing.assert_array_equal(numbers.values, values)
    assert numbers.style == style


@pytest.mark.parametrize("text", ["P", "1_000", "1.2.3", "12,34,5x", "0x1f", "1 2"])
def test_other_texts_are_no_numbers(text: str) -> None:
    assert parse_numbers(["1", text]) is None


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32), min_size=1))
def test_decimal_point_and_comma_give_the_same_numbers(values: list[float]) -> None:
    points = [f"{value:.6f}" for value in values]
    with_point, with_comma = parse_numbers(points), parse_numbers([text.replace(".", ",") for text in points])
    assert with_point is not None
    assert with_comma is not None
    np.testing.assert_array_equal(with_point.values, with_comma.values)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1"])
def test_encodings_are_recognized(tmp_path: Path, encoding: str) -> None:
    table = read(tmp_path, "ID_REF\tVALUE (\xb5g)\nsonde_\xe9\t1\n".encode(encoding))
    assert table.ids == ("sonde_\xe9",)
    assert table.encoding == ("windows-1252" if encoding == "iso-8859-1" else encoding)


def test_gzip_is_recognized_by_content(tmp_path: Path) -> None:
    assert read(tmp_path, gzip.compress(b"ID_REF\tVALUE\na\t1\n")).ids == ("a",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "expected text in UTF-8"),
        (b"\xff\xfa\xf0\xe1\xe2\n\xd0\xd1", "expected text in UTF-8"),
        (b"ID_REF\tVALUE\na\x00\t1\n", "line 2: expected text"),
        (b"", "no line of one"),
        (b"ID_REF\tVALUE\n", "expected rows below the header"),
        (b"ID_REF\na\nb\n", "one column"),
        (b"ID_REF\tVALUE\na\t1\nb\tbad\n", "line 3, column VALUE: expected a number .* found 'bad'"),
        (b"ID_REF\tVALUE\na\t1\nb\t2\t3\nc\t4\n", "line 3: expected at most 2 fields, found 3"),
        (b"Probe\tNote\tMore\na\tx\ty\n", "found 0 columns of numbers in"),
        (b'ID_REF,VALUE\n"a,1\n', "every quote closed"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_place(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        read(tmp_path, content)


def test_a_missing_file_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        read_processed_table(tmp_path / "absent")


def no_op_cases(shared_data: Path, function: str) -> list[dict[str, str]]:
    lines = (shared_data / "metadata_oracles" / "no_op.jsonl").read_text().splitlines()
    return [case for case in map(json.loads, lines) if case["function"] == function]


def test_every_file_that_refinebio_prepared_is_read_or_refused_alike(
    shared_data: Path, tmp_path: Path
) -> None:
    cases = no_op_cases(shared_data, "no_op_prepare_files")
    assert len(cases) == 5
    for case in cases:
        content = (case["input"] or "").encode() or b"\xff\xfe\xfd\xfc\x00\x01"
        if case["no_retry"]:
            with pytest.raises(FormatError):
                read(tmp_path, content)
        else:
            # refine.bio wrote the Affymetrix tables with one character a line; here the header is replaced.
            lines = [line.split("\t") for line in case["input"].splitlines()[1:]]
            table = read(tmp_path, content)
            assert table.ids == tuple(line[0] for line in lines)
            assert table.values.tolist() == [float(line[1]) for line in lines]
            assert case["column_name"] in (None, table.columns[0].name)


@pytest.mark.parametrize(
    ("name", "sample", "rows", "first"),
    [
        ("GSM11805.soft.txt.gz", "", 22_283, 953.9),
        ("GSM2712880.soft.gz", "GSM2712880", 46_892, 6.55405065480567),
        ("GSM343927.soft.gz", "", 22_177, 7.11),
        ("GDS507.soft.gz", "GSM11832", 22_645, 5298.2),
        ("soft_ex_family.txt", "Control Embyronic Stem Cell Replicate 2", 20, -1.1697263),
        ("SDY180_raw_expression.head.txt", "GSM744991", 100, 56.5509),
        ("GSE101710_Expression.raw.head.txt", "SAMPLE 2", 100, 117.9777),
    ],
)
def test_real_tables_are_read(shared_data: Path, name: str, sample: str, rows: int, first: float) -> None:
    table = read_processed_table(shared_data / "geo_soft" / "with_tables" / name, sample=sample)
    assert len(table.ids) == len(table.values) == rows
    assert table.values[0] == first
    assert not np.isnan(table.values).any()
