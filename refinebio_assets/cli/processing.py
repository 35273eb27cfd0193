"""How ``process`` and ``demo`` carry out a request in a terminal: register, run, report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from refinebio_assets.cli.command_name import command_name
from refinebio_assets.cli.ended import FAILED, TRY_AGAIN, say_refused, say_up_to_date
from refinebio_assets.cli.home import lake_url, open_catalog, open_lake, rules_of_runs, the_web
from refinebio_assets.cli.tables import say_reasons, table
from refinebio_assets.domain import Experiment, counted
from refinebio_assets.errors import RefinebioError, RequestError
from refinebio_assets.lake.store import Commit, Lake
from refinebio_assets.pipelines import experiment_record, gene_expression
from refinebio_assets.pipelines.due import due_step
from refinebio_assets.pipelines.experiment_changes import explain_experiment
from refinebio_assets.pipelines.experiment_record import recorded_experiment
from refinebio_assets.pipelines.overview import (
    experiment_states,
    lost_samples,
    sample_warnings,
    submitted_samples,
)
from refinebio_assets.pipelines.registry import (
    Registration,
    register_sample_sheet,
    registered_accessions,
    registered_experiment,
)

if TYPE_CHECKING:
    from refinebio_assets.defs.launch import RunOutcome

MAX_ROWS = 8
NOT_CHANGED: Mapping[str, Experiment | None] = {}


@dataclass(frozen=True, slots=True)
class ProcessRequest:
    """What ``process`` was asked to do beyond what is new or out of date.

    ``asked`` gives for an experiment the accession by which it was asked for, where that is another.
    """

    samples: tuple[str, ...] = ()
    retry_failed: bool = False
    survey_again: bool = False
    asked: Mapping[str, str] = field(default_factory=dict)


def register(
    console: Console, sheet: Path | None, *, qualify_samples: bool, dry_run: bool
) -> dict[str, Experiment | None]:
    """Register a sheet's experiments and return the accessions to process.

    With a dry run nothing is registered, and those that are new or changed come as they would be registered.
    """
    if sheet is None:
        return {}
    registrations = register_sample_sheet(
        open_lake(new=True), open_catalog(new=True), sheet, qualify_samples=qualify_samples, dry_run=dry_run
    )
    for registration in registrations:
        _say_registration(console, registration, dry_run)
    return {
        registration.experiment.accession: registration.experiment
        if dry_run and registration.changed
        else None
        for registration in registrations
    }


def process_experiments(
    console: Console, accessions: Sequence[str], request: ProcessRequest
) -> dict[str, str]:
    """Bring experiments up to date, one run each; return accession -> the state in which it ended."""
    lake = open_lake(new=True)
    wanted = samples_by_experiment(lake, accessions, request.samples)
    rules = rules_of_runs()
    runs: dict[str, str] = {}
    prepared = False
    for accession in accessions:
        try:
            due = due_step(
                lake,
                accession,
                web=the_web,
                samples=wanted[accession],
                retry_failed=request.retry_failed,
                survey_again=request.survey_again,
                rules=rules,
            )
        except RefinebioError as error:
            runs[accession] = say_refused(console, accession, error)
            continue
        if due is None:
            say_up_to_date(console, accession)
            continue
        _say_due(console, accession, *due)
        if not prepared:
            prepare_instance(accessions)
            prepared = True
        runs[accession] = _run(console, accession, wanted[accession], request)
    return _report(console, lake, accessions, runs)


def prepare_instance(accessions: Sequence[str]) -> None:
    """Make Dagster's instance ready, and all experiments partitions, also those that will wait."""
    from refinebio_assets.defs.dagster_home import prepare_dagster_home
    from refinebio_assets.defs.launch import register_experiments

    prepare_dagster_home(lake_url())
    register_experiments(accessions)


def samples_by_experiment(
    lake: Lake,
    accessions: Sequence[str],
    samples: Sequence[str],
    would_be: Mapping[str, Experiment | None] = NOT_CHANGED,
) -> dict[str, list[str]]:
    """Give each experiment the samples to redo that are its own; a sample of none is refused.

    ``would_be`` are experiments as a dry run would register them.
    """
    if not samples:
        return {accession: [] for accession in accessions}
    wanted = {}
    known = set(registered_accessions(lake))
    for accession in accessions:
        experiment = would_be.get(accession)
        if experiment is None and accession not in known:
            raise RequestError(f"{accession} is not known yet: survey or process it once without --sample")
        experiment = experiment or registered_experiment(lake, accession)[0]
        own = {sample.accession for sample in experiment.samples}
        wanted[accession] = [name for name in samples if name in own]
    found = {name for names in wanted.values() for name in names}
    unknown = [name for name in samples if name not in found]
    if unknown:
        raise RequestError([f"no sample {name} in {', '.join(accessions)}" for name in unknown])
    return wanted


