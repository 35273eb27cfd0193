"""Group ``reference``: what samples are measured against."""

from collections.abc import Callable
from typing import Any

from dagster import (
    AssetExecutionContext,
    AssetsDefinition,
    MaterializeResult,
    ResourceParam,
    TableMetadataValue,
    asset,
)

from refinebio_assets.defs.failures import explained
from refinebio_assets.defs.metadata import declared_schema, materialized, table_value
from refinebio_assets.defs.partitions import organism_partitions, platform_partitions
from refinebio_assets.defs.pools import cores_of_pool
from refinebio_assets.defs.resources import ArchivesResource, LakeResource, ProgressSource
from refinebio_assets.lake.rows import read_rows
from refinebio_assets.lake.store import Commit, Lake
from refinebio_assets.pipelines.references import gene_index as indexes
from refinebio_assets.pipelines.references import platform_annotation as annotation
from refinebio_assets.pipelines.references import transcriptome_index as pipeline

OWNERS = ["team:refinebio"]
SOURCE_COLUMNS = ["role", "origin", "size", "md5", "sha256"]
ANNOTATION_NOTES = ("genes without probe", "further genes of probes")
"""What a commit of an annotation says beside its tables."""


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
            "sources": table_value(sources, SOURCE_COLUMNS),
        },
    )


def _platform_asset(
    table: str, *, code_version: str, kinds: set[str]
) -> Callable[[Callable[..., MaterializeResult[None]]], AssetsDefinition]:
    """Declare an asset of which a partition is a microarray; ``table`` is what it fills."""
    return asset(
        group_name="reference",
        partitions_def=platform_partitions,
        code_version=code_version,
        kinds=kinds,
        metadata={"dagster/column_schema": declared_schema(table)},
        owners=OWNERS,
        pool="memory",
    )


@_platform_asset(
    "platform_annotations", code_version=annotation.CODE_VERSION, kinds={"affymetrix", "illumina"}
)
def platform_annotation(
    context: AssetExecutionContext,
    lake: LakeResource,
    archives: ArchivesResource,
    progress: ResourceParam[ProgressSource],
) -> MaterializeResult[None]:
    """The probes of one microarray, in the order of SCAN's model, and the genes they measure.

    Affymetrix: made from the manufacturer's probe table (or PGF and CLF files) and
    Brainarray's table of Ensembl genes. Illumina BeadArrays: from Bioconductor's
    packages of the array and its organism. Registered with
    `refinebio-assets reference add-platform`.
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
        counts = _rows_if_any(store, outcome.commit, "annotation_counts")
    of_interest = ("kind", "name", "organism", "cells", "probe_sets", "genes", "left_out", "source")
    further = ("gene_source", "brainarray_version")
    return materialized(
        outcome,
        {
            "dagster/row_count": facts["probes"],
            **{
                key.replace("_", " "): facts[key]
                for key in (*of_interest, *further)
                if facts.get(key) is not None
            },
            **{key: value for key, value in outcome.commit.info.items() if key in ANNOTATION_NOTES},
            **{f"probes by {about}": value for about, value in _counted(counts).items()},
            "sources": table_value(sources, SOURCE_COLUMNS),
        },
    )


def _rows_if_any(store: Lake, commit: Commit, table: str) -> list[dict[str, Any]]:
    """Return a table's rows; annotations of the first version lack some tables."""
    return read_rows(store, commit, table) if table in commit.tables else []


def _counted(counts: list[dict[str, Any]]) -> dict[str, TableMetadataValue]:
    return {
        about: table_value([row for row in counts if row["about"] == about], ["value", "probes"])
        for about in dict.fromkeys(row["about"] for row in counts)
    }


@_platform_asset("gene_indexes", code_version=indexes.CODE_VERSION, kinds={"ensembl"})
def gene_index(
    context: AssetExecutionContext,
    lake: LakeResource,
    archives: ArchivesResource,
    progress: ResourceParam[ProgressSource],
) -> MaterializeResult[None]:
    """Which Ensembl genes the ids of one microarray have: probe sets, symbols, Entrez, RefSeq.

    Values that submitters processed are converted with it. Made from an annotation table,
    as registered with `refinebio-assets reference add-gene-index`.
    """
    store = lake.open()
    with explained():
        outcome = indexes.build_gene_index(
            store,
            context.partition_key,
            web=archives.web(),
            progress=progress.of(context.log),
            run_id=context.run.run_id,
        )
        facts = read_rows(store, outcome.commit, "gene_indexes")[0]
        columns = read_rows(store, outcome.commit, "gene_index_columns")
        sources = read_rows(store, outcome.commit, "annotation_sources")
    return materialized(
        outcome,
        {
            "dagster/row_count": facts["rows"],
            "genes": facts["genes"],
            "rows without gene": facts["without_gene"],
            "columns": table_value(columns, ["id_kind", "ids", "with_gene", "examples"]),
            "columns left out": ", ".join(facts["columns_left_out"] or []) or "none",
            "sources": table_value(sources, SOURCE_COLUMNS),
        },
    )
