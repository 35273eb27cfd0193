"""Group ``datasets``: what users ask for, its matrices, and the bundle that is delivered."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dagster import (
    AllPartitionMapping,
    AssetDep,
    AssetExecutionContext,
    Config,
    MaterializeResult,
    MetadataValue,
    ResourceParam,
    asset,
)
from pydantic import Field

from refinebio_assets.defs.assets.expression import gene_expression
from refinebio_assets.defs.assets.metadata import harmonized_metadata
from refinebio_assets.defs.assets.reference import OWNERS
from refinebio_assets.defs.assets.targets import target_quantiles
from refinebio_assets.defs.failures import explained
from refinebio_assets.defs.metadata import declared_schema, image_value, materialized, table_value
from refinebio_assets.defs.partitions import dataset_partitions
from refinebio_assets.defs.resources import LakeResource, ProgressSource
from refinebio_assets.domain import AggregateBy, ScaleBy
from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.rows import read_rows
from refinebio_assets.lake.store import Commit, Lake
from refinebio_assets.pipelines.datasets import bundle, registry
from refinebio_assets.pipelines.datasets import dataset_matrices as matrices
from refinebio_assets.pipelines.datasets.acceptance import accept_request
from refinebio_assets.pipelines.datasets.contents import read_contents
from refinebio_assets.pipelines.datasets.report import sample_labels
from refinebio_assets.pipelines.datasets.report_plots import spread_plot
from refinebio_assets.pipelines.datasets.request import parse_request
from refinebio_assets.pipelines.datasets.standing import read_any_lock
from refinebio_assets.pipelines.delivery.plotting import component_plots
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


class DatasetMatricesConfig(Config):
    """How the matrices are made: of the newest values, or of exactly those that a lockfile names."""

    lock: str = Field(
        default="", description="Path of a dataset.lock.json, or of a dataset's zip, to make it again."
    )


SUMMARY_COLUMNS = [
    *("number", "samples", "filtered", "experiments", "matrices", "genes", "aggregate_by", "scale_by"),
    *("quantile_normalized", "quant_sf_only", "ks_statistic", "ks_pvalue", "targets"),
]
MATRIX_COLUMNS = ["matrix", "genes", "genes_before", "samples", "type", "largest_departure"]
LOSS_COLUMNS = ["matrix", "measured_with", "samples", "genes", "alone_removed"]
FILTERED_COLUMNS = ["experiment", "sample", "reason"]
MAX_PLOTS = 4
"""Matrices that are drawn in the UI; the report in the zip draws more."""


@asset(
    group_name="datasets",
    partitions_def=dataset_partitions,
    deps=[
        dataset_request,
        AssetDep(gene_expression, partition_mapping=AllPartitionMapping()),
        AssetDep(harmonized_metadata, partition_mapping=AllPartitionMapping()),
        AssetDep(target_quantiles, partition_mapping=AllPartitionMapping()),
    ],
    code_version=matrices.CODE_VERSION,
    metadata={"dagster/column_schema": declared_schema("dataset_matrices")},
    kinds={"parquet"},
    owners=OWNERS,
    pool="memory",
)
def dataset_matrices(
    context: AssetExecutionContext,
    config: DatasetMatricesConfig,
    lake: LakeResource,
    progress: ResourceParam[ProgressSource],
) -> MaterializeResult[None]:
    """The matrices of the dataset: genes joined, log scale, quantile normalized, scaled.

    The metadata tell which genes and samples were lost and why, and show the distribution before and after
    normalization and the principal components. What is built of other inputs is a new version.
    """
    store = lake.open()
    with explained():
        if config.lock:
            outcome = matrices.rebuild_from_lock(
                store,
                context.partition_key,
                read_any_lock(Path(config.lock)),
                progress=progress.of(context.log),
                run_id=context.run.run_id,
            )
        else:
            outcome = matrices.build_matrices(
                store, context.partition_key, progress=progress.of(context.log), run_id=context.run.run_id
            )
        shown = _shown(store, outcome.commit)
    return materialized(outcome, shown)


def _shown(store: Lake, commit: Commit) -> dict[str, Any]:
    contents = read_contents(store, commit)
    rows = read_rows(store, commit, "dataset_matrices")
    filtered = [row for row in read_rows(store, commit, "dataset_contents") if row["verdict"] == "filtered"]
    warnings = list(contents.row["warnings"] or ())
    return {
        "dagster/row_count": sum(row["genes"] for row in rows),
        "summary": _summary(contents.row),
        "warnings": MetadataValue.md("\n".join(f"- {line}" for line in warnings) or "none"),
        "matrices": table_value(rows, MATRIX_COLUMNS),
        "gene loss": table_value(contents.loss, LOSS_COLUMNS),
        **({"filtered samples": table_value(filtered, FILTERED_COLUMNS)} if filtered else {}),
        **_plots(
            matrices.read_overview(store, commit),
            contents.row,
            sample_labels(contents.lock, contents.metadata),
        ),
        "lock": MetadataValue.json(_brief(contents.lock)),
    }


def _summary(row: Mapping[str, Any]) -> MetadataValue:
    """Return a version's row as lines, which a page shows whole; hashes are shortened."""
    targets = [" ".join(part[:21] for part in target.split(" ")) for target in row["targets"]]
    shown = dict(row) | {"targets": targets}
    lines = [{"what": name.replace("_", " "), "value": shown[name]} for name in SUMMARY_COLUMNS]
    return table_value((line for line in lines if line["value"] is not None), ["what", "value"])


