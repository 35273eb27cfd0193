"""Sensors that make targets and compendia again that were outgrown, once somebody has turned them on.

A build that failed is asked for again after 1, 2, 4, 8, 16 and then every 32 hours; one that must fail again
is parked until what it would be made of differs. Why nothing is asked for is in the message of the tick.
"""

import json
from collections.abc import Sequence

from dagster import (
    DefaultSensorStatus,
    RunRequest,
    SensorDefinition,
    SensorEvaluationContext,
    SensorResult,
    sensor,
)

from refinebio_assets.defs.asked_runs import (
    AMOUNT_TAG,
    BY_TAG,
    TAG_CHARACTERS,
    WHY_TAG,
    Failures,
    failures_in_a_row,
    is_in_progress,
    said,
)
from refinebio_assets.defs.jobs import (
    build_normalized_compendium,
    build_rnaseq_sample_compendium,
    build_target_quantiles,
)
from refinebio_assets.defs.partitions import organism_partitions
from refinebio_assets.defs.resources import LakeResource, synced_catalog
from refinebio_assets.domain import counted
from refinebio_assets.lake.store import Lake, utc_now
from refinebio_assets.pipelines import target_quantiles
from refinebio_assets.pipelines.compendia import normalized_compendium
from refinebio_assets.pipelines.compendia.rnaseq_samples import rnaseq_sample_compendium
from refinebio_assets.pipelines.failed_builds import last_failure
from refinebio_assets.pipelines.outgrown import Outgrown, compendia_to_make, targets_to_make
from refinebio_assets.pipelines.rhythm import ATTEMPTS

_JOBS = {
    target_quantiles.ASSET: build_target_quantiles,
    normalized_compendium.ASSET: build_normalized_compendium,
    rnaseq_sample_compendium.ASSET: build_rnaseq_sample_compendium,
}
"""The job that makes each asset."""


@sensor(
    job=build_target_quantiles,
    minimum_interval_seconds=3600,
    default_status=DefaultSensorStatus.STOPPED,
    description=(
        "Makes an organism's quantile target again when samples were processed that are not in it, a fifth "
        "of those in it or more; what was processed again does not count. Earlier targets stay, and datasets "
        "keep the one they were made with. What failed is tried again after 1, 2, 4, 8, 16 and 32 hours, or "
        "waits until its inputs change; the message of a tick says which, and why."
    ),
)
def outgrown_target(context: SensorEvaluationContext, lake: LakeResource) -> SensorResult:
    """Ask for each target that was outgrown; the cursor holds in which states."""
    store = lake.open()
    found = targets_to_make(store, synced_catalog(store))
    return _ask(context, store, found, name="outgrown_target", what="target")


@sensor(
    jobs=[build_normalized_compendium, build_rnaseq_sample_compendium],
    minimum_interval_seconds=3600,
    default_status=DefaultSensorStatus.STOPPED,
    description=(
        "Makes an organism's compendia again when samples were processed that are not in them, a fifth of "
        "those in them or more, or when their target or the code changed. Earlier versions stay. What failed "
        "is tried again after 1, 2, 4, 8, 16 and 32 hours, or waits until its inputs change. "
        "`refinebio-assets status --stale` lists compendia that differ by less."
    ),
)
def outgrown_compendium(context: SensorEvaluationContext, lake: LakeResource) -> SensorResult:
    """Ask for each compendium that was outgrown; the cursor holds in which states."""
    store = lake.open()
    found = compendia_to_make(synced_catalog(store))
    return _ask(context, store, found, name="outgrown_compendium", what="compendium")


OUTGROWN_SENSORS: list[SensorDefinition] = [outgrown_target, outgrown_compendium]


def _ask(
    context: SensorEvaluationContext,
    store: Lake,
    found: Sequence[Outgrown],
    *,
    name: str,
    what: str,
) -> SensorResult:
    """Ask for what may succeed and was not asked for in its state before; say of all else why not."""
    asked: dict[str, str] = json.loads(context.cursor or "{}")
    requests, waiting = [], []
    for item in found:
        about, job = f"{item.asset} {item.organism}", _JOBS[item.asset].name
        failures = failures_in_a_row(context.instance, name, job, item.organism)
        # Each failure makes another state, which may be asked for once more.
        state = f"{item.state} {failures.newest if failures else 0}"
        if is_in_progress(context.instance, item.asset, job, item.organism):
            problem = "is being made"
        elif asked.get(about) == state:
            problem = "was asked for already; see its runs"
        else:
            problem = item.hindrance(store) or _wait(store, item, failures)
        if problem:
            waiting.append(f"{item.organism}: {problem}")
            continue
        context.log.info(f"{item.asset} of {item.organism}: {', '.join(item.why)}")
        asked[about] = state
        requests.append(_request(item, f"{about} {state}", name))
    partitions = [request.partition_key for request in requests if request.partition_key]
    return SensorResult(
        skip_reason=None if requests else "; ".join(waiting) or f"no {what} was outgrown",
        run_requests=requests,
        dynamic_partitions_requests=[organism_partitions.build_add_request(partitions)],
        cursor=json.dumps(asked),
    )


def _wait(store: Lake, item: Outgrown, failures: Failures | None) -> str:
    """Say until when runs that failed make it wait, and why they did; empty when its time has come."""
    if failures is None or utc_now() >= failures.again:
        return ""
    times = counted(failures.count, "time") + (" or more" if failures.count == ATTEMPTS else "")
    failure = last_failure(store, item.asset, item.organism)
    why = f", as: {failure.reason}" if failure else "; see its runs"
    return f"failed ({times} in a row) and is tried again after {said(failures.again)}{why}"


def _request(item: Outgrown, key: str, sensor_name: str) -> RunRequest:
    return RunRequest(
        run_key=key,
        partition_key=item.organism,
        job_name=_JOBS[item.asset].name,
        tags={
            BY_TAG: sensor_name,
            WHY_TAG: ", ".join(item.why)[:TAG_CHARACTERS],
            AMOUNT_TAG: counted(item.samples, "sample"),
        },
    )