def _say_registration(console: Console, registration: Registration, dry_run: bool) -> None:
    experiment = registration.experiment
    if registration.changed and not dry_run:
        count = len(experiment.samples)
        console.print(f"[bold]{escape(experiment.accession)}[/]: registered, {counted(count, 'sample')}")
    if registration.removed:
        names = escape(", ".join(registration.removed))
        verb = "would no longer be" if dry_run else "no longer listed, and no longer"
        console.print(f"{escape(experiment.accession)}: {verb} part of it: {names}", style="yellow")


def _say_due(console: Console, accession: str, asset: str, reasons: Sequence[str]) -> None:
    console.print(f"[bold]{escape(accession)}[/]: from {asset} on, because")
    say_reasons(console, reasons)


def _run(console: Console, accession: str, samples: Sequence[str], request: ProcessRequest) -> str:
    """Run an experiment's chain; return ``done``, ``failed`` or ``try again``."""
    from refinebio_assets.cli.rich_progress import BarProgressSource, bars
    from refinebio_assets.definitions import build_definitions
    from refinebio_assets.defs.launch import SurveyRequest, run_experiment

    lake = open_lake(new=True)
    before = lake.head(experiment_record.ASSET, accession)
    with bars(console) as shown:
        outcome = run_experiment(
            build_definitions(BarProgressSource(shown, accession)),
            accession,
            samples=samples,
            retry_failed=request.retry_failed,
            survey=SurveyRequest(request.asked.get(accession, ""), request.survey_again),
            asked_by=command_name(),
            tell=shown.console.print,
        )
    after = lake.head(experiment_record.ASSET, accession)
    if request.survey_again or (before and after and before.version != after.version):
        say_differences(console, lake, before, after)
    return say_outcome(console, accession, outcome)


def say_differences(console: Console, lake: Lake, before: Commit | None, after: Commit | None) -> None:
    """Tell what an archive says differently than before, or that it says the same."""
    if before is None or after is None:
        return
    name = escape(after.partition)
    if before.version == after.version:
        console.print(f"[bold]{name}[/]: the archive says the same as before")
        return
    console.print(f"[bold]{name}[/]: the record has changed", style="yellow")
    say_reasons(
        console, explain_experiment(recorded_experiment(lake, before), recorded_experiment(lake, after))
    )


def say_outcome(console: Console, accession: str, outcome: RunOutcome) -> str:
    """Tell of a run that failed; return ``done``, ``failed`` or ``try again``."""
    if outcome.success:
        return "done"
    console.print(f"[red]{escape(accession)} failed[/] (run {outcome.run_id}):")
    console.print(escape(outcome.problem), highlight=False)
    return FAILED if outcome.permanent else TRY_AGAIN


def _report(
    console: Console, lake: Lake, accessions: Sequence[str], runs: Mapping[str, str]
) -> dict[str, str]:
    catalog = open_catalog(new=True)
    wanted = set(accessions)
    rows = [row for row in experiment_states(catalog) if row["experiment"] in wanted]
    columns = ["experiment", "state", "samples", "processed", "failed", "submitter_processed", "matrices"]
    console.print(table(rows, columns))
    lost = lost_samples(catalog, accessions)
    if lost:
        console.print(
            table(lost, ["experiment", "sample", "step", "reason"], title="Samples that are in no matrix")
        )
    submitted = submitted_samples(catalog, accessions)
    if submitted:
        columns = ["experiment", "platform", "samples", "reason"]
        title = "Submitter-processed samples, and why they are not processed from raw data"
        console.print(table(submitted[:MAX_ROWS], columns, title=title))
    if len(submitted) > MAX_ROWS:
        console.print(f"and {len(submitted) - MAX_ROWS:,} more reasons: see `refinebio-assets show`")
    warned = sample_warnings(catalog, accessions)
    if warned:
        console.print(table(warned[:MAX_ROWS], ["experiment", "sample", "warnings"], title="Warnings"))
    if len(warned) > MAX_ROWS:
        console.print(f"and of {len(warned) - MAX_ROWS:,} more samples: see `refinebio-assets show`")
    if lost and not runs:
        console.print(
            "Nothing has changed for them; `refinebio-assets process --retry-failed` tries them again",
            style="yellow",
        )
    for accession in accessions:
        head = lake.head(gene_expression.ASSET, accession)
        for warning in head.info["warnings"] if head else ():
            console.print(f"{escape(accession)}: {escape(warning)}", style="yellow")
    states = {row["experiment"]: str(row["state"]) for row in rows}
    failed = {name: state for name, state in runs.items() if state != "done"}
    return states | failed
