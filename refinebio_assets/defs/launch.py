"""Starts runs from Python, on the persistent instance, as the UI would show them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dagster import DagsterInstance, ExecuteInProcessResult

from refinebio_assets.defs.instance import end_dead_runs, process_tags
from refinebio_assets.defs.partitions import EXPERIMENT, ORGANISM
from refinebio_assets.defs.resources import ProgressSource
from refinebio_assets.defs.sample_events import add_keys


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """How a run ended; ``problem`` is the message of the step that failed, empty on success."""

    run_id: str
    success: bool
    problem: str
    permanent: bool


def register_experiments(accessions: Sequence[str]) -> None:
    """Add experiments as partitions, so that they can be materialized from the UI."""
    with DagsterInstance.get() as instance:
        add_keys(instance, EXPERIMENT, accessions)


def register_organism(organism: str) -> None:
    """Add an organism as a partition."""
    with DagsterInstance.get() as instance:
        add_keys(instance, ORGANISM, [organism])


def run_experiment(
    accession: str, *, samples: Sequence[str], retry_failed: bool, progress: ProgressSource
) -> RunOutcome:
    """Materialize an experiment's chain in one run, in this process."""
    config = {
        "raw_files": {"config": {"retry_failed": retry_failed}},
        "sample_quantifications": {"config": {"samples": list(samples), "retry_failed": retry_failed}},
    }
    return _run("process_experiment", accession, config, progress)


def run_transcriptome_index(organism: str, *, progress: ProgressSource) -> RunOutcome:
    """Materialize an organism's index in one run, in this process."""
    return _run("build_transcriptome_index", organism, {}, progress)


def _run(job: str, partition: str, ops: dict[str, Any], progress: ProgressSource) -> RunOutcome:
    from refinebio_assets.definitions import build_definitions

    definition = build_definitions(progress).resolve_job_def(job)
    quiet = {"console": {"config": {"log_level": "CRITICAL"}}}
    with DagsterInstance.get() as instance:
        end_dead_runs(instance)
        result = definition.execute_in_process(
            instance=instance,
            partition_key=partition,
            run_config={"ops": ops, "loggers": quiet},
            tags=process_tags(),
            raise_on_error=False,
        )
    return _outcome(result)


def _outcome(result: ExecuteInProcessResult) -> RunOutcome:
    problems, permanent = [], True
    for event in result.filter_events(lambda event: event.is_step_failure):
        failure = event.step_failure_data
        user = failure.user_failure_data
        error = failure.error
        problems.append((user.description if user else None) or (error.message if error else "unknown failure"))
        if user is not None and "permanent" in user.metadata:
            permanent = permanent and bool(user.metadata["permanent"].value)
    return RunOutcome(result.run_id, result.success, "\n".join(problems), permanent)
