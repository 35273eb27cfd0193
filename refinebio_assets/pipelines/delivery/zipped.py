"""Reads a delivered zip as a user would, without trusting what was meant: names, columns, rows, checksums."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from refinebio_assets.errors import FormatError
from refinebio_assets.formats.wide_rows import WideRows
from refinebio_assets.pipelines.delivery.manifest import MANIFEST

FILTERED = "filtered_samples_metadata.tsv"
QUANT_SUFFIX = "_quant.sf"
CHUNK = 1 << 20
_UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, csv.Error, KeyError, ValueError)
"""What reading a damaged zip raises."""

_WIDEST_CELL = 2**31 - 1


@contextmanager
def opened_zip(path: Path, expected: str) -> Iterator[zipfile.ZipFile]:
    """Give the zip to the block. FormatError that names ``expected`` for what is none, or is damaged."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except _UNREADABLE as error:
        raise FormatError(path, expected=expected, found=str(error)) from error


class ZippedDelivery:
    """A zip in refine.bio's layout: ``<KEY>/<KEY>.tsv`` beside ``<KEY>/metadata_<KEY>.tsv``."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.archive = archive
        self.names = archive.namelist()

    def by_key(self, pattern: str) -> Iterator[tuple[str, str]]:
        """Yield key and path of the files that are named like ``metadata_{key}.tsv`` in a key's folder."""
        for name in self.names:
            key, _, rest = name.partition("/")
            if rest == pattern.format(key=key):
                yield key, name

    def matrices(self) -> Iterator[tuple[str, list[str]]]:
        """Yield each matrix's key and samples."""
        for key, name in self.by_key("{key}.tsv"):
            with self.archive.open(name) as file:
                yield key, file.readline().decode().rstrip("\n").split("\t")[1:]

    def quant_files(self) -> dict[str, list[str]]:
        """Return the samples of each folder with ``quant.sf`` files, in their order."""
        found: dict[str, list[str]] = {}
        for name in self.names:
            key, _, rest = name.partition("/")
            if rest.endswith(QUANT_SUFFIX):
                found.setdefault(key, []).append(rest.removesuffix(QUANT_SUFFIX))
        return found

    def tables(self) -> Iterator[tuple[str, list[str]]]:
        """Yield the key and samples of each table of metadata."""
        for key, name in self.by_key("metadata_{key}.tsv"):
            yield key, [row[0] for row in self.rows(name)]

    def filtered(self) -> dict[tuple[str, str], str]:
        """Return the reason why a sample is not delivered, by (experiment, sample)."""
        if FILTERED not in self.names:
            return {}
        return {
            (experiment, row[0]): row[2] for row in self.rows(FILTERED) for experiment in row[1].split(";")
        }

    def rows(self, name: str) -> Iterator[list[str]]:
        """Yield the rows of a table, without its header."""
        with self.archive.open(name) as file, io.TextIOWrapper(file, "utf-8", newline="") as text:
            rows = WideRows(text, "excel-tab", widest=_WIDEST_CELL)
            next(rows, None)
            yield from rows

    def manifest(self) -> dict[str, str]:
        """Return the SHA-256 that the manifest promises of each file."""
        listed = json.loads(self.archive.read(MANIFEST))["files"]
        return {item["path"]: item["sha256"] for item in listed}

    def checksums(self) -> dict[str, str]:
        """Return the SHA-256 of each file, the manifest left out."""
        return {name: self.checksum(name) for name in self.names if name != MANIFEST}

    def checksum(self, name: str) -> str:
        """Return the SHA-256 of a file."""
        digest = hashlib.sha256()
        with self.archive.open(name) as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
        return digest.hexdigest()
