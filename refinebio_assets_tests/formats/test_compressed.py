"""Gzip or plain, told by content; damage is named with its place."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinebio_assets.errors import FormatError, NotFoundError, PermanentError
from refinebio_assets.formats.compressed import plain_chunks, plain_lines, quoted, read_chunks
from refinebio_assets_tests.formats.making import zipped

TEXT = b"first line\nsecond line\n" * 50_000


def pieces(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


def plain(data: bytes, size: int = 1000) -> bytes:
    return b"".join(plain_chunks(pieces(data, size), "file"))


@given(st.binary(max_size=300), st.integers(1, 50))
def test_plain_bytes_come_out_as_they_went_in(data: bytes, size: int) -> None:
    if not data.startswith(b"\x1f\x8b"):
        assert plain(data, size) == data


@given(st.lists(st.binary(max_size=100), min_size=1, max_size=5), st.integers(1, 30))
def test_members_that_follow_each_other_are_one_text(members: list[bytes], size: int) -> None:
    assert plain(b"".join(map(zipped, members)), size) == b"".join(members)


def test_one_byte_at_a_time_gives_the_same() -> None:
    assert plain(zipped(TEXT[:5000]), 1) == TEXT[:5000]


def test_output_comes_in_bounded_pieces_whatever_the_compression() -> None:
    chunks = list(plain_chunks([zipped(bytes(30_000_000))], "file"))
    assert sum(map(len, chunks)) == 30_000_000
    assert max(map(len, chunks)) <= 1 << 20


def test_zero_padding_after_the_stream_is_accepted() -> None:
    assert plain(zipped(TEXT) + bytes(2000), 700) == TEXT


def test_a_cut_gzip_stream_is_named_as_cut() -> None:
    with pytest.raises(FormatError, match="the end of the file: it is cut"):
        plain(zipped(TEXT)[:-1])


def test_a_wrong_checksum_is_damage() -> None:
    data = zipped(TEXT)
    with pytest.raises(FormatError, match=r"damage \(.*incorrect data check"):
        plain(data[:-8] + b"\x01\x02\x03\x04" + data[-4:])


def test_flipped_bytes_are_damage_with_a_place() -> None:
    data = bytearray(zipped(bytes(range(256)) * 200))
    data[len(data) // 2] ^= 0xFF
    with pytest.raises(
        FormatError, match=r"after byte [\d,]+ of the compressed file: expected sound gzip data"
    ):
        plain(bytes(data))


@pytest.mark.parametrize("junk", [b"junk", b"\x00junk", b"\x1fjunk"])
def test_something_else_after_the_stream_is_refused(junk: bytes) -> None:
    with pytest.raises(FormatError):
        plain(zipped(TEXT) + junk)


def test_trailing_text_is_quoted() -> None:
    with pytest.raises(FormatError, match=r"nothing after the gzip stream, found 4 or more bytes .* 'junk'"):
        plain(zipped(b"text") + b"junk")


@given(
    st.lists(st.binary(max_size=20).map(lambda line: line.replace(b"\n", b"")), max_size=20), st.booleans()
)
def test_lines_are_whole_whatever_the_chunks(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], end: bool
) -> None:
    data = b"\n".join(lines) + (b"\n" if end else b"")
    if data.startswith(b"\x1f\x8b"):
        return
    path = tmp_path_factory.mktemp("lines") / "file"
    path.write_bytes(data)
    expected = data.split(b"\n")
    found = [line for batch in plain_lines(path, "file") for line in batch]
    assert found == (expected[:-1] if expected[-1] == b"" else expected)


def test_an_endless_line_does_not_fill_the_memory(tmp_path: Path) -> None:
    path = tmp_path / "zeros"
    with path.open("wb") as stream:
        stream.truncate(200_000_000)
    with pytest.raises(FormatError, match="a text file with lines"):
        list(plain_lines(path, "zeros"))


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no file at"):
        list(read_chunks(tmp_path / "absent"))
    with pytest.raises(PermanentError, match="could not read"):
        list(read_chunks(tmp_path))


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b"", "''"),
        (b"text\t1", r"'text\t1'"),
        (b"\xff\x00", r"b'\xff\x00'"),
        (b"x" * 100, "'" + "x" * 60 + "' ..."),
        (b"PK\x03\x04rest", r"'PK\x03\x04rest' (a zip archive?)"),
        (b"@read", "'@read' (FASTQ or SAM?)"),
    ],
)
def test_bytes_are_quoted_readably(data: bytes, shown: str) -> None:
    assert quoted(data) == shown
