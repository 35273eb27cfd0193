"""CEL files: the same array reads the same from every format, and damage is named by place."""

from __future__ import annotations

import bz2
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as numpy_st

from refinebio_assets.errors import FormatError, NotFoundError
from refinebio_assets.formats.cel import CelFile, CelFormat, read_cel, read_cel_header
from refinebio_assets_tests.formats.cel.writing import cel_bytes, make_array, write_cel
from refinebio_assets_tests.formats.making import zipped

VALUES = np.array([256.0, 20759.0, 261.5, 0.0, 116.25, 46000.0])
all_formats = pytest.mark.parametrize("format_", list(CelFormat))
files = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def tiny(format_: CelFormat) -> CelFile:
    return make_array(format_, VALUES, columns=3, masked=[5, 0], outliers=[2])


def complaint(folder: Path, content: bytes) -> str:
    path = folder / "a.CEL"
    path.write_bytes(content)
    with pytest.raises(FormatError) as caught:
        read_cel(path, label="CEL of S1")
    assert str(caught.value).startswith("CEL of S1")
    return str(caught.value)


def text_with(old: str, new: str) -> bytes:
    content = cel_bytes(tiny(CelFormat.TEXT))
    assert content.count(old.encode()) == 1
    return content.replace(old.encode(), new.encode("latin-1"))


@all_formats
@pytest.mark.parametrize("packed", [False, True])
def test_every_format_plain_or_gzip_gives_the_same_array(
    tmp_path: Path, format_: CelFormat, packed: bool
) -> None:
    path = tmp_path / "no_telling_name"
    content = cel_bytes(tiny(format_))
    path.write_bytes(zipped(content) if packed else content)
    cel = read_cel(path)
    assert cel.intensities.tolist() == VALUES.tolist()
    assert cel.intensities.dtype == np.float64
    assert (cel.rows, cel.columns, cel.cell_count) == (2, 3, 6)
    assert cel.masked.tolist() == [5, 0]
    assert cel.outliers.tolist() == [2]
    assert (cel.format, cel.chip_type, cel.scan_date) == (format_, "Tiny_1", "2004-05-06T07:08:09")
    assert (cel.algorithm, cel.scanner) == ("Percentile", "50205880 M10")


@all_formats
def test_the_head_alone_says_what_the_whole_file_says(tmp_path: Path, format_: CelFormat) -> None:
    path = tmp_path / "a.CEL"
    write_cel(path, tiny(format_))
    header, cel = read_cel_header(path), read_cel(path)
    for name in ("format", "chip_type", "rows", "columns", "scan_date", "algorithm", "scanner"):
        assert getattr(header, name) == getattr(cel, name)


@all_formats
def test_the_head_can_be_read_from_a_file_whose_cells_are_cut(tmp_path: Path, format_: CelFormat) -> None:
    path = tmp_path / "a.CEL"
    cel = make_array(format_, np.arange(10_000.0), columns=100)
    path.write_bytes(cel_bytes(cel)[:-30_000])
    assert read_cel_header(path).chip_type == "Tiny_1"
    with pytest.raises(FormatError):
        read_cel(path)


@files
@given(
    values=numpy_st.arrays(
        np.float32, st.tuples(st.integers(1, 4), st.integers(1, 5)), elements=st.floats(0, 65535, width=32)
    ),
    format_=st.sampled_from(list(CelFormat)),
    data=st.data(),
)
def test_any_array_comes_back_as_it_was_written(
    tmp_path: Path, values: np.ndarray, format_: CelFormat, data: st.DataObject
) -> None:
    flags = st.lists(st.integers(0, values.size - 1), unique=True)
    masked, outliers = data.draw(flags), data.draw(flags)
    cel = make_array(format_, values.ravel().astype(float), values.shape[1], masked=masked, outliers=outliers)
    path = tmp_path / "a.CEL"
    write_cel(path, cel)
    read = read_cel(path)
    assert read.intensities.tolist() == values.ravel().tolist()
    assert (read.masked.tolist(), read.outliers.tolist()) == (masked, outliers)


def test_decimal_numbers_of_a_text_file_keep_their_precision(tmp_path: Path) -> None:
    path = tmp_path / "a.CEL"
    path.write_bytes(text_with("116.25", "201.8"))
    assert read_cel(path).intensities[4] == 201.8


def test_arrays_of_a_cel_file_are_read_only(tmp_path: Path) -> None:
    path = tmp_path / "a.CEL"
    write_cel(path, tiny(CelFormat.BINARY))
    with pytest.raises(ValueError, match="read-only"):
        read_cel(path).intensities[0] = 1


