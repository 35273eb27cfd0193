from __future__ import annotations

import gzip
import random
import tarfile
import zipfile
from pathlib import Path

import pytest

from refinebio_assets.errors import FormatError, NotFoundError, PermanentError, RefinebioError
from refinebio_assets.formats.archive import Limits, Unpacked, extract_members
from refinebio_assets_tests.formats.archive_making import MAKERS, made, nothing_but, tar_of, zip_of

COUNTER = Path("/proc/self/io")
NAMESAKES = {
    "x/A.cel": b"1",
    "y/a.cel": b"2",
    "y/B.CEL": b"3",
    "B.CEL": b"4",
    "z\\C.CEL": b"5",
    "d.txt": b"6",
}


def contents(found: dict[str, Unpacked | RefinebioError]) -> dict[str, bytes]:
    return {name: each.path.read_bytes() for name, each in found.items() if isinstance(each, Unpacked)}


def problem(found: dict[str, Unpacked | RefinebioError], name: str) -> str:
    each = found[name]
    assert isinstance(each, PermanentError)
    return str(each)


@pytest.mark.parametrize("kind", MAKERS)
def test_each_name_is_found_by_path_then_by_name_then_in_any_case(kind: str, tmp_path: Path) -> None:
    archive = made(tmp_path, MAKERS[kind](NAMESAKES))
    wanted = ["c.cel", "x/A.cel", "a.cel", "B.CEL", "y/B.CEL", "other/A.cel", "x/A.cel"]
    found = extract_members(archive, wanted, tmp_path / "out")
    assert list(found) == wanted[:-1]
    assert contents(found) == {
        "c.cel": b"5",
        "x/A.cel": b"1",
        "a.cel": b"2",
        "B.CEL": b"4",
        "y/B.CEL": b"3",
        "other/A.cel": b"1",
    }
    assert found["x/A.cel"] == found["other/A.cel"] == Unpacked("x/A.cel", tmp_path / "out/000002_A.cel", 1)
    names = ("000001_C.CEL", "000002_A.cel", "000003_a.cel", "000004_B.CEL", "000005_B.CEL")
    assert nothing_but(tmp_path / "out", *names)
    assert nothing_but(tmp_path, "download", "out")


@pytest.mark.parametrize("kind", MAKERS)
def test_what_is_wrong_with_a_name_is_told_for_it_alone(kind: str, tmp_path: Path) -> None:
    archive = made(tmp_path, MAKERS[kind](NAMESAKES))
    found = extract_members(archive, ["b.cel", "E.CEL", "d.txt"], tmp_path / "out", label="GSE1_RAW.tar")
    assert "2 members fit b.cel: y/B.CEL, B.CEL; give the whole path" in problem(found, "b.cel")
    assert isinstance(found["E.CEL"], NotFoundError)
    assert "GSE1_RAW.tar has no member E.CEL among its 6; near ones: " in problem(found, "E.CEL")
    assert "B.CEL" in problem(found, "E.CEL")
    assert contents(found) == {"d.txt": b"6"}
    assert nothing_but(tmp_path / "out", "000001_d.txt")


def test_names_that_are_all_missing_or_none_at_all_give_an_empty_folder(tmp_path: Path) -> None:
    archive = made(tmp_path, tar_of({"a": b"1"}))
    (tmp_path / "out").mkdir()
    assert problem(extract_members(archive, ["b"], tmp_path / "out"), "b").endswith("near ones: a")
    assert extract_members(archive, [], tmp_path / "out") == {}
    assert nothing_but(tmp_path / "out")


def test_own_files_archives_inside_and_what_they_hold_are_taken_together(tmp_path: Path) -> None:
    inner = zip_of({"d/x.CEL": b"1", "e/x2.CEL": b"2", "twice": b"3"})
    files = {"inner.zip": inner, "y": b"4", "more.tgz": MAKERS["tar.gz"]({"twice": b"5"})}
    archive = made(tmp_path, tar_of(files))
    wanted = ["X2.cel", "inner.zip", "y", "inner.zip/d/x.CEL", "twice", "inner.zip/d/z.CEL", "more.tgz/twice"]
    found = extract_members(archive, wanted, tmp_path / "out")
    assert contents(found) == {
        "X2.cel": b"2",
        "inner.zip": inner,
        "y": b"4",
        "inner.zip/d/x.CEL": b"1",
        "more.tgz/twice": b"5",
    }
    assert "2 members fit twice: inner.zip/twice, more.tgz/twice" in problem(found, "twice")
    assert "among its 7; near ones: inner.zip/d/x.CEL" in problem(found, "inner.zip/d/z.CEL")
    assert len(list((tmp_path / "out").iterdir())) == 5
    assert nothing_but(tmp_path, "download", "out")


def test_a_path_into_an_archive_inside_means_no_file_outside_it(tmp_path: Path) -> None:
    archive = made(tmp_path, tar_of({"a.CEL": b"outside", "day 2": tar_of({"a.CEL": b"inside"})}))
    found = extract_members(archive, ["a.CEL", "day 2/a.CEL"], tmp_path / "out")
    assert contents(found) == {"a.CEL": b"outside", "day 2/a.CEL": b"inside"}


