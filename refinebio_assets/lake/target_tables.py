"""The lake's tables about quantile targets: what each version is, the samples of the newest, failures."""

from __future__ import annotations

from refinebio_assets.lake.columns import (
    EXPERIMENT,
    ORGANISM,
    PERMANENT,
    SAMPLE,
    TECHNOLOGY,
    boolean,
    float64,
    int64,
    string,
    timestamp,
)
from refinebio_assets.lake.table import Scope, Table

TARGET_TABLES = (
    Table(
        "targets",
        "Quantile targets: the distributions that the samples of an organism are normalized to.",
        Scope.HISTORY,
        (
            ORGANISM,
            string("version", "Hash of the target's content."),
            TECHNOLOGY,
            string("platform", "Microarray whose samples made it.", required=False),
            string("reference", "Version of the transcriptome index of RNA-seq samples.", required=False),
            string("transformation", "What was done to values, as `log2(x + 1)`.", required=False),
            int64("genes", "Number of quantiles: one for each gene of its samples.", required=True),
            int64("samples", "Samples that made it; missing for an imported one."),
            int64("skipped_samples", "Samples of the platform that did not; they are in `dropped`."),
            float64("minimum", "Smallest quantile."),
            float64("median", "Middle quantile."),
            float64("maximum", "Largest quantile."),
            boolean("imported", "Whether it came as a file.", required=True),
            string("origin", "The file it came as.", required=False),
        ),
    ),
    Table(
        "target_samples",
        "Samples that the newest quantile target of each organism is made of.",
        Scope.CURRENT,
        (
            ORGANISM,
            EXPERIMENT,
            SAMPLE,
            string("matrix", "Matrix of the experiment that its values are from."),
            string("matrix_version", "Version of that matrix."),
        ),
    ),
    Table(
        "failed_builds",
        "Builds of targets and compendia that failed; one counts until the build succeeds.",
        Scope.HISTORY,
        (
            string("failed_asset", "What was to be made, as `target_quantiles`."),
            string("failed_partition", "Of which organism."),
            string("reason", "Why it failed."),
            PERMANENT,
            timestamp("failed_at", "When.", required=True),
        ),
    ),
)
