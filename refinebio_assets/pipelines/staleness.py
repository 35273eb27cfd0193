"""What is out of date over all experiments: by which input, how much it is, and in which order to do it.

Nothing is started here; `due.py` judges one experiment.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from refinebio_assets.errors import RefinebioError
from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.rows import query_rows
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.due import due_step
from refinebio_assets.pipelines.durations import Durations, measured_durations
from refinebio_assets.pipelines.estimate import ToDo, estimate
from refinebio_assets.pipelines.fetch_file import WebSource, no_web
from refinebio_assets.pipelines.freshness import content_hash
from refinebio_assets.pipelines.registry import EXPERIMENT_REGISTRATION
from refinebio_assets.pipelines.work import WorkRequest, work_due

_CHANGE = re.compile(r"^(?:(?P<sample>\S+): )?(?P<input>.+?) (?:changed|added|removed)\b")
_NEW = "not made before"
TRIED_AGAIN = "failed before and is tried again"


@dataclass(frozen=True, slots=True)
class Stale:
    """An experiment that is out of date: from which step on, why, and what there is to do.

    ``inputs`` are what changed, in the words of the step's basis. ``state`` is what the step has now: it
    differs after each time that the experiment was processed.
    """

    experiment: str
    step: str
    reasons: tuple[str, ...]
    inputs: tuple[str, ...]
    todo: ToDo
    state: str = ""

    @property
    def amount(self) -> str:
        """How much there is to do, as people read it."""
        return self.todo.text

    @property
    def fingerprint(self) -> str:
        """A text that is equal for the same experiment in the same state, out of date for the same reasons.

        The same cause a second time, after the experiment was processed without it, gives another.
        """
        return content_hash([self.experiment, self.step, list(self.reasons), self.state])[:16]


@dataclass(frozen=True, slots=True)
class Unjudged:
    """An experiment that could not be judged, and why."""

    experiment: str
    problem: str


def experiments_by_use(catalog: Catalog) -> list[dict[str, Any]]:
    """Return experiments, most-used first: by datasets that hold them, then by samples, then by name."""
    return query_rows(
        catalog,
        """SELECT experiment, count(DISTINCT sample) AS samples,
                  coalesce(any_value(datasets), 0) AS datasets,
                  bool_or(made.experiment IS NOT NULL) AS processed
           FROM registered_samples
           LEFT JOIN (SELECT DISTINCT experiment FROM matrices) made USING (experiment)
           LEFT JOIN (SELECT experiment, count(DISTINCT dataset) AS datasets
                      FROM dataset_samples GROUP BY experiment) USING (experiment)
           GROUP BY experiment ORDER BY datasets DESC, samples DESC, experiment""",
    )


def judge(
    lake: Lake,
    experiment: str,
    durations: Durations,
    *,
    web: WebSource = no_web,
    rules: str = "",
) -> Stale | Unjudged | None:
    """Return how an experiment is out of date, None when it is not."""
    try:
        due = due_step(lake, experiment, web=web, rules=rules)
        if due is None:
            return None
        work = work_due(lake, experiment, WorkRequest(rules=rules), web=web)
    except RefinebioError as error:
        return Unjudged(experiment, str(error))
    step, reasons = due
    todo = estimate(experiment, work, durations)
    return Stale(experiment, step, reasons, what_changed(reasons), todo, _state(lake, experiment, step))


def _state(lake: Lake, experiment: str, step: str) -> str:
    """Return the newest commits of a step and of what the source said, which precedes all steps."""
    heads = [lake.head(asset, experiment) for asset in (EXPERIMENT_REGISTRATION, step)]
    return " ".join(head.id if head else "none" for head in heads)


def what_changed(reasons: Sequence[str]) -> tuple[str, ...]:
    """Return which inputs reasons name, each once."""
    inputs: dict[str, None] = {}
    for reason in reasons:
        found = _CHANGE.match(reason)
        if found is not None:
            inputs[found["input"]] = None
        else:
            inputs[_NEW if reason.endswith(_NEW) else reason] = None
    return tuple(inputs)


@dataclass(frozen=True, slots=True)
class Search:
    """A part of a search: what was found, and the last experiment judged, empty at the end of all.

    ``up_to_date`` are those that were asked for before and are not out of date any more.
    """

    found: tuple[Stale, ...]
    unjudged: tuple[Unjudged, ...]
    up_to_date: tuple[str, ...]
    last: str


def search_processed(
    lake: Lake,
    catalog: Catalog,
    *,
    asked: Mapping[str, str],
    after: str,
    limit: int,
    seconds: float,
    web: WebSource = no_web,
    rules: str = "",
    clock: Callable[[], float] = time.monotonic,
) -> Search:
    """Look for experiments that were processed and are out of date since, most-used first.

    It goes on behind ``after`` and stops after ``limit`` are found or ``seconds`` are over. ``asked`` has the
    fingerprint with which an experiment was asked for last: it is found again only for other reasons.
    """
    began, durations = clock(), measured_durations(catalog)
    rows = [row for row in experiments_by_use(catalog) if row["processed"]]
    names = [row["experiment"] for row in rows]
    start = names.index(after) + 1 if after in names else 0
    found: list[Stale] = []
    unjudged: list[Unjudged] = []
    settled: list[str] = []
    last = after
    for row in rows[start:]:
        if len(found) >= limit or clock() - began > seconds:
            return Search(tuple(found), tuple(unjudged), tuple(settled), last)
        last = row["experiment"]
        judged = judge(lake, last, durations, web=web, rules=rules)
        if isinstance(judged, Unjudged):
            unjudged.append(judged)
        elif judged is None:
            settled += [last] if last in asked else []
        elif asked.get(last) != judged.fingerprint and not _only_retries(judged):
            found.append(judged)
    return Search(tuple(found), tuple(unjudged), tuple(settled), "")


def _only_retries(stale: Stale) -> bool:
    """Tell whether nothing has changed but that failures may be tried again, which has its own rhythm."""
    return all(reason.endswith(TRIED_AGAIN) for reason in stale.reasons)


def passing_failures(catalog: Catalog) -> list[dict[str, Any]]:
    """Return experiments with failures, of samples or files, that may pass: how many, and a reason."""
    return query_rows(
        catalog,
        """SELECT "partition" AS experiment, count(DISTINCT item) AS failures,
                  max_by(reason, commit_id) AS reason
           FROM dropped
           WHERE is_current AND kind IN ('sample', 'file') AND NOT permanent
             AND asset IN ('raw_files', 'sample_quantifications', 'gene_expression')
           GROUP BY ALL ORDER BY experiment""",
    )


def stale_experiments(
    lake: Lake,
    catalog: Catalog,
    *,
    web: WebSource = no_web,
    rules: str = "",
    only: Collection[str] | None = None,
    known: Collection[str] = (),
    limit: int | None = None,
    seconds: float | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Stale | Unjudged]:
    """Yield experiments that are out of date, or could not be judged, most-used first.

    ``known`` fingerprints are passed over, ``limit`` ends it after so many, ``seconds`` after so long.
    """
    began, found = clock(), 0
    durations = measured_durations(catalog)
    for row in experiments_by_use(catalog):
        if (limit is not None and found >= limit) or (seconds is not None and clock() - began > seconds):
            return
        if only is not None and row["experiment"] not in only:
            continue
        judged = judge(lake, row["experiment"], durations, web=web, rules=rules)
        if judged is None or (isinstance(judged, Stale) and judged.fingerprint in known):
            continue
        found += isinstance(judged, Stale)
        yield judged
