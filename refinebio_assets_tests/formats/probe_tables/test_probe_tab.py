"""Flat probe tables: every spelling of the header gives one table, and damage is named by line."""

from __future__ import annotations

import bz2
import io
import lzma
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from refinebio_assets.errors import FormatError, NotFoundError
from refinebio_assets.formats.probe_tables import (
    ProbeTable,
    cell_indices,
    in_cell_order,
    only_25mers,
    read_probe_tab,
)
from refinebio_assets_tests.formats.making import zipped

FIRST, SECOND, THIRD = "TCTCCTTTGCTGAGGCCTCCAGCTT", "AGGCCTCCAGCTTCAGGCAGGCCAA", "ccagcttcaggcaggccaaNgcctt"
HEADER = (
    "Probe Set Name\tProbe X\tProbe Y\tProbe Interrogation Position\tProbe Sequence\tTarget Strandedness\n"
)
ROWS = (
    f"1000_at\t3\t1\t1367\t{FIRST}\tAntisense\n"
    f"1001_at\t2\t0\t1379\t{SECOND}\tAntisense\n"
    f"1000_at\t2\t0\t1379\t{SECOND}\tSense\n"
    f"1001_at\t0\t1\t1385\t{THIRD}\tAntisense\n"
)
MANUFACTURERS = (HEADER + ROWS).encode()


def written(folder: Path, content: bytes, name: str = "table") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def complaint(folder: Path, content: bytes) -> str:
    with pytest.raises(FormatError) as caught:
        read_probe_tab(written(folder, content), label="probes of Tiny_1")
    assert str(caught.value).startswith("probes of Tiny_1")
    return str(caught.value)


def letters(table: ProbeTable) -> list[str]:
    return [bytes(row).rstrip(b"\0").decode() for row in table.sequences]


def test_columns_come_in_file_order_with_letters_as_given(tmp_path: Path) -> None:
    table = read_probe_tab(written(tmp_path, MANUFACTURERS))
    assert len(table) == 4
    assert (table.x.tolist(), table.y.tolist()) == ([3, 2, 2, 0], [1, 0, 0, 1])
    assert table.x.dtype == table.y.dtype == table.probe_sets.codes.dtype == np.int32
    assert table.probe_sets.names == ("1000_at", "1001_at")
    assert table.probe_sets.texts() == ["1000_at", "1001_at", "1000_at", "1001_at"]
    assert letters(table) == [FIRST, SECOND, SECOND, THIRD]
    assert table.sequences.shape == (4, 25)
    assert table.strands is not None
    assert table.strands.texts() == ["Antisense", "Antisense", "Sense", "Antisense"]
    assert table.categories is None


def test_with_the_width_of_the_array_rows_come_by_cell_then_probe_set(tmp_path: Path) -> None:
    table = read_probe_tab(written(tmp_path, MANUFACTURERS), columns=4)
    assert cell_indices(table, 4).tolist() == [2, 2, 4, 7]
    assert table.probe_sets.texts() == ["1000_at", "1001_at", "1001_at", "1000_at"]
    assert letters(table) == [SECOND, SECOND, THIRD, FIRST]


def test_probe_sets_with_numbers_for_names_are_in_order_of_number(tmp_path: Path) -> None:
    table = read_probe_tab(written(tmp_path, b"Probe Set ID\tx\ty\tsequence\n10\t0\t0\tA\n9\t0\t0\tA\n"))
    assert table.probe_sets.names == ("9", "10")
    assert in_cell_order(table, 1).probe_sets.texts() == ["9", "10"]


def test_a_probe_outside_of_the_array_is_told(tmp_path: Path) -> None:
    path = written(tmp_path, MANUFACTURERS)
    with pytest.raises(
        FormatError, match="probe 1 of 4: expected a cell of an array of 3 columns, found x 3"
    ):
        read_probe_tab(path, columns=3)
    with pytest.raises(FormatError, match="4 columns and 1 rows, found x 3, y 1; 2 are outside"):
        in_cell_order(read_probe_tab(path), 4, 1)


BRAINARRAY = (
    "sequence\tx\ty\tProbe.Set.Name\tProbe.Interrogation.Position\tTarget.Strandedness\n"
    f"{FIRST}\t610\t87\tENSG00000000003_at\t1790\tAntisense\n"
)


@pytest.mark.parametrize(
    "content",
    [
        BRAINARRAY,
        f"probeset\tx\ty\tcategory\tsequence\nENSG00000000003_at\t610\t87\tmain\t{FIRST}\n",
        f'"Probe Set ID","Probe X","Probe Y","Probe Sequence"\n"ENSG00000000003_at","610","87","{FIRST}"\n',
        f'"x"\t"y"\t"Probe.Set.Name"\t"sequence"\n"1"\t610\t87\t"ENSG00000000003_at"\t"{FIRST}"\n',
        "#%chip\n# a comment\nPROBE X\tPROBE Y\tPROBE SET ID\tPROBE SEQUENCE\r\n"
        f"610\t87\tENSG00000000003_at\t{FIRST}\r\n",
        f"Transcript Cluster ID\tprobe x\tprobe y\tprobe sequence\nENSG00000000003_at\t610\t87\t{FIRST}",
    ],
)
def test_every_known_header_gives_the_same_table(tmp_path: Path, content: str) -> None:
    table = read_probe_tab(written(tmp_path, content.encode()))
    assert (table.x.tolist(), table.y.tolist(), letters(table)) == ([610], [87], [FIRST])
    assert table.probe_sets.texts() == ["ENSG00000000003_at"]


