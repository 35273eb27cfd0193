"""The lake's tables about submitters' tables: how each was understood, and what tells so."""

from __future__ import annotations

from refinebio_assets.lake.columns import (
    EXPERIMENT,
    SAMPLE,
    boolean,
    float64,
    int64,
    string,
    strings,
)
from refinebio_assets.lake.table import Scope, Table

UNDERSTOOD_TABLES = (
    Table(
        "table_columns",
        "Which columns of a submitter's table a sample's values are from, and why.",
        Scope.CURRENT,
        (
            EXPERIMENT,
            SAMPLE,
            int64("position", "Place of the column in the table, from 1.", required=True),
            string("header", "Header as written.", required=False),
            string("role", "What it was taken for: ids, values or detection p-values."),
            string("reason", "How it was recognized.", required=False),
        ),
    ),
    Table(
        "platform_detection",
        "How the ids of a sample's table overlap with each BeadArray platform that it may be of.",
        Scope.CURRENT,
        (
            EXPERIMENT,
            SAMPLE,
            string("platform", "Candidate, as `illuminaHumanv4`."),
            int64("probes", "Distinct probes of the candidate.", required=True),
            int64("found", "How many of them are in the table.", required=True),
            float64("detection_percentage", "Share of the candidate's probes in the table, 0 to 100."),
            float64("mapped_percentage", "Share of the table's ids that are its probes, 0 to 100."),
            boolean("detected", "Whether it is the one with the largest share."),
            boolean("passed", "Whether more than 75 % of the table's ids are its probes."),
        ),
    ),
    Table(
        "submitted_values",
        "How the values of each submitter-processed sample were understood, with the evidence.",
        Scope.CURRENT,
        (
            EXPERIMENT,
            SAMPLE,
            int64("rows", "Rows of the table.", required=True),
            int64("duplicated_ids", "Rows that repeat an id of a row above.", required=True),
            int64("missing_values", "Rows without a finite value.", required=True),
            string("encoding", "Encoding of the text.", required=False),
            string("number_style", "What commas in numbers mean.", required=False),
            string("header", "Where the names of the columns are from.", required=False),
            string("description", "What the source says of the values.", required=False),
            string("converted_by", "Annotation or gene index that knows the ids."),
            string("id_kind", "Column of it that the ids are of, as `SYMBOL`."),
            float64("overlap", "Distinct ids found there as a share of all rows, 0 to 1."),
            int64("rows_without_gene", "Rows that gave no gene.", required=True),
            int64("genes", "Different genes.", required=True),
            boolean("log2_taken", "Whether the logarithm was taken here."),
            string("log2_reason", "What tells whether the values are logarithms."),
            strings("doubts", "Signs that point the other way.", required=False),
            int64("without_logarithm", "Values of 0 or less, which have none.", required=True),
            float64("minimum", "Lowest value as submitted."),
            float64("median", "Median of the values as submitted."),
            float64("percentile_99", "99th percentile of the values as submitted."),
            float64("maximum", "Highest value as submitted."),
            float64("share_negative", "Share of negative values, 0 to 1."),
            float64("share_above_limit", "Share of values above 100, 0 to 1."),
        ),
    ),
)
