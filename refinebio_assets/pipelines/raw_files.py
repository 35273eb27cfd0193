"""Makes ``raw_files``: every source file of an experiment in the lake, verified, with its checksums."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from refinebio_assets.domain import DropKind, Dropped, Experiment, FileRole, SourceFile
from refinebio_assets.errors import NotFoundError
from refinebio_assets.lake.store import Commit, InputRef, Lake
from refinebio_assets.pipelines import experiment_record
from refinebio_assets.pipelines.costs import TABLE as COSTS
from refinebio_assets.pipelines.costs import Meter
from refinebio_assets.pipelines.experiment_record import recorded_experiment
from refinebio_assets.pipelines.fetch_file import WebSource, describe, no_web
from refinebio_assets.pipelines.freshness import Basis, content_hash, explain_changes
from refinebio_assets.pipelines.gathering import Gathering
from refinebio_assets.pipelines.outcome import (
    NOT_WHOLE,
    Outcome,
    Situation,
    all_failed,
    dropped_rows,
    require_head,
)
from refinebio_assets.pipelines.progress import SILENT, Progress
from refinebio_assets.pipelines.raw_file import RawFile, file_rows, read_raw_files
from refinebio_assets.pipelines.wanted_files import states_at_source, wanted_files

ASSET = "raw_files"
CODE_VERSION = "3"


@dataclass(frozen=True, slots=True)
class Assessment:
    """How an experiment's raw files stand, with what is needed to bring them up to date."""

    situation: Situation
    record: Commit
    experiment: Experiment
    known: tuple[RawFile, ...]

    @property
    def checked_alike(self) -> bool:
        """Whether the known files passed the checks of today's code."""
        head = self.situation.head
        return head is not None and head.code_version == CODE_VERSION


def assess_raw_files(
    lake: Lake, accession: str, *, web: WebSource = no_web, retry_failed: bool = False
) -> Assessment:
    """Return how an experiment's raw files stand against the files at their sources now.

    A file that is in the lake stays right when its source can no longer be seen: deleted, moved, away.
    """
    record = require_head(lake, experiment_record.ASSET, accession)
    experiment = recorded_experiment(lake, record)
    situation, known = _judge(lake, experiment, web, retry_failed)
    return Assessment(situation, record, experiment, known)


@dataclass(frozen=True, slots=True)
class Expected:
    """What is in the lake of an experiment's files, and what a run would do.

    ``missing`` are samples of which files would be fetched; ``new`` has, for those of them whose content may
    differ from before, the files' roles: a file that was lost from the lake comes back as it was.
    ``checked`` are samples of which files in the lake would be checked again, by new code.
    """

    known: tuple[RawFile, ...]
    missing: frozenset[str] = frozenset()
    new: Mapping[str, set[FileRole]] = field(default_factory=dict)
    checked: frozenset[str] = frozenset()


def expected_files(
    lake: Lake, experiment: Experiment, *, web: WebSource = no_web, retry_failed: bool = False
) -> Expected:
    """Return what gathering an experiment's files would do; nothing is fetched or read."""
    situation, known = _judge(lake, experiment, web, retry_failed)
    if not situation.reasons:
        return Expected(known)
    head = situation.head
    before = head.info["basis"] if head else {}
    had = {(file.sample, file.role, file.origin.location) for file in known if file.usable}
    missing, new = set(), defaultdict(set)
    for sample, file in Gathering(lake, web, SILENT, retry_failed).missing(experiment, known):
        missing.add(sample)
        key = _key(sample, file)
        is_same = before.get(key) == situation.basis[key]
        if not is_same or (sample, file.role, file.location) not in had:
            new[sample].add(file.role)
    anew = head is not None and head.code_version != CODE_VERSION
    stored = {file.sample for file in known if file.stored} if anew else set()
    return Expected(known, frozenset(missing), dict(new), frozenset(stored - missing))


