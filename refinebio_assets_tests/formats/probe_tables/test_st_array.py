"""PGF, CLF and MPS files: probes of ST arrays find their cells, probe sets and clusters."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from refinebio_assets.errors import FormatError, PermanentError
from refinebio_assets.formats.probe_tables import (
    core_probes,
    perfect_match_probes,
    read_clf,
    read_mps,
    read_pgf,
)
from refinebio_assets_tests.formats.making import zipped
from refinebio_assets_tests.formats.probe_tables.test_probe_tab import FIRST, SECOND, letters, zip_of

PGF = f"""#%pgf_format_version=1.0
#%chip_type=Tiny-1_0-st-v1
#%chip_type=Tiny-1_0-st-ta1
#%header0=probeset_id\ttype\tprobeset_name
#%header1=\tatom_id
#%header2=\t\tprobe_id\ttype\tgc_count\tprobe_sequence
101\tmain\tTC01.hg.1
\t1
\t\t3\tpm:st\t12\t{FIRST[::-1]}
\t\t4\tmm:st\t12\tACGT
\t2
\t\t6\tpm:target->st\t11\t{SECOND[::-1]}
102\tcontrol->affx
\t3
\t\t1\tpm:st\t12\tTGCA
103\tmain\tTC03.hg.1
\t4
\t\t3\tpm:st\t12\t{FIRST[::-1]}
\t\t2\tgeneric:st\t12\tACGT
"""
CLF = """#%chip_type=Tiny-1_0-st-v1
#%rows=2
#%cols=3
#%sequential=1
#%order=col_major
#%header0=probe_id\tx\ty
6\t2\t1
1\t0\t0
2\t1\t0
3\t2\t0
4\t0\t1
"""
MPS = """#%chip_type=Tiny-1_0-st-v1
probeset_id\ttranscript_cluster_id\tprobeset_list\tprobe_count
9001\t9001\t101 103\t3
9002\t9002\t101 999\t2
"""
READERS = {"pgf": (read_pgf, PGF), "clf": (read_clf, CLF), "mps": (read_mps, MPS)}


def read(folder: Path, kind: str, content: str | None = None):
    reader, usual = READERS[kind]
    path = folder / f"a.{kind}"
    path.write_bytes((usual if content is None else content).encode())
    return reader(path, label=f"{kind} of Tiny")


def complaint(folder: Path, kind: str, old: str, new: str) -> str:
    content = READERS[kind][1]
    assert old in content
    with pytest.raises(FormatError) as caught:
        read(folder, kind, content.replace(old, new, 1))
    assert str(caught.value).startswith(f"{kind} of Tiny")
    return str(caught.value)


def test_perfect_matches_come_by_probe_set_with_cell_and_sequence(tmp_path: Path) -> None:
    table = perfect_match_probes(read(tmp_path, "pgf"), read(tmp_path, "clf"))
    assert table.probe_sets.texts() == ["TC01.hg.1", "TC01.hg.1", "102", "TC03.hg.1"]
    assert (table.x.tolist(), table.y.tolist()) == ([2, 2, 0, 2], [0, 1, 0, 0])
    assert letters(table) == [FIRST, SECOND, "ACGT", FIRST]
    assert table.lengths.tolist() == [25, 25, 4, 25]
    assert table.categories is not None
    assert table.categories.texts() == ["main", "main", "control->affx", "main"]


def test_core_probes_are_those_of_clusters_and_repeat_for_each(tmp_path: Path) -> None:
    table = core_probes(read(tmp_path, "pgf"), read(tmp_path, "clf"), read(tmp_path, "mps"))
    rows = sorted(zip(table.probe_sets.texts(), table.x.tolist(), table.y.tolist(), strict=True))
    assert rows == [
        ("9001", 2, 0), ("9001", 2, 0), ("9001", 2, 1), ("9002", 2, 0), ("9002", 2, 1)
    ]  # fmt: skip
    assert set(letters(table)) == {FIRST, SECOND}


def test_a_file_without_sequences_gives_probes_of_length_0(tmp_path: Path) -> None:
    lines = PGF.replace("\tprobe_sequence", "").splitlines()
    cut = [line.rpartition("\t")[0] if line.startswith("\t\t") else line for line in lines]
    groups = read(tmp_path, "pgf", "\n".join(cut))
    assert groups.lengths.tolist() == [0] * 6
    assert groups.sequences.shape == (6, 25)


@pytest.mark.parametrize("pack", [zipped, lambda data: zip_of(**{"lib/Tiny.r1.pgf": data, "Tiny.clf": b""})])
def test_packed_files_are_read(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "packed"
    path.write_bytes(pack(PGF.encode()))
    assert len(read_pgf(path).probe_ids) == 6


@pytest.mark.parametrize(
    ("kind", "old", "new", "told"),
    [
        ("pgf", "version=1.0", "version=2.0", "expected #%pgf_format_version=1.0, found '2.0'"),
        ("pgf", "\tprobe_id\ttype", "\tprobe\ttype", "expected #%header2= with probe_id"),
        ("pgf", "101\tmain\tTC01.hg.1\n\t1\n", "101\tmain\n", "line 8: expected an atom before its probes"),
        ("pgf", "101\tmain\tTC01.hg.1\n", "", "line 7: expected a probe set before its atoms"),
        ("pgf", "102\tcontrol", "101\tcontrol", "line 13: expected each probe set once"),
        ("pgf", "102\tcontrol", "x\tcontrol", "line 13: expected a probe set's id"),
        ("pgf", "\t\t6\tpm", "\t\tsix\tpm", "line 12, column probe_id: expected a whole number"),
        ("pgf", "\t\t6\tpm", "\t\tpm", "line 12: expected 4 fields, found 3"),
        ("clf", "#%cols=3", "#%cols=none", "expected #%cols= from 1 to 65,536, found 'none'"),
        ("clf", "\tx\ty", "\tx", "expected #%header0= with y"),
        ("clf", "4\t0\t1", "3\t0\t1", "expected each probe once, found probe 3 twice"),
        ("clf", "4\t0\t1", "4\t3\t1", "probe 4: expected a cell of 3 columns and 2 rows, found x 3, y 1"),
        ("clf", "4\t0\t1", "4\t0", "line 11: expected 3 fields, found 2"),
        ("mps", "probeset_list", "list", "line 2: expected a header with probeset_id and probeset_list"),
        ("mps", "101 103", "", "line 3: expected a cluster's id and the ids of its probe sets"),
        ("mps", "101 103", "101 x", "line 3: expected a cluster's id"),
        ("mps", "9002\t9002", "9001\t9002", "line 4: expected each cluster once"),
    ],
)
def test_damage_is_told_with_its_place(tmp_path: Path, kind: str, old: str, new: str, told: str) -> None:
    assert told in complaint(tmp_path, kind, old, new)


def test_a_probe_without_cell_is_told(tmp_path: Path) -> None:
    layout = read(tmp_path, "clf", CLF.replace("6\t2\t1\n", ""))
    with pytest.raises(FormatError, match="clf of Tiny: expected probe 6"):
        perfect_match_probes(read(tmp_path, "pgf"), layout)


def test_files_of_different_arrays_are_not_put_together(tmp_path: Path) -> None:
    layout = read(tmp_path, "clf", CLF.replace("Tiny-1_0-st-v1", "Other"))
    with pytest.raises(PermanentError, match="different arrays"):
        perfect_match_probes(read(tmp_path, "pgf"), layout)


@pytest.mark.parametrize("kind", list(READERS))
@pytest.mark.parametrize("content", ["", "#%chip_type=Tiny", "<html>", "\0\0\0"])
def test_what_is_no_library_file_is_refused(tmp_path: Path, kind: str, content: str) -> None:
    with pytest.raises(FormatError):
        read(tmp_path, kind, content)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=st.sampled_from(list(READERS)), data=st.data())
def test_no_damage_does_worse_than_a_format_error(tmp_path: Path, kind: str, data: st.DataObject) -> None:
    reader, usual = READERS[kind]
    content = bytearray(usual.encode())
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(content)))
        put = data.draw(st.one_of(st.binary(max_size=4), st.sampled_from([b"\n", b"\t", b"\t\t", b"9" * 12])))
        content[start : start + data.draw(st.integers(0, 4))] = put
    path = tmp_path / "a"
    path.write_bytes(content)
    try:
        reader(path)
    except FormatError as error:
        assert str(error)
