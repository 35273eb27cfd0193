"""The publish gate as blocking asset checks, one a kind of defect, asked of what was published."""

import warnings
from collections.abc import Callable, Iterator

from dagster import (
    AssetCheckExecutionContext,
    AssetCheckResult,
    AssetChecksDefinition,
    AssetCheckSpec,
    AssetsDefinition,
    PartitionsDefinition,
    multi_asset_check,
)

from refinebio_assets.defs.check_results import result_of
from refinebio_assets.defs.failures import explained
from refinebio_assets.defs.resources import LakeResource
from refinebio_assets.lake.store import Commit, Lake
from refinebio_assets.pipelines.delivery.gate import Defect, Delivery, find_defects
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


def gate_checks(
    name: str,
    bundle: AssetsDefinition,
    partitions: PartitionsDefinition[str],
    inspect: Callable[[Lake, Commit], Delivery],
) -> AssetChecksDefinition:
    """Return the checks of a bundle: ``inspect`` reads what a commit of it delivers."""

    def judged(context: AssetCheckExecutionContext, lake: LakeResource) -> Iterator[AssetCheckResult]:
        store = lake.open()
        with explained():
            delivery = inspect(store, require_head(store, bundle.key.path[-1], context.partition_key))
        for defect in Defect:
            found = [item.message for item in find_defects(delivery, [defect])]
            yield result_of(found, _PROMISES[defect], check_name=check_name(defect))

    return multi_asset_check(
        name=name,
        specs=_specs(bundle, partitions),
        description="Read the published zip once, and tell of each kind of defect whether it has any.",
    )(judged)


def _specs(bundle: AssetsDefinition, partitions: PartitionsDefinition[str]) -> list[AssetCheckSpec]:
    with warnings.catch_warnings():
        # partitions_def on a check is in preview; without it a later partition's check hides earlier ones.
        warnings.filterwarnings("ignore", message=".*partitions_def.*")
        return [
            AssetCheckSpec(
                check_name(defect),
                asset=bundle,
                description=promise,
                blocking=True,
                partitions_def=partitions,
            )
            for defect, promise in _PROMISES.items()
        ]