def _judge(
    lake: Lake, experiment: Experiment, web: WebSource, retry_failed: bool
) -> tuple[Situation, tuple[RawFile, ...]]:
    head = lake.head(ASSET, experiment.accession)
    missing = lake.missing_files(head) if head else []
    lost = {head.file(name).path for name in missing} if head else set()
    readable = head if head is None or _has_tables(head, missing) else _last_readable(lake, head)
    known = tuple(read_raw_files(lake, readable)) if readable else ()
    basis = _basis(experiment, known, web)
    reasons = explain_changes(head.info["basis"] if head else None, basis)
    if readable is not head:
        reasons.append(NOT_WHOLE)
    reasons += _retry_reasons(lake, known, lost, retry_failed)
    return Situation(head, basis, tuple(reasons)), known


def _last_readable(lake: Lake, head: Commit) -> Commit | None:
    """Return the newest commit of the same code whose tables are whole, None when there is none."""
    alike = [each for each in lake.history(ASSET, head.partition) if each.code_version == head.code_version]
    return next((each for each in reversed(alike) if _has_tables(each, lake.missing_files(each))), None)


def _has_tables(commit: Commit, missing: Iterable[str]) -> bool:
    return set(commit.tables.values()).isdisjoint(missing)


def collect_raw_files(
    lake: Lake,
    accession: str,
    *,
    web: WebSource = no_web,
    retry_failed: bool = False,
    progress: Progress = SILENT,
    run_id: str = "",
) -> Outcome:
    """Bring an experiment's files into the lake; those that have not changed are not read again.

    A file that is missing or damaged is recorded with its reason and the others go on. Raises
    AllFailedError or AllFailedForNowError, after recording why, when no sample has all its files.
    """
    assessed = assess_raw_files(lake, accession, web=web, retry_failed=retry_failed)
    situation, experiment = assessed.situation, assessed.experiment
    if situation.current is not None:
        dropped = tuple(_dropped(experiment, assessed.known))
        return _ended(experiment, Outcome(situation.current, changed=False, dropped=dropped))
    meter = Meter()
    gathering = Gathering(lake, web, progress, retry_failed, assessed.checked_alike)
    files = _check_mates(gathering.gather(experiment, assessed.known))
    dropped = (*_dropped(experiment, files), *_lost(files))
    with lake.draft(ASSET, accession) as draft:
        draft.write_table("files", file_rows(accession, files))
        draft.write_table("dropped", dropped_rows(dropped))
        draft.write_table(COSTS, [_cost_row(accession, meter, files, assessed.known)])
        for stored in {file.stored.sha256: file.stored for file in files if file.stored}.values():
            # A lost one that could not be had: what was recorded of it stands.
            with suppress(NotFoundError):
                draft.attach(stored)
        commit = draft.commit(
            version=_version(files),
            code_version=CODE_VERSION,
            inputs=[InputRef(experiment_record.ASSET, accession, assessed.record.version)],
            info={"basis": situation.basis},
            run_id=run_id,
        )
    return _ended(experiment, Outcome(commit, True, situation.reasons, dropped))


def _cost_row(
    accession: str, meter: Meter, files: Sequence[RawFile], known: Sequence[RawFile]
) -> dict[str, Any]:
    """Return what gathering cost: bytes that came from the sources now, and bytes in the lake of them."""
    before = {file.origin for file in known if file.usable}
    new = [file for file in files if file.stored and file.origin not in before]
    came = {file.origin.location: file.origin.size or file.stored.size for file in new if file.stored}
    stored = {file.stored.sha256: file.stored.size for file in new if file.stored}
    samples = len({file.sample for file in files if file.origin not in before})
    return meter.row(accession, samples=samples, bytes_in=sum(came.values()), bytes_out=sum(stored.values()))


def _basis(experiment: Experiment, known: Sequence[RawFile], web: WebSource) -> Basis:
    """Return what determines the raw files: each wanted file's place, size and modification."""
    in_lake = {file.origin.location: describe(file.origin) for file in known if file.usable}
    states = states_at_source(experiment, in_lake, web)
    basis = {"code version": CODE_VERSION}
    for sample, file in wanted_files(experiment):
        basis[_key(sample.accession, file)] = states[file.location]
    return basis


