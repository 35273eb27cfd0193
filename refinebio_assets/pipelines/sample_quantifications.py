"""Makes ``sample_quantifications``: every sample of an experiment quantified, or the reason why not."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from refinebio_assets.domain import DropKind, Dropped, Experiment, Verdict
from refinebio_assets.errors import RefinebioError, RequestError, StorageError
from refinebio_assets.lake.rows import read_rows
from refinebio_assets.lake.schema import TABLES
from refinebio_assets.lake.store import Commit, InputRef, Lake
from refinebio_assets.pipelines import (
    array_quantification,
    bead_quantification,
    experiment_record,
    raw_files,
    read_quantification,
    submitted_conversion,
)
from refinebio_assets.pipelines.array_matrix import is_array_processor
from refinebio_assets.pipelines.costs import TABLE as COSTS
from refinebio_assets.pipelines.costs import Meter
from refinebio_assets.pipelines.experiment_record import recorded_experiment
from refinebio_assets.pipelines.freshness import Basis, content_hash, explain_changes
from refinebio_assets.pipelines.outcome import (
    NOT_WHOLE,
    Outcome,
    Situation,
    all_failed,
    dropped_rows,
    require_head,
)
from refinebio_assets.pipelines.progress import SILENT, Progress
from refinebio_assets.pipelines.raw_file import RawFile, read_raw_files
from refinebio_assets.pipelines.raw_files import files_by_sample
from refinebio_assets.pipelines.sample_plan import Plan, has_reference, plan_samples
from refinebio_assets.pipelines.sample_quantification import (
    Refusal,
    SampleTask,
    find_quantification,
    lost_quantifications,
    quantify_sample,
)
from refinebio_assets.pipelines.sample_results import (
    DETAILS,
    SampleResult,
    bytes_of,
    detail_rows,
    lineage_rows,
    result_row,
)
from refinebio_assets.pipelines.workers import available_cores, run_all, share_cores

ASSET = "sample_quantifications"
CODE_VERSION = "2"


def code_version() -> str:
    """Return the version of this step's code, those of a sample's quantification included."""
    return f"{CODE_VERSION}.{sample_code_version()}"


def sample_code_version() -> str:
    """Return the version of the code that quantifies a sample."""
    tasks = (read_quantification, array_quantification, bead_quantification, submitted_conversion)
    return ".".join(task.CODE_VERSION for task in tasks)


@dataclass(frozen=True, slots=True)
class Assessment:
    """How an experiment's quantifications stand, with what is needed to bring them up to date."""

    situation: Situation
    inputs: tuple[Commit, ...]
    plans: tuple[Plan, ...]
    before: Mapping[str, Mapping[str, Any]]

    def old_basis(self, sample: str) -> Basis | None:
        """Return the basis with which a sample was last judged in this experiment, or None."""
        head = self.situation.head
        return head.info["basis"].get("samples", {}).get(sample) if head else None


def assess_quantifications(
    lake: Lake, accession: str, *, samples: Sequence[str] = (), retry_failed: bool = False
) -> Assessment:
    """Return how an experiment's quantifications stand against its files, references and the code."""
    record = require_head(lake, experiment_record.ASSET, accession)
    files = require_head(lake, raw_files.ASSET, accession)
    experiment = recorded_experiment(lake, record)
    _refuse_unknown(experiment, samples)
    raw = read_raw_files(lake, files)
    return _judge(lake, experiment, raw, (record, files), samples, retry_failed)


@dataclass(frozen=True, slots=True)
class Expected:
    """What a run would leave: rows of ``results`` of samples that it would not touch, and the others."""

    rows: tuple[Mapping[str, Any], ...]
    waiting: set[str]


def expected_quantifications(
    lake: Lake,
    experiment: Experiment,
    raw: Sequence[RawFile],
    fetched: Collection[str],
    *,
    samples: Sequence[str] = (),
    retry_failed: bool = False,
) -> Expected:
    """Return what quantifying would do with the files ``raw`` when those of ``fetched`` samples come anew.

    Nothing is quantified. Raises RequestError for samples that the experiment does not have.
    """
    _refuse_unknown(experiment, samples)
    here = replace(experiment, samples=tuple(s for s in experiment.samples if s.accession not in fetched))
    assessed = _judge(lake, here, raw, (), [name for name in samples if name not in fetched], retry_failed)
    coming = {s.accession for s in experiment.samples if s.accession in fetched and has_reference(lake, s)}
    if not fetched and not assessed.situation.reasons:
        return Expected(tuple(assessed.before.values()), coming)
    settled, waiting = _settle(lake, assessed, set(samples), retry_failed)
    empty = dict.fromkeys(column.name for column in TABLES["results"].columns)
    rows = tuple(empty | result_row(experiment.accession, result) for result in settled)
    return Expected(rows, coming | {task.sample.accession for task, _ in waiting})