def test_text_cells_may_come_in_any_order_and_be_separated_by_blanks(tmp_path: Path) -> None:
    content = cel_bytes(tiny(CelFormat.TEXT))
    lines = content.split(b"\r\n")
    start = next(number for number, line in enumerate(lines) if line.startswith(b"CellHeader=")) + 1
    lines[start : start + 6] = reversed(lines[start : start + 6])
    lines[start] = lines[start].replace(b"\t", b"   ")
    path = tmp_path / "a.CEL"
    path.write_bytes(b"\n".join(lines))
    assert read_cel(path).intensities.tolist() == VALUES.tolist()


def test_a_deviation_that_is_no_number_does_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "a.CEL"
    path.write_bytes(cel_bytes(tiny(CelFormat.TEXT)).replace(b"\t0.0\t 25", b"\t-1.#IND\t 25"))
    assert read_cel(path).intensities.tolist() == VALUES.tolist()


@all_formats
def test_letters_beyond_ascii_in_the_head_are_read(tmp_path: Path, format_: CelFormat) -> None:
    cel = make_array(format_, VALUES, columns=3, chip_type="Größe-µ")
    path = tmp_path / "a.CEL"
    write_cel(path, cel)
    assert read_cel_header(path).chip_type == "Größe-µ"


@pytest.mark.parametrize(("written", "year"), [("94", 1994), ("69", 2069), ("03", 2003)])
def test_two_digit_years_are_of_the_time_of_genechips(tmp_path: Path, written: str, year: int) -> None:
    path = tmp_path / "a.CEL"
    path.write_bytes(text_with("05/06/04", f"05/06/{written}"))
    assert read_cel_header(path).scan_date == f"{year}-05-06T07:08:09"


@pytest.mark.parametrize(
    ("old", "new"), [("Tiny_1.1sq", "nothing"), ("05/06/04 07:08:09", ""), ("DatHeader=", "Other=")]
)
def test_what_the_head_does_not_tell_is_empty(tmp_path: Path, old: str, new: str) -> None:
    path = tmp_path / "a.CEL"
    path.write_bytes(text_with(old, new))
    header = read_cel_header(path)
    assert "" in (header.chip_type, header.scan_date)


def test_a_command_console_file_may_hold_integers_and_lack_flags(tmp_path: Path) -> None:
    content = cel_bytes(make_array(CelFormat.COMMAND_CONSOLE, VALUES, columns=3))
    wide = "Intensity".encode("utf-16-be") + struct.pack(">bi", 6, 4)
    assert content.count(wide) == 1
    content = content.replace(wide, "Intensity".encode("utf-16-be") + struct.pack(">bi", 5, 4))
    content = content.replace("Mask".encode("utf-16-be"), "Blob".encode("utf-16-be"))
    content = content.replace(
        "Outlier".encode("utf-16-be") + b"\0\0\0\0", "OutlieR".encode("utf-16-be") + b"\0\0\0\0"
    )
    path = tmp_path / "a.CEL"
    path.write_bytes(content.replace(VALUES.astype(">f4").tobytes(), VALUES.astype(">u4").tobytes()))
    cel = read_cel(path)
    assert cel.intensities.tolist() == np.floor(VALUES).tolist()
    assert len(cel.masked) == len(cel.outliers) == 0


@all_formats
def test_a_file_cut_anywhere_is_refused(tmp_path: Path, format_: CelFormat) -> None:
    cel = tiny(format_)
    content = cel_bytes(cel)
    needed = len(content) - {CelFormat.BINARY: 56, CelFormat.TEXT: 70, CelFormat.COMMAND_CONSOLE: 0}[format_]
    for end in range(0, needed, 3):
        complaint(tmp_path, content[:end])


@all_formats
def test_a_cut_gzip_stream_is_refused(tmp_path: Path, format_: CelFormat) -> None:
    assert "gzip" in complaint(tmp_path, zipped(cel_bytes(tiny(format_)))[:-4])


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        (b"", "an empty file"),
        (b"<html>", "HTML"),
        (b"PK\x03\x04rest", "zip"),
        (b"[CDF]\nVersion=GC3.0", "[CDF]"),
        (bz2.compress(b"[CEL]"), "bzip2"),
        (b"COLS/ROWS= 10 10 \tTOTX= 10", "COLS/ROWS"),
    ],
)
def test_what_is_no_cel_file_is_shown(tmp_path: Path, content: bytes, shown: str) -> None:
    message = complaint(tmp_path, content)
    assert "byte 0: expected the start of a CEL file" in message
    assert shown in message


