"""Zip archives: readable by everybody, the same bytes from the same content."""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinebio_assets.formats import deterministic_zip
from refinebio_assets.formats.deterministic_zip import ZipWriter

MEMBERS = {
    "README.md": b"hello\n" * 50,
    "a/values.tsv": bytes(range(256)) * 9_000,
    "a/empty": b"",
    "ä/größe.txt": "ß".encode(),
}
MADE_ELSEWHERE = "5544487b3d5dea936cc31522788ace3680378fe3151a55aef07c21a0318caeb4"


def archive(members: dict[str, bytes], *, threads: int = 1, stored: bool = False) -> bytes:
    stream = io.BytesIO()
    with ZipWriter(stream, threads=threads) as writer:
        for name, data in members.items():
            writer.add_bytes(name, data, stored=stored)
    return stream.getvalue()


@pytest.mark.parametrize("stored", [False, True])
def test_pythons_zipfile_reads_every_member(stored: bool) -> None:
    with zipfile.ZipFile(io.BytesIO(archive(MEMBERS, stored=stored))) as read:
        assert read.testzip() is None
        assert {name: read.read(name) for name in read.namelist()} == MEMBERS
        assert {info.date_time for info in read.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {info.external_attr >> 16 for info in read.infolist()} == {0o100644}


def test_the_bytes_do_not_depend_on_threads_or_on_how_a_member_was_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(deterministic_zip, "CHUNK_BYTES", 1000)
    data = MEMBERS["a/values.tsv"][:30_000]
    stream = io.BytesIO()
    with ZipWriter(stream, threads=3) as writer, writer.member("x") as member:
        for start in range(0, len(data), 777):
            member.write(data[start : start + 777])
    assert stream.getvalue() == archive({"x": data}) == archive({"x": data}, threads=2)


def test_the_bytes_are_those_of_every_other_machine() -> None:
    """Made with zlib-ng 1.1.0 for Python on x86-64 with SSSE3, SSE4.2, AVX2 and AVX-512, and on ARMv8."""
    numbers = "\t".join(str(i * 0.7310585786300049) for i in range(20_000)).encode()
    content = {"differing.tsv": numbers, "repeated.tsv": b"0.0\t" * 5_000 + numbers[:20_000]}
    assert hashlib.sha256(archive(content)).hexdigest() == MADE_ELSEWHERE


def test_sizes_and_checksums_are_told_of_each_member() -> None:
    stream = io.BytesIO()
    with ZipWriter(stream) as writer:
        member = writer.add_bytes("x", MEMBERS["a/values.tsv"])
        assert writer.members == (member,)
    assert (member.name, member.size) == ("x", 2_304_000)
    assert member.sha256 == hashlib.sha256(MEMBERS["a/values.tsv"]).hexdigest()
    with zipfile.ZipFile(stream) as read:
        assert read.getinfo("x").compress_size == member.packed_size


@given(st.lists(st.binary(max_size=40), max_size=8), st.integers(1, 30))
def test_any_writes_make_the_content_whatever_the_chunks(pieces: list[bytes], chunk: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deterministic_zip, "CHUNK_BYTES", chunk)
        stream = io.BytesIO()
        with ZipWriter(stream) as writer, writer.member("x") as member:
            for piece in pieces:
                member.write(piece)
    with zipfile.ZipFile(stream) as read:
        assert read.read("x") == b"".join(pieces)


LARGE = {"one": bytes(range(256)) * 50, "two": b"2" * 5_000, "three": b"3", "four": bytes(range(256)) * 9}


@pytest.fixture
def large_zip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An archive whose numbers are all told as those beyond 4 GB are (the limit is lowered)."""
    monkeypatch.setattr(deterministic_zip, "_LIMIT", 1000)
    monkeypatch.setattr(deterministic_zip, "_MOST_MEMBERS", 3)
    monkeypatch.setattr(deterministic_zip, "_HELD_BYTES", 100)
    path = tmp_path / "large.zip"
    with path.open("wb") as stream, ZipWriter(stream) as writer:
        for name, data in LARGE.items():
            writer.add_bytes(name, data, stored=name == "one")
    return path


def test_archives_beyond_four_gigabytes_are_read_by_python(large_zip: Path) -> None:
    with zipfile.ZipFile(large_zip) as read:
        assert read.testzip() is None
        assert {name: read.read(name) for name in read.namelist()} == LARGE


@pytest.mark.skipif(shutil.which("unzip") is None, reason="unzip is not installed")
def test_archives_are_read_by_unzip(large_zip: Path, tmp_path: Path) -> None:
    small = tmp_path / "small.zip"
    small.write_bytes(archive(MEMBERS))
    for path in (small, large_zip):
        done = subprocess.run(["unzip", "-t", path], capture_output=True, text=True, check=True)
        assert "No errors detected" in done.stdout


@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed")
def test_archives_are_read_by_r(large_zip: Path, tmp_path: Path) -> None:
    small = tmp_path / "small.zip"
    small.write_bytes(archive({name: data for name, data in MEMBERS.items() if name.isascii()}))
    script = "for (f in commandArgs(TRUE)) unzip(f, exdir = 'out')"
    arguments = ["Rscript", "-e", script, str(small), str(large_zip)]
    subprocess.run(arguments, cwd=tmp_path, capture_output=True, check=True)
    assert (tmp_path / "out/a/values.tsv").read_bytes() == MEMBERS["a/values.tsv"]
    assert {name: (tmp_path / "out" / name).read_bytes() for name in LARGE} == LARGE


def test_a_file_is_added_without_its_date_and_rights(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(MEMBERS["a/values.tsv"])
    path.chmod(0o600)
    stream = io.BytesIO()
    with ZipWriter(stream) as writer:
        writer.add_file("a/values.tsv", path)
    assert stream.getvalue() == archive({"a/values.tsv": MEMBERS["a/values.tsv"]})


@pytest.mark.parametrize("name", ["", "/etc/passwd", "../x", "a/../x", "a//x", "a/", "a\\x", "./x"])
def test_names_that_lead_out_of_the_folder_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no path of a member"):
        archive({name: b""})


def test_a_name_is_taken_once_and_members_are_written_one_after_the_other() -> None:
    with ZipWriter(io.BytesIO()) as writer:
        writer.add_bytes("x", b"")
        with pytest.raises(ValueError, match="two members x"):
            writer.add_bytes("x", b"")
        with writer.member("y"), pytest.raises(ValueError, match="before y is whole"):
            writer.add_bytes("z", b"")


@pytest.mark.parametrize("threads", [1, 2])
def test_what_broke_off_is_no_archive(threads: int) -> None:
    stream = io.BytesIO()
    with pytest.raises(KeyError), ZipWriter(stream, threads=threads) as writer, writer.member("x") as member:
        member.write(b"data")
        raise KeyError
    assert not zipfile.is_zipfile(stream)