def _judge(
    lake: Lake,
    experiment: Experiment,
    raw: Sequence[RawFile],
    inputs: tuple[Commit, ...],
    samples: Sequence[str],
    retry_failed: bool,
) -> Assessment:
    plans = plan_samples(lake, experiment, files_by_sample(raw))
    basis = {"code version": CODE_VERSION, "samples": {plan.sample.accession: plan.basis() for plan in plans}}
    head = lake.head(ASSET, experiment.accession)
    lost = set(lake.missing_files(head)) if head else set()
    readable = head is not None and head.tables["results"] not in lost
    before = {row["sample"]: row for row in read_rows(lake, head, "results")} if head and readable else {}
    reasons = _changes(head.info["basis"] if head else None, basis)
    reasons += [NOT_WHOLE] if lost else []
    reasons += [
        f"{name} failed before and is tried again"
        for name, row in before.items()
        if _worth_retrying(row, retry_failed)
    ]
    reasons += [f"{name} is redone on request" for name in samples]
    old = head.info["basis"].get("samples", {}) if head else {}
    unchanged = [plan for plan in plans if old.get(plan.sample.accession) == plan.basis()]
    reasons += _lost(lake, unchanged, before, look_at_each=retry_failed or bool(reasons))
    return Assessment(Situation(head, basis, tuple(reasons)), inputs, tuple(plans), before)


def quantify_samples(
    lake: Lake,
    accession: str,
    *,
    samples: Sequence[str] = (),
    retry_failed: bool = False,
    cores: int | None = None,
    progress: Progress = SILENT,
    run_id: str = "",
) -> Outcome:
    """Quantify what is new or out of date in an experiment; keep everything else.

    ``samples`` are redone whether or not they are out of date; ``cores`` (default: the machine's) are shared
    by the samples that run at the same time. A sample that failed is recorded with
    its reason while the others go on; it is tried again when its inputs change, when the failure was a
    passing one, or on request. Raises AllFailedError or AllFailedForNowError, after recording why, when
    none is quantified.
    """
    assessed = assess_quantifications(lake, accession, samples=samples, retry_failed=retry_failed)
    situation = assessed.situation
    if situation.current is not None:
        dropped = unprocessed(assessed.before.values())
        return _ended(assessed, Outcome(situation.current, changed=False, dropped=dropped))
    meter = Meter()
    settled, waiting = _settle(lake, assessed, set(samples), retry_failed)
    made = _quantify_all(lake, waiting, cores or available_cores(), progress, run_id)
    by_sample = {result.accession: result for result in [*settled, *made]}
    results = [by_sample[plan.sample.accession] for plan in assessed.plans]
    cost = meter.row(accession, samples=len(made), bytes_out=bytes_of(made))
    commit = _commit(lake, accession, results, assessed, cost, run_id)
    return _ended(
        assessed,
        Outcome(
            commit,
            changed=True,
            reasons=situation.reasons,
            dropped=_dropped(results),
            sample_reasons={result.accession: result.why for result in made},
        ),
    )


def _refuse_unknown(experiment: Experiment, samples: Sequence[str]) -> None:
    known = {sample.accession for sample in experiment.samples}
    unknown = [sample for sample in samples if sample not in known]
    if unknown:
        raise RequestError([f"{experiment.accession} has no sample {sample}" for sample in unknown])


def _worth_retrying(row: Mapping[str, Any], retry_failed: bool) -> bool:
    return row["verdict"] == Verdict.FAILED and (retry_failed or not row["permanent"])


def _changes(old: Basis | None, new: Basis) -> list[str]:
    """Say what differs, sample by sample; empty when nothing does."""
    if old is None:
        return explain_changes(None, new)
    before, now = old.get("samples", {}), new["samples"]
    reasons = explain_changes({"code version": old["code version"]}, {"code version": new["code version"]})
    for name in sorted(set(before) | set(now)):
        if name in before and name in now:
            reasons += [f"{name}: {reason}" for reason in explain_changes(before[name], now[name])]
        else:
            reasons.append(f"{name} added" if name in now else f"{name} removed")
    return reasons


def _lost(
    lake: Lake, plans: Sequence[Plan], before: Mapping[str, Mapping[str, Any]], *, look_at_each: bool
) -> list[str]:
    """Name the samples whose quantification was recorded, but is no longer in the lake.

    At first only results are looked at, in a bucket only those that were set aside. Where there is work
    anyway, records and the other files are, too, as that work would make anew what lacks one.
    """
    tasks = {plan.sample.accession: plan for plan in plans if not isinstance(plan, Refusal)}
    rows = [row for name, row in before.items() if name in tasks and row["verdict"] == Verdict.PROCESSED]
    lost = lost_quantifications(lake, rows)
    if lost or look_at_each:
        names = (row["sample"] for row in rows)
        lost |= {name for name in names if find_quantification(lake, name, tasks[name].basis()) is None}
    return [f"{name}: its quantification is no longer in the lake" for name in tasks if name in lost]


