"""Group ``datasets``: what users ask for, its matrices, and the bundle that is delivered."""

from dagster import AssetExecutionContext, Config, MaterializeResult, MetadataValue, asset
from pydantic import Field

from refinebio_assets.defs.assets.reference import OWNERS
from refinebio_assets.defs.failures import explained
from refinebio_assets.defs.metadata import declared_schema, materialized, table_value
from refinebio_assets.defs.partitions import dataset_partitions
from refinebio_assets.defs.resources import LakeResource
from refinebio_assets.domain import AggregateBy, ScaleBy
from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.rows import read_rows
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.datasets import registry
from refinebio_assets.pipelines.datasets.acceptance import accept_request
from refinebio_assets.pipelines.datasets.request import parse_request
from refinebio_assets.pipelines.outcome import Outcome


class AskedDataset(Config):
    """What a dataset is asked for with; see docs/datasets.md."""

    data: dict[str, list[str]] = Field(description="Experiment -> samples; [ALL] for all processed ones.")
    aggregate_by: AggregateBy = Field(default=AggregateBy.EXPERIMENT, description="What one matrix holds.")
    scale_by: ScaleBy = Field(default=ScaleBy.NONE, description="How each gene is scaled over the samples.")
    quantile_normalize: bool = Field(
        default=True,
        description="Give samples the organism's distribution; false: RNA-seq by experiment only.",
    )
    quant_sf_only: bool = Field(default=False, description="Deliver quant.sf files in place of matrices.")
    h5ad: bool = Field(default=False, description="Deliver each matrix as AnnData, too.")
    notes: str = Field(default="", description="Notes that are kept with the request.")


class DatasetRequestConfig(Config):
    """A request for the partition, or nothing: it stays as it was asked for before."""

    request: AskedDataset | None = Field(
        default=None, description="Asks for this dataset, or for a new version of it."
    )


@asset(
    group_name="datasets",
    partitions_def=dataset_partitions,
    code_version=registry.CODE_VERSION,
    metadata={"dagster/column_schema": declared_schema("dataset_requests")},
    kinds={"json"},
    owners=OWNERS,
)
def dataset_request(
    context: AssetExecutionContext, config: DatasetRequestConfig, lake: LakeResource
) -> MaterializeResult[None]:
    """Which samples a dataset is to hold, and how its matrices are to be made.

    To ask for a dataset from here: add a partition with its name, open the launchpad, and give under
    `request` experiments and samples, for example `data: {GSE1: [ALL]}`. Without a configuration the request
    stays as it is (from `refinebio-assets dataset create`, the inbox, or an earlier run).
    """
    store = lake.open()
    with explained():
        if config.request is None:
            registered = registry.registered_dataset(store, context.partition_key)
        else:
            registered = _register(store, context.partition_key, config.request)
        samples = read_rows(store, registered.commit, "dataset_samples")
    request = registered.request
    reasons = ("asked for with this configuration",) if registered.changed else ()
    return materialized(
        Outcome(registered.commit, registered.changed, reasons),
        {
            "dagster/row_count": len(samples),
            "request": MetadataValue.json(request.plain()),
            "origin": registered.commit.info.get("origin", ""),
            "samples": table_value(samples, ["experiment", "sample"]),
        },
    )


def _register(store: Lake, dataset: str, asked: AskedDataset) -> registry.RegisteredDataset:
    """Keep a request that was given as a run's configuration; it replaces an earlier one."""
    request = parse_request(asked.model_dump(mode="json"), about=f"dataset {dataset}")
    accepted = accept_request(store, Catalog(store), request, about=f"dataset {dataset}")
    return registry.register_dataset(store, accepted, dataset=dataset, update=True, origin="Dagster")
