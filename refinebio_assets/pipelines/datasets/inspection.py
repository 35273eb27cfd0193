"""Reads a bundle as a user would, so that the publish gate judges what is in it and not what was meant."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from refinebio_assets.domain import AggregateBy, ScaleBy
from refinebio_assets.errors import FormatError
from refinebio_assets.methods.quantile import target_departures
from refinebio_assets.pipelines.datasets.gate import Delivery
from refinebio_assets.pipelines.datasets.lockfile import NAME as LOCK
from refinebio_assets.pipelines.datasets.matrix_file import COLUMNS_AT_ONCE, column_vector

MANIFEST = "manifest.json"
FILTERED = "filtered_samples_metadata.tsv"
QUANT_SUFFIX = "_quant.sf"
_CHUNK = 1 << 20

Targets = Mapping[str, npt.NDArray[np.float64]]


def inspect_bundle(path: Path, targets: Targets, organism_of: Mapping[str, str]) -> Delivery:
    """Return what is in a bundle's zip.

    ``targets`` are the organisms' distributions, and ``organism_of`` tells each sample's organism; both are
    used only where samples were normalized. Genes that were scaled afterwards have no distribution that
    could be compared: for them the departures that were measured before scaling count, from the lock.

    Raises FormatError for a file that is no bundle.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return _Inspection(archive, targets, organism_of).delivery()
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise FormatError(path, expected="a bundle of a dataset", found=str(error)) from error


class _Inspection:
    def __init__(self, archive: zipfile.ZipFile, targets: Targets, organism_of: Mapping[str, str]) -> None:
        self._archive = archive
        self._targets = targets
        self._organism_of = organism_of
        self._names = archive.namelist()
        self._lock: dict[str, Any] = json.loads(archive.read(LOCK))

    def delivery(self) -> Delivery:
        request = self._lock["request"]
        normalized = bool(request["quantile_normalize"] and not request["quant_sf_only"])
        delivered = dict(self._quant_files() if request["quant_sf_only"] else self._matrices())
        departures, magnitudes = self._departures(delivered) if normalized else ({}, {})
        manifest = json.loads(self._archive.read(MANIFEST))
        return Delivery(
            requested=request["data"],
            delivered=delivered,
            described=dict(self._tables()),
            filtered=self._filtered(),
            manifest={item["path"]: item["sha256"] for item in manifest["files"]},
            checksums={name: self._checksum(name) for name in self._names if name != MANIFEST},
            normalized=normalized,
            departures=departures,
            magnitudes=magnitudes,
            by_experiment=request["aggregate_by"] == AggregateBy.EXPERIMENT,
        )

    def _matrices(self) -> Iterator[tuple[str, list[str]]]:
        for key, name in self._by_key("{key}.tsv"):
            with self._archive.open(name) as file:
                yield key, file.readline().decode().rstrip("\n").split("\t")[1:]

    def _tables(self) -> Iterator[tuple[str, list[str]]]:
        for key, name in self._by_key("metadata_{key}.tsv"):
            yield key, [row[0] for row in self._rows(name)]

    def _by_key(self, pattern: str) -> Iterator[tuple[str, str]]:
        for name in self._names:
            key, _, rest = name.partition("/")
            if rest == pattern.format(key=key):
                yield key, name

    def _rows(self, name: str) -> Iterator[list[str]]:
        text = io.StringIO(self._archive.read(name).decode(), newline="")
        rows = csv.reader(text, "excel-tab")
        next(rows, None)
        yield from rows

    def _quant_files(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name in self._names:
            key, _, rest = name.partition("/")
            if rest.endswith(QUANT_SUFFIX):
                found.setdefault(key, []).append(rest.removesuffix(QUANT_SUFFIX))
        return found

    def _filtered(self) -> dict[tuple[str, str], str]:
        if FILTERED not in self._names:
            return {}
        return {
            (experiment, row[0]): row[2] for row in self._rows(FILTERED) for experiment in row[1].split(";")
        }

    def _checksum(self, name: str) -> str:
        digest = hashlib.sha256()
        with self._archive.open(name) as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
        return digest.hexdigest()

    def _departures(
        self, delivered: Mapping[str, list[str]]
    ) -> tuple[dict[str, dict[str, float]], dict[str, float]]:
        magnitudes = {
            key: max(
                (float(np.abs(self._targets[name]).max()) for name in self._organisms(samples)), default=0.0
            )
            for key, samples in delivered.items()
        }
        if self._lock["request"]["scale_by"] == ScaleBy.NONE:
            found = {key: self._measured(key, samples) for key, samples in delivered.items()}
        else:
            locked = self._lock["matrices"]
            found = {key: dict(locked.get(key, {}).get("departures", {})) for key in delivered}
        return found, magnitudes

    def _organisms(self, samples: list[str]) -> set[str]:
        """Return the samples' organisms; a sample that was never asked for has none."""
        return {self._organism_of[sample] for sample in samples if sample in self._organism_of}

    def _measured(self, key: str, samples: list[str]) -> dict[str, float]:
        """Measure each sample of the Parquet file against its organism's target, some at a time.

        A sample that is only in the TSV, or that was never asked for, has no measure.
        """
        name = f"{key}/{key}.parquet"
        if name not in self._names:
            return {}
        with self._archive.open(name) as member:
            file = pq.ParquetFile(pa.BufferReader(member.read()))
        columns = set(file.schema_arrow.names)
        known = [sample for sample in samples if sample in columns and sample in self._organism_of]
        found: dict[str, float] = {}
        for start in range(0, len(known), COLUMNS_AT_ONCE):
            chunk = known[start : start + COLUMNS_AT_ONCE]
            table = file.read(columns=chunk)
            for organism in sorted(self._organisms(chunk)):
                own = [name for name in chunk if self._organism_of[name] == organism]
                values = np.asfortranarray(np.column_stack([column_vector(table, name) for name in own]))
                measured = target_departures(values, self._targets[organism])
                found |= dict(zip(own, measured.tolist(), strict=True))
        return found
