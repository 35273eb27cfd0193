from __future__ import annotations

import errno
import os
import random
import resource
import struct
import subprocess
import tarfile
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from refinebio_assets.errors import (
    FormatError,
    PermanentError,
    RefinebioError,
    StorageError,
)
from refinebio_assets.formats.archive import Limits, extract_member, members, unpack
from refinebio_assets_tests.formats.archive_making import (
    FILES,
    MAKERS,
    made,
    nothing_but,
    taken,
    tar_of,
    zip_of,
)

BOMB = b"\0" * 3_000_000


@pytest.mark.parametrize("kind", ["tar.gz", "tar.bz2", "zip"])
def test_a_bomb_is_stopped_by_its_ratio(kind: str, tmp_path: Path) -> None:
    archive = made(tmp_path, MAKERS[kind]({"bomb": BOMB}))
    limits = Limits(ratio=50, ratio_after_bytes=1_000_000)
    with pytest.raises(PermanentError, match=r"download: .*limit of compression ratio is 50, found"):
        unpack(archive, tmp_path / "out", limits=limits)
    assert nothing_but(tmp_path, "download")
    assert len(taken(archive, tmp_path / "out")["bomb"]) == len(BOMB)


def test_archives_in_archives_share_one_limit_of_bytes(tmp_path: Path) -> None:
    inner = zip_of({"bomb": BOMB})
    archive = made(tmp_path, tar_of({f"{number}.zip": inner for number in range(4)}))
    with pytest.raises(PermanentError, match="limit of unpacked bytes is 7,000,000, found more"):
        unpack(archive, tmp_path / "out", limits=Limits(unpacked_bytes=7_000_000))
    assert nothing_but(tmp_path, "download")


@pytest.mark.parametrize("kind", MAKERS)
def test_folders_count_among_the_members(kind: str, tmp_path: Path) -> None:
    archive = made(tmp_path, MAKERS[kind]({f"{number}/": b"" for number in range(11)}))
    assert members(archive, limits=Limits(members=11)) == ()
    with pytest.raises(PermanentError, match="limit of members is 10, found more"):
        members(archive, limits=Limits(members=10))


def test_depth_is_limited(tmp_path: Path) -> None:
    data = tar_of({"x": b"1"})
    for number in range(4):
        data = tar_of({f"{number}.tar": data})
    archive = made(tmp_path, data)
    assert taken(archive, tmp_path / "out", limits=Limits(depth=5)) == {"3.tar/2.tar/1.tar/0.tar/x": b"1"}
    with pytest.raises(PermanentError, match="limit of archives inside each other is 4, found 5"):
        unpack(archive, tmp_path / "again")


def test_a_forged_size_does_not_fill_the_memory(tmp_path: Path) -> None:
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, 1 << 40
    header = info.tobuf(tarfile.GNU_FORMAT)
    with pytest.raises(FormatError, match=r"an extended header of at most 1,048,576 bytes, found 1,099,511"):
        unpack(made(tmp_path, header + b"\0" * 4096), tmp_path / "out")
    data = zip_of({"a": b"1"})
    forged = data[:-22] + b"\0" * 30_000_000
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, 29_000_000, len(forged) - 29_000_000, 0)
    with pytest.raises(FormatError, match="a list of members of at most"):
        unpack(made(tmp_path, forged + end), tmp_path / "out")


def test_a_sparse_file_is_left_out_and_the_next_found(tmp_path: Path) -> None:
    with (tmp_path / "holes").open("wb") as stream:
        for number in range(60):
            stream.seek(number * 100_000)
            stream.write(b"x")
    (tmp_path / "after").write_bytes(b"1")
    for form in ("gnu", "posix"):
        command = ["tar", "--sparse", f"--format={form}", "-cf", form, "holes", "after"]
        subprocess.run(command, cwd=tmp_path, check=True)
        unpacking = unpack(tmp_path / form, tmp_path / f"{form} out")
        assert [each.member for each in unpacking.files] == ["after"]
        assert [each.reason for each in unpacking.left_out] == ["a sparse file, which is not supported"]


