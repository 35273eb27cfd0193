"""Group ``expression``: samples quantified, and summarized to genes."""

from collections.abc import Mapping
from typing import Any

from dagster import (
    AllPartitionMapping,
    AssetDep,
    AssetExecutionContext,
    AssetSpec,
    Config,
    MaterializeResult,
    MetadataValue,
    ResourceParam,
    asset,
)
from pydantic import Field

from refinebio_assets.defs.assets.reference import (
    OWNERS,
    gene_index,
    platform_annotation,
    transcriptome_index,
)
from refinebio_assets.defs.assets.source import raw_files
from refinebio_assets.defs.failures import explained
from refinebio_assets.defs.metadata import (
    declared_schema,
    image_value,
    materialized,
    matrix_schema,
    table_value,
)
from refinebio_assets.defs.partitions import experiment_partitions, sample_partitions
from refinebio_assets.defs.pools import cores_of_pool
from refinebio_assets.defs.resources import LakeResource, ProgressSource
from refinebio_assets.defs.sample_events import report_samples
from refinebio_assets.domain import Processing
from refinebio_assets.lake.rows import read_rows, table_rows
from refinebio_assets.lake.store import Commit, Lake
from refinebio_assets.pipelines import gene_expression as expression_pipeline
from refinebio_assets.pipelines import sample_quantifications as samples_pipeline
from refinebio_assets.pipelines.expression_matrix import matrix_unit
from refinebio_assets.pipelines.matrix_plot import MAX_LINES, density_plot

sample_quantification = AssetSpec(
    "sample_quantification",
    group_name="expression",
    partitions_def=sample_partitions,
    kinds={"salmon"},
    owners=OWNERS,
    code_version=samples_pipeline.sample_code_version(),
    description=(
        "Every sample processed, one partition each, with its version, processor and verdict. Written by "
        "`sample_quantifications`, which processes an experiment at a time; to redo one sample, launch that "
        "with `samples: [NAME]`."
    ),
)


RESULT_COLUMNS = [
    *(
        "sample",
        "verdict",
        "reason",
        "processing",
        "processing_reason",
        "platform",
        "detected_platform",
        "detection_percentage",
        "mapped_percentage",
        "warnings",
        "mapping_rate",
        "library_type",
        "reads_processed",
        "why",
        "version",
    )
]


QUALITY_COLUMNS = [
    *("sample", "platform", "scan_date", "zeros", "saturated", "iterations", "converged"),
    *(
        "background_share",
        "sequence_share",
        "minimum",
        "lower_quartile",
        "median",
        "upper_quartile",
        "maximum",
    ),
]


AGREEMENT_COLUMNS = ["sample", "matrix", "correlation"]
DETAIL_COLUMNS = {
    "array_quality": QUALITY_COLUMNS,
    "table_columns": ["sample", "position", "header", "role", "reason"],
    "platform_detection": [
        *("sample", "platform", "probes", "found", "detection_percentage", "mapped_percentage"),
        *("detected", "passed"),
    ],
    "submitted_values": [
        *("sample", "converted_by", "id_kind", "overlap", "rows", "duplicated_ids", "missing_values"),
        *("rows_without_gene", "genes", "log2_taken", "log2_reason", "doubts", "median", "maximum"),
    ],
}
"""What is shown of each of the tables beside the results."""


class QuantifyConfig(Config):
    """What to do beyond the samples that are new or out of date."""

    samples: list[str] = Field(default=[], description="Samples to redo even if they are up to date.")
    retry_failed: bool = Field(default=False, description="Try samples again that failed before.")


