"""Makes ``rnaseq_sample_compendium``: the ``quant.sf`` files of all samples of an organism, in one zip.

Experiments are written one by one into a work folder beside the lake's drafts. A build that was killed goes
on behind the last experiment that was whole and still is as it should be; nothing of it is visible before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from refinebio_assets.errors import PermanentError
from refinebio_assets.formats.resumable_zip import ResumableZip
from refinebio_assets.lake.naming import encode_name
from refinebio_assets.lake.storage import make_folder, remove_tree, storing
from refinebio_assets.lake.store import Commit, Draft, Lake
from refinebio_assets.pipelines.compendia.kinds import CompendiumKind
from refinebio_assets.pipelines.compendia.rnaseq_samples.choice import (
    Choice,
    ExperimentPart,
    choose_experiments,
)
from refinebio_assets.pipelines.compendia.rnaseq_samples.experiment_part import STEP, write_experiment
from refinebio_assets.pipelines.compendia.rnaseq_samples.summary import TOP, content_version, write_summary
from refinebio_assets.pipelines.compendia.rnaseq_samples.totals import (
    NO_REFERENCE,
    About,
    Totals,
    count_parts,
)
from refinebio_assets.pipelines.compendia.room import require_room, room_named
from refinebio_assets.pipelines.delivery.lock_entries import release_of
from refinebio_assets.pipelines.failed_builds import remembered
from refinebio_assets.pipelines.freshness import content_hash
from refinebio_assets.pipelines.outcome import (
    MEANWHILE,
    Outcome,
    Situation,
    all_failed,
    dropped_before,
    dropped_rows,
    made_meanwhile,
    situation_of,
)
from refinebio_assets.pipelines.progress import SILENT, Progress
from refinebio_assets.pipelines.references import transcriptome_index
from refinebio_assets.pipelines.version_numbers import version_number
from refinebio_assets.pipelines.workers import available_cores

KIND = CompendiumKind.RNASEQ_SAMPLE
ASSET = "rnaseq_sample_compendium"
CODE_VERSION = "1"
_METADATA_BYTES = 8_000
"""Room for what is told of a sample: notes (5 kB where an archive tells much) and deflated files."""
_PACKED = 1.1
"""Deflated as a member, a file is up to a tenth larger than gzipped (4 % measured)."""


@dataclass(frozen=True, slots=True)
class Assessment:
    """How an organism's compendium stands, and what it would be made of."""

    situation: Situation
    choice: Choice


def assess_samples(lake: Lake, organism: str) -> Assessment:
    """Return how an organism's compendium stands against the lake's quantifications.

    Raises PermanentError when no RNA-seq sample has a ``quant.sf``.
    """
    choice, head = choose_experiments(lake, organism), lake.head(ASSET, organism)
    if not choice.quantified:
        raise PermanentError(
            f"the lake has no RNA-seq samples of {organism} that were quantified with Salmon: there is "
            "nothing to make a compendium of"
        )
    basis = {"code version": CODE_VERSION, **choice.basis()}
    return Assessment(situation_of(lake, head, basis), choice)


def build_rnaseq_sample_compendium(
    lake: Lake, organism: str, *, progress: Progress = SILENT, run_id: str = ""
) -> Outcome:
    """Make an organism's compendium, or return the commit that is already right.

    Samples without a whole ``quant.sf`` are listed as dropped. Memory does not depend on their number; the
    disk beside the lake's drafts needs the room of the zip. Raises AllFailedError when no file is whole,
    StorageError that names the room when the disk is too small, or when another process is at it.
    """
    assessed = assess_samples(lake, organism)
    current = assessed.situation.current
    if current is not None:
        return Outcome(current, changed=False, dropped=dropped_before(lake, current))
    with remembered(lake, ASSET, organism, assessed.situation.basis, run_id):
        return _make(lake, organism, assessed, progress, run_id)


