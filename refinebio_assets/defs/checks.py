"""Asset checks: what must hold before a result is used further down."""

import warnings

from dagster import AssetCheckExecutionContext, AssetCheckResult, AssetCheckSeverity, asset_check

from refinebio_assets.defs.assets.expression import (
    gene_expression,
    sample_quantification,
    sample_quantifications,
)
from refinebio_assets.defs.assets.reference import gene_index, platform_annotation, transcriptome_index
from refinebio_assets.defs.check_results import result_of
from refinebio_assets.defs.failures import explained
from refinebio_assets.defs.partitions import experiment_partitions, organism_partitions, platform_partitions
from refinebio_assets.defs.resources import LakeResource
from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.pipelines.expression_checks import matrix_problems, unmapped_share, unprocessed_samples
from refinebio_assets.pipelines.ledger import ledger_problems, ledger_totals
from refinebio_assets.pipelines.references.checks import (
    Judgment,
    judge_annotation,
    judge_gene_index,
)

MAX_PROBLEMS = 20

with warnings.catch_warnings():
    # partitions_def on a check is in preview; without it a later partition's check hides an earlier one's.
    warnings.filterwarnings("ignore", message=".*partitions_def.*")

    @asset_check(asset=gene_expression, partitions_def=experiment_partitions, blocking=True)
    def matrices_are_whole(context: AssetCheckExecutionContext, lake: LakeResource) -> AssetCheckResult:
        """Every processed sample is a column or listed as dropped; no value is missing or negative."""
        with explained():
            problems = matrix_problems(lake.open(), context.partition_key)
        return result_of(problems, "all samples accounted for, all values valid")

    @asset_check(asset=sample_quantifications, partitions_def=experiment_partitions)
    def every_sample_quantified(context: AssetCheckExecutionContext, lake: LakeResource) -> AssetCheckResult:
        """No sample of the experiment failed; those that did are listed with their reasons."""
        with explained():
            failed = unprocessed_samples(lake.open(), context.partition_key)
        return AssetCheckResult(
            passed=not failed,
            severity=AssetCheckSeverity.WARN,
            description="\n".join(failed) or "all samples are quantified",
        )

    @asset_check(asset=transcriptome_index, partitions_def=organism_partitions)
    def transcripts_have_genes(context: AssetCheckExecutionContext, lake: LakeResource) -> AssetCheckResult:
        """At least nine of ten transcripts have a gene; reads of the others count for no gene."""
        with explained():
            share = unmapped_share(lake.open(), context.partition_key)
        return AssetCheckResult(
            passed=share <= 0.1,
            severity=AssetCheckSeverity.WARN,
            description=f"{share:.1%} of the transcripts have no gene in the gene map",
        )

    @asset_check(asset=platform_annotation, partitions_def=platform_partitions)
    def probes_have_genes(context: AssetCheckExecutionContext, lake: LakeResource) -> AssetCheckResult:
        """An Affymetrix array has a table of genes; half of a BeadArray's reliable probes have a gene."""
        with explained():
            judgment = judge_annotation(lake.open(), context.partition_key)
        return _warning(judgment)

    @asset_check(asset=gene_index, partitions_def=platform_partitions)
    def ids_have_genes(context: AssetCheckExecutionContext, lake: LakeResource) -> AssetCheckResult:
        """At least half of the ids of an index have a gene; values of the others are lost."""
        with explained():
            judgment = judge_gene_index(lake.open(), context.partition_key)
        return _warning(judgment)


@asset_check(asset=sample_quantification.key)
def every_surveyed_sample_is_accounted_for(lake: LakeResource) -> AssetCheckResult:
    """Processed, filtered, failed and pending samples are together those surveyed, each with its reason."""
    with explained():
        catalog = Catalog(lake.open())
        catalog.sync()
        problems = ledger_problems(catalog)
        totals = ledger_totals(catalog, "organism")
    counts = {
        name: sum(row[name] for row in totals)
        for name in ("surveyed", "processed", "filtered", "failed", "pending")
    }
    return AssetCheckResult(
        passed=not problems,
        description="\n".join(problems[:MAX_PROBLEMS]) or "every surveyed sample is accounted for",
        metadata={**counts, "problems": len(problems)},
    )


def _warning(judgment: Judgment) -> AssetCheckResult:
    return AssetCheckResult(
        passed=judgment.passed, severity=AssetCheckSeverity.WARN, description=judgment.description
    )
