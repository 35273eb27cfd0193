"""Jobs: the chains that people start in one click."""

from dagster import AssetSelection, define_asset_job

from refinebio_assets.defs.assets.compendia import normalized_compendium as normalized
from refinebio_assets.defs.assets.compendium_bundles import compendium_bundle
from refinebio_assets.defs.assets.datasets import dataset_bundle, dataset_matrices, dataset_request
from refinebio_assets.defs.assets.expression import (
    gene_expression,
    sample_quantification,
    sample_quantifications,
)
from refinebio_assets.defs.assets.metadata import harmonized_metadata
from refinebio_assets.defs.assets.reference import gene_index, platform_annotation, transcriptome_index
from refinebio_assets.defs.assets.sample_compendia import rnaseq_sample_compendium as rnaseq_samples
from refinebio_assets.defs.assets.source import experiment_record, raw_files
from refinebio_assets.defs.assets.targets import target_quantiles

process_experiment = define_asset_job(
    "process_experiment",
    selection=AssetSelection.assets(
        experiment_record, harmonized_metadata, raw_files, sample_quantifications, gene_expression
    ),
    description="From an experiment's accession to its expression matrices; what is up to date is kept.",
)

survey_experiment = define_asset_job(
    "survey_experiment",
    selection=AssetSelection.assets(experiment_record, harmonized_metadata),
    description="What the archive says of an experiment, and its harmonized metadata; nothing is downloaded.",
)

build_transcriptome_index = define_asset_job(
    "build_transcriptome_index",
    selection=AssetSelection.assets(transcriptome_index),
    description="Build an organism's Salmon indices from its registered transcripts or genome.",
)

build_platform_annotation = define_asset_job(
    "build_platform_annotation",
    selection=AssetSelection.assets(platform_annotation),
    description="Read a microarray's probes and genes from its registered files.",
)

build_target_quantiles = define_asset_job(
    "build_target_quantiles",
    selection=AssetSelection.assets(target_quantiles),
    description="Make the distribution that an organism's samples are normalized to.",
)

build_normalized_compendium = define_asset_job(
    "build_normalized_compendium",
    selection=AssetSelection.assets(normalized, compendium_bundle),
    description="Put all samples of an organism into one compendium, imputed and normalized, and its zip.",
)

build_rnaseq_sample_compendium = define_asset_job(
    "build_rnaseq_sample_compendium",
    selection=AssetSelection.assets(rnaseq_samples),
    description="Put the quant.sf files of all RNA-seq samples of an organism into one zip.",
)

build_dataset = define_asset_job(
    "build_dataset",
    selection=AssetSelection.assets(dataset_request, dataset_matrices, dataset_bundle),
    description="From a dataset's request to its zip; what is up to date is kept.",
)

check_ledger = define_asset_job(
    "check_ledger",
    selection=AssetSelection.checks_for_assets(sample_quantification.key),
    description="Prove that every surveyed sample is processed, filtered, failed or pending, and why.",
)

build_gene_index = define_asset_job(
    "build_gene_index",
    selection=AssetSelection.assets(gene_index),
    description="Read which genes a microarray's ids have from its registered table.",
)