def test_memory_does_not_grow_with_the_archive(tmp_path: Path) -> None:
    data = random.Random(1).randbytes(1 << 20) * 24
    for kind in ("tar.gz", "zip"):
        archive = made(tmp_path, MAKERS[kind]({"large": data, "small": b"1"}))
        tracemalloc.start()
        extract_member(archive, "small", tmp_path / "target")
        unpack(archive, tmp_path / kind)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 8 << 20


@pytest.fixture
def small_disk() -> Iterator[None]:
    """Let no file grow beyond 100 kB, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("kind", ["tar.gz", "zip"])
def test_a_full_disk_is_a_transient_error_and_leaves_nothing(
    kind: str, tmp_path: Path, small_disk: None
) -> None:
    archive = made(tmp_path, MAKERS[kind]({"a": b"1", "large": b"2" * 1_000_000}))
    with pytest.raises(StorageError, match="could not unpack member large of download"):
        unpack(archive, tmp_path / "out")
    with pytest.raises(StorageError, match=os.strerror(errno.EFBIG)):
        extract_member(archive, "large", tmp_path / "target")
    assert nothing_but(tmp_path, "download")


SEEDS = [
    *(make(FILES) for make in MAKERS.values()),
    tar_of({"inner.zip": zip_of(FILES), "d/" * 80 + "x": b"1"}),
    tar_of({"d/" * 80 + "x": b"1"}, kind=tarfile.GNU_FORMAT),
]


def attempt(data: bytes, folder: Path) -> None:
    """Unpack what may be anything: only errors of ours, in reasonable time, and nothing left after one."""
    archive = made(folder, data)
    started = time.monotonic()
    limits = Limits(unpacked_bytes=20_000_000, members=1000)
    try:
        unpack(archive, folder / "out", limits=limits)
    except RefinebioError:
        assert nothing_but(folder, "download")
    else:
        for path in (folder / "out").iterdir():
            path.unlink()
        (folder / "out").rmdir()
    try:
        extract_member(archive, "a.cel", folder / "target", limits=limits)
    except RefinebioError:
        assert nothing_but(folder, "download")
    else:
        (folder / "target").unlink()
    assert time.monotonic() - started < 5


FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@FUZZ
@given(
    head=st.sampled_from([b"", b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b\x08", b"BZh9", SEEDS[0][:512]]),
    data=st.binary(max_size=2000),
)
def test_random_bytes_give_nothing_but_our_errors(head: bytes, data: bytes, tmp_path: Path) -> None:
    attempt(head + data, tmp_path)


@FUZZ
@given(
    data=st.sampled_from(SEEDS),
    changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=8),
    dropped=st.tuples(st.floats(0, 1), st.integers(0, 600)),
)
def test_mutated_archives_give_nothing_but_our_errors(
    data: bytes, changes: list[tuple[float, int]], dropped: tuple[float, int], tmp_path: Path
) -> None:
    mutated = bytearray(data)
    for place, value in changes:
        mutated[int(place * len(mutated))] = value
    start = int(dropped[0] * len(mutated))
    del mutated[start : start + dropped[1]]
    attempt(bytes(mutated), tmp_path)


@FUZZ
@given(
    data=st.sampled_from([SEEDS[0], SEEDS[-1], SEEDS[-2]]),
    changes=st.lists(st.tuples(st.integers(0, 511), st.integers(0, 255)), min_size=1, max_size=4),
)
def test_mutated_tar_headers_with_right_checksums_give_nothing_but_our_errors(
    data: bytes, changes: list[tuple[int, int]], tmp_path: Path
) -> None:
    block = bytearray(data[:512])
    for place, value in changes:
        block[place] = value
    block[148:156] = b"%06o\0 " % (sum(block[:148]) + 8 * 32 + sum(block[156:]))
    attempt(bytes(block) + data[512:], tmp_path)
