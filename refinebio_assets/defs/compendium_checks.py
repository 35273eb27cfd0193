"""Asset checks of compendia: what must hold before one is used."""

import warnings

from dagster import AssetCheckExecutionContext, AssetCheckResult, asset_check

from refinebio_assets.defs.assets.compendia import normalized_compendium
from refinebio_assets.defs.assets.compendium_bundles import compendium_bundle
from refinebio_assets.defs.assets.sample_compendia import rnaseq_sample_compendium
from refinebio_assets.defs.check_results import result_of
from refinebio_assets.defs.failures import explained
from refinebio_assets.defs.gate_checks import gate_checks
from refinebio_assets.defs.partitions import organism_partitions
from refinebio_assets.defs.resources import LakeResource
from refinebio_assets.pipelines.compendia.bundle.compendium_bundle import inspect_commit
from refinebio_assets.pipelines.compendia.inspection import compendium_problems
from refinebio_assets.pipelines.compendia.rnaseq_samples.inspection import sample_compendium_problems

with warnings.catch_warnings():
    # partitions_def on a check is in preview; without it a later partition's check hides an earlier one's.
    warnings.filterwarnings("ignore", message=".*partitions_def.*")

    @asset_check(asset=normalized_compendium, partitions_def=organism_partitions, blocking=True)
    def the_compendium_is_whole(context: AssetCheckExecutionContext, lake: LakeResource) -> AssetCheckResult:
        """Columns are rows of metadata, no value is missing, every sample is in it or listed as dropped."""
        with explained():
            problems = compendium_problems(lake.open(), context.partition_key)
        return result_of(problems, "all samples accounted for, all values there")

    @asset_check(asset=rnaseq_sample_compendium, partitions_def=organism_partitions, blocking=True)
    def the_zip_is_whole(context: AssetCheckExecutionContext, lake: LakeResource) -> AssetCheckResult:
        """Files are those of the manifest and of the tables, every sample is in it or listed as filtered."""
        with explained():
            problems = sample_compendium_problems(lake.open(), context.partition_key)
        return result_of(problems, "all samples accounted for, files as promised")


the_compendium_keeps_its_promises = gate_checks(
    "the_compendium_keeps_its_promises", compendium_bundle, organism_partitions, inspect_commit
)
