"""Group ``compendia``, what users download: the zip of a normalized compendium, with its report."""

from dagster import (
    AllPartitionMapping,
    AssetDep,
    AssetExecutionContext,
    MaterializeResult,
    MetadataValue,
    ResourceParam,
    asset,
)

from refinebio_assets.defs.assets.compendia import normalized_compendium
from refinebio_assets.defs.assets.metadata import harmonized_metadata
from refinebio_assets.defs.assets.reference import OWNERS
from refinebio_assets.defs.failures import explained
from refinebio_assets.defs.metadata import declared_schema, materialized, table_value
from refinebio_assets.defs.partitions import organism_partitions
from refinebio_assets.defs.resources import LakeResource, ProgressSource
from refinebio_assets.pipelines.compendia.bundle import compendium_bundle as pipeline
from refinebio_assets.pipelines.compendia.normalized_compendium import open_compendium
from refinebio_assets.pipelines.compendia.overview import technical_confounds


@asset(
    group_name="compendia",
    partitions_def=organism_partitions,
    deps=[
        normalized_compendium,
        AssetDep(harmonized_metadata, partition_mapping=AllPartitionMapping()),
    ],
    code_version=pipeline.CODE_VERSION,
    metadata={"dagster/column_schema": declared_schema("compendium_bundles")},
    kinds={"zip"},
    owners=OWNERS,
    pool="memory",
)
def compendium_bundle(
    context: AssetExecutionContext, lake: LakeResource, progress: ResourceParam[ProgressSource]
) -> MaterializeResult[None]:
    """The zip of the compendium, laid out as refine.bio's, with the mask, report and lockfile.

    Values are written some genes at a time. Before it is published every value is read back and compared with
    what the zip promises; a defect stops it. Metadata are the newest; when they change, it is made again.
    """
    store = lake.open()
    with explained():
        outcome = pipeline.build_compendium_bundle(
            store, context.partition_key, progress=progress.of(context.log), run_id=context.run.run_id
        )
    commit = outcome.commit
    file, report = commit.file(commit.info["file"]), commit.file(pipeline.REPORT)
    found = technical_confounds(open_compendium(store, commit.partition, commit.info["number"]))
    rows = [
        {"factor": item.factor, "separable": str(item.separable), "what it means": item.sentence}
        for item in found
    ]
    return materialized(
        outcome,
        {
            "zip": MetadataValue.path(f"{store.url}/{file.path}"),
            "report": _link(f"{store.url}/{report.path}", is_local=store.is_local),
            "size in bytes": file.size,
            "sha256": file.sha256,
            "version": commit.info["number"],
            "before groups are compared": table_value(rows, ["factor", "separable", "what it means"]),
        },
    )


def _link(address: str, *, is_local: bool) -> MetadataValue:
    return MetadataValue.path(address) if is_local else MetadataValue.url(address)
