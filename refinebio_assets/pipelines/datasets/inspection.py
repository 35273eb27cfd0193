"""Reads a bundle as a user would, so that the publish gate judges what is in it and not what was meant."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from refinebio_assets.domain import AggregateBy, ScaleBy
from refinebio_assets.methods.quantile import target_departures
from refinebio_assets.pipelines.datasets.lockfile import NAME as LOCK
from refinebio_assets.pipelines.datasets.matrix_file import COLUMNS_AT_ONCE, column_vector
from refinebio_assets.pipelines.delivery.gate import Delivery
from refinebio_assets.pipelines.delivery.zipped import ZippedDelivery, opened_zip

Targets = Mapping[str, npt.NDArray[np.float64]]


def inspect_bundle(path: Path, targets: Targets, organism_of: Mapping[str, str]) -> Delivery:
    """Return what is in a bundle's zip.

    ``targets`` are the organisms' distributions, and ``organism_of`` tells each sample's organism; both are
    used only where samples were normalized. Genes that were scaled afterwards have no distribution that
    could be compared: for them the departures that were measured before scaling count, from the lock.

    Raises FormatError for a file that is no bundle.
    """
    with opened_zip(path, "a bundle of a dataset") as archive:
        return _Inspection(archive, targets, organism_of).delivery()


class _Inspection(ZippedDelivery):
    def __init__(self, archive: zipfile.ZipFile, targets: Targets, organism_of: Mapping[str, str]) -> None:
        super().__init__(archive)
        self._targets = targets
        self._organism_of = organism_of
        self._lock: dict[str, Any] = json.loads(archive.read(LOCK))

    def delivery(self) -> Delivery:
        request = self._lock["request"]
        normalized = bool(request["quantile_normalize"] and not request["quant_sf_only"])
        delivered = dict(self.quant_files() if request["quant_sf_only"] else self.matrices())
        departures, magnitudes = self._departures(delivered) if normalized else ({}, {})
        return Delivery(
            requested=request["data"],
            delivered=delivered,
            described=dict(self.tables()),
            filtered=self.filtered(),
            manifest=self.manifest(),
            checksums=self.checksums(),
            normalized=normalized,
            departures=departures,
            magnitudes=magnitudes,
            by_experiment=request["aggregate_by"] == AggregateBy.EXPERIMENT,
        )

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
        if name not in self.names:
            return {}
        with self.archive.open(name) as member:
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