@asset(
    group_name="expression",
    partitions_def=experiment_partitions,
    deps=[
        raw_files,
        AssetDep(transcriptome_index, partition_mapping=AllPartitionMapping()),
        AssetDep(platform_annotation, partition_mapping=AllPartitionMapping()),
        AssetDep(gene_index, partition_mapping=AllPartitionMapping()),
    ],
    code_version=samples_pipeline.code_version(),
    metadata={"dagster/column_schema": declared_schema("results")},
    kinds={"salmon", "scan"},
    owners=OWNERS,
    pool="salmon",
)
def sample_quantifications(
    context: AssetExecutionContext,
    config: QuantifyConfig,
    lake: LakeResource,
    progress: ResourceParam[ProgressSource],
) -> MaterializeResult[None]:
    """Each sample of the experiment quantified, with its verdict: reads by Salmon, arrays by SCAN.

    Arrays without usable raw data have their submitter's values converted to genes, and are marked so.
    Only samples that are new or out of date are processed. A sample that fails is listed with its reason.
    """
    store = lake.open()
    with explained(lambda: _results_so_far(store, context.partition_key)):
        outcome = samples_pipeline.quantify_samples(
            store,
            context.partition_key,
            samples=config.samples,
            retry_failed=config.retry_failed,
            cores=cores_of_pool(context.instance, "salmon"),
            progress=progress.of(context.log),
            run_id=context.run.run_id,
        )
        results = read_rows(store, outcome.commit, "results")
        details = _details(store, outcome.commit)
    report_samples(context, outcome, results)
    return materialized(
        outcome,
        {
            "dagster/row_count": len(results),
            "processed in this run": len(outcome.sample_reasons),
            "results": table_value(results, RESULT_COLUMNS),
            "submitter-processed": sum(_is_submitted(row) for row in results),
            **{
                table.replace("_", " "): table_value(rows, DETAIL_COLUMNS[table])
                for table, rows in details.items()
            },
        },
    )


def _details(store: Lake, commit: Commit) -> dict[str, list[dict[str, Any]]]:
    """Return what was found out about samples, by table, without empty ones; older results have none."""
    tables = {table: read_rows(store, commit, table) for table in DETAIL_COLUMNS if table in commit.tables}
    return {table: rows for table, rows in tables.items() if rows}


def _is_submitted(row: Mapping[str, Any]) -> bool:
    return row.get("processing") == Processing.SUBMITTER_PROCESSED


def _results_so_far(store: Lake, accession: str) -> dict[str, MetadataValue]:
    """Return the table of samples and reasons that a failed step recorded, if it got so far."""
    head = store.head(samples_pipeline.ASSET, accession)
    return {"results": table_value(read_rows(store, head, "results"), RESULT_COLUMNS)} if head else {}


@asset(
    group_name="expression",
    partitions_def=experiment_partitions,
    deps=[sample_quantifications],
    code_version=expression_pipeline.CODE_VERSION,
    kinds={"parquet"},
    owners=OWNERS,
    pool="memory",
)
def gene_expression(
    context: AssetExecutionContext, lake: LakeResource, progress: ResourceParam[ProgressSource]
) -> MaterializeResult[None]:
    """Genes x samples matrices of the experiment, Ensembl genes, as Parquet.

    RNA-seq: lengthScaledTPM (tximport), a matrix for each organism and reference. Arrays: SCAN's values, a
    matrix for each platform and organism. Submitter-processed samples have matrices of their own.
    """
    store = lake.open()
    with explained():
        outcome = expression_pipeline.summarize_expression(
            store, context.partition_key, progress=progress.of(context.log), run_id=context.run.run_id
        )
        rows = read_rows(store, outcome.commit, "matrices")
        largest = max(rows, key=lambda row: row["samples"])
        shown = expression_pipeline.matrix_samples(store, outcome.commit, largest["matrix"])
        matrix = expression_pipeline.read_expression(
            store, outcome.commit, largest["matrix"], shown[:MAX_LINES]
        )
        agreement = read_rows(store, outcome.commit, "array_agreement")
    unit = matrix_unit(matrix)
    preview = table_rows(matrix.slice(0, 10))
    columns = [
        "matrix",
        "processing",
        "unit",
        "organism",
        "level",
        "genes",
        "samples",
        "missing_values",
        "transcripts",
        "mapped_transcripts",
        "version",
        "path",
    ]
    return materialized(
        outcome,
        {
            "matrices": table_value(rows, columns),
            "warnings": "; ".join(outcome.commit.info["warnings"]) or "none",
            "dagster/row_count": largest["genes"],
            "dagster/column_schema": matrix_schema(shown, unit),
            **({"agreement of arrays": table_value(agreement, AGREEMENT_COLUMNS)} if agreement else {}),
            "preview": table_value(preview, matrix.column_names[:12]),
            "distribution": image_value(density_plot(matrix), f"distribution of each sample's {unit}"),
        },
    )
