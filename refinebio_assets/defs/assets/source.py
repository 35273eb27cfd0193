"""Group ``source``: what the sources say and the files they hold."""

from collections import Counter

from dagster import AssetExecutionContext, Config, MaterializeResult, MetadataValue, ResourceParam, asset
from pydantic import Field

from refinebio_assets.defs.assets.reference import OWNERS
from refinebio_assets.defs.failures import explained
from refinebio_assets.defs.metadata import declared_schema, materialized, table_value
from refinebio_assets.defs.partitions import experiment_partitions
from refinebio_assets.defs.resources import ArchivesResource, LakeResource, ProgressSource
from refinebio_assets.lake.rows import read_rows
from refinebio_assets.pipelines import experiment_record as record_pipeline
from refinebio_assets.pipelines import raw_files as files_pipeline

SAMPLE_COLUMNS = [
    *("sample", "title", "organism", "technology", "platform", "platform_accession", "has_raw"),
    *("pipeline", "pipeline_reason"),
]


class SurveyConfig(Config):
    """What to do beyond an experiment that is new."""

    asked: str = Field(
        default="",
        description="Accession to ask the archive for, when it is one of the experiment's runs or projects.",
    )
    survey_again: bool = Field(
        default=False, description="Ask the archive again; a sample sheet's experiment stays as it is."
    )


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
def experiment_record(
    context: AssetExecutionContext, config: SurveyConfig, lake: LakeResource, archives: ArchivesResource
) -> MaterializeResult[None]:
    """What the source says of one experiment: its samples, files and the submitter's metadata, kept whole.

    An archive's accession (GSE, SRP, ERP, DRP, E-MTAB-...) is surveyed the first time: add it as a
    partition and materialize it. Every sample has the pipeline that serves it, or why none does.
    """
    store = lake.open()
    with explained():
        outcome = record_pipeline.record_experiment(
            store,
            context.partition_key,
            survey=lambda accession: archives.open().survey(accession),
            asked=config.asked,
            survey_again=config.survey_again,
            rules=archives.rules(),
            run_id=context.run.run_id,
        )
        experiment = read_rows(store, outcome.commit, "experiments")[0]
        samples = read_rows(store, outcome.commit, "samples")
    pipelines = Counter(sample["pipeline"] for sample in samples)
    return materialized(
        outcome,
        {
            "title": experiment["title"],
            "source": experiment["source"],
            **({"archive": MetadataValue.url(experiment["url"])} if experiment["url"] else {}),
            "alternates": ", ".join(experiment["alternates"] or []),
            "organisms": ", ".join(experiment["organisms"]),
            "pipelines": ", ".join(f"{name}: {count:,}" for name, count in pipelines.most_common()),
            "dagster/row_count": len(samples),
            "samples": table_value(samples, SAMPLE_COLUMNS),
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
    archives: ArchivesResource,
    progress: ResourceParam[ProgressSource],
) -> MaterializeResult[None]:
    """The experiment's files in the lake: content-addressed, checked, with size, md5, sha256 and origin."""
    store = lake.open()
    with explained():
        outcome = files_pipeline.collect_raw_files(
            store,
            context.partition_key,
            web=archives.web(),
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
        "member",
    ]
    return materialized(
        outcome,
        {
            "dagster/row_count": len(files),
            "total bytes": sum(file["size"] or 0 for file in files),
            "raw files": table_value(files, columns),
        },
    )