def _make(lake: Lake, organism: str, assessed: Assessment, progress: Progress, run_id: str) -> Outcome:
    folder = _work_folder(lake, organism)
    staged = folder / "staged"
    with ResumableZip(staged / zip_name(organism), folder, threads=available_cores()) as archive:
        # By the process that had the folder before.
        if other := _made_by_another(lake, organism, assessed.situation, folder):
            return other
        _write_parts(lake, archive, organism, assessed.choice, folder, progress)
        totals = count_parts(archive.parts)
        if not totals.files:
            remove_tree(folder)
            raise all_failed(f"no quant.sf of {organism} is whole", totals.dropped)
        # On another machine, in the hours that this took.
        if other := _made_by_another(lake, organism, assessed.situation, folder):
            return other
        version = content_version(archive.members())
        progress.say("write metadata, lock and manifest")
        with version_number(lake, ASSET, organism) as number:
            about = _about(lake, organism, number, assessed.choice, totals)
            with storing(f"writing {archive.path}"):
                with archive.part(TOP, "") as top:
                    write_summary(archive, top, about, totals)
                archive.finish()
            remove_tree(staged / "tables")  # of a build that was killed when all else was done
            with lake.draft(ASSET, organism, kept=staged) as draft:
                commit = _commit(draft, assessed, about, totals, version, run_id)
        remove_tree(folder)
    return Outcome(commit, True, assessed.situation.reasons, totals.dropped)


def _made_by_another(lake: Lake, organism: str, situation: Situation, folder: Path) -> Outcome | None:
    """Return what another build made of the same inputs, if one did; the work folder is gone then."""
    other = made_meanwhile(lake, ASSET, organism, situation)
    if other is None:
        return None
    remove_tree(folder)
    return Outcome(other, False, MEANWHILE, dropped_before(lake, other))


def zip_name(organism: str) -> str:
    """Return the name of an organism's zip in its commit."""
    return f"{organism}_rnaseq_sample_compendium.zip"


def _work_folder(lake: Lake, organism: str) -> Path:
    """Return the folder in which an organism's compendium is written, by this build or one before."""
    folder = lake.storage.scratch / f"rnaseq-sample-compendium-{encode_name(organism)}"
    with storing(f"making the folder {folder}"):
        make_folder(folder / "staged")
    return folder


def _write_parts(
    lake: Lake, archive: ResumableZip, organism: str, choice: Choice, folder: Path, progress: Progress
) -> None:
    """Write the experiments that are not there yet."""
    wanted = [(part.experiment, _part_basis(part, choice)) for part in choice.parts]
    with storing(f"reading {archive.path}"):
        kept = archive.resume(wanted)
    if kept:
        progress.say(f"{kept:,} of {len(wanted):,} experiments are there from a build that was interrupted")
    left = choice.parts[kept:]
    what, needed = f"the RNA-seq sample compendium of {organism}", _room(choice.parts, left)
    require_room(folder, needed, what)
    progress.start(STEP, sum(part.quantified for part in left), "files")
    for part, (name, basis) in zip(left, wanted[kept:], strict=True):
        with room_named(folder, needed, what), archive.part(name, basis) as writer:
            write_experiment(lake, writer, part, organism, choice.attributes, progress)


def _part_basis(part: ExperimentPart, choice: Choice) -> str:
    versions = [commit.version for commit in choice.attributes]
    return content_hash([CODE_VERSION, part.basis(), versions])


def _room(parts: Sequence[ExperimentPart], left: Sequence[ExperimentPart]) -> int:
    told = sum(part.samples for part in parts) * _METADATA_BYTES
    return told + int(_PACKED * sum(part.size for part in left))


def _about(lake: Lake, organism: str, number: int, choice: Choice, totals: Totals) -> About:
    newest = [part.newest for part in choice.parts]
    newest += [commit.created_at.isoformat() for commit in choice.attributes]
    attributes = {commit.partition: commit.version for commit in choice.attributes}
    releases = {
        version: release_of(lake, transcriptome_index.ASSET, organism, version)
        for version in totals.references
        if version != NO_REFERENCE
    }
    return About(organism, number, max(newest), CODE_VERSION, attributes, releases)


def _commit(
    draft: Draft, assessed: Assessment, about: About, totals: Totals, version: str, run_id: str
) -> Commit:
    name = zip_name(about.organism)
    row: dict[str, Any] = {
        "kind": str(KIND),
        "organism": about.organism,
        "number": about.number,
        "version": version,
        "organisms": [about.organism],
        "samples": totals.samples,
        "experiments": totals.experiments,
        "dropped_samples": len(totals.lost),
        "bytes": (draft.folder / name).stat().st_size,
    }
    draft.write_table("compendia", [row])
    draft.write_table("dropped", dropped_rows(totals.dropped))
    return draft.commit(
        version=version,
        code_version=CODE_VERSION,
        inputs=list(assessed.choice.inputs()),
        info={
            "basis": assessed.situation.basis,
            "number": about.number,
            "samples": totals.samples,
            "file": name,
        },
        run_id=run_id,
    )