def test_an_archive_inside_that_cannot_be_read_concerns_only_names_looked_for_there(tmp_path: Path) -> None:
    locked = bytearray(zip_of({"secret": b"1"}))
    locked[locked.index(b"PK\x01\x02") + 8] |= 1
    for inner, message in [
        (tar_of({"x": b"2" * 600})[:900], r"download (inner.tar), member x: expected"),
        (bytes(locked), "member secret is encrypted"),
    ]:
        archive = made(tmp_path, tar_of({"a": b"1", "inner.tar": inner}))
        found = extract_members(archive, ["b", "a"], tmp_path / message[:6])
        assert contents(found) == {"a": b"1"}
        assert message in problem(found, "b")


@pytest.mark.parametrize("kind", MAKERS)
def test_a_cut_archive_is_an_error_for_all_and_leaves_nothing(kind: str, tmp_path: Path) -> None:
    noise = random.Random(1)
    data = MAKERS[kind]({"a.CEL": noise.randbytes(1500), "b.CEL": noise.randbytes(700)})
    end = len(data.rstrip(b"\0")) if kind in {"tar", "ustar", "gnu tar"} else len(data) - 1
    for length in (end // 3, end // 2, end):
        with pytest.raises(FormatError, match="download"):
            extract_members(made(tmp_path, data[:length]), ["a.CEL", "c"], tmp_path / "out")
        assert nothing_but(tmp_path, "download")


@pytest.mark.parametrize("name", ["a", "inner.zip/bomb"])
def test_a_limit_is_an_error_for_all_also_in_an_archive_inside(name: str, tmp_path: Path) -> None:
    inner = zip_of({"bomb": b"\0" * 3_000_000})
    archive = made(tmp_path, gzip.compress(tar_of({"a": b"1" * 9000, "inner.zip": inner})))
    limits = Limits(unpacked_bytes=5000 if name == "a" else 1_000_000)
    with pytest.raises(PermanentError, match="limit of unpacked bytes is"):
        extract_members(archive, ["a", name], tmp_path / "out", limits=limits)
    assert nothing_but(tmp_path, "download")


def test_no_name_leads_out_of_the_folder_and_none_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "box").mkdir()
    archive = made(tmp_path / "box", tar_of({"../../escaped": b"evil", "/etc/escaped2": b"evil"}))
    found = extract_members(archive, ["../../escaped", "/etc/escaped2"], tmp_path / "box" / "out")
    assert nothing_but(tmp_path / "box" / "out", "000001_escaped", "000002_escaped2")
    assert len(contents(found)) == 2
    assert nothing_but(tmp_path, "box")
    with pytest.raises(PermanentError, match="not an empty folder"):
        extract_members(archive, ["escaped"], tmp_path / "box" / "out")
    assert len(contents(found)) == 2


def test_links_and_what_systems_add_are_not_taken(tmp_path: Path) -> None:
    path = tmp_path / "download"
    with tarfile.open(path, "w") as archive:
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
        archive.addfile(tarfile.TarInfo("x/._a.CEL"))
    found = extract_members(path, ["link", "._a.CEL"], tmp_path / "out")
    assert all(problem(found, name).endswith("it holds no files") for name in found)


def test_a_damaged_member_that_nobody_wants_disturbs_nobody_in_a_zip(tmp_path: Path) -> None:
    data = bytearray(zip_of({"a": b"1", "b": b"unsound"}, zipfile.ZIP_STORED))
    data[data.index(b"unsound")] ^= 1
    archive = made(tmp_path, bytes(data))
    assert contents(extract_members(archive, ["a"], tmp_path / "out")) == {"a": b"1"}
    with pytest.raises(FormatError, match="member b"):
        extract_members(archive, ["a", "b"], tmp_path / "other")


def bytes_read() -> int:
    """Return how many bytes this process has read from anywhere, by the kernel's count."""
    return int(COUNTER.read_text().split()[1])


@pytest.mark.skipif(not COUNTER.exists(), reason="the kernel does not count what a process reads")
@pytest.mark.parametrize(("kind", "inside", "passes"), [("tar.gz", 0, 1), ("zip", 0, 1), ("tar.gz", 40, 2)])
def test_the_archive_is_read_once_however_many_members_are_wanted(
    kind: str, inside: int, passes: int, tmp_path: Path
) -> None:
    noise = random.Random(1)
    files = {f"{number}.CEL": noise.randbytes(100_000) for number in range(40)}
    hidden = {f"{number}.txt": noise.randbytes(1000) for number in range(inside)}
    archive = made(tmp_path, MAKERS[kind](files | ({"inner.tar": tar_of(hidden)} if hidden else {})))
    before = bytes_read()
    found = extract_members(archive, [*files, *hidden], tmp_path / "out")
    used = bytes_read() - before
    assert contents(found) == files | hidden
    assert used < (passes + 0.5) * archive.stat().st_size


def test_among_thousands_of_files_the_near_ones_are_those_beside_it_by_name(tmp_path: Path) -> None:
    files = {f"folder/GSM{100_000 + 3 * number}_sample.CEL.gz": b"" for number in range(2000)}
    archive = made(tmp_path, zip_of(files))
    message = problem(
        extract_members(archive, ["GSM104501_Sample.CEL.gz"], tmp_path / "out"), "GSM104501_Sample.CEL.gz"
    )
    assert "among its 2,000; near ones: " in message
    assert message.count("folder/GSM1045") == 5
