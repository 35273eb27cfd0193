"""The lake's table about compendia: what each version is. Its samples and genes are in its store."""

from __future__ import annotations

from refinebio_assets.lake.columns import ORGANISM, boolean, float64, int64, string, strings
from refinebio_assets.lake.table import Scope, Table

COMPENDIUM_TABLES = (
    Table(
        "compendia",
        "Normalized compendia: all samples of an organism together, imputed and quantile normalized.",
        Scope.HISTORY,
        (
            ORGANISM,
            int64("number", "Counts the organism's versions, from 1.", required=True),
            string("version", "Hash of the compendium's content."),
            strings("organisms", "Organisms whose samples are in it."),
            int64("genes", "Number of genes.", required=True),
            int64("samples", "Number of samples.", required=True),
            int64("experiments", "Number of experiments that samples are from.", required=True),
            int64("dropped_genes", "Genes that are not in it; they are in `dropped`.", required=True),
            int64("dropped_samples", "Samples that are not in it; they are in `dropped`.", required=True),
            float64("share_missing", "Share of the values that were not measured.", required=True),
            string("imputation", "`factors`, `iterative_svd`, or `none`."),
            int64("rank", "Rank that was used for imputation.", required=True),
            boolean("settled", "Whether imputation had settled before it ended.", required=True),
            float64("random_error", "Root mean square error of known values hidden one by one (log2)."),
            float64("block_error", "The same of values of a gene hidden on a whole platform."),
            float64("gene_mean_random_error", "The error of the gene's mean for values hidden one by one."),
            float64("gene_mean_block_error", "The error of the gene's mean for values hidden by platform."),
            string("target", "Version of the quantile target."),
            float64("ks_statistic", "Largest distance between upper halves of two samples, of 100 pairs."),
            float64("ks_pvalue", "Its p-value."),
        ),
    ),
)
