"""Makes ``target_quantiles``: the distribution that an organism's samples are normalized to.

Versions are hashes of content, and all of them stay: a dataset pins the one it was made with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from refinebio_assets.domain import Dropped, Technology
from refinebio_assets.errors import PermanentError
from refinebio_assets.formats.target_file import read_target_file
from refinebio_assets.lake.store import Commit, Draft, InputRef, Lake
from refinebio_assets.pipelines.failed_builds import remembered
from refinebio_assets.pipelines.outcome import Outcome, Situation, dropped_before, dropped_rows, situation_of
from refinebio_assets.pipelines.progress import SILENT, Progress
from refinebio_assets.pipelines.targets.accumulation import AddedUp, Vector, add_up
from refinebio_assets.pipelines.targets.settings import (
    AUTOMATIC,
    TARGET_REGISTRATION,
    TargetSettings,
    target_settings,
)
from refinebio_assets.pipelines.targets.source import TargetSource, target_source
from refinebio_assets.pipelines.targets.target import ASSET, Target, find_target, require_target, write_target
from refinebio_assets.pipelines.workers import available_cores

__all__ = [
    "ASSET",
    "CODE_VERSION",
    "Target",
    "assess_target",
    "build_target",
    "find_target",
    "require_target",
]

CODE_VERSION = "1"
LOG2 = "log2(x + 1)"
_TASK = "add up samples"


@dataclass(frozen=True, slots=True)
class Assessment:
    """How an organism's target stands, and what it would be made of: ``source``, or the settings' file."""

    situation: Situation
    settings: TargetSettings
    source: TargetSource | None


def assess_target(lake: Lake, organism: str) -> Assessment:
    """Return how an organism's target stands against the lake's samples, or the file that was imported.

    Raises PermanentError when there is nothing that it could be made of.
    """
    settings = target_settings(lake, organism)
    source = None if settings.file else target_source(lake, organism, settings.technology)
    basis = _basis(settings, source)
    return Assessment(situation_of(lake, lake.head(ASSET, organism), basis), settings, source)


def build_target(lake: Lake, organism: str, *, progress: Progress = SILENT, run_id: str = "") -> Outcome:
    """Make an organism's target, or return the commit that is already right.

    Samples that do not take part are listed as dropped. Raises PermanentError as ``assess_target``, and when
    fewer samples are left than a target needs; an earlier target then stays, and the reason is kept.
    """
    assessed = assess_target(lake, organism)
    current = assessed.situation.current
    if current is not None:
        return Outcome(current, changed=False, dropped=dropped_before(lake, current))
    with remembered(lake, ASSET, organism, assessed.situation.basis, run_id):
        if assessed.source is None:
            commit = _commit_imported(lake, organism, assessed, run_id)
            return Outcome(commit, True, assessed.situation.reasons)
        return _make(lake, organism, assessed, assessed.source, progress, run_id)


def _make(
    lake: Lake,
    organism: str,
    assessed: Assessment,
    source: TargetSource,
    progress: Progress,
    run_id: str,
) -> Outcome:
    progress.start(_TASK, sum(len(matrix.samples) for matrix in source.matrices), "samples")
    made = add_up(
        lake, source, lambda count: progress.advance(_TASK, amount=count), threads=available_cores()
    )
    if len(made.used) < assessed.settings.minimum:
        raise PermanentError(_too_few(organism, assessed.settings, source, made))
    with lake.draft(ASSET, organism) as draft:
        commit = _commit_made(draft, assessed, source, made, run_id)
    return Outcome(commit, True, assessed.situation.reasons, made.dropped)


def require_subject(lake: Lake, organism: str, technology: str = AUTOMATIC) -> None:
    """Raise PermanentError where there is nothing to make a target of and nobody decided about it before.

    Asked before a decision is recorded, so that a misspelled name leaves nothing in the lake.
    """
    if lake.head(TARGET_REGISTRATION, organism) is None:
        target_source(lake, organism, technology)


def require_enough_samples(lake: Lake, organism: str) -> None:
    """Raise what a build of a target would be refused for when the lake has fewer samples than it needs.

    These few are read for that, so that the message is the whole one. Raises PermanentError.
    """
    assessed = assess_target(lake, organism)
    source, settings = assessed.source, assessed.settings
    if assessed.situation.current is None and source is not None and source.samples < settings.minimum:
        made = add_up(lake, source, lambda count: None, threads=available_cores())
        raise PermanentError(_too_few(organism, settings, source, made))


def _basis(settings: TargetSettings, source: TargetSource | None) -> dict[str, Any]:
    if source is None:
        file = settings.file.sha256 if settings.file else ""
        said = {"technology": settings.technology, "platform": settings.platform}
        return {"code version": CODE_VERSION, "imported file": file, **said}
    basis: dict[str, Any] = {
        "code version": CODE_VERSION,
        "least number of samples": settings.minimum,
        "technology": str(source.technology),
        "samples of": source.name,
    }
    for matrix in source.matrices:
        basis[f"{matrix.name} of {matrix.experiment}"] = matrix.version
    return basis


def _too_few(organism: str, settings: TargetSettings, source: TargetSource, made: AddedUp) -> str:
    counted = f"{len(made.used):,} of {source.samples:,} samples of {source.name} can be used"
    listed = _most_frequent_reasons(made.dropped)
    hint = f"`refinebio-assets target build {organism} --minimum {len(made.used)}` takes so few"
    if settings.technology == AUTOMATIC and source.technology == Technology.MICROARRAY:
        hint += "; with `--technology RNA-SEQ` it is made of RNA-seq samples"
    text = f"a target of {organism} needs {settings.minimum:,} samples, and {counted}{listed}"
    return f"{text}\n{hint}"


def _most_frequent_reasons(dropped: Sequence[Dropped]) -> str:
    counts: dict[str, int] = {}
    for item in dropped:
        counts[item.reason] = counts.get(item.reason, 0) + 1
    ordered = sorted(counts.items(), key=lambda pair: -pair[1])[:5]
    return "".join(f"\n  - {count:,} not: {reason}" for reason, count in ordered)


def _commit_made(
    draft: Draft, assessed: Assessment, source: TargetSource, made: AddedUp, run_id: str
) -> Commit:
    organism = draft.partition
    version = write_target(draft.folder, made.values, made.genes, source.technology)
    row = {
        **_row(organism, version, source.technology, made.values),
        "platform": source.platform or None,
        "reference": source.reference or None,
        "samples": len(made.used),
        "skipped_samples": len(made.dropped),
    }
    draft.write_table("targets", [row])
    draft.write_table(
        "target_samples",
        [
            {"organism": organism, "experiment": used.matrix.experiment, "sample": used.sample}
            | {"matrix": used.matrix.name, "matrix_version": used.matrix.version}
            for used in made.used
        ],
    )
    draft.write_table("dropped", dropped_rows(made.dropped))
    experiments = {used.matrix.experiment: used.matrix.commit for used in made.used}
    return draft.commit(
        version=version,
        code_version=CODE_VERSION,
        inputs=[InputRef(commit.asset, commit.partition, commit.version) for commit in experiments.values()],
        info=_info(assessed, row),
        run_id=run_id,
    )


def _commit_imported(lake: Lake, organism: str, assessed: Assessment, run_id: str) -> Commit:
    settings = assessed.settings
    if settings.file is None:
        raise PermanentError(f"no target was imported for {organism}")
    technology = Technology(settings.technology)
    values = read_target_file(lake.local(settings.file), settings.origin)
    with lake.draft(ASSET, organism) as draft:
        version = write_target(draft.folder, values, [], technology)
        row = _row(organism, version, technology, values)
        row |= {"platform": settings.platform or None, "imported": True, "origin": settings.origin}
        draft.write_table("targets", [row])
        draft.attach(settings.file)
        registration = lake.head(TARGET_REGISTRATION, organism)
        inputs = [] if registration is None else [registration]
        return draft.commit(
            version=version,
            code_version=CODE_VERSION,
            inputs=[InputRef(item.asset, item.partition, item.version) for item in inputs],
            info=_info(assessed, row),
            run_id=run_id,
        )


def _row(organism: str, version: str, technology: Technology, values: Vector) -> dict[str, Any]:
    """Return what ``targets`` says of any target."""
    return {
        "organism": organism,
        "version": version,
        "technology": str(technology),
        "transformation": LOG2 if technology == Technology.RNA_SEQ else None,
        "genes": len(values),
        "minimum": float(values[0]),
        "median": float(values[len(values) // 2]),
        "maximum": float(values[-1]),
        "imported": False,
    }


def _info(assessed: Assessment, row: dict[str, Any]) -> dict[str, Any]:
    kept = ("technology", "genes", "platform", "samples", "imported")
    return {"basis": assessed.situation.basis, **{key: row.get(key) for key in kept}}
