"""Tables of non-normalized intensities: what is read of them, and how unusable ones are refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from refinebio_assets.errors import FormatError, NotFoundError, PermanentError, RequestError
from refinebio_assets.formats.beadarray import SampleNames, read_beadarray
from refinebio_assets_tests.formats.beadarray.small_table import (
    NAMES,
    P_VALUES,
    PLAIN,
    ROWS,
    VALUES,
    A,
    B,
    assert_whole,
    complaint,
    read,
    text,
)
from refinebio_assets_tests.formats.making import zipped

files = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def test_values_and_p_values_come_by_sample_in_the_order_asked_for(tmp_path: Path) -> None:
    table = read(tmp_path, PLAIN, (B, A))
    assert table.samples == ("GSM2", "GSM1")
    assert table.values.tolist() == VALUES[:, ::-1].tolist()
    assert table.detection[0] is not None
    assert table.detection[0].tolist() == P_VALUES[:, 1].tolist()
    assert table.values.dtype == np.float64
    assert not table.values.flags.writeable
    assert not table.notes


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
