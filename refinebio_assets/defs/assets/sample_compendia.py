"""Group ``compendia``: the quantifications of all RNA-seq samples of an organism, as files."""

from typing import Any

from dagster import (
    AllPartitionMapping,
    AssetDep,
    AssetExecutionContext,
    MaterializeResult,
    ResourceParam,
    asset,
)

from refinebio_assets.defs.assets.expression import sample_quantifications
from refinebio_assets.defs.assets.metadata import harmonized_metadata
from refinebio_assets.defs.assets.reference import OWNERS
from refinebio_assets.defs.compendium_metadata import compendium_metadata
from refinebio_assets.defs.failures import explained
from refinebio_assets.defs.metadata import declared_schema, materialized
from refinebio_assets.defs.partitions import organism_partitions
from refinebio_assets.defs.resources import LakeResource, ProgressSource
from refinebio_assets.lake.rows import read_rows
from refinebio_assets.lake.store import Commit, Lake
from refinebio_assets.pipelines.compendia.rnaseq_samples import rnaseq_sample_compendium as pipeline


@asset(
    group_name="compendia",
    partitions_def=organism_partitions,
    deps=[
        AssetDep(sample_quantifications, partition_mapping=AllPartitionMapping()),
        AssetDep(harmonized_metadata, partition_mapping=AllPartitionMapping()),
    ],
    code_version=pipeline.CODE_VERSION,
    metadata={"dagster/column_schema": declared_schema("compendia")},
    kinds={"salmon", "zip"},
    owners=OWNERS,
)
def rnaseq_sample_compendium(
    context: AssetExecutionContext, lake: LakeResource, progress: ResourceParam[ProgressSource]
) -> MaterializeResult[None]:
    """Salmon's `quant.sf` of all RNA-seq samples of the organism, by experiment, with metadata, in a zip.

    Nothing is aggregated or normalized. Damaged files are left out with the reason. A run that was killed
    goes on where it stopped.
    """
    store = lake.open()
    with explained():
        outcome = pipeline.build_rnaseq_sample_compendium(
            store, context.partition_key, progress=progress.of(context.log), run_id=context.run.run_id
        )
        shown = _shown(store, outcome.commit)
    return materialized(outcome, shown)


def _shown(store: Lake, commit: Commit) -> dict[str, Any]:
    row = read_rows(store, commit, "compendia")[0]
    download = f"`refinebio-assets compendium download {commit.partition} --kind {pipeline.KIND} -o FILE.zip`"
    return compendium_metadata(store, commit, row, row_count=row["samples"], read_it=download)
