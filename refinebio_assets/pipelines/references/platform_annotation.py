"""Makes ``platform_annotation``: one microarray's probes and their genes, of Affymetrix or Illumina.

How the files of each kind are read is in ``affymetrix_content`` and ``bead_content``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from refinebio_assets.formats.probe_tables import ProbeTable
from refinebio_assets.lake.store import Commit, Draft, InputRef, Lake
from refinebio_assets.pipelines.fetch_file import WebSource, no_web
from refinebio_assets.pipelines.freshness import Basis
from refinebio_assets.pipelines.outcome import Outcome, Situation, dropped_rows
from refinebio_assets.pipelines.progress import SILENT, Progress
from refinebio_assets.pipelines.references.affymetrix_content import (
    GENES_FILE,
    PROBES_FILE,
    affymetrix_content,
)
from refinebio_assets.pipelines.references.annotation_content import AnnotationContent
from refinebio_assets.pipelines.references.bead_content import bead_content
from refinebio_assets.pipelines.references.bead_registry import BeadInputs
from refinebio_assets.pipelines.references.files import (
    Files,
    LocalFile,
    assess_reference,
    fetch_source,
    local_files,
    source_rows,
)
from refinebio_assets.pipelines.references.platform_probes import GeneProbes, read_genes, read_probes
from refinebio_assets.pipelines.references.platform_registry import PLATFORM_REGISTRATION, PlatformInputs
from refinebio_assets.pipelines.references.platform_tables import STEP
from refinebio_assets.pipelines.references.registered_platforms import registered_platform
from refinebio_assets.platforms.annotation_sources import published_md5
from refinebio_assets.platforms.illumina_arrays import published_package_md5

ASSET = STEP
CODE_VERSION = "1"
_TASK = "annotate platform"


@dataclass(frozen=True, slots=True)
class Annotation:
    """What a commit of ``platform_annotation`` offers to those who process Affymetrix arrays."""

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
    """Return the newest annotation of an Affymetrix array (``hgu95av2``), or None."""
    head = lake.head(ASSET, platform)
    if head is None or all(file.name != PROBES_FILE for file in head.files):
        return None
    return Annotation(platform, head.version, head)


def assess_annotation(lake: Lake, platform: str, web: WebSource = no_web) -> Situation:
    """Return how an array's annotation stands against its registered files and the code."""
    inputs, registration = registered_platform(lake, platform)
    basis = {"code version": CODE_VERSION, "registration": registration}
    return assess_reference(lake, ASSET, platform, basis=basis, locations=inputs.locations(), web=web)


def build_annotation(
    lake: Lake, platform: str, *, web: WebSource = no_web, progress: Progress = SILENT, run_id: str = ""
) -> Outcome:
    """Make the annotation of a registered array, or return the commit that is already right.

    Probes that are left out are listed as dropped. Raises NotFoundError for an array that is not registered
    or a file that is not there, FormatError and PermanentError as ``read_platform_tables`` and
    ``read_bead_tables``, and PermanentError for a published file that is not what its publisher says.
    """
    situation = assess_annotation(lake, platform, web)
    if situation.current is not None:
        return Outcome(situation.current, changed=False)
    inputs, registration = registered_platform(lake, platform)
    progress.start(_TASK, len(inputs.locations()) + 1, "stages")
    files = {}
    for role, location in inputs.locations().items():
        files[role] = fetch_source(lake, location, web, _published_md5)
        progress.advance(_TASK, f"{role} stored")
    content = _read(inputs, local_files(lake, files))
    progress.advance(_TASK, f"{content.facts['probes']:,} probes")
    if content.remark:
        progress.say(content.remark)
    made_from = InputRef(PLATFORM_REGISTRATION, platform, registration)
    with lake.draft(ASSET, platform) as draft:
        commit = _commit(draft, content, files, made_from, situation.basis, run_id)
    return Outcome(commit, True, situation.reasons, content.dropped)


def _read(inputs: PlatformInputs | BeadInputs, files: Mapping[str, LocalFile]) -> AnnotationContent:
    return (
        bead_content(inputs, files) if isinstance(inputs, BeadInputs) else affymetrix_content(inputs, files)
    )


def _published_md5(location: str) -> str:
    return published_md5(location) or published_package_md5(location)


def _commit(
    draft: Draft, content: AnnotationContent, files: Files, made_from: InputRef, basis: Basis, run_id: str
) -> Commit:
    platform = {"platform": made_from.partition}
    content.write(draft.folder)
    draft.write_table("platform_annotations", [{**platform, "version": content.version, **content.facts}])
    draft.write_table("annotation_counts", [{**platform, **count} for count in content.counts])
    draft.write_table("annotation_sources", source_rows(platform, files))
    draft.write_table("dropped", dropped_rows(content.dropped))
    for file in files.values():
        draft.attach(file.stored)
    return draft.commit(
        version=content.version,
        code_version=CODE_VERSION,
        inputs=[made_from],
        info={"basis": basis, **content.info},
        run_id=run_id,
    )
