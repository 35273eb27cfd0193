"""The lake's tables about datasets: what was asked for, and what was delivered."""

from __future__ import annotations

from refinebio_assets.lake.columns import (
    EXPERIMENT,
    SAMPLE,
    boolean,
    float64,
    int64,
    string,
    strings,
    timestamp,
)
from refinebio_assets.lake.table import Scope, Table

DATASET = string("dataset", "Id of the dataset.")

DATASET_TABLES = (
    Table(
        "dataset_requests",
        "Datasets as they were last asked for.",
        Scope.CURRENT,
        (
            DATASET,
            string("aggregate_by", "`EXPERIMENT`, `SPECIES` or `ALL`: what one matrix holds."),
            string("scale_by", "`NONE`, `MINMAX`, `STANDARD` or `ROBUST`: how genes are scaled."),
            boolean("quantile_normalize", "Whether samples are quantile normalized.", required=True),
            boolean(
                "quant_sf_only", "Whether `quant.sf` files are delivered in place of matrices.", required=True
            ),
            boolean("h5ad", "Whether matrices are delivered as h5ad, too.", required=True),
            int64("experiments", "Number of experiments.", required=True),
            int64("samples", "Number of samples, each counted once.", required=True),
            string("version", "Hash of what determines the dataset: all but name and notes."),
            string("notes", "Notes of whoever asked.", required=False),
            string("origin", "Where the request came from.", required=False),
            boolean("deleted", "Whether the dataset was deleted since.", required=True),
        ),
    ),
    Table(
        "dataset_samples",
        "Samples that each dataset was asked for with.",
        Scope.CURRENT,
        (DATASET, EXPERIMENT, SAMPLE),
    ),
    Table(
        "datasets",
        "Versions of datasets as they were built.",
        Scope.HISTORY,
        (
            DATASET,
            int64("number", "Counts the versions of the dataset, from 1.", required=True),
            string("version", "Hash of the content of its matrices or files."),
            timestamp("requested_at", "When it was asked for.", required=True),
            string("aggregate_by", "`EXPERIMENT`, `SPECIES` or `ALL`: what one matrix holds."),
            string("scale_by", "`NONE`, `MINMAX`, `STANDARD` or `ROBUST`: how genes are scaled."),
            boolean("quantile_normalized", "Whether samples are quantile normalized.", required=True),
            boolean("quant_sf_only", "Whether `quant.sf` files are in it, no matrices.", required=True),
            int64("matrices", "Number of matrices.", required=True),
            int64("experiments", "Experiments that were asked for.", required=True),
            int64("samples", "Samples that are in it, each counted once.", required=True),
            int64("filtered", "Samples that were asked for and are not in it.", required=True),
            int64("genes", "Genes of its smallest matrix; missing without matrices."),
            strings("targets", "Targets that were used, as `HOMO_SAPIENS 3f2a...`."),
            float64("ks_statistic", "Largest Kolmogorov-Smirnov statistic of the pairs that were compared."),
            float64("ks_pvalue", "Its p-value."),
            strings("warnings", "What is odd about it, one sentence each."),
        ),
    ),
    Table(
        "dataset_matrices",
        "Matrices of datasets.",
        Scope.CURRENT,
        (
            DATASET,
            string("matrix", "Experiment, organism or `ALL`."),
            string("path", "Name of the file in its commit."),
            int64("genes", "Genes of the matrix.", required=True),
            int64("genes_before", "Genes that any of its samples has.", required=True),
            int64("samples", "Samples of the matrix.", required=True),
            string("type", "`float32`, or `float64` after normalization."),
            string("gene_set", "SHA-256 of the genes' ids, a line each."),
            string("values_sha256", "SHA-256 of genes, samples and values."),
            float64(
                "largest_departure", "How far a sample was from its target at most, before genes were scaled."
            ),
        ),
    ),
    Table(
        "dataset_contents",
        "What became of each sample that a dataset was asked for with.",
        Scope.CURRENT,
        (
            DATASET,
            EXPERIMENT,
            SAMPLE,
            string("matrix", "Experiment, organism or `ALL`."),
            string("verdict", "`delivered` or `filtered`."),
            string("reason", "Why it is not delivered.", required=False),
            string("technology", "`RNA-SEQ` or `MICROARRAY`.", required=False),
            string("processing", "`from raw`, or `submitter-processed` values.", required=False),
            string("source_experiment", "Experiment whose values were taken.", required=False),
            string("source_matrix", "Matrix of that experiment.", required=False),
            string("source_commit", "Commit of `gene_expression` that holds it.", required=False),
        ),
    ),
    Table(
        "gene_loss",
        "Genes that each technology or platform has, and costs the others, in the matrices of datasets.",
        Scope.CURRENT,
        (
            DATASET,
            string("matrix", "Experiment, organism or `ALL`."),
            string("measured_with", "Technology or platform of some of its samples."),
            int64("samples", "How many samples.", required=True),
            int64("genes", "Genes that all of them have.", required=True),
            int64("alone_removed", "Genes that all others have and they have not.", required=True),
        ),
    ),
)
