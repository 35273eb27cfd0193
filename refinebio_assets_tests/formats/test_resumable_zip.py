"""Archives that one process after the other writes: nothing whole is lost, the bytes are the same."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinebio_assets.errors import StorageError
from refinebio_assets.formats.deterministic_zip import ZipWriter
from refinebio_assets.formats.resumable_zip import JOURNAL, ResumableZip

PARTS = [(f"E{number}", "basis") for number in range(4)]
WHOLE = "archive.zip"


def write(folder: Path, parts: Sequence[tuple[str, str]]) -> int:
    """Go on with an archive of these parts to its end, and return how many parts were there."""
    with ResumableZip(folder / WHOLE, folder, threads=2) as archive:
        kept = archive.resume(parts)
        for name, basis in parts[kept:]:
            with archive.part(name, basis) as writer:
                writer.notes["letters"] = len(name)
                writer.add_bytes(f"{name}/a.txt", f"{name} {basis} ".encode() * 500)
                writer.add_bytes(f"{name}/b.txt", b"")
        archive.finish()
    return kept


def test_it_is_the_archive_that_is_written_at_once(tmp_path: Path) -> None:
    write(tmp_path, PARTS)
    with (tmp_path / "at_once").open("xb") as stream, ZipWriter(stream) as writer:
        for name, basis in PARTS:
            writer.add_bytes(f"{name}/a.txt", f"{name} {basis} ".encode() * 500)
            writer.add_bytes(f"{name}/b.txt", b"")
    assert (tmp_path / WHOLE).read_bytes() == (tmp_path / "at_once").read_bytes()
    with zipfile.ZipFile(tmp_path / WHOLE) as read:
        assert read.testzip() is None and len(read.namelist()) == 8


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished")
    write(folder, PARTS)
    return folder


@given(st.floats(0, 1), st.floats(0, 1))
def test_cut_anywhere_it_is_resumed_behind_the_last_part_that_is_whole(
    finished: Path, archive_left: float, journal_left: float
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ends = []
        for file, left in ((WHOLE, archive_left), (JOURNAL, journal_left)):
            data = (finished / file).read_bytes()
            ends.append(int(left * len(data)))
            (folder / file).write_bytes(data[: ends[-1]])
        kept = write(folder, PARTS)
        lines = (finished / JOURNAL).read_bytes()[: ends[1]].split(b"\n")[:-1]
        assert kept <= sum(b'"part"' in line for line in lines)
        assert (folder / WHOLE).read_bytes() == (finished / WHOLE).read_bytes()
        if archive_left == 1:
            assert kept == sum(b'"part"' in line for line in lines)


def test_parts_behind_one_that_is_to_be_another_are_written_again(tmp_path: Path) -> None:
    write(tmp_path, PARTS)
    wanted = [PARTS[0], ("E1", "another basis"), *PARTS[2:]]
    assert write(tmp_path, wanted) == 1
    with ResumableZip(tmp_path / WHOLE, tmp_path) as archive:
        archive.resume(wanted)
        assert [(part.name, part.basis, part.notes) for part in archive.parts()] == [
            (name, basis, {"letters": 2}) for name, basis in wanted
        ]
        assert [member.name for member in archive.members()][:3] == ["E0/a.txt", "E0/b.txt", "E1/a.txt"]


def test_a_part_that_ends_by_an_error_is_not_there(tmp_path: Path) -> None:
    with ResumableZip(tmp_path / WHOLE, tmp_path) as archive:
        with archive.part(*PARTS[0]) as writer:
            writer.add_bytes("E0/a.txt", b"E0 basis " * 500)
            writer.add_bytes("E0/b.txt", b"")
        with pytest.raises(RuntimeError, match="damaged"), archive.part(*PARTS[1]) as writer:
            writer.add_bytes("E1/a.txt", b"half")
            raise RuntimeError("damaged")
    assert write(tmp_path, PARTS) == 1


def test_two_processes_do_not_write_one_archive(tmp_path: Path, finished: Path) -> None:
    shutil.copytree(finished, tmp_path / "copy")
    folder = tmp_path / "copy"
    with (
        ResumableZip(folder / WHOLE, folder),
        pytest.raises(StorageError, match="another process is writing the archive"),
        ResumableZip(folder / WHOLE, folder),
    ):
        pass
    assert (folder / WHOLE).read_bytes() == (finished / WHOLE).read_bytes()
