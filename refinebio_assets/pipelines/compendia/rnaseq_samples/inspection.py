"""Reads an RNA-seq sample compendium back as a user would, and tells what is wrong with it."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from refinebio_assets.domain import some_of
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.compendia.rnaseq_samples.choice import choose_experiments, sequenced_samples
from refinebio_assets.pipelines.compendia.rnaseq_samples.rnaseq_sample_compendium import ASSET
from refinebio_assets.pipelines.delivery.manifest import MANIFEST
from refinebio_assets.pipelines.delivery.zipped import ZippedDelivery, opened_zip
from refinebio_assets.pipelines.outcome import require_head

_SHOWN = 5
_LOOKED_AT = 20
"""Files whose content is compared with the manifest, evenly spread: each was hashed while it was written."""


def sample_compendium_problems(lake: Lake, organism: str) -> list[str]:
    """Return what is wrong with an organism's newest compendium, one sentence each."""
    commit = require_head(lake, ASSET, organism)
    path = lake.local(commit.file(commit.info["file"]))
    return [*zip_problems(path), *_samples_lost(lake, organism, path, commit.info["basis"])]


def zip_problems(path: Path) -> list[str]:
    """Return what is wrong with a zip by itself: manifest, content, and tables that do not fit."""
    with opened_zip(path, "an RNA-seq sample compendium") as archive:
        delivered = ZippedDelivery(archive)
        return [*_differs_from_manifest(delivered), *_tables_differ(delivered)]


def _differs_from_manifest(delivered: ZippedDelivery) -> Iterator[str]:
    promised, names = delivered.manifest(), set(delivered.names) - {MANIFEST}
    missing, stray = sorted(promised.keys() - names), sorted(names - promised.keys())
    if missing:
        yield f"the manifest has {some_of(missing, _SHOWN)}, the zip has not"
    if stray:
        yield f"the zip has {some_of(stray, _SHOWN)}, the manifest has not"
    known = sorted(promised.keys() & names)
    for place in np.unique(np.linspace(0, len(known) - 1, min(_LOOKED_AT, len(known))).astype(int)).tolist():
        if _checksum(delivered, known[place]) != promised[known[place]]:
            yield f"{known[place]} has not the checksum that the manifest promises"


def _checksum(delivered: ZippedDelivery, name: str) -> str:
    """Return the SHA-256 of a file; empty where it is damaged."""
    try:
        return delivered.checksum(name)
    except (zipfile.BadZipFile, zlib.error, EOFError):
        return ""


def _tables_differ(delivered: ZippedDelivery) -> Iterator[str]:
    """Compare each folder's files with its table: the same samples, in the same order."""
    files, tables = delivered.quant_files(), dict(delivered.tables())
    for experiment in sorted(files.keys() | tables.keys()):
        own, rows = files.get(experiment, []), tables.get(experiment, [])
        if own != rows:
            counts = f"{len(own):,} quant.sf files, and {len(rows):,} rows of metadata"
            yield f"{experiment} has {counts} or others"


def _samples_lost(lake: Lake, organism: str, path: Path, basis: dict[str, object]) -> Iterator[str]:
    """Compare with the experiments of today, unless they changed since."""
    with opened_zip(path, "an RNA-seq sample compendium") as archive:
        delivered = ZippedDelivery(archive)
        files, filtered = delivered.quant_files(), delivered.filtered()
    for part in choose_experiments(lake, organism).parts:
        if part.basis().items() <= basis.items():
            present = set(files.get(part.experiment, ()))
            lost = [
                sample
                for sample in sequenced_samples(lake, lake.read(part.record), organism)
                if sample not in present and (part.experiment, sample) not in filtered
            ]
            if lost:
                named = some_of(lost, _SHOWN)
                yield f"{named} of {part.experiment} are neither in it nor listed as filtered"
