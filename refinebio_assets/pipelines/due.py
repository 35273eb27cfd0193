"""What is out of date in an experiment, and why, without doing any of it."""

from __future__ import annotations

from collections.abc import Sequence

from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines import (
    experiment_record,
    gene_expression,
    harmonized_metadata,
    raw_files,
    sample_quantifications,
)
from refinebio_assets.pipelines.experiment_record import assess_record
from refinebio_assets.pipelines.fetch_file import WebSource, no_web
from refinebio_assets.pipelines.gene_expression import assess_expression
from refinebio_assets.pipelines.harmonized_metadata import assess_metadata
from refinebio_assets.pipelines.raw_files import assess_raw_files
from refinebio_assets.pipelines.sample_quantifications import assess_quantifications


def due_step(
    lake: Lake,
    accession: str,
    *,
    web: WebSource = no_web,
    samples: Sequence[str] = (),
    retry_failed: bool = False,
    survey_again: bool = False,
    rules: str = "",
) -> tuple[str, tuple[str, ...]] | None:
    """Return the first step of an experiment's chain that has work to do, with the reasons.

    None when everything is up to date. What follows the step is not judged, as it depends on it.
    """
    record = assess_record(lake, accession, survey_again=survey_again, rules=rules)
    if record.reasons:
        return experiment_record.ASSET, record.reasons
    metadata = assess_metadata(lake, accession)
    if metadata.situation.reasons:
        return harmonized_metadata.ASSET, metadata.situation.reasons
    files = assess_raw_files(lake, accession, web=web, retry_failed=retry_failed)
    if files.situation.reasons:
        return raw_files.ASSET, files.situation.reasons
    quantified = assess_quantifications(lake, accession, samples=samples, retry_failed=retry_failed)
    if quantified.situation.reasons:
        return sample_quantifications.ASSET, quantified.situation.reasons
    matrices = assess_expression(lake, accession)
    if matrices.situation.reasons:
        return gene_expression.ASSET, matrices.situation.reasons
    return None
