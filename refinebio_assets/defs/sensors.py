"""Sensors: what starts runs by itself while the daemon is running, once somebody has turned it on."""

import os

from dagster import (
    DefaultSensorStatus,
    RunRequest,
    SensorEvaluationContext,
    SensorResult,
    SkipReason,
    sensor,
)

from refinebio_assets.defs.asked_runs import BY_TAG
from refinebio_assets.defs.jobs import build_dataset
from refinebio_assets.defs.partitions import dataset_partitions
from refinebio_assets.defs.resources import LakeResource
from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.pipelines.datasets.inbox import InboxPass, inbox_folder, requests_after, take_requests

SECONDS_BETWEEN_LOOKS = 30


@sensor(
    job=build_dataset,
    minimum_interval_seconds=SECONDS_BETWEEN_LOOKS,
    default_status=DefaultSensorStatus.STOPPED,
    description=(
        "Takes requests (YAML or JSON) that are dropped into the inbox folder, REFINEBIO_INBOX or `inbox` in "
        "the lake, and builds their datasets. Files are moved to accepted/ or refused/, a text beside each."
    ),
)
def dataset_inbox(context: SensorEvaluationContext, lake: LakeResource) -> SensorResult | SkipReason:
    """Ask for a run for every request since the cursor, which is the id of the newest request's commit.

    A tick that is lost leaves the cursor where it was, so that the next one asks again.
    """
    store = lake.open()
    folder = inbox_folder(store, os.environ)
    done = take_requests(store, Catalog(store), folder)
    for refused in (taken for taken in done.taken if not taken.dataset):
        context.log.warning(f"{refused.file} was refused: {refused.problem}")
    found = requests_after(store, context.cursor or "")
    if not found:
        return SkipReason(_nothing(done, str(folder)))
    names = [dataset.dataset for dataset in found]
    return SensorResult(
        dynamic_partitions_requests=[dataset_partitions.build_add_request(names)],
        run_requests=[
            RunRequest(
                run_key=f"{dataset.dataset} {dataset.commit.id}",
                partition_key=dataset.dataset,
                tags={BY_TAG: "dataset_inbox"},
            )
            for dataset in found
        ],
        cursor=found[-1].commit.id,
    )


def _nothing(done: InboxPass, folder: str) -> str:
    parts = [f"no new request in {folder}"]
    if done.waiting:
        parts.append(f"waiting for {', '.join(done.waiting)}")
    parts += [f"{taken.file} was refused" for taken in done.taken if not taken.dataset]
    parts += [f"{name} stays: {problem}" for name, problem in (done.failed or {}).items()]
    return "; ".join(parts)