def test_a_missing_file_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        read_cel(tmp_path / "none.CEL")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("Cols=3", "Cols=three", "Cols=, a whole number, found 'three'"),
        ("Cols=3\r\n", "", "Cols=, a whole number, found none"),
        ("Cols=3", "Cols=0", "between 1 and 33,554,432 cells"),
        ("Rows=2", "Rows=99999999", "found 3 columns and 99,999,999 rows"),
        ("Rows=2", "Rows=3", "NumberCells=9 (Cols x Rows)"),
        ("[INTENSITY]", "[OTHER]", "a section [INTENSITY]"),
        ("[MASKS]", "[OTHER]", "a section [MASKS]"),
        ("[OUTLIERS]", "[OTHER]", "a section [OUTLIERS]"),
        ("[OUTLIERS]", "[MASKS]", "one section [MASKS], found a second one"),
        ("  2\t  1\t46000.0\t0.0\t 25\r\n", "", "5 lines; the first missing is x 2, y 1"),
        ("  2\t  1\t", "  1\t  1\t", "line 30: expected each cell once"),
        ("  2\t  1\t", "  2\t  2\t", "line 30: expected x and y of a cell of 3 columns and 2 rows"),
        ("  2\t  1\t", " -1\t  1\t", "line 30: expected x and y of a cell"),
        ("46000.0", "nan", "line 30: expected a finite intensity"),
        ("46000.0", "1e999", "line 30: expected a finite intensity"),
        ("46000.0", "-3", "line 30: expected a finite intensity"),
        ("46000.0", "4600o", "line 30: expected a finite intensity"),
        ("46000.0\t", "", "line 30: expected 5 fields (X Y MEAN STDV NPIXELS)"),
        ("CellHeader=X\tY\tMEAN\tSTDV", "CellHeader=X\tY\tSTDV\tMEAN", "CellHeader=X Y MEAN"),
        ("NumberCells=2", "NumberCells=3", "a line for each masked cell (NumberCells=3), found 2 lines"),
        ("\r\n2\t1\r\n", "\r\n2\t7\r\n", "masked cell 1: expected a cell of 3 columns"),
        ("\r\n2\t1\r\n", "\r\n2\t?\r\n", "line 35: expected x and y of a masked cell"),
    ],
)
def test_damage_of_a_text_file_is_told_with_its_place(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert told in complaint(tmp_path, text_with(old, new))


@pytest.mark.parametrize(
    ("offset", "value", "told"),
    [
        (4, 5, "byte 4: expected version 4, found 5"),
        (8, 0, "byte 8: expected between 1 and 33,554,432 cells"),
        (8, -3, "found -3 columns and 2 rows"),
        (8, 2_000_000_000, "found 2,000,000,000 columns"),
        (8, 4, "byte 16: expected 8 cells, as columns x rows, found 6"),
        (20, 2_000_000_000, "byte 20: expected length of the header between 0 and 16,777,216"),
        (20, -1, "byte 20: expected length of the header"),
    ],
)
def test_damage_of_a_binary_file_is_told_with_its_offset(
    tmp_path: Path, offset: int, value: int, told: str
) -> None:
    content = bytearray(cel_bytes(tiny(CelFormat.BINARY)))
    content[offset : offset + 4] = struct.pack("<i", value)
    assert told in complaint(tmp_path, bytes(content))


def test_a_binary_file_with_fewer_cells_than_it_says_is_cut(tmp_path: Path) -> None:
    content = cel_bytes(tiny(CelFormat.BINARY))
    assert "of 3 x 2 cells, masks and outliers, found" in complaint(tmp_path, content[:-80])


@pytest.mark.parametrize("format_", [CelFormat.BINARY, CelFormat.COMMAND_CONSOLE])
@pytest.mark.parametrize("value", [np.nan, np.inf, -1.0])
def test_an_intensity_that_cannot_be_is_told_with_its_cell(
    tmp_path: Path, format_: CelFormat, value: float
) -> None:
    values = VALUES.copy()
    values[4] = value
    told = complaint(tmp_path, cel_bytes(make_array(format_, values, columns=3)))
    assert f"cell x 1, y 1: expected a finite intensity, not negative, found {value}" in told


def test_damage_of_a_command_console_file_is_told(tmp_path: Path) -> None:
    content = cel_bytes(tiny(CelFormat.COMMAND_CONSOLE))
    assert "byte 1: expected version 1, found 2" in complaint(tmp_path, b"\x3b\x02" + content[2:])
    other = content.replace(b"calvin-intensity", b"calvin-multidata")
    assert "a file of the type affymetrix-calvin-intensity" in complaint(tmp_path, other)
    for name in ("cel-rows", "cel-cols"):
        wide = name.encode("utf-16-be")
        message = complaint(tmp_path, content.replace(wide, wide.upper()))
        assert f"expected a parameter affymetrix-{name} (integer), found none" in message
    rows = struct.pack(">i12x", 2)
    huge = content.replace(rows, struct.pack(">i12x", 2**31 - 1))
    assert "2,147,483,647 rows" in complaint(tmp_path, huge)
    wrong = content.replace(rows, struct.pack(">i12x", 3))
    assert "a data set Intensity with 9 rows (3 x 3), found 6 rows" in complaint(tmp_path, wrong)


def test_a_flag_outside_of_the_array_is_told(tmp_path: Path) -> None:
    for format_ in (CelFormat.BINARY, CelFormat.COMMAND_CONSOLE):
        cel = make_array(format_, VALUES, columns=3, outliers=[2, 6])
        assert "outlier 2: expected a cell of 3 columns and 2 rows, found x 0, y 2" in complaint(
            tmp_path, cel_bytes(cel)
        )


def test_a_small_gzip_file_cannot_fill_the_memory(tmp_path: Path) -> None:
    flood = zipped(cel_bytes(tiny(CelFormat.BINARY)) + bytes(80 << 20))
    assert "expected at most" in complaint(tmp_path, flood)


@all_formats
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_damage_does_worse_than_a_format_error(
    tmp_path: Path, format_: CelFormat, data: st.DataObject
) -> None:
    content = bytearray(cel_bytes(tiny(format_)))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(content)))
        removed = data.draw(st.integers(0, 6))
        content[start : start + removed] = data.draw(
            st.one_of(
                st.binary(max_size=6),
                st.sampled_from(
                    [b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\0", b"9", b"\n", b"\t", b"="]
                ),
            )
        )
    path = tmp_path / "a.CEL"
    path.write_bytes(content)
    for read in (read_cel, read_cel_header):
        try:
            read(path)
        except FormatError as error:
            assert str(error)


@files
@given(start=st.sampled_from([b"", b"[CEL]", b"\x40\0\0\0\x04\0\0\0", b"\x3b\x01"]), rest=st.binary())
def test_random_bytes_do_no_worse_than_a_format_error(tmp_path: Path, start: bytes, rest: bytes) -> None:
    complaint(tmp_path, start + rest)


def test_real_scans_agree_in_two_formats(shared_data: Path) -> None:
    folder = shared_data / "cel_formats"
    for scan in ("Test3-1-121502", "Test3-2-121502"):
        text, console = (read_cel(folder / f"{scan}.{kind}.CEL.gz") for kind in ("ascii", "calvin"))
        assert np.array_equal(text.intensities.astype(np.float32), console.intensities.astype(np.float32))
        assert np.array_equal(text.outliers, console.outliers)
        assert len(text.outliers) > 0
        assert np.array_equal(text.masked, console.masked)
        for name in ("chip_type", "rows", "columns", "scan_date", "algorithm", "scanner"):
            assert getattr(text, name) == getattr(console, name)


@pytest.mark.parametrize("name", ["C30057", "MN_2_3"])
def test_intensities_of_real_arrays_are_those_that_r_read(shared_data: Path, name: str) -> None:
    """R 4.2 with affyio's readers, as told in scan.md; equal to the last bit."""
    cel = read_cel(shared_data / "affymetrix" / f"{name}.CEL.gz")
    with np.load(shared_data / "affymetrix" / "golden" / f"{name}.probes.npz") as golden:
        x, y = golden["xy"].astype(int).T
        assert np.array_equal(cel.intensities[y * cel.columns + x], golden["intensity"])


@pytest.mark.parametrize(
    ("name", "chip_type", "side", "date"),
    [
        ("cel_formats/HG-Focus-1-121502.calvin.CEL.gz", "HG-Focus", 448, "2002-05-15T11:07:10"),
        ("cel_formats/SG2_u34a.CEL.gz", "RG_U34A", 534, "2002-10-15T17:21:28"),
        ("affymetrix/C30057.CEL.gz", "HG_U95Av2", 640, "2003-03-18T11:38:54"),
        ("affymetrix/MN_2_3.CEL.gz", "Clariom_S_Mouse", 548, "2018-04-17T15:30:28Z"),
    ],
)
def test_heads_of_real_arrays(shared_data: Path, name: str, chip_type: str, side: int, date: str) -> None:
    header = read_cel_header(shared_data / name)
    assert (header.chip_type, header.rows, header.columns) == (chip_type, side, side)
    assert header.scan_date == date