def _key(sample: str, file: SourceFile) -> str:
    """Return what the basis calls a file of a sample."""
    member = f" ({file.member})" if file.member else ""
    return f"{file.role} of {sample}{member}"


def _retry_reasons(
    lake: Lake, files: Iterable[RawFile], lost: Collection[str], retry_failed: bool
) -> list[str]:
    """Say which files are worth another try: passing failures and ``lost`` paths always, others on request.

    A file that is in the lake only by its record, as its source did not answer, is a passing failure.

    In a bucket a request tells of one file whether it is lost: all are looked at on request only.
    """
    reasons = []
    for file in files:
        if not file.usable and (retry_failed or not file.permanent):
            reasons.append(f"{file.role} of {file.sample} failed before and is tried again")
        elif not file.permanent:
            reasons.append(f"{file.role} of {file.sample} was lost, failed before and is tried again")
        elif file.stored and (
            file.stored.path in lost or (retry_failed and not lake.has_object(file.stored.sha256))
        ):
            reasons.append(f"{file.role} of {file.sample} is no longer in the lake")
    return reasons


def files_by_sample(files: Iterable[RawFile]) -> dict[str, dict[FileRole, RawFile]]:
    """Group files by sample, then by role; the first of a role counts."""
    grouped: dict[str, dict[FileRole, RawFile]] = defaultdict(dict)
    for file in files:
        grouped[file.sample].setdefault(file.role, file)
    return dict(grouped)


def _check_mates(files: Sequence[RawFile]) -> list[RawFile]:
    """Mark both files of a pair as failed when they do not hold the same number of reads."""
    unequal = {}
    for sample, roles in files_by_sample(files).items():
        first, second = roles.get(FileRole.FASTQ_1), roles.get(FileRole.FASTQ_2)
        if first and second and first.usable and second.usable and first.reads != second.reads:
            unequal[sample] = (
                f"fastq_1 ({first.origin.location}) has {first.reads:,} reads and fastq_2 "
                f"({second.origin.location}) has {second.reads:,}; mates must be equal in number"
            )
    return [
        replace(file, reason=unequal[file.sample])
        if file.sample in unequal and file.role in (FileRole.FASTQ_1, FileRole.FASTQ_2)
        else file
        for file in files
    ]


def _dropped(experiment: Experiment, files: Sequence[RawFile]) -> list[Dropped]:
    grouped = files_by_sample(files)
    dropped = []
    for sample in experiment.samples:
        failed = [file for file in grouped.get(sample.accession, {}).values() if not file.usable]
        if failed:
            reason = "; ".join(dict.fromkeys(file.reason for file in failed))
            permanent = all(file.permanent for file in failed)
            dropped.append(Dropped(DropKind.SAMPLE, sample.accession, ASSET, reason, permanent))
    return dropped


def _lost(files: Sequence[RawFile]) -> list[Dropped]:
    """Return the files that are lost and their source does not give, though what was made of them stands."""
    lost = dict.fromkeys((file.label, file.lost, file.permanent) for file in files if file.lost)
    return [Dropped(DropKind.FILE, label, ASSET, reason, permanent) for label, reason, permanent in lost]


def _version(files: Sequence[RawFile]) -> str:
    return content_hash(
        [
            [
                file.sample,
                str(file.role),
                file.stored.sha256 if file.stored and file.usable else "",
                file.reason,
            ]
            for file in files
        ]
    )


def _ended(experiment: Experiment, outcome: Outcome) -> Outcome:
    """Return the outcome, or raise when not one sample is left to work with."""
    if len(outcome.dropped_samples) == len(experiment.samples):
        raise all_failed(f"no sample of {experiment.accession} has usable files", outcome.dropped_samples)
    return outcome
