"""Assembles the Dagster definitions; nothing else."""

from dagster import Definitions, in_process_executor

from refinebio_assets.defs import (
    checks,
    compendium_checks,
    dataset_checks,
    discovery,
    jobs,
    killed_runs,
    outgrown_sensors,
    sensors,
    upkeep_sensors,
)
from refinebio_assets.defs.assets import (
    compendia,
    compendium_bundles,
    datasets,
    expression,
    metadata,
    reference,
    sample_compendia,
    source,
    targets,
)
from refinebio_assets.defs.resources import ArchivesResource, LakeResource, LogProgressSource, ProgressSource


def build_definitions(progress: ProgressSource | None = None) -> Definitions:
    """Return the platform's definitions; ``progress`` replaces the log as the place to report to."""
    return Definitions(
        assets=[
            reference.transcriptome_index,
            reference.platform_annotation,
            reference.gene_index,
            source.experiment_record,
            metadata.harmonized_metadata,
            source.raw_files,
            expression.sample_quantifications,
            expression.gene_expression,
            expression.sample_quantification,
            targets.target_quantiles,
            datasets.dataset_request,
            datasets.dataset_matrices,
            datasets.dataset_bundle,
            compendia.normalized_compendium,
            sample_compendia.rnaseq_sample_compendium,
            compendium_bundles.compendium_bundle,
        ],
        asset_checks=[
            checks.matrices_are_whole,
            checks.every_sample_quantified,
            checks.transcripts_have_genes,
            checks.every_surveyed_sample_is_accounted_for,
            checks.probes_have_genes,
            checks.ids_have_genes,
            dataset_checks.the_bundle_keeps_its_promises,
            compendium_checks.the_compendium_is_whole,
            compendium_checks.the_zip_is_whole,
            compendium_checks.the_compendium_keeps_its_promises,
        ],
        jobs=[
            jobs.process_experiment,
            jobs.survey_experiment,
            jobs.build_transcriptome_index,
            jobs.build_platform_annotation,
            jobs.build_gene_index,
            jobs.build_target_quantiles,
            jobs.build_dataset,
            jobs.build_normalized_compendium,
            jobs.build_rnaseq_sample_compendium,
            jobs.check_ledger,
            discovery.discover_experiments,
        ],
        sensors=[
            sensors.dataset_inbox,
            *upkeep_sensors.UPKEEP_SENSORS,
            *outgrown_sensors.OUTGROWN_SENSORS,
            discovery.discovered_experiments,
            killed_runs.killed_runs,
        ],
        schedules=[discovery.weekly_discovery],
        resources={
            "lake": LakeResource(),
            "archives": ArchivesResource(),
            "progress": progress or LogProgressSource(),
        },
        executor=in_process_executor,
    )


defs = build_definitions()