def zip_of(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def tar_of(name: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        info = tarfile.TarInfo(name)
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


@pytest.mark.parametrize(
    "packed",
    [
        zipped(MANUFACTURERS),
        lzma.compress(MANUFACTURERS),
        bz2.compress(MANUFACTURERS),
        zip_of(**{"Tiny_1_probe_tab": MANUFACTURERS, "readme.txt": b"about"}),
        zip_of(**{"lib/Tiny_1.probe.tab": MANUFACTURERS}),
        tar_of("lib/Tiny-1_probe_tab.gz", zipped(MANUFACTURERS)),
    ],
)
def test_a_packed_table_is_the_same_whatever_its_name(tmp_path: Path, packed: bytes) -> None:
    assert letters(read_probe_tab(written(tmp_path, packed)))[0] == FIRST


def test_an_archive_must_hold_one_table(tmp_path: Path) -> None:
    none = complaint(tmp_path, zip_of(**{"readme.txt": b"about"}))
    assert "found 0 among 1: readme.txt" in none
    two = complaint(tmp_path, zip_of(**{"a_probe_tab": b"", "b_probe_tab": b""}))
    assert "found 2 among 2: a_probe_tab, b_probe_tab" in two


def test_sequences_of_another_length_are_kept_until_they_are_left_out(tmp_path: Path) -> None:
    sequences = ("ACGT", FIRST, f"{FIRST}A", "")
    rows = "".join(f"a_at\t{x}\t0\t1\t{sequence}\tSense\n" for x, sequence in enumerate(sequences))
    table = read_probe_tab(written(tmp_path, (HEADER + rows).encode()))
    assert table.lengths.tolist() == [4, 25, 26, 0]
    assert letters(table) == ["ACGT", FIRST, FIRST, ""]
    kept, left_out = only_25mers(table)
    assert (kept.x.tolist(), left_out) == ([1], 3)
    assert kept.probe_sets.texts() == ["a_at"]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("Probe Sequence", "Bases", "line 1: expected a column for the probe's sequence"),
        ("Probe X", "X position", "line 1: expected a column for the probe's x"),
        ("\t3\t1\t", "\t3.5\t1\t", "line 2, column x: expected a whole number, not negative, found '3.5'"),
        ("\t0\t1\t", "\t0\t-1\t", "line 5, column y: expected a whole number, not negative, found '-1'"),
        ("\t0\t1\t", "\t0\t\t", "line 5, column y: expected a whole number"),
        ("\t0\t1\t", "\t99999999999\t1\t", "line 5, column x: expected a whole number"),
        ("\tSense", "", "line 4: expected 6 fields, found 5"),
    ],
)
def test_damage_is_told_with_its_line(tmp_path: Path, old: str, new: str, told: str) -> None:
    content = MANUFACTURERS.decode().replace(old, new, 1)
    assert content.encode() != MANUFACTURERS
    assert told in complaint(tmp_path, content.encode())


def test_what_is_no_table_is_refused(tmp_path: Path) -> None:
    assert "expected rows below the header" in complaint(tmp_path, HEADER.encode())
    for content in (
        b"",
        b"<html></html>",
        bytes(1000),
        zipped(MANUFACTURERS)[:-3],
        lzma.compress(MANUFACTURERS)[:-9],
    ):
        complaint(tmp_path, content)
    with pytest.raises(NotFoundError):
        read_probe_tab(tmp_path / "none")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    start=st.integers(0, len(MANUFACTURERS)),
    removed=st.integers(0, 8),
    put=st.one_of(st.binary(max_size=6), st.sampled_from([b"\t", b"\n", b'"', b"\0"])),
    pack=st.sampled_from([bytes, zipped, lzma.compress, lambda data: zip_of(t_probe_tab=data)]),
)
def test_no_damage_does_worse_than_a_format_error(
    tmp_path: Path, start: int, removed: int, put: bytes, pack
) -> None:
    content = MANUFACTURERS[:start] + put + MANUFACTURERS[start + removed :]
    try:
        read_probe_tab(written(tmp_path, pack(content)), columns=4)
    except FormatError as error:
        assert str(error)


@pytest.mark.parametrize(
    ("name", "array", "columns", "sets"),
    [
        ("HG-U95Av2_probe_tab.gz", "C30057", 640, 12_453),
        ("clariom_s_mouse_probes.tsv.xz", "MN_2_3", 548, 29_129),
    ],
)
def test_real_tables_are_in_the_order_in_which_r_fits(
    shared_data: Path, name: str, array: str, columns: int, sets: int
) -> None:
    table = read_probe_tab(shared_data / "affymetrix" / name, columns=columns)
    table, left_out = only_25mers(table)
    assert left_out == 0
    assert len(table.probe_sets.names) == sets
    with np.load(shared_data / "affymetrix" / "golden" / f"{array}.probes.npz") as golden:
        assert np.array_equal(np.stack((table.x, table.y), axis=1), golden["xy"])


def test_a_real_brainarray_table_is_read(shared_data: Path) -> None:
    table = read_probe_tab(shared_data / "affymetrix" / "hgu95av2hsensg_brainarray_format.tsv.xz")
    assert len(table) == 158_144
    assert table.probe_sets.names[0] == "ENSG00000000003_at"
    assert set(table.lengths.tolist()) == {25}
