"""Group ``metadata``: what submitters said about samples, made comparable."""

from dagster import AssetExecutionContext, MaterializeResult, asset

from refinebio_assets.defs.assets.reference import OWNERS
from refinebio_assets.defs.assets.source import experiment_record
from refinebio_assets.defs.failures import explained
from refinebio_assets.defs.metadata import declared_schema, materialized, table_value
from refinebio_assets.defs.partitions import experiment_partitions
from refinebio_assets.defs.resources import LakeResource
from refinebio_assets.lake.rows import read_rows
from refinebio_assets.metadata.harmonized import HARMONIZED_FIELDS
from refinebio_assets.pipelines import harmonized_metadata as pipeline


@asset(
    group_name="metadata",
    partitions_def=experiment_partitions,
    deps=[experiment_record],
    code_version=pipeline.CODE_VERSION,
    metadata={"dagster/column_schema": declared_schema("harmonized_metadata")},
    kinds={"parquet"},
    owners=OWNERS,
)
def harmonized_metadata(context: AssetExecutionContext, lake: LakeResource) -> MaterializeResult[None]:
    """The 14 harmonized fields of every sample, each with the submitter's key and text that it is from.

    Corrections imported with `refinebio-assets metadata import-corrections` lie over what submitters said.
    """
    store = lake.open()
    with explained():
        outcome = pipeline.harmonize_experiment(store, context.partition_key, run_id=context.run.run_id)
        rows = read_rows(store, outcome.commit, "harmonized_metadata")
        sources = read_rows(store, outcome.commit, "harmonized_sources")
    filled = pipeline.filled_fields(rows)
    return materialized(
        outcome,
        {
            "dagster/row_count": len(rows),
            "fields filled": table_value(filled, ["field", "samples", "most frequent"]),
            "samples": table_value(rows, ["sample", *HARMONIZED_FIELDS]),
            "sources": table_value(sources, ["sample", "field", "value", "key", "text", "origin"]),
        },
    )
