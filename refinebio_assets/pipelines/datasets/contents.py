"""A built version of a dataset read back from the lake, with the metadata of its samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from refinebio_assets import __version__
from refinebio_assets.lake.rows import read_rows
from refinebio_assets.lake.store import Commit, Lake
from refinebio_assets.methods.quantile.kolmogorov_smirnov import P_VALUE_LIMIT, STATISTIC_LIMIT
from refinebio_assets.pipelines.datasets.dataset_matrices import read_dataset_lock
from refinebio_assets.pipelines.datasets.dataset_rows import DELIVERED
from refinebio_assets.pipelines.datasets.lockfile import locked_pins
from refinebio_assets.pipelines.datasets.quant_files import sound_quant_files
from refinebio_assets.pipelines.datasets.request import parse_request
from refinebio_assets.pipelines.datasets.selection import Group, select_samples
from refinebio_assets.pipelines.delivery.metadata import (
    DeliveredMetadata,
    SampleMetadata,
    delivered_metadata,
)
from refinebio_assets.pipelines.delivery.metadata_files import ACCESSION, sample_json


@dataclass(frozen=True, slots=True)
class Contents:
    """One version of a dataset.

    ``listing`` are the samples of each matrix in its order, ``experiments`` those under which each is
    listed, by (matrix, sample); ``filtered`` are (sample, experiment, reason); ``groups`` hold the files of a
    dataset of ``quant.sf``.
    """

    commit: Commit
    lock: Mapping[str, Any]
    row: Mapping[str, Any]
    loss: tuple[Mapping[str, Any], ...]
    metadata: DeliveredMetadata
    listing: Mapping[str, list[str]]
    experiments: Mapping[tuple[str, str], str]
    filtered: tuple[tuple[SampleMetadata, str, str], ...]
    groups: Mapping[str, Group]

    @property
    def keys(self) -> list[str]:
        """The experiments or organisms of its matrices, or ``ALL``."""
        return sorted(self.listing)

    @property
    def quant_sf_only(self) -> bool:
        """Whether it holds files in place of matrices."""
        return bool(self.lock["request"]["quant_sf_only"])

    @property
    def organism_of(self) -> dict[str, str]:
        """Each delivered sample's organism."""
        return {
            name: str(self.metadata.samples[name].refinebio["refinebio_organism"])
            for names in self.listing.values()
            for name in names
        }

    def rows(self, key: str) -> list[tuple[SampleMetadata, str]]:
        """Return the metadata of a matrix's samples, each with the experiments it is listed under."""
        return [(self.metadata.samples[name], self.experiments[key, name]) for name in self.listing[key]]

    def aggregated(self) -> dict[str, Any]:
        """Return the content of ``aggregated_metadata.json``."""
        request, row = self.lock["request"], self.row
        delivered = sorted({name for names in self.listing.values() for name in names})
        return {
            "aggregate_by": request["aggregate_by"],
            "created_at": self.lock["requested_at"],
            "experiments": dict(self.metadata.experiments),
            "ks_pvalue": row["ks_pvalue"],
            "ks_statistic": row["ks_statistic"],
            "ks_warning": _ks_warning(row),
            "num_experiments": len(request["data"]),
            "num_samples": len(delivered),
            "quant_sf_only": request["quant_sf_only"],
            "quantile_normalized": row["quantile_normalized"],
            "samples": {name: sample_json(self.metadata.samples[name]) for name in delivered},
            "scale_by": request["scale_by"],
            "refinebio_assets": {
                "dataset": self.lock["dataset"],
                "number": self.lock["number"],
                "software_version": __version__,
                "targets": self.lock["targets"],
                "matrices": {
                    key: {name: matrix[name] for name in ("genes", "samples", "gene_set")}
                    for key, matrix in self.lock["matrices"].items()
                },
                "warnings": list(row["warnings"] or ()),
            },
        }


def _ks_warning(row: Mapping[str, Any]) -> str | None:
    statistic, p_value = row["ks_statistic"], row["ks_pvalue"]
    if statistic is None or (statistic <= STATISTIC_LIMIT and p_value >= P_VALUE_LIMIT):
        return None
    return f"Failed Kolmogorov Smirnov test! Stat: {statistic}, PVal: {p_value}"


def read_contents(lake: Lake, commit: Commit) -> Contents:
    """Read a version of a dataset's matrices with the metadata that its lock pins.

    Raises NotFoundError naming what is no longer in the lake.
    """
    lock = read_dataset_lock(lake, commit)
    rows = read_rows(lake, commit, "dataset_contents")
    listing: dict[str, list[str]] = {}
    under: dict[tuple[str, str], list[str]] = {}
    tells = {row["sample"]: row["experiment"] for row in rows}
    for row in rows:
        if row["verdict"] == DELIVERED:
            tells[row["sample"]] = row["source_experiment"] or row["experiment"]
            own = under.setdefault((row["matrix"], row["sample"]), [])
            own.append(row["experiment"])
            if len(own) == 1:
                listing.setdefault(row["matrix"], []).append(row["sample"])
    pins = locked_pins(lake, lock)
    metadata = delivered_metadata(lake, pins, tells)
    filtered = tuple(
        (
            metadata.samples.get(row["sample"], _unknown(row["sample"])),
            row["experiment"],
            row["reason"],
        )
        for row in rows
        if row["verdict"] != DELIVERED
    )
    groups: dict[str, Group] = {}
    if lock["request"]["quant_sf_only"]:
        request = parse_request(lock["request"], about="lockfile")
        chosen = sound_quant_files(lake, select_samples(lake, request, pins))
        groups = {group.key: group for group in chosen.groups}
    (row,) = read_rows(lake, commit, "datasets")
    return Contents(
        commit,
        lock,
        row,
        tuple(read_rows(lake, commit, "gene_loss")),
        metadata,
        listing,
        {pair: ";".join(sorted(experiments)) for pair, experiments in under.items()},
        filtered,
        groups,
    )


def _unknown(sample: str) -> SampleMetadata:
    return SampleMetadata(sample, {ACCESSION: sample}, {}, ())