def _plots(
    overview: Mapping[str, Any], row: Mapping[str, Any], labels: Mapping[str, Mapping[str, str]]
) -> dict[str, MetadataValue]:
    """Return the plots of the first matrices: distribution before and after, and principal components."""
    plots = {}
    for key, shown in list(overview.items())[:MAX_PLOTS]:
        spread = spread_plot(shown["before"], shown["after"], normalized=row["quantile_normalized"])
        plots[f"distribution of {key}"] = image_value(spread, f"distribution of values of {key}")
        picture = shown["picture"]
        if any(picture["explained"]):
            given = {name: [of.get(sample, "") for sample in shown["samples"]] for name, of in labels.items()}
            png = component_plots(picture, given)
            plots[f"components of {key}"] = image_value(png, f"principal components of {key}")
    return plots


def _brief(lock: Mapping[str, Any]) -> dict[str, Any]:
    """Return a lock without its list of samples, which may be long; the zip has all of it."""
    return {name: value for name, value in lock.items() if name not in ("samples", "filtered")}


@asset(
    group_name="datasets",
    partitions_def=dataset_partitions,
    deps=[dataset_matrices],
    code_version=bundle.CODE_VERSION,
    kinds={"zip"},
    owners=OWNERS,
    pool="memory",
)
def dataset_bundle(
    context: AssetExecutionContext, lake: LakeResource, progress: ResourceParam[ProgressSource]
) -> MaterializeResult[None]:
    """The zip that users download, laid out as refine.bio's, with Parquet files, report and lockfile.

    Before it is published it is read back and compared with what it promises; a defect stops it.
    """
    store = lake.open()
    with explained():
        outcome = bundle.build_bundle(
            store, context.partition_key, progress=progress.of(context.log), run_id=context.run.run_id
        )
    file = outcome.commit.file(outcome.commit.info["file"])
    return materialized(
        outcome,
        {
            "zip": MetadataValue.path(f"{store.url}/{file.path}"),
            "size in bytes": file.size,
            "sha256": file.sha256,
            "version": outcome.commit.info["number"],
            "warnings": MetadataValue.md(
                "\n".join(f"- {line}" for line in outcome.commit.info["warnings"]) or "none"
            ),
            "take it": MetadataValue.md(
                f"`refinebio-assets dataset download {context.partition_key} --output FILE.zip`"
            ),
        },
    )
