"""Compressed files and archives without times, names or owners: the same content gives the same bytes."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path


def gzip_bytes(content: bytes) -> bytes:
    """Return content as one gzip member."""
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=1, fileobj=buffer, mtime=0) as stream:
        stream.write(content)
    return buffer.getvalue()


def write_gzip(file: Path, content: bytes) -> None:
    """Write content as a gzip file."""
    file.write_bytes(gzip_bytes(content))


def tar_bytes(members: Mapping[str, bytes]) -> bytes:
    """Return a tar archive of files by name."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def zip_bytes(members: Mapping[str, bytes]) -> bytes:
    """Return a zip archive of files by name."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content, compresslevel=1)
    return buffer.getvalue()
