"""The lake's tables about datasets: what was asked for, and what was delivered."""

from __future__ import annotations

from refinebio_assets.lake.columns import EXPERIMENT, SAMPLE, boolean, int64, string
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
)
