"""Makes archives for the tests, and looks at what became of them."""

from __future__ import annotations

import bz2
import gzip
import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from refinebio_assets.formats.archive import Limits, unpack

FILES = {"a.CEL": b"first", "folder/b.txt.gz": gzip.compress(b"second", mtime=0), "empty.txt": b""}


def tar_of(files: dict[str, bytes], *, kind: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=kind) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def zip_of(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return buffer.getvalue()


MAKERS: dict[str, Callable[[dict[str, bytes]], bytes]] = {
    "tar": tar_of,
    "ustar": lambda files: tar_of(files, kind=tarfile.USTAR_FORMAT),
    "gnu tar": lambda files: tar_of(files, kind=tarfile.GNU_FORMAT),
    "tar.gz": lambda files: gzip.compress(tar_of(files), mtime=0),
    "tar.bz2": lambda files: bz2.compress(tar_of(files)),
    "zip": zip_of,
    "stored zip": lambda files: zip_of(files, zipfile.ZIP_STORED),
}


def made(folder: Path, data: bytes) -> Path:
    """Write an archive under a name that tells nothing."""
    path = folder / "download"
    path.write_bytes(data)
    return path


def taken(archive: Path, folder: Path, **options: Limits) -> dict[str, bytes]:
    unpacking = unpack(archive, folder, **options)
    files = {each.member: each.path.read_bytes() for each in unpacking.files}
    assert sorted(folder.iterdir()) == sorted(each.path for each in unpacking.files)
    assert [each.size for each in unpacking.files] == [len(data) for data in files.values()]
    return files


def nothing_but(folder: Path, *names: str) -> bool:
    return sorted(path.name for path in folder.iterdir()) == sorted(names)
