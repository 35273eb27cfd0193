"""Group ``reference``: what samples are measured against."""

from dagster import AssetExecutionContext, MaterializeResult, ResourceParam, asset

from refinebio_assets.defs.failures import explained
from refinebio_assets.defs.metadata import declared_schema, materialized, table_value
from refinebio_assets.defs.partitions import organism_partitions, platform_partitions
from refinebio_assets.defs.pools import cores_of_pool
from refinebio_assets.defs.resources import ArchivesResource, LakeResource, ProgressSource
from refinebio_assets.lake.rows import read_rows
from refinebio_assets.pipelines import platform_annotation as annotation
from refinebio_assets.pipelines import transcriptome_index as pipeline

OWNERS = ["team:refinebio"]


@asset(
    group_name="reference",
    partitions_def=organism_partitions,
    code_version=pipeline.CODE_VERSION,
    kinds={"salmon", "ensembl"},
    metadata={"dagster/column_schema": declared_schema("transcriptomes")},
    owners=OWNERS,
    pool="salmon",
)
def transcriptome_index(
    context: AssetExecutionContext,
    lake: LakeResource,
    archives: ArchivesResource,
    progress: ResourceParam[ProgressSource],
) -> MaterializeResult[None]:
    """Salmon indices of one organism and its gene map.

    k = 31 serves reads longer than 75 bases, k = 23 all others. Made from transcripts
    and a gene map, or from a genome and a GTF, as registered with
    `refinebio-assets reference add-transcriptome`.
    """
    store = lake.open()
    with explained():
        outcome = pipeline.build_transcriptome_index(
            store,
            context.partition_key,
            web=archives.web(),
            cores=cores_of_pool(context.instance, "salmon"),
            progress=progress.of(context.log),
            run_id=context.run.run_id,
        )
        facts = read_rows(store, outcome.commit, "transcriptomes")[0]
        sources = read_rows(store, outcome.commit, "sources")
    summary = f"{facts['mapped_transcripts']:,} of {facts['transcripts']:,} transcripts have a gene"
    return materialized(
        outcome,
        {
            "gene map": summary,
            "dagster/row_count": facts["transcripts"],
            "genes": facts["genes"],
            "salmon version": facts["salmon_version"],
            "sources": table_value(sources, ["role", "origin", "size", "md5", "sha256"]),
        },
    )


@asset(
    group_name="reference",
    partitions_def=platform_partitions,
    code_version=annotation.CODE_VERSION,
    kinds={"affymetrix", "brainarray"},
    metadata={"dagster/column_schema": declared_schema("platform_annotations")},
    owners=OWNERS,
    pool="memory",
)
def platform_annotation(
    context: AssetExecutionContext,
    lake: LakeResource,
    archives: ArchivesResource,
    progress: ResourceParam[ProgressSource],
) -> MaterializeResult[None]:
    """The probes of one microarray, in the order of SCAN's model, and the genes they measure.

    Made from the manufacturer's probe table (or PGF and CLF files) and Brainarray's
    table of Ensembl genes, as registered with `refinebio-assets reference add-platform`.
    """
    store = lake.open()
    with explained():
        outcome = annotation.build_annotation(
            store,
            context.partition_key,
            web=archives.web(),
            progress=progress.of(context.log),
            run_id=context.run.run_id,
        )
        facts = read_rows(store, outcome.commit, "platform_annotations")[0]
        sources = read_rows(store, outcome.commit, "annotation_sources")
    shown = {key: facts[key] for key in ("name", "cells", "probe_sets", "genes", "left_out")}
    return materialized(
        outcome,
        {
            "dagster/row_count": facts["probes"],
            **{key.replace("_", " "): value for key, value in shown.items() if value is not None},
            "genes without probe": outcome.commit.info["genes without probe"],
            "source": facts["source"],
            "Brainarray": facts["brainarray_version"] or "",
            "sources": table_value(sources, ["role", "origin", "size", "md5", "sha256"]),
        },
    )
