from __future__ import annotations

import bz2
import gzip
import io
import random
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from refinebio_assets.errors import (
    FormatError,
    NotFoundError,
    PermanentError,
)
from refinebio_assets.formats.archive import extract_member, members, unpack
from refinebio_assets_tests.formats.archive_making import (
    FILES,
    MAKERS,
    made,
    nothing_but,
    taken,
    tar_of,
    zip_of,
)


@pytest.mark.parametrize("kind", MAKERS)
def test_every_kind_gives_its_files_under_safe_names(kind: str, tmp_path: Path) -> None:
    archive = made(tmp_path, MAKERS[kind](FILES))
    assert taken(archive, tmp_path / "out") == FILES
    names = [path.name for path in sorted((tmp_path / "out").iterdir())]
    assert names == ["000001_a.CEL", "000002_b.txt.gz", "000003_empty.txt"]
    assert [(each.name, each.size) for each in members(archive)] == [
        (name, len(data)) for name, data in FILES.items()
    ]


def test_archives_inside_archives_are_unpacked_and_single_compressed_files_are_not(tmp_path: Path) -> None:
    single = gzip.compress(b"a table", mtime=0)
    innermost = zip_of({"deep/c.CEL": b"third"})
    inner = MAKERS["tar.gz"]({"b.zip": innermost, "t.txt.gz": single})
    archive = made(tmp_path, tar_of({"a.CEL": b"first", "sub/inner.tgz": inner, "z.bz2": bz2.compress(b"z")}))
    assert taken(archive, tmp_path / "out") == {
        "a.CEL": b"first",
        "sub/inner.tgz/b.zip/deep/c.CEL": b"third",
        "sub/inner.tgz/t.txt.gz": single,
        "z.bz2": bz2.compress(b"z"),
    }


def test_a_document_that_is_a_zip_stays_a_file(tmp_path: Path) -> None:
    sheet = zip_of({"xl/workbook.xml": b"<x/>", "[Content_Types].xml": b"<x/>"})
    assert taken(made(tmp_path, tar_of({"notes.xlsx": sheet})), tmp_path / "out") == {"notes.xlsx": sheet}
    with pytest.raises(FormatError, match="expected a tar"):
        unpack(made(tmp_path, sheet), tmp_path / "other")


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize(
    "name", ["../../escaped", "/etc/escaped", "a/../../escaped", "C:\\escaped", "..\\escaped", "..", "x/.."]
)
def test_no_path_leads_out_of_the_folder(kind: str, name: str, tmp_path: Path) -> None:
    (tmp_path / "box").mkdir()
    archive = made(tmp_path / "box", MAKERS[kind]({name: b"evil"}))
    assert list(taken(archive, tmp_path / "box" / "out").values()) == [b"evil"]
    assert nothing_but(tmp_path, "box")
    assert nothing_but(tmp_path / "box", "download", "out")


