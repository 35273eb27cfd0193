"""Makes ``platform_annotation``: one microarray's probes, in the order of SCAN's model, and their genes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from refinebio_assets.errors import PermanentError
from refinebio_assets.formats.probe_tables import ProbeTable
from refinebio_assets.lake.store import Commit, Draft, InputRef, Lake
from refinebio_assets.pipelines.arriving_file import FetchedFile, fetch
from refinebio_assets.pipelines.fetch_file import WebSource, describe, locate, no_web
from refinebio_assets.pipelines.freshness import Basis, explain_changes
from refinebio_assets.pipelines.outcome import Outcome, Situation, dropped_rows
from refinebio_assets.pipelines.platform_probes import (
    GeneProbes,
    cell_count,
    cell_keys,
    content_version,
    name_count,
    read_genes,
    read_probes,
    write_genes,
    write_probes,
)
from refinebio_assets.pipelines.platform_registry import (
    PLATFORM_REGISTRATION,
    PlatformInputs,
    registered_platform,
    resolve_platform,
)
from refinebio_assets.pipelines.platform_tables import (
    STEP,
    LocalFile,
    PlatformTables,
    read_platform_tables,
)
from refinebio_assets.pipelines.progress import SILENT, Progress
from refinebio_assets.platforms.annotation_sources import published_md5
from refinebio_assets.platforms.readable import readable

ASSET = STEP
CODE_VERSION = "1"
PROBES_FILE = "probes.parquet"
GENES_FILE = "genes.parquet"
_TASK = "annotate platform"


@dataclass(frozen=True, slots=True)
class Annotation:
    """What a commit of ``platform_annotation`` offers to those who process arrays."""

    platform: str
    version: str
    commit: Commit

    def probes(self, lake: Lake) -> ProbeTable:
        """Return the probes of the model: by y, then x, then probe set, each with 25 bases."""
        return read_probes(lake.local(self.commit.file(PROBES_FILE)))

    def gene_probes(self, lake: Lake) -> GeneProbes | None:
        """Return which cell counts for which gene, or None where no table of genes was registered."""
        if all(file.name != GENES_FILE for file in self.commit.files):
            return None
        return read_genes(lake.local(self.commit.file(GENES_FILE)))


def find_annotation(lake: Lake, platform: str) -> Annotation | None:
    """Return the newest annotation of an array (``hgu95av2``), or None."""
    head = lake.head(ASSET, platform)
    return Annotation(platform, head.version, head) if head else None


def assess_annotation(lake: Lake, platform: str, web: WebSource = no_web) -> Situation:
    """Return how an array's annotation stands against its registered files and the code."""
    inputs, registration = registered_platform(lake, platform)
    basis = {"code version": CODE_VERSION, "registration": registration}
    for role, location in inputs.locations().items():
        basis[role.replace("_", " ")] = describe(locate(location, web))
    head = lake.head(ASSET, platform)
    reasons = explain_changes(head.info["basis"] if head else None, basis)
    if head is not None and lake.missing_files(head):
        reasons.append("its files are no longer in the lake")
    return Situation(head, basis, tuple(reasons))


def build_annotation(
    lake: Lake, platform: str, *, web: WebSource = no_web, progress: Progress = SILENT, run_id: str = ""
) -> Outcome:
    """Make the annotation of a registered array, or return the commit that is already right.

    Probes that are not in the model are listed as dropped. Raises NotFoundError for an array that is not
    registered or a file that is not there, FormatError and PermanentError as ``read_platform_tables``, and
    PermanentError for a published file that is not what its publisher says.
    """
    situation = assess_annotation(lake, platform, web)
    if situation.current is not None:
        return Outcome(situation.current, changed=False)
    inputs, registration = registered_platform(lake, platform)
    progress.start(_TASK, len(inputs.locations()) + 1, "stages")
    files = {}
    for role, location in inputs.locations().items():
        files[role] = _fetch(lake, location, web)
        progress.advance(_TASK, f"{role} stored")
    tables = read_platform_tables(platform, _local_files(lake, files))
    progress.advance(_TASK, f"{len(tables.probes):,} probes")
    built = _Built(inputs, registration, files, tables, situation.basis)
    if built.genes_without_probe:
        progress.say(f"{built.genes_without_probe:,} genes have no probe in the model")
    with lake.draft(ASSET, platform) as draft:
        commit = _commit(draft, built, run_id)
    return Outcome(commit, True, situation.reasons, tables.dropped)


def _fetch(lake: Lake, location: str, web: WebSource) -> FetchedFile:
    file = fetch(lake, location, None, web)
    expected = published_md5(location)
    if expected and file.md5 != expected:
        raise PermanentError(
            f"{location} is not what was published: its MD5 is {file.md5}, published is {expected}"
        )
    return file


def _local_files(lake: Lake, files: Mapping[str, FetchedFile]) -> dict[str, LocalFile]:
    return {role: LocalFile(lake.local(file.stored), file.origin.location) for role, file in files.items()}


@dataclass(frozen=True, slots=True)
class _Built:
    """Everything about an annotation that is about to be committed."""

    inputs: PlatformInputs
    registration: str
    files: Mapping[str, FetchedFile]
    tables: PlatformTables
    basis: Basis

    @property
    def genes(self) -> int | None:
        """Genes that have a probe in the model."""
        genes = self.tables.genes
        if genes is None:
            return None
        known = np.isin(cell_keys(genes), cell_keys(self.tables.probes))
        return len(np.unique(genes.genes.codes[known]))

    @property
    def genes_without_probe(self) -> int:
        """Genes of the table of genes that have none."""
        genes = self.tables.genes
        return 0 if genes is None else name_count(genes.genes) - (self.genes or 0)


def _commit(draft: Draft, built: _Built, run_id: str) -> Commit:
    platform, tables = built.inputs.platform, built.tables
    write_probes(draft.folder / PROBES_FILE, tables.probes)
    if tables.genes is not None:
        write_genes(draft.folder / GENES_FILE, tables.genes)
    version = content_version(tables.probes, tables.genes)
    draft.write_table("platform_annotations", [_annotation_row(built, version)])
    draft.write_table(
        "annotation_sources", [_source_row(platform, role, file) for role, file in built.files.items()]
    )
    draft.write_table("dropped", dropped_rows(tables.dropped))
    for file in built.files.values():
        draft.attach(file.stored)
    return draft.commit(
        version=version,
        code_version=CODE_VERSION,
        inputs=[InputRef(PLATFORM_REGISTRATION, platform, built.registration)],
        info={"basis": built.basis, "genes without probe": built.genes_without_probe},
        run_id=run_id,
    )


def _annotation_row(built: _Built, version: str) -> dict[str, Any]:
    inputs, probes = built.inputs, built.tables.probes
    platform = resolve_platform(inputs.platform)
    return {
        "platform": inputs.platform,
        "version": version,
        "manufacturer": str(platform.manufacturer),
        "name": readable(platform).removesuffix(f" ({platform.accession})"),
        "probes": len(probes),
        "cells": cell_count(probes),
        "probe_sets": name_count(probes.probe_sets),
        "genes": built.genes,
        "left_out": built.tables.left_out,
        "source": inputs.source or "local files",
        "brainarray_version": inputs.brainarray_version or None,
    }


def _source_row(platform: str, role: str, file: FetchedFile) -> dict[str, Any]:
    return {
        "platform": platform,
        "role": role,
        "origin": file.origin.location,
        "size": file.origin.size or file.stored.size,
        "md5": file.md5,
        "sha256": file.stored.sha256,
    }
