"""How much there is to do in an experiment: step by step, for which samples. Nothing of it is done.

What a step would do is judged by its own rules, on what the steps before it would leave. A file that is
fetched counts as one that differs: whether it does, only its content tells.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from refinebio_assets.domain import Experiment, FileRole, Verdict
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines import (
    experiment_record,
    gene_expression,
    harmonized_metadata,
    raw_files,
    sample_quantifications,
)
from refinebio_assets.pipelines.experiment_record import recorded_experiment, survey_reasons
from refinebio_assets.pipelines.fetch_file import WebSource, no_web
from refinebio_assets.pipelines.gene_expression import expression_reasons
from refinebio_assets.pipelines.harmonized_metadata import metadata_situation
from refinebio_assets.pipelines.raw_files import expected_files
from refinebio_assets.pipelines.registry import registered_experiment
from refinebio_assets.pipelines.sample_quantifications import expected_quantifications

CHECKED_FILES = "checked_files"
"""Not an asset: the part of ``raw_files`` that reads again what is in the lake, when checks have changed."""

_SUMMARY_ONLY = frozenset({FileRole.GENE_MAP})
"""Files that no sample is quantified with."""


@dataclass(frozen=True, slots=True)
class Work:
    """What is due: samples by step (the step's asset), in the order of the chain, without steps of none.

    None as a count: only the survey will tell. ``samples`` are those that are downloaded or quantified.
    ``organism`` and ``technology`` are those of most samples, empty before the survey.
    """

    steps: Mapping[str, int | None]
    samples: tuple[str, ...] = ()
    organism: str = ""
    technology: str = ""


@dataclass(frozen=True, slots=True)
class WorkRequest:
    """What is asked for beyond what is new or out of date: samples to redo, failures, another survey."""

    samples: Sequence[str] = ()
    retry_failed: bool = False
    survey_again: bool = False
    rules: str = ""


NOTHING_MORE = WorkRequest()


def work_due(
    lake: Lake,
    accession: str,
    request: WorkRequest = NOTHING_MORE,
    *,
    experiment: Experiment | None = None,
    web: WebSource = no_web,
) -> Work:
    """Return what a run of an experiment's chain would do.

    ``experiment`` is how it would be registered first, None for how it is. Where an archive has to be asked,
    what else is due is judged by what it said before. Raises NotFoundError for what is neither registered nor
    an archive's experiment.
    """
    asks = experiment is None and bool(
        survey_reasons(lake, accession, again=request.survey_again, rules=request.rules)
    )
    record = lake.head(experiment_record.ASSET, accession)
    if asks and record is None:
        return Work({experiment_record.ASSET: None})
    if experiment is None:
        registered = registered_experiment(lake, accession)[0]
        experiment = recorded_experiment(lake, record) if asks and record else registered
    steps: dict[str, int | None] = {experiment_record.ASSET: None} if asks else {}
    if metadata_situation(lake, experiment).reasons:
        steps[harmonized_metadata.ASSET] = len(experiment.samples)
    files = expected_files(lake, experiment, web=web, retry_failed=request.retry_failed)
    quantify, summarize = _after_files(lake, experiment, files, request)
    steps |= {
        CHECKED_FILES: len(files.checked),
        raw_files.ASSET: len(files.missing),
        sample_quantifications.ASSET: len(quantify),
        gene_expression.ASSET: summarize,
    }
    done = {*files.missing, *quantify}
    return Work(
        {step: count for step, count in steps.items() if count != 0},
        tuple(sample.accession for sample in experiment.samples if sample.accession in done),
        _most_frequent(sample.organism for sample in experiment.samples),
        _most_frequent(str(sample.technology) for sample in experiment.samples),
    )


def _after_files(
    lake: Lake,
    experiment: Experiment,
    files: raw_files.Expected,
    request: WorkRequest,
) -> tuple[set[str], int]:
    """Return the samples to quantify and how many are summarized, once missing files are there."""
    fetched = {sample for sample, roles in files.new.items() if roles - _SUMMARY_ONLY}
    expected = expected_quantifications(
        lake, experiment, files.known, fetched, samples=request.samples, retry_failed=request.retry_failed
    )
    quantified = {row["sample"] for row in expected.rows if row["verdict"] == Verdict.PROCESSED}
    summarized = len(quantified | expected.waiting)
    fresh = expected.waiting or files.new
    is_due = bool(fresh) or bool(expression_reasons(lake, experiment, files.known, expected.rows))
    return expected.waiting, summarized if is_due else 0


def _most_frequent(values: Iterable[str]) -> str:
    counted = Counter(values).most_common(1)
    return counted[0][0] if counted else ""
