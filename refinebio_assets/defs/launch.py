"""Starts runs from Python, on the persistent instance, as the UI would show them.

``asked_by`` is the command that asks, ``dataset build``, or ``api``: the run's tags tell it.
"""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from dagster import DagsterInstance, Definitions, ExecuteInProcessResult

from refinebio_assets.defs.asked_runs import asked_by_program
from refinebio_assets.defs.instance import end_dead_runs, occupied_pools, process_tags
from refinebio_assets.defs.partitions import DATASET, EXPERIMENT, ORGANISM, PLATFORM
from refinebio_assets.defs.sample_events import add_keys
from refinebio_assets.errors import GivenUpError

SECONDS_BETWEEN_LOOKS = 1.0
OUR_ERRORS = "refinebio_assets.errors."
PARTITIONS_OF_REFERENCES = {
    "build_transcriptome_index": ORGANISM,
    "build_target_quantiles": ORGANISM,
    "build_normalized_compendium": ORGANISM,
    "build_rnaseq_sample_compendium": ORGANISM,
    "build_platform_annotation": PLATFORM,
    "build_gene_index": PLATFORM,
}
"""The jobs that build references, and what their partitions are."""


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """How a run ended; ``problem`` is the message of the step that failed, empty on success."""

    run_id: str
    success: bool
    problem: str
    permanent: bool


@dataclass(frozen=True, slots=True)
class SurveyRequest:
    """By which accession an experiment was asked for, and whether to ask the archive again."""

    asked: str = ""
    again: bool = False

    def config(self) -> dict[str, Any]:
        """Return the run configuration of ``experiment_record``."""
        return {"config": {"asked": self.asked, "survey_again": self.again}}


def register_experiments(accessions: Sequence[str]) -> None:
    """Add experiments as partitions, so that they can be materialized from the UI."""
    with DagsterInstance.get() as instance:
        add_keys(instance, EXPERIMENT, accessions)


def register_datasets(datasets: Sequence[str]) -> None:
    """Add datasets as partitions."""
    with DagsterInstance.get() as instance:
        add_keys(instance, DATASET, datasets)


def run_experiment(
    definitions: Definitions,
    accession: str,
    *,
    samples: Sequence[str],
    retry_failed: bool,
    survey: SurveyRequest,
    asked_by: str,
    tell: Callable[[str], None],
) -> RunOutcome:
    """Materialize an experiment's chain in one run, in this process."""
    config = {
        "experiment_record": survey.config(),
        "raw_files": {"config": {"retry_failed": retry_failed}},
        "sample_quantifications": {"config": {"samples": list(samples), "retry_failed": retry_failed}},
    }
    return _run(definitions, "process_experiment", accession, config, asked_by, tell)


def run_survey(
    definitions: Definitions,
    accession: str,
    survey: SurveyRequest,
    *,
    asked_by: str,
    tell: Callable[[str], None],
) -> RunOutcome:
    """Survey an experiment and harmonize its metadata in one run, in this process."""
    config = {"experiment_record": survey.config()}
    return _run(definitions, "survey_experiment", accession, config, asked_by, tell)


def run_reference(
    definitions: Definitions,
    job: str,
    partition: str,
    *,
    asked_by: str,
    tell: Callable[[str], None],
    config: Mapping[str, Any] | None = None,
) -> RunOutcome:
    """Materialize an organism's or a microarray's reference in one run, in this process.

    ``config`` is that of the job's assets, by name.
    """
    with DagsterInstance.get() as instance:
        add_keys(instance, PARTITIONS_OF_REFERENCES[job], [partition])
    ops = {asset: {"config": values} for asset, values in (config or {}).items()}
    return _run(definitions, job, partition, ops, asked_by, tell)


def run_dataset(
    definitions: Definitions,
    dataset: str,
    *,
    asked_by: str,
    tell: Callable[[str], None],
    lock: str = "",
) -> RunOutcome:
    """Build a dataset in one run, in this process; ``lock`` is a file to build it from."""
    config = {"dataset_matrices": {"config": {"lock": lock}}}
    return _run(definitions, "build_dataset", dataset, config, asked_by, tell)


def _run(
    definitions: Definitions,
    job: str,
    partition: str,
    ops: dict[str, Any],
    asked_by: str,
    tell: Callable[[str], None],
) -> RunOutcome:
    quiet = {"console": {"config": {"log_level": "CRITICAL"}}}
    run_id = str(uuid4())
    with DagsterInstance.get() as instance:
        end_dead_runs(instance)
        _wait_for_pools(instance, tell)
        result = definitions.resolve_job_def(job).execute_in_process(
            instance=instance,
            partition_key=partition,
            run_config={"ops": ops, "loggers": quiet},
            tags=process_tags(run_id) | asked_by_program(asked_by),
            run_id=run_id,
            raise_on_error=False,
        )
    return _outcome(result)


def _wait_for_pools(instance: DagsterInstance, tell: Callable[[str], None]) -> None:
    """Wait here, where it can be seen and interrupted, while another run holds a pool's last slot."""
    told: dict[str, str] = {}
    while occupied := occupied_pools(instance):
        if occupied != told:
            told = occupied
            held = ", ".join(f"{pool} (held by run {run_id})" for pool, run_id in occupied.items())
            tell(f"waiting for another run to free the pool {held}")
        time.sleep(SECONDS_BETWEEN_LOOKS)
        end_dead_runs(instance)


def _outcome(result: ExecuteInProcessResult) -> RunOutcome:
    """Return how a run ended; raise KeyboardInterrupt again when that is what ended it."""
    failures = [event.step_failure_data for event in result.filter_events(lambda e: e.is_step_failure)]
    if any("Interrupted" in (failure.error.cls_name or "") for failure in failures if failure.error):
        raise KeyboardInterrupt
    return RunOutcome(
        result.run_id,
        result.success,
        problem="\n".join(_message(failure) for failure in failures),
        permanent=not any(_may_pass(failure) for failure in failures),
    )


def _may_pass(failure: Any) -> bool:
    """Tell whether a step failed for a reason that may pass: Dagster tried again, or the step said so."""
    said = failure.user_failure_data.metadata.get("error") if failure.user_failure_data else None
    if said is not None and said.value == GivenUpError.__name__:
        return True
    return failure.error is not None and "max_retries" in failure.error.message


def _message(failure: Any) -> str:
    """Return what a person can act on: a failure's description, or the error below Dagster's own."""
    if failure.user_failure_data is not None and failure.user_failure_data.description:
        return str(failure.user_failure_data.description)
    chain = []
    error = failure.error
    while error is not None:
        chain.append(str(error.message).strip())
        error = error.cause
    ours = [message for message in chain if message.startswith(OUR_ERRORS)]
    message = (ours or chain[-1:] or ["the step failed without a message"])[0]
    return re.sub(rf"^{re.escape(OUR_ERRORS)}\w+: ", "", message)
