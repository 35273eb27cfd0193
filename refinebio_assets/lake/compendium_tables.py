"""The lake's tables about compendia: what each version and zip is. Samples and genes are in the store."""

from __future__ import annotations

from refinebio_assets.lake.columns import ORGANISM, boolean, float64, int64, string, strings
from refinebio_assets.lake.table import Scope, Table

COMPENDIUM_TABLES = (
    Table(
        "compendia",
        "Compendia: all samples of an organism, normalized in one store, or as their `quant.sf` files.",
        Scope.HISTORY,
        (
            string("kind", "`normalized` or `rnaseq-sample`; columns that only the former has are null."),
            ORGANISM,
            int64("number", "Counts the organism's versions, from 1.", required=True),
            string("version", "Hash of the compendium's content."),
            strings("organisms", "Organisms whose samples are in it."),
            int64("genes", "Number of genes."),
            int64("samples", "Number of samples.", required=True),
            int64("experiments", "Number of experiments that samples are from.", required=True),
            int64("bytes", "Size of the zip with the `quant.sf` files."),
            int64("dropped_genes", "Genes that are not in it; they are in `dropped`."),
            int64("dropped_samples", "Samples that are not in it; they are in `dropped`.", required=True),
            float64("share_missing", "Share of the values that were not measured."),
            string("imputation", "`factors`, `iterative_svd`, or `none`.", required=False),
            int64("rank", "Rank that was used for imputation."),
            boolean("settled", "Whether imputation had settled before it ended."),
            float64("random_error", "Root mean square error of known values hidden one by one (log2)."),
            float64("block_error", "The same of values of a gene hidden on a whole platform."),
            float64("gene_mean_random_error", "The error of the gene's mean for values hidden one by one."),
            float64("gene_mean_block_error", "The error of the gene's mean for values hidden by platform."),
            string("target", "Version of the quantile target.", required=False),
            float64("ks_statistic", "Largest distance between upper halves of two samples, of 100 pairs."),
            float64("ks_pvalue", "Its p-value."),
        ),
    ),
    Table(
        "compendium_bundles",
        "Zips of normalized compendia, as users download them.",
        Scope.HISTORY,
        (
            ORGANISM,
            int64("number", "The compendium's version, counted from 1.", required=True),
            string("compendium_version", "Hash of the compendium's content."),
            int64("genes", "Number of genes.", required=True),
            int64("samples", "Number of samples.", required=True),
            int64("files", "Number of files in it, the manifest left out.", required=True),
            int64("size_bytes", "Size of the zip.", required=True),
            string("file", "Name of the zip in its commit."),
        ),
    ),
)
