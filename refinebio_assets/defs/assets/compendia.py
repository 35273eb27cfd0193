"""Group ``compendia``: all samples of an organism together."""

from typing import Any

from dagster import (
    AllPartitionMapping,
    AssetDep,
    AssetExecutionContext,
    Config,
    MaterializeResult,
    ResourceParam,
    asset,
)
from pydantic import Field

from refinebio_assets.defs.assets.expression import gene_expression
from refinebio_assets.defs.assets.reference import OWNERS
from refinebio_assets.defs.assets.targets import target_quantiles
from refinebio_assets.defs.compendium_metadata import compendium_metadata
from refinebio_assets.defs.failures import explained
from refinebio_assets.defs.metadata import declared_schema, image_value, materialized, table_value
from refinebio_assets.defs.partitions import organism_partitions
from refinebio_assets.defs.resources import LakeResource, ProgressSource
from refinebio_assets.lake.rows import read_rows
from refinebio_assets.lake.store import Commit, Lake
from refinebio_assets.pipelines.compendia import normalized_compendium as pipeline
from refinebio_assets.pipelines.compendia.findings import read_findings
from refinebio_assets.pipelines.compendia.model import Imputation
from refinebio_assets.pipelines.compendia.overview import samples_by, variance_rows
from refinebio_assets.pipelines.compendia.report.plots import components_of


class CompendiumConfig(Config):
    """How the compendium is made; what is left out stays as it was for the newest version."""

    imputation: Imputation | None = Field(
        default=None, description="How missing values are filled; `iterative_svd` is refine.bio's way."
    )
    memory_limit_gib: float = Field(
        default=4.0, gt=0, description="Memory to stay within; results do not depend on it above 2 GiB."
    )


@asset(
    group_name="compendia",
    partitions_def=organism_partitions,
    deps=[
        AssetDep(gene_expression, partition_mapping=AllPartitionMapping()),
        AssetDep(target_quantiles),
    ],
    code_version=pipeline.CODE_VERSION,
    metadata={"dagster/column_schema": declared_schema("compendia")},
    kinds={"parquet", "numpy"},
    owners=OWNERS,
    pool="memory",
)
def normalized_compendium(
    context: AssetExecutionContext,
    config: CompendiumConfig,
    lake: LakeResource,
    progress: ResourceParam[ProgressSource],
) -> MaterializeResult[None]:
    """All samples of the organism (and of its genus) that were processed from raw data, in one store.

    Genes that most samples measure, on the log2 scale, missing values imputed and marked, quantile normalized
    to the organism's target. Known values are hidden to tell how well imputation does.
    """
    store = lake.open()
    with explained():
        outcome = pipeline.build_normalized_compendium(
            store,
            context.partition_key,
            imputation=config.imputation,
            memory_limit=int(config.memory_limit_gib * (1 << 30)),
            progress=progress.of(context.log),
            run_id=context.run.run_id,
        )
        shown = _shown(store, outcome.commit)
    return materialized(outcome, shown)


def _shown(store: Lake, commit: Commit) -> dict[str, Any]:
    row = read_rows(store, commit, "compendia")[0]
    opened = pipeline.open_compendium(store, commit.partition, row["number"])
    structure = read_findings(store, commit)["structure"]
    shown = {
        "samples by platform": table_value(
            samples_by(opened, "platform"), ["platform", "samples", "share_missing"]
        ),
        "variance before and after normalization": table_value(
            variance_rows(structure), ["between", "groups", "before", "after", "by_chance"]
        ),
        "components": image_value(components_of(opened, structure), "principal components of samples"),
    }
    read_it = f"`refinebio-assets compendium slice {commit.partition} --gene GENE`, or see docs/compendia.md"
    return compendium_metadata(store, commit, row, row_count=row["genes"], read_it=read_it, shown=shown)
