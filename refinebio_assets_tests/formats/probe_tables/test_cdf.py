"""CDF files: text and binary say the same, and damage is told."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from refinebio_assets.errors import FormatError
from refinebio_assets.formats.probe_tables import CdfLayout, in_cell_order, read_cdf
from refinebio_assets_tests.formats.making import zipped

SETS = {
    "1000_at": [(0, 0, "T", "A"), (0, 1, "A", "A"), (2, 0, "c", "G"), (2, 1, "g", "g")],
    "1001_s_at": [(1, 0, "G", "C"), (1, 1, "C", "C")],
}
CELL_HEADER = "X\tY\tPROBE\tFEAT\tQUAL\tEXPOS\tPOS\tCBASE\tPBASE\tTBASE\tATOM\tINDEX\tREGION"


def text_cdf() -> bytes:
    lines = ["[CDF]", "Version=GC3.0", "", "[Chip]", "Name=Tiny_1", "Rows=2", "Cols=3", "NumberOfUnits=2"]
    lines += ["", "[QC1]", "Type=9", "NumberCells=1", "CellHeader=X\tY\tPROBE", "Cell1=2\t1\tN", ""]
    for number, (name, cells) in enumerate(SETS.items(), start=1):
        lines += [f"[Unit{number}]", "Name=NONE", f"NumCells={len(cells)}", "NumberBlocks=1", ""]
        lines += [
            f"[Unit{number}_Block1]",
            f"Name={name}",
            f"NumCells={len(cells)}",
            f"CellHeader={CELL_HEADER}",
        ]
        lines += [
            f"Cell{row}={x}\t{y}\tN\tcontrol\t{name}\t0\t13\tA\t{probe}\t{target}\t0\t0\t"
            for row, (x, y, probe, target) in enumerate(cells, start=1)
        ]
        lines.append("")
    return "\r\n".join(lines).encode()


def binary_cdf(version: int = 1) -> bytes:
    head = struct.pack("<ii", 67, version)
    if version >= 4:
        head += struct.pack("<i", 4) + b"guid" + b"0" * 32 + b"\1" + struct.pack("<i", 6) + b"Tiny_1"
    head += struct.pack("<HHiii", 3, 2, len(SETS), 1, 0)
    names = b"".join(name.encode().ljust(64, b"\0") for name in SETS)
    start = len(head) + len(names) + 4 + 4 * len(SETS)
    control = struct.pack("<Hi", 9, 0)
    offsets = [start]
    body = control
    for name, cells in SETS.items():
        offsets.append(start + len(body))
        body += struct.pack("<HBiiiiB", 1, 2, 2, 1, len(cells), 1000, 2)
        body += struct.pack("<iiBBii", 2, len(cells), 2, 2, 0, 1) + name.encode().ljust(64, b"\0")
        body += bytes({1: 0, 2: 4}.get(version, 6))
        for x, y, probe, target in cells:
            body += struct.pack("<iHHicc", 0, x, y, 0, probe.encode(), target.encode())
            body += bytes(4 if version > 1 else 0)
    return head + names + struct.pack(f"<{len(offsets)}i", *offsets) + body


def read(folder: Path, content: bytes) -> CdfLayout:
    path = folder / "a.cdf"
    path.write_bytes(content)
    return read_cdf(path, label="layout of Tiny_1")


def complaint(folder: Path, content: bytes) -> str:
    with pytest.raises(FormatError) as caught:
        read(folder, content)
    assert str(caught.value).startswith("layout of Tiny_1")
    return str(caught.value)


@pytest.mark.parametrize("content", [text_cdf(), *map(binary_cdf, (1, 2, 3, 4)), zipped(text_cdf())])
def test_every_format_gives_the_same_layout(tmp_path: Path, content: bytes) -> None:
    layout = read(tmp_path, content)
    assert (layout.columns, layout.rows) == (3, 2)
    assert layout.probe_sets.texts() == ["1000_at"] * 4 + ["1001_s_at"] * 2
    assert (layout.x.tolist(), layout.y.tolist()) == ([0, 0, 2, 2, 1, 1], [0, 1, 0, 1, 0, 1])
    assert layout.is_pm.tolist() == [True, False, True, False, True, False]
    assert layout.perfect_matches().probe_sets.texts() == ["1000_at", "1000_at", "1001_s_at"]
    assert layout.perfect_matches().lengths.tolist() == [0, 0, 0]


def test_text_and_binary_files_of_version_4_name_the_array(tmp_path: Path) -> None:
    assert read(tmp_path, text_cdf()).chip_types == read(tmp_path, binary_cdf(4)).chip_types == ("Tiny_1",)
    assert read(tmp_path, binary_cdf(1)).chip_types == ()


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("Cols=3", "Cols=0", "section [Chip]: expected Cols= from 1 to 65,536, found '0'"),
        ("Rows=2\r\n", "", "section [Chip]: expected Rows= from 1 to 65,536, found none"),
        (
            "Cell2=0\t1\t",
            "Cell2=0\ty\t",
            "line 26, column Y: expected a whole number, not negative, found 'y'",
        ),
        ("Cell2=0\t1\t", "Cell2=0\t", "line 26: expected 13 fields, found 12"),
        (
            "Cell2=0\t1\t",
            "Cell2=0\t7\t",
            "probe set 1000_at: expected cells of an array of 3 columns and 2 rows",
        ),
        (
            "NumCells=4\r\nCell",
            "NumCells=5\r\nCell",
            "line 23: expected 4 cells in 1000_at, as many lines, found '5'",
        ),
        ("NumCells=4\r\nCell", "NumCells=four\r\nCell", "line 23: expected NumCells=, a whole number"),
        ("\tPBASE\t", "\tBASE\t", "expected a CellHeader with X, Y, PBASE, TBASE, each once"),
    ],
)
def test_damage_of_a_text_file_is_told(tmp_path: Path, old: str, new: str, told: str) -> None:
    content = text_cdf().decode()
    assert old in content
    assert told in complaint(tmp_path, content.replace(old, new, 1).encode())


def test_damage_of_a_binary_file_is_told(tmp_path: Path) -> None:
    content = binary_cdf()
    assert "the version between 0 and 4, found 9" in complaint(
        tmp_path, struct.pack("<ii", 67, 9) + content[8:]
    )
    for end in range(len(content)):
        complaint(tmp_path, content[:end])
    huge = bytearray(content)
    huge[12:16] = struct.pack("<i", 2**31 - 1)
    assert "the number of probe sets between 0 and" in complaint(tmp_path, bytes(huge))


def test_what_is_no_cdf_file_is_shown(tmp_path: Path) -> None:
    assert "found '[CEL]" in complaint(tmp_path, b"[CEL]\r\nVersion=3")
    assert "expected sections [Unit..._Block...]" in complaint(tmp_path, text_cdf()[:120])


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.sampled_from([text_cdf(), binary_cdf(1), binary_cdf(4)]), data=st.data())
def test_no_damage_does_worse_than_a_format_error(
    tmp_path: Path, content: bytes, data: st.DataObject
) -> None:
    changed = bytearray(content)
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(changed)))
        put = data.draw(st.one_of(st.binary(max_size=4), st.sampled_from([b"\xff\xff\xff\x7f", b"\n", b"["])))
        changed[start : start + data.draw(st.integers(0, 4))] = put
    try:
        read(tmp_path, bytes(changed))
    except FormatError as error:
        assert str(error)


def test_real_text_and_binary_layouts_agree(shared_data: Path) -> None:
    folder = shared_data / "cel_formats"
    text, binary = (read_cdf(folder / f"Test3.{kind}.CDF.gz") for kind in ("ascii", "xda"))
    assert (text.columns, text.rows) == (binary.columns, binary.rows) == (126, 126)
    assert len(text.probe_sets.names) == 345
    assert text.chip_types == ("Test3",)
    one, other = (in_cell_order(layout.perfect_matches(), 126, 126) for layout in (text, binary))
    assert len(one) == 6354
    assert np.array_equal(one.x, other.x)
    assert np.array_equal(one.y, other.y)
    assert one.probe_sets.texts() == other.probe_sets.texts()
