"""Asset checks of datasets: the publish gate, asked of what was published."""

import warnings
from collections.abc import Iterator

from dagster import (
    AssetCheckExecutionContext,
    AssetCheckResult,
    AssetCheckSpec,
    multi_asset_check,
)

from refinebio_assets.defs.assets.datasets import dataset_bundle
from refinebio_assets.defs.failures import explained
from refinebio_assets.defs.partitions import dataset_partitions
from refinebio_assets.defs.resources import LakeResource
from refinebio_assets.pipelines.datasets.bundle import ASSET, inspect_commit
from refinebio_assets.pipelines.datasets.gate import Defect, find_defects
from refinebio_assets.pipelines.outcome import require_head

_PROMISES = {
    Defect.NO_METADATA: "Every matrix has metadata of its samples.",
    Defect.NO_MATRIX: "Every table of metadata has a matrix.",
    Defect.NOT_NORMALIZED: "Every normalized sample has the distribution of its organism's target.",
    Defect.SAMPLE_LOST: "Every sample that was asked for is delivered, or listed with the reason why not.",
    Defect.WRONG_CHECKSUM: "Every file has the checksum that the manifest promises; none is missing or more.",
    Defect.ROWS_DIFFER: "Columns of a matrix and rows of its metadata are the same samples.",
}


def check_name(defect: Defect) -> str:
    """Return the name of the check for a defect, as the UI shows it."""
    return str(defect).replace(" ", "_")


with warnings.catch_warnings():
    # partitions_def on a check is in preview; without it a later partition's check hides an earlier one's.
    warnings.filterwarnings("ignore", message=".*partitions_def.*")
    _SPECS = [
        AssetCheckSpec(
            check_name(defect),
            asset=dataset_bundle,
            description=promise,
            blocking=True,
            partitions_def=dataset_partitions,
        )
        for defect, promise in _PROMISES.items()
    ]


@multi_asset_check(specs=_SPECS)
def the_bundle_keeps_its_promises(
    context: AssetCheckExecutionContext, lake: LakeResource
) -> Iterator[AssetCheckResult]:
    """Read the published zip once, and tell of each kind of defect whether it has any."""
    store = lake.open()
    with explained():
        delivery = inspect_commit(store, require_head(store, ASSET, context.partition_key))
    for defect in Defect:
        found = [item.message for item in find_defects(delivery, [defect])]
        yield AssetCheckResult(
            check_name=check_name(defect), passed=not found, description="; ".join(found) or _PROMISES[defect]
        )
