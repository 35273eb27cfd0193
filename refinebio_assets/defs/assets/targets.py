"""Group ``targets``: the distributions that samples are normalized to."""

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
from refinebio_assets.defs.failures import explained
from refinebio_assets.defs.metadata import declared_schema, image_value, materialized, table_value
from refinebio_assets.defs.partitions import organism_partitions
from refinebio_assets.defs.resources import LakeResource, ProgressSource
from refinebio_assets.lake.store import Commit, Lake
from refinebio_assets.pipelines import target_quantiles as pipeline
from refinebio_assets.pipelines.targets.overview import samples_by_experiment, skipped_by_reason, target_facts
from refinebio_assets.pipelines.targets.plot import target_plot
from refinebio_assets.pipelines.targets.settings import decide_samples


class TargetConfig(Config):
    """How the target is made from now on; what is left out stays as it was decided before."""

    minimum_samples: int | None = Field(default=None, description="How many samples it needs at least.")
    technology: str | None = Field(
        default=None, description="`MICROARRAY`, `RNA-SEQ`, or `automatic`: arrays where there are any."
    )


@asset(
    group_name="targets",
    partitions_def=organism_partitions,
    deps=[AssetDep(gene_expression, partition_mapping=AllPartitionMapping())],
    code_version=pipeline.CODE_VERSION,
    metadata={"dagster/column_schema": declared_schema("targets")},
    kinds={"numpy"},
    owners=OWNERS,
    pool="memory",
)
def target_quantiles(
    context: AssetExecutionContext,
    config: TargetConfig,
    lake: LakeResource,
    progress: ResourceParam[ProgressSource],
) -> MaterializeResult[None]:
    """The distribution that the organism's samples are normalized to; every version stays readable.

    The mean of the sorted values of all samples of its most populous Affymetrix array that were
    processed from raw data; of RNA-seq where the organism has no arrays; or that of a file
    (`refinebio-assets target import`).
    """
    store = lake.open()
    with explained():
        if config.minimum_samples is not None or config.technology is not None:
            decide_samples(
                store, context.partition_key, minimum=config.minimum_samples, technology=config.technology
            )
        outcome = pipeline.build_target(
            store, context.partition_key, progress=progress.of(context.log), run_id=context.run.run_id
        )
        shown = _shown(store, outcome.commit)
    return materialized(outcome, shown)


def _shown(store: Lake, commit: Commit) -> dict[str, Any]:
    target = pipeline.require_target(store, commit.partition, commit.version)
    facts = target_facts(store, commit)
    kept = ("technology", "platform", "transformation", "samples", "skipped_samples", "imported", "origin")
    experiments, skipped = samples_by_experiment(store, commit), skipped_by_reason(store, commit)
    return {
        "dagster/row_count": target.genes,
        **{key.replace("_", " "): facts[key] for key in kept if facts[key] is not None},
        **(
            {"samples by experiment": table_value(experiments, ["experiment", "samples"])}
            if experiments
            else {}
        ),
        **({"skipped": table_value(skipped, ["skipped samples", "reason"])} if skipped else {}),
        "distribution": image_value(
            target_plot(target.values(store), target.technology), "distribution of the target"
        ),
    }
