"""The lake's table about discovery: experiments that searches and lists name."""

from __future__ import annotations

from refinebio_assets.lake.columns import REASON, boolean, int64, string, timestamp
from refinebio_assets.lake.table import Scope, Table

DISCOVERY_TABLES = (
    Table(
        "discovered",
        "Experiments that searches of the archives, or lists of accessions, name.",
        Scope.CURRENT,
        (
            string("rule", "Name of the search or list."),
            string("accession", "Accession of the experiment."),
            string("archive", "`GEO`, `SRA` or `ARRAY_EXPRESS`."),
            string("title", "Title as the search gives it.", required=False),
            string("organism", "Organism as the search gives it.", required=False),
            int64("samples", "Number of samples, where the search counts them."),
            string("published", "Date of publication, as the search gives it.", required=False),
            boolean("taken", "Whether it is to be processed.", required=True),
            REASON,
            timestamp("first_found", "When it was found for the first time.", required=True),
        ),
    ),
)
