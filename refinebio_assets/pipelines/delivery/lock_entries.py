"""What locks of deliveries say of the commits and references that values came from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from refinebio_assets.lake.rows import read_rows
from refinebio_assets.lake.store import Commit, Lake
from refinebio_assets.pipelines.delivery.pins import Pins
from refinebio_assets.pipelines.outcome import commit_of_version
from refinebio_assets.pipelines.references import gene_index, platform_annotation, transcriptome_index

_REFERENCES = {
    transcriptome_index.ASSET: ("transcriptomes", ("source", "release", "assembly", "salmon_version")),
    platform_annotation.ASSET: ("platform_annotations", ("source", "brainarray_version")),
    gene_index.ASSET: ("gene_indexes", ("source",)),
}
"""Which table of a reference's commit says what about it."""


def pinned(commit: Commit) -> dict[str, str]:
    """Return a commit as a lock has it."""
    return {"commit": commit.id, "version": commit.version, "code_version": commit.code_version}


def pinned_references(lake: Lake, pins: Pins) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what transcripts and probes were measured against, with the releases."""
    inputs = {
        (ref.asset, ref.partition, ref.version)
        for own in pins.experiments.values()
        if own.expression is not None
        for ref in own.expression.inputs
        if ref.asset in _REFERENCES
    }
    for asset, partition, version in sorted(inputs):
        yield (
            f"{asset}/{partition}/{version[:12]}",
            {"version": version} | release_of(lake, asset, partition, version),
        )


def release_of(lake: Lake, asset: str, partition: str, version: str) -> dict[str, Any]:
    """Return what a version of a reference is of: source, release and the like; nothing when it is gone."""
    commit = commit_of_version(lake, asset, partition, version)
    if commit is None:
        return {}
    table, columns = _REFERENCES[asset]
    row = next(iter(read_rows(lake, commit, table)), {})
    return {name: row.get(name) for name in columns}
