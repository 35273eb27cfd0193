"""Files that are handed out: what is at their place already, and places where nothing can be written."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pytest

from refinebio_assets.errors import RequestError, StorageError
from refinebio_assets.pipelines.whole_file import copy_whole, write_whole


def write_new(path: Path) -> None:
    path.write_bytes(b"new")


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_replaced_and_kept_where_writing_fails(tmp_path: Path) -> None:
    output = tmp_path / "a.tsv"
    output.write_bytes(b"old")

    def fail(path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "x", str(path))

    with pytest.raises(StorageError) as caught:
        write_whole(output, fail)
    assert str(caught.value) == f"could not write {output}: No space left on device"
    assert output.read_bytes() == b"old"
    write_whole(output, write_new)
    assert output.read_bytes() == b"new"
    assert left_in(tmp_path) == ["a.tsv"]


@pytest.mark.parametrize("content", [b"old", None], ids=["its target is there", "its target is not yet"])
def test_of_a_symbolic_link_the_target_is_replaced(tmp_path: Path, content: bytes | None) -> None:
    (tmp_path / "far").mkdir()
    target, link = tmp_path / "far" / "b.tsv", tmp_path / "link.tsv"
    if content is not None:
        target.write_bytes(content)
    link.symlink_to("far/b.tsv")
    write_whole(link, write_new)
    assert link.is_symlink() and target.read_bytes() == b"new"
    assert left_in(tmp_path / "far") == ["b.tsv"]


@pytest.mark.parametrize("copied", [True, False])
def test_a_fifo_is_written_through_and_stays(tmp_path: Path, copied: bool) -> None:
    fifo, source = tmp_path / "fifo", tmp_path / "source"
    source.write_bytes(b"new")
    os.mkfifo(fifo)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(fifo.read_bytes()), daemon=True)
    reader.start()
    if copied:
        assert copy_whole(source, fifo) == 3
    else:
        write_whole(fifo, write_new)
    reader.join(timeout=30)
    assert got == [b"new"] and fifo.is_fifo()


def test_a_place_where_no_file_can_be_is_refused_for_good_before_anything_is_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    cases = {
        tmp_path / "none" / "a.zip": f"{tmp_path / 'none'} does not exist; make it first",
        tmp_path / "file" / "a.zip": f"{tmp_path / 'file'} is not a folder",
        tmp_path: "expected the name of a file, found a folder",
    }
    for output, problem in cases.items():
        with pytest.raises(RequestError, match=problem):
            write_whole(output, lambda _: pytest.fail("it was begun"))
    assert left_in(tmp_path) == ["file"]


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="there is no /proc")
def test_what_will_not_pass_is_refused_for_good() -> None:
    with pytest.raises(RequestError, match=r"could not write /proc/x\.zip|cannot write /proc/x\.zip"):
        write_whole(Path("/proc/x.zip"), write_new)


def test_the_failure_to_clean_up_does_not_hide_the_failure_to_write(tmp_path: Path) -> None:
    """As on a read-only file system: a folder stands for a file that cannot be removed."""

    def fail(path: Path) -> None:
        path.mkdir()
        raise OSError(errno.EROFS, "x", str(path))

    with pytest.raises(RequestError, match="Read-only file system"):
        write_whole(tmp_path / "a.zip", fail)
