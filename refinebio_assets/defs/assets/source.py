"""Group ``source``: what the sources say and the files they hold."""

from dagster import AssetExecutionContext, Config, MaterializeResult, ResourceParam, asset
from pydantic import Field

from refinebio_assets.defs.assets.reference import OWNERS
from refinebio_assets.defs.failures import explained
from refinebio_assets.defs.metadata import declared_schema, materialized, table_value
from refinebio_assets.defs.partitions import experiment_partitions
from refinebio_assets.defs.resources import LakeResource, ProgressSource
from refinebio_assets.lake.rows import read_rows
from refinebio_assets.pipelines import experiment_record as record_pipeline
from refinebio_assets.pipelines import raw_files as files_pipeline


class FilesConfig(Config):
    """What to do beyond the files that are new or changed."""

    retry_failed: bool = Field(default=False, description="Read files again that failed before.")


@asset(
    group_name="source",
    partitions_def=experiment_partitions,
    code_version=record_pipeline.CODE_VERSION,
    metadata={"dagster/column_schema": declared_schema("samples")},
    kinds={"parquet"},
    owners=OWNERS,
)
def experiment_record(context: AssetExecutionContext, lake: LakeResource) -> MaterializeResult[None]:
    """What the source says of one experiment: its samples, files and the submitter's metadata, kept whole."""
    store = lake.open()
    with explained():
        outcome = record_pipeline.record_experiment(store, context.partition_key, run_id=context.run.run_id)
        experiment = read_rows(store, outcome.commit, "experiments")[0]
        samples = read_rows(store, outcome.commit, "samples")
    return materialized(
        outcome,
        {
            "title": experiment["title"],
            "source": experiment["source"],
            "organisms": ", ".join(experiment["organisms"]),
            "dagster/row_count": len(samples),
            "samples": table_value(samples, ["sample", "title", "organism", "technology", "platform"]),
        },
    )


@asset(
    group_name="source",
    partitions_def=experiment_partitions,
    deps=[experiment_record],
    code_version=files_pipeline.CODE_VERSION,
    metadata={"dagster/column_schema": declared_schema("files")},
    kinds={"file"},
    owners=OWNERS,
    pool="download",
)
def raw_files(
    context: AssetExecutionContext,
    config: FilesConfig,
    lake: LakeResource,
    progress: ResourceParam[ProgressSource],
) -> MaterializeResult[None]:
    """The experiment's files in the lake: content-addressed, checked, with size, md5, sha256 and origin."""
    store = lake.open()
    with explained():
        outcome = files_pipeline.collect_raw_files(
            store,
            context.partition_key,
            retry_failed=config.retry_failed,
            progress=progress.of(context.log),
            run_id=context.run.run_id,
        )
        files = read_rows(store, outcome.commit, "files")
    columns = [
        "sample",
        "role",
        "verdict",
        "reason",
        "size",
        "reads",
        "mean_read_length",
        "md5",
        "sha256",
        "origin",
    ]
    return materialized(
        outcome,
        {
            "dagster/row_count": len(files),
            "total bytes": sum(file["size"] or 0 for file in files),
            "raw files": table_value(files, columns),
        },
    )