def _settle(
    lake: Lake, assessed: Assessment, forced: set[str], retry_failed: bool
) -> tuple[list[SampleResult], list[tuple[SampleTask, str]]]:
    """Split the samples into those whose result is known and those to quantify, with the reason."""
    settled: list[SampleResult] = []
    waiting: list[tuple[SampleTask, str]] = []
    for plan in assessed.plans:
        name = plan.sample.accession
        if isinstance(plan, Refusal):
            settled.append(SampleResult(plan, None, plan.verdict, plan.reason, plan.permanent))
            continue
        found = None if name in forced else find_quantification(lake, name, plan.basis())
        old, row = assessed.old_basis(name), assessed.before.get(name)
        if found is not None:
            settled.append(SampleResult(plan, found))
        elif name not in forced and row and _failed_for_good(row, old, plan, retry_failed):
            settled.append(SampleResult(plan, None, Verdict.FAILED, row["reason"]))
        else:
            waiting.append((plan, "redone on request" if name in forced else _why(plan, old, row)))
    return settled, waiting


def _why(plan: Plan, old: Basis | None, row: Mapping[str, Any] | None) -> str:
    if old is None or "refused" in old:
        return "not quantified before"
    changes = explain_changes(old, plan.basis())
    if not changes and row is not None and row["verdict"] == Verdict.FAILED:
        return f"tried again after: {row['reason']}"
    return "; ".join(changes) or "its quantification is no longer in the lake"


def _failed_for_good(row: Mapping[str, Any], old: Basis | None, plan: Plan, retry_failed: bool) -> bool:
    failed = row["verdict"] == Verdict.FAILED
    return failed and not _worth_retrying(row, retry_failed) and old == plan.basis()


def _quantify_all(
    lake: Lake,
    waiting: Sequence[tuple[SampleTask, str]],
    cores: int,
    progress: Progress,
    run_id: str,
) -> list[SampleResult]:
    arrays_only = all(is_array_processor(task.processor) for task, _ in waiting)
    # An array takes one core and little memory; what is shared among few is made for Salmon.
    workers, threads = (min(cores, len(waiting)), 1) if arrays_only else share_cores(cores, len(waiting))
    cancelled = threading.Event()

    def one(item: tuple[SampleTask, str]) -> SampleResult:
        task, why = item
        try:
            return SampleResult(
                task,
                quantify_sample(lake, task, threads=threads, run_id=run_id, cancelled=cancelled),
                why=why,
            )
        except StorageError:
            raise
        except RefinebioError as error:
            return _failed(lake, task, why, error)

    if waiting:
        progress.start("quantify", len(waiting), "samples")
    made = []
    for _, result in run_all(one, waiting, workers=workers, cancelled=cancelled):
        made.append(result)
        progress.advance("quantify", f"{result.accession}: {result.reason or result.why}")
    return made


def _failed(lake: Lake, task: SampleTask, why: str, error: RefinebioError) -> SampleResult:
    """Return the failure, or the earlier result where a good one with the same inputs stands."""
    earlier = find_quantification(lake, task.sample.accession, task.basis())
    if earlier is None:
        return SampleResult(task, None, Verdict.FAILED, str(error), error.permanent, why)
    return SampleResult(task, earlier, reason=f"redone in vain, the earlier result stands: {error}", why=why)


def _commit(
    lake: Lake,
    accession: str,
    results: Sequence[SampleResult],
    assessed: Assessment,
    cost: Mapping[str, Any],
    run_id: str,
) -> Commit:
    with lake.draft(ASSET, accession) as draft:
        draft.write_table("results", [result_row(accession, result) for result in results])
        for table in DETAILS:
            draft.write_table(table, list(detail_rows(accession, results, table)))
        draft.write_table("lineage", [row for result in results for row in lineage_rows(result)])
        draft.write_table("dropped", dropped_rows(_dropped(results)))
        draft.write_table(COSTS, [cost])
        versions = [
            [
                result.accession,
                str(result.verdict),
                result.quantification.version if result.quantification else result.reason,
            ]
            for result in results
        ]
        return draft.commit(
            version=content_hash(versions),
            code_version=code_version(),
            inputs=[InputRef(commit.asset, commit.partition, commit.version) for commit in assessed.inputs],
            info={"basis": assessed.situation.basis},
            run_id=run_id,
            needs=[result.quantification.commit for result in results if result.quantification],
        )


def _dropped(results: Sequence[SampleResult]) -> tuple[Dropped, ...]:
    return tuple(
        Dropped(DropKind.SAMPLE, result.accession, ASSET, result.reason, result.permanent)
        for result in results
        if result.quantification is None
    )


def unprocessed(results: Iterable[Mapping[str, Any]]) -> tuple[Dropped, ...]:
    """Return what rows of the table ``results`` list as not processed, with the reasons."""
    return tuple(
        Dropped(DropKind.SAMPLE, row["sample"], ASSET, row["reason"], row["permanent"])
        for row in results
        if row["verdict"] != Verdict.PROCESSED
    )


def _ended(assessed: Assessment, outcome: Outcome) -> Outcome:
    """Return the outcome, or raise when not one sample was quantified."""
    if len(outcome.dropped) == len(assessed.plans):
        raise all_failed(f"no sample of {outcome.commit.partition} could be quantified", outcome.dropped)
    return outcome