def test_links_and_devices_are_left_out_with_what_they_are(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    kinds = [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, b"Z"]
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for number, kind in enumerate(kinds):
            info = tarfile.TarInfo(f"m{number}")
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
        archive.addfile(tarfile.TarInfo("m6"))
    unpacking = unpack(made(tmp_path, buffer.getvalue()), tmp_path / "out")
    assert [each.member for each in unpacking.files] == ["m6"]
    assert [(each.member, each.reason) for each in unpacking.left_out] == [
        ("m0", "a symbolic link to /etc/passwd"),
        ("m1", "a hard link to /etc/passwd"),
        ("m2", "a character device"),
        ("m3", "a block device"),
        ("m4", "a named pipe"),
        ("m5", "of unknown kind 'Z'"),
    ]


def test_a_symbolic_link_in_a_zip_is_left_out(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        info = zipfile.ZipInfo("link")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    unpacking = unpack(made(tmp_path, buffer.getvalue()), tmp_path / "out")
    assert [each.reason for each in unpacking.left_out] == ["a symbolic link"]
    assert unpacking.files == ()


@pytest.mark.parametrize("kind", MAKERS)
def test_folders_and_what_systems_add_are_no_files(kind: str, tmp_path: Path) -> None:
    clutter = ["__MACOSX/._a.CEL", "x/._a.CEL", "Thumbs.db", "x/.DS_Store", "x\\Thumbs.db", "desktop.ini"]
    archive = made(tmp_path, MAKERS[kind]({"a.CEL": b"1", "x/": b"", **dict.fromkeys(clutter, b"?")}))
    unpacking = unpack(archive, tmp_path / "out")
    assert [each.member for each in unpacking.files] == ["a.CEL"]
    assert unpacking.left_out == ()
    assert [each.name for each in members(archive)] == ["a.CEL"]


@pytest.mark.parametrize("kind", ["tar", "zip"])
def test_members_of_one_name_are_kept_apart(kind: str, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    if kind == "tar":
        buffer.write(tar_of({"a": b"1"})[:1024] + tar_of({"a": b"2"}))
    else:
        with zipfile.ZipFile(buffer, "w") as archive, pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a", b"1")
            archive.writestr("a", b"2")
    path = made(tmp_path, buffer.getvalue())
    files = unpack(path, tmp_path / "out").files
    assert [(each.member, each.path.name, each.path.read_bytes()) for each in files] == [
        ("a", "000001_a", b"1"),
        ("a", "000002_a", b"2"),
    ]
    with pytest.raises(PermanentError, match="2 members fit a"):
        extract_member(path, "a", tmp_path / "target")


def test_names_that_are_not_utf_8_are_read_as_latin_1(tmp_path: Path) -> None:
    data = tar_of({"X" * 4: b"1"}, kind=tarfile.USTAR_FORMAT)
    block = bytearray(data[:512])
    block[:4] = "Größ".encode("latin-1")
    block[148:156] = b"%06o\0 " % (sum(block[:148]) + 8 * 32 + sum(block[156:]))
    archive = made(tmp_path, bytes(block) + data[512:])
    assert list(taken(archive, tmp_path / "out")) == ["Größ"]
    "".join(taken(archive, tmp_path / "again")).encode("utf-8")


def test_a_zip_whose_utf_8_names_are_not_declared_gives_them_right(tmp_path: Path) -> None:
    data = zip_of({"Gr_____n.txt": b"1"}).replace(b"Gr_____n", "Größen".encode())
    assert list(taken(made(tmp_path, data), tmp_path / "out")) == ["Größen.txt"]


@pytest.mark.parametrize("kind", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_long_and_foreign_names_come_whole(kind: int, tmp_path: Path) -> None:
    names = ["d/" * 200 + "a" * 300 + ".CEL", "试验/Größe 😀.txt"]
    archive = made(tmp_path, tar_of(dict.fromkeys(names, b"1"), kind=kind))
    assert list(taken(archive, tmp_path / "out")) == names
    assert max(len(path.name) for path in (tmp_path / "out").iterdir()) <= 107


def test_an_encrypted_zip_names_the_member_and_what_is_missing(tmp_path: Path) -> None:
    data = bytearray(zip_of({"secret.txt": b"1"}))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(PermanentError, match=r"download: member secret\.txt is encrypted"):
        unpack(made(tmp_path, bytes(data)), tmp_path / "out")
    assert nothing_but(tmp_path, "download")


def test_an_uncommon_zip_compression_is_named(tmp_path: Path) -> None:
    archive = made(tmp_path, zip_of({"a": b"1"}, zipfile.ZIP_LZMA))
    with pytest.raises(PermanentError, match="member a is compressed with zip method 14"):
        unpack(archive, tmp_path / "out")


@pytest.mark.parametrize("kind", MAKERS)
def test_an_archive_that_is_cut_anywhere_is_an_error_and_leaves_nothing(kind: str, tmp_path: Path) -> None:
    noise = random.Random(1)
    data = MAKERS[kind]({"a.CEL": noise.randbytes(1500), "b.CEL": noise.randbytes(700)})
    end = len(data.rstrip(b"\0")) if kind in {"tar", "ustar", "gnu tar"} else len(data) - 1
    for length in sorted({*noise.sample(range(1, end), 25), 512, 1024, end}):
        archive = made(tmp_path, data[:length])
        with pytest.raises(FormatError, match="download"):
            unpack(archive, tmp_path / "out")
        assert nothing_but(tmp_path, "download")


def test_a_cut_tar_names_archive_member_and_what_is_missing(tmp_path: Path) -> None:
    archive = made(tmp_path, tar_of({"a.CEL": b"1" * 5000})[:3000])
    with pytest.raises(
        FormatError, match=r"GSE1_RAW\.tar, member a\.CEL: expected .* more bytes, found the end"
    ):
        unpack(archive, tmp_path / "out", label="GSE1_RAW.tar")


def test_damage_after_the_last_member_of_a_compressed_tar_is_found(tmp_path: Path) -> None:
    data = bytearray(gzip.compress(tar_of({"a": b"1"})))
    data[-6] ^= 1
    with pytest.raises(FormatError, match="CRC"):
        unpack(made(tmp_path, bytes(data)), tmp_path / "out")


def test_a_damaged_header_between_members_is_no_end(tmp_path: Path) -> None:
    data = bytearray(tar_of({"a": b"1", "b": b"2"}))
    data[1024 + 20] ^= 1
    with pytest.raises(FormatError, match="member a: expected a tar header after member a, found damage"):
        unpack(made(tmp_path, bytes(data)), tmp_path / "out")


def test_a_damaged_archive_inside_is_named_with_its_path(tmp_path: Path) -> None:
    archive = made(tmp_path, tar_of({"ok": b"1", "sub/inner.tar": tar_of({"x": b"2" * 600})[:900]}))
    with pytest.raises(FormatError, match=r"download \(sub/inner\.tar\), member x"):
        unpack(archive, tmp_path / "out")
    assert nothing_but(tmp_path, "download")


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", "an empty file"),
        (b"<html>503</html>", "HTML"),
        (gzip.compress(b"a table", mtime=0), "gzip data"),
        (b"\x1f\x8b\x08 no gzip", "gzip data"),
        (b"BZh9 no bzip2", "a bzip2 file"),
        (b"\0" * 1024, "x00"),
    ],
)
def test_what_is_no_archive_is_said_to_look_like(data: bytes, found: str, tmp_path: Path) -> None:
    for act in (lambda path: unpack(path, tmp_path / "out"), members):
        with pytest.raises(FormatError, match=rf"expected a tar .* or zip archive, found .*{found}"):
            act(made(tmp_path, data))


def test_a_missing_archive_and_a_folder_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no archive at"):
        unpack(tmp_path / "nothing", tmp_path / "out")
    (tmp_path / "folder").mkdir()
    with pytest.raises(PermanentError, match="is a folder"):
        unpack(tmp_path / "folder", tmp_path / "out")


def test_a_folder_that_holds_something_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("keep")
    with pytest.raises(PermanentError, match="not an empty folder"):
        unpack(made(tmp_path, tar_of(FILES)), tmp_path / "out")
    assert nothing_but(tmp_path / "out", "mine")


@pytest.mark.parametrize("kind", MAKERS)
def test_one_member_is_found_by_path_then_by_name_then_in_any_case(kind: str, tmp_path: Path) -> None:
    files = {"x/A.cel": b"1", "y/a.cel": b"2", "y/B.CEL": b"3", "B.CEL": b"4", "z\\C.CEL": b"5"}
    archive = made(tmp_path, MAKERS[kind](files))
    for asked, found in [("x/A.cel", "x/A.cel"), ("a.cel", "y/a.cel"), ("other/A.cel", "x/A.cel")]:
        unpacked = extract_member(archive, asked, tmp_path / "target")
        assert (unpacked.member, unpacked.path, unpacked.size) == (found, tmp_path / "target", 1)
        assert (tmp_path / "target").read_bytes() == files[found]
    assert extract_member(archive, "B.CEL", tmp_path / "target").member == "B.CEL"
    assert extract_member(archive, "c.cel", tmp_path / "target").path.read_bytes() == b"5"
    with pytest.raises(PermanentError, match=r"2 members fit b\.cel: y/B\.CEL, B\.CEL; give the whole path"):
        extract_member(archive, "b.cel", tmp_path / "target")
    with pytest.raises(
        NotFoundError, match=r"download has no member D\.CEL among its 5; near ones: .*B\.CEL"
    ):
        extract_member(archive, "D.CEL", tmp_path / "target")


def test_one_member_is_found_in_an_archive_inside(tmp_path: Path) -> None:
    archive = made(tmp_path, tar_of({"inner.zip": zip_of({"d/x.CEL": b"1"}), "y": b"2"}))
    assert extract_member(archive, "inner.zip/d/x.CEL", tmp_path / "one").path.read_bytes() == b"1"
    assert extract_member(archive, "X.cel", tmp_path / "two").member == "inner.zip/d/x.CEL"
    with pytest.raises(NotFoundError, match=r"near ones: inner\.zip/d/x\.CEL"):
        extract_member(archive, "inner.zip/d/z.CEL", tmp_path / "three")
    assert nothing_but(tmp_path, "download", "one", "two")


def test_an_interrupted_unpacking_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = made(tmp_path, tar_of(FILES))

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        unpack(archive, tmp_path / "out")
    assert nothing_but(tmp_path, "download")
