"""Reads the zip of a compendium as a user would, so that the publish gate judges what is in it.

Every value is parsed. Values lie in a scratch file on the way from genes to samples, so that memory does
not grow with the compendium.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from refinebio_assets.formats.matrix_tsv_blocks import read_blocks, read_header
from refinebio_assets.formats.row_matrix import RowMatrix
from refinebio_assets.methods.quantile import target_departures
from refinebio_assets.pipelines.compendia.lock import NAME as LOCK
from refinebio_assets.pipelines.compendia.lock import considered
from refinebio_assets.pipelines.delivery.gate import NARROW_TOLERANCE, Delivery
from refinebio_assets.pipelines.delivery.manifest import MANIFEST
from refinebio_assets.pipelines.delivery.zipped import ZippedDelivery, opened_zip

_BLOCK_CELLS = 4_000_000


def inspect_compendium(
    path: Path, target: npt.NDArray[np.float64], scratch: Path, *, threads: int | None = None
) -> Delivery:
    """Return what is in a compendium's zip; ``target`` is the distribution that its samples should have.

    ``scratch`` is an existing folder with room for the values (4 bytes each); nothing is left in it. Raises
    FormatError for a file that is no compendium, or whose values cannot be read.
    """
    with opened_zip(path, "a bundle of a compendium") as archive:
        return _Inspection(archive, target, scratch, threads).delivery()


class _Inspection(ZippedDelivery):
    def __init__(
        self,
        archive: zipfile.ZipFile,
        target: npt.NDArray[np.float64],
        scratch: Path,
        threads: int | None,
    ) -> None:
        super().__init__(archive)
        self._target = target
        self._scratch = scratch
        self._threads = threads

    def delivery(self) -> Delivery:
        lock: dict[str, Any] = json.loads(self.archive.read(LOCK))
        columns: dict[str, list[str]] = {}
        departures: dict[str, dict[str, float]] = {}
        checksums: dict[str, str] = {}
        for key, name in self.by_key("{key}.tsv"):
            columns[key], departures[key], checksums[name] = self._matrix(name)
        others = (name for name in self.names if name not in checksums and name != MANIFEST)
        magnitude = float(np.abs(self._target).max(initial=0.0))
        return Delivery(
            requested=considered(lock),
            delivered=columns,
            described=dict(self.tables()),
            filtered=self.filtered(),
            manifest=self.manifest(),
            checksums=checksums | {name: self.checksum(name) for name in others},
            normalized=True,
            departures=departures,
            magnitudes=dict.fromkeys(columns, magnitude),
            tolerance=NARROW_TOLERANCE,
        )

    def _matrix(self, name: str) -> tuple[list[str], dict[str, float], str]:
        """Return a matrix's samples, how far each is from the target, and the file's checksum."""
        with self.archive.open(name) as member:
            file = _Digested(member)
            samples = read_header(file)
            departures = list(self._departures(file, samples, name))
        return samples, dict(zip(samples, departures, strict=True)), file.digest.hexdigest()

    def _departures(self, file: _Digested, samples: list[str], name: str) -> Iterator[float]:
        values = RowMatrix(self._scratch / "inspected", (0, len(samples)), np.float32)
        try:
            for _, block in read_blocks(file, len(samples), name):
                values.append(block)
            step = max(1, _BLOCK_CELLS // max(1, values.shape[0]))
            for start in range(0, len(samples), step):
                some = values.columns(slice(start, start + step))
                yield from target_departures(some, self._target, threads=self._threads).tolist()
        finally:
            values.remove()


class _Digested:
    """A file that is read by line, and the SHA-256 of what was read."""

    def __init__(self, file: Any) -> None:
        self._file = io.BufferedReader(file, 1 << 20)
        self.digest = hashlib.sha256()

    def readline(self) -> bytes:
        line = self._file.readline()
        self.digest.update(line)
        return line

    def readlines(self, hint: int = -1, /) -> list[bytes]:
        lines = self._file.readlines(hint)
        for line in lines:
            self.digest.update(line)
        return lines
