"""quant.sf files: sound ones read exactly, damaged ones named by line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from refinebio_assets.errors import FormatError, NotFoundError
from refinebio_assets.formats.quant_sf import read_quant_sf, require_same_transcripts
from refinebio_assets_tests.formats.making import zipped

HEADER = b"Name\tLength\tEffectiveLength\tTPM\tNumReads\n"
ROWS = b"T1\t100\t80.5\t999999.5\t12\nT2\t2000\t1800\t0.5\t0.25\n"

numbers = st.floats(0, 1e9, allow_subnormal=False)
rows = st.lists(
    st.tuples(
        st.text(st.characters(codec="utf-8", categories=("L", "N", "P")), min_size=1),
        numbers,
        numbers,
        numbers,
        numbers,
    ),
    min_size=1,
    unique_by=lambda row: row[0],
)


def written(folder: Path, content: bytes, name: str = "quant.sf") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def complaint(folder: Path, content: bytes) -> str:
    with pytest.raises(FormatError) as caught:
        read_quant_sf(written(folder, content), label="quant.sf of S1")
    message = str(caught.value)
    assert message.startswith("quant.sf of S1")
    return message


def test_columns_come_in_file_order(tmp_path: Path) -> None:
    quant = read_quant_sf(written(tmp_path, HEADER + ROWS))
    assert quant.transcripts.to_pylist() == ["T1", "T2"]
    assert quant.length.tolist() == [100, 2000]
    assert quant.effective_length.tolist() == [80.5, 1800]
    assert quant.tpm.tolist() == [999999.5, 0.5]
    assert quant.num_reads.tolist() == [12, 0.25]
    assert quant.tpm_total == 1e6
    assert not quant.tpm.flags.writeable


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=rows, compressed=st.booleans(), line_end=st.sampled_from(["\n", "\r\n"]))
def test_what_is_written_is_read(
    tmp_path: Path, rows: list[tuple[str, float, float, float, float]], compressed: bool, line_end: str
) -> None:
    lines = [HEADER.decode().rstrip(), *("\t".join(map(str, row)) for row in rows)]
    content = "".join(line + line_end for line in lines).encode()
    quant = read_quant_sf(written(tmp_path, zipped(content) if compressed else content))
    assert quant.transcripts.to_pylist() == [row[0] for row in rows]
    columns = (quant.length, quant.effective_length, quant.tpm, quant.num_reads)
    assert [tuple(values) for values in np.column_stack(columns).tolist()] == [row[1:] for row in rows]


def test_gzip_is_told_by_content_not_by_name(tmp_path: Path) -> None:
    path = written(tmp_path, zipped(HEADER + ROWS), name="quant.sf")
    assert len(read_quant_sf(path).tpm) == 2
    assert len(read_quant_sf(written(tmp_path, HEADER + ROWS, name="quant.sf.gz")).tpm) == 2


def test_a_known_list_is_given_back_itself(tmp_path: Path) -> None:
    path = written(tmp_path, HEADER + ROWS)
    first = read_quant_sf(path)
    assert read_quant_sf(path, known=[first.transcripts]).transcripts is first.transcripts


def test_reading_does_not_import_pandas(tmp_path: Path) -> None:
    path = written(tmp_path, HEADER + ROWS)
    code = (
        "import sys; from pathlib import Path; from refinebio_assets.formats.quant_sf import read_quant_sf;"
        "read_quant_sf(Path(sys.argv[1])); sys.exit('pandas' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(path)], check=False).returncode == 0


@pytest.mark.parametrize(
    "header", [b"name\tLength\tEffectiveLength\tTPM\tNumReads\n", b"Name,Length\n", b"\n"]
)
def test_a_wrong_header_is_quoted_beside_the_right_one(tmp_path: Path, header: bytes) -> None:
    message = complaint(tmp_path, header + ROWS)
    assert "line 1" in message
    assert r"'Name\tLength\tEffectiveLength\tTPM\tNumReads'" in message
    assert repr(header.decode().rstrip("\n")) in message


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"@read\nACGT\n+\nIIII\n", "FASTQ"),
        (bytes(range(256)) * 100, r"\x00"),
        (b"<!DOCTYPE html><html>not found</html>", "HTML"),
        (HEADER.decode().encode("utf-16"), "UTF-16"),
        (zipped(b"@read\nACGT\n+\nIIII\n"), "FASTQ"),
    ],
)
def test_a_file_of_another_kind_is_recognized_by_its_first_line(
    tmp_path: Path, content: bytes, found: str
) -> None:
    message = complaint(tmp_path, content)
    assert "line 1" in message
    assert found in message


@pytest.mark.parametrize("content", [b"", zipped(b"")])
def test_an_empty_file_is_named_as_empty(tmp_path: Path, content: bytes) -> None:
    assert "an empty file" in complaint(tmp_path, content)


@pytest.mark.parametrize("content", [HEADER, HEADER.rstrip()])
def test_a_header_alone_is_not_enough(tmp_path: Path, content: bytes) -> None:
    assert "line 2: expected a row for each transcript" in complaint(tmp_path, content)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (b"T3\t1\t2\t3\n", "line 4: expected 5 fields separated by tabs, found 4"),
        (b"T3\t1\t2\t3\t4\t5\n", "line 4: expected 5 fields separated by tabs, found 6"),
        (b"\n", "line 4: expected 5 fields separated by tabs, found an empty line"),
        (b"trailing garbage\n", "line 4: expected 5 fields separated by tabs, found 1: 'trailing garbage'"),
        (b"T3\t1\t2\t\t4\n", "line 4, column TPM: expected a finite number, not negative, found nothing"),
        (b"T3\t1\t2\tNA\t4\n", "line 4, column TPM: expected a finite number, not negative, found 'NA'"),
        (
            b"T3\tlong\t2\t3\t4\n",
            "line 4, column Length: expected a finite number, not negative, found 'long'",
        ),
        (b"T3\t1\tnan\t3\t4\n", "line 4, column EffectiveLength: .* found 'nan'"),
        (b"T3\t1\t2\tinf\t4\n", "line 4, column TPM: .* found 'inf'"),
        (b"T3\t1\t2\t1e999\t4\n", "line 4, column TPM: .* found '1e999'"),
        (b"T3\t1\t2\t3\t-4\n", "line 4, column NumReads: .* found '-4'"),
        (b"T1\t1\t2\t3\t4\n", "line 4: expected each transcript once, found 'T1', which is also on line 2"),
        (b"\t1\t2\t3\t4\n", "line 4, column Name: expected a transcript, found nothing"),
        (b"T\xff3\t1\t2\t3\t4\n", "line 4, byte 2: expected UTF-8 text"),
        (b"T3\t1\t2\t3\r\t4\n", "line 4: expected no carriage return within a line"),
    ],
)
def test_a_wrong_row_is_named_by_its_line(tmp_path: Path, row: bytes, told: str) -> None:
    with pytest.raises(FormatError, match=told):
        read_quant_sf(written(tmp_path, HEADER + ROWS + row))


def test_a_wrong_row_in_the_middle_is_found(tmp_path: Path) -> None:
    many = b"".join(b"X%d\t1\t2\t3\t4\n" % number for number in range(50_000))
    assert "line 50,004, column TPM" in complaint(tmp_path, HEADER + many + ROWS + b"T3\t1\t2\tx\t4\n" + many)


def test_a_cut_file_names_its_last_line(tmp_path: Path) -> None:
    message = complaint(tmp_path, HEADER + ROWS[:-3])
    assert "line 3" in message
    assert r"'T2\t2000\t1800\t0.5\t0.': it is cut" in message


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(length=st.integers(0, len(HEADER + ROWS) - 1))
def test_no_cut_goes_unnoticed_except_between_rows(tmp_path: Path, length: int) -> None:
    content = (HEADER + ROWS)[:length]
    if content.endswith(b"\n") and content.count(b"\n") == 2:
        assert len(read_quant_sf(written(tmp_path, content)).tpm) == 1
    else:
        complaint(tmp_path, content)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(data=st.data())
def test_no_cut_of_a_compressed_file_goes_unnoticed(tmp_path: Path, data: st.DataObject) -> None:
    content = zipped(HEADER + ROWS)
    complaint(tmp_path, content[: data.draw(st.integers(0, len(content) - 1))])


def test_bytes_after_a_compressed_file_are_noticed(tmp_path: Path) -> None:
    assert "nothing after the gzip stream" in complaint(tmp_path, zipped(HEADER + ROWS) + b"more")


def test_a_missing_file_is_not_a_format_error(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        read_quant_sf(tmp_path / "absent.sf")


def test_the_same_transcripts_pass() -> None:
    require_same_transcripts(["A", "B"], ["A", "B"], "S2", reference="S1")


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (["A", "C", "B"], "line 3: expected transcript 'B', as in S1, found transcript 'C' .*another order"),
        (["A", "B"], "line 4: expected transcript 'C', as in S1, found the end after 2 .*1 missing, .*'C'"),
        (
            ["A", "B", "C", "D"],
            "line 5: expected the end after 3 .* found transcript 'D' .*1 not expected, .*'D'",
        ),
        (["A", "X", "C"], "line 3: .*1 missing, for example 'B'; 1 not expected, for example 'X'"),
    ],
)
def test_another_list_is_explained_at_its_first_difference(found: list[str], told: str) -> None:
    with pytest.raises(FormatError, match=told):
        require_same_transcripts(["A", "B", "C"], found, "S2", reference="S1")


def test_real_salmon_output_is_read_and_its_tpm_sum_to_a_million(shared_data: Path) -> None:
    path = shared_data / "rnaseq_zebrafish" / "SRP095529" / "SRR5125621_quant.sf.gz"
    quant = read_quant_sf(path)
    assert len(quant.transcripts) == 59_071
    assert abs(quant.tpm_total - 1e6) < 1
