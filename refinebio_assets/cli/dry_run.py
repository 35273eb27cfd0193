"""``refinebio-assets process --dry-run``: what would be done, and nothing of it done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console

from refinebio_assets.cli.due_table import due_columns, due_row, due_table
from refinebio_assets.cli.ended import say_refused, say_up_to_date
from refinebio_assets.cli.home import open_catalog, open_lake, rules_of_runs, the_web
from refinebio_assets.cli.processing import ProcessRequest, samples_by_experiment
from refinebio_assets.cli.tables import write_rows
from refinebio_assets.domain import Experiment
from refinebio_assets.errors import RefinebioError
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.due import due_step
from refinebio_assets.pipelines.durations import Durations, measured_durations
from refinebio_assets.pipelines.estimate import amount, estimate
from refinebio_assets.pipelines.experiment_changes import explain_experiment
from refinebio_assets.pipelines.experiment_record import ASSET as RECORD
from refinebio_assets.pipelines.experiment_record import recorded_experiment
from refinebio_assets.pipelines.staleness import Stale, what_changed
from refinebio_assets.pipelines.work import WorkRequest, work_due

Due = tuple[str, tuple[str, ...]]


def show_plan(
    console: Console,
    accessions: Sequence[str],
    request: ProcessRequest,
    would_be: Mapping[str, Experiment | None],
    form: str,
) -> dict[str, str]:
    """Show what is due in experiments; return how those that cannot be judged end.

    ``would_be`` are experiments as they would be registered, where that differs from how they are.
    """
    lake, rules = open_lake(new=True), rules_of_runs()
    durations = measured_durations(open_catalog(new=True))
    wanted = samples_by_experiment(lake, accessions, request.samples, would_be)
    planned: list[Stale] = []
    problems: dict[str, str] = {}
    for accession in accessions:
        asked = WorkRequest(wanted[accession], request.retry_failed, request.survey_again, rules)
        try:
            stale = _judge(lake, accession, asked, would_be.get(accession), durations)
        except RefinebioError as error:
            problems[accession] = say_refused(console, accession, error)
            continue
        if stale is None:
            say_up_to_date(console, accession)
        else:
            planned.append(stale)
    _show(console, planned, form)
    return problems


def _judge(
    lake: Lake, accession: str, asked: WorkRequest, would_be: Experiment | None, durations: Durations
) -> Stale | None:
    due = _changes(lake, would_be) if would_be else _due(lake, accession, asked)
    if due is None:
        return None
    step, reasons = due
    work = work_due(lake, accession, asked, experiment=would_be, web=the_web)
    return Stale(accession, step, reasons, what_changed(reasons), estimate(accession, work, durations))


def _due(lake: Lake, accession: str, asked: WorkRequest) -> Due | None:
    return due_step(
        lake,
        accession,
        web=the_web,
        samples=asked.samples,
        retry_failed=asked.retry_failed,
        survey_again=asked.survey_again,
        rules=asked.rules,
    )


def _changes(lake: Lake, experiment: Experiment) -> Due:
    """Say what a sheet says differently than what was recorded."""
    record = lake.head(RECORD, experiment.accession)
    if record is None:
        return RECORD, ("new in the sample sheet",)
    reasons = explain_experiment(recorded_experiment(lake, record), experiment)
    return RECORD, tuple(reasons) or ("registered otherwise before",)


def _show(console: Console, planned: Sequence[Stale], form: str) -> None:
    if form != "table":
        write_rows([due_row(stale) for stale in planned], form, due_columns())
    elif planned:
        console.print(due_table(planned, title="What would be done"))
        console.print(f"To do: {amount([stale.todo for stale in planned])}", highlight=False)
