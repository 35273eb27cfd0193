"""The lake's table about versions that were removed on purpose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from refinebio_assets.lake.columns import int64, string, timestamp
from refinebio_assets.lake.table import Scope, Table

REMOVALS = "removals"
"""The asset, and the table, that has what was removed."""
Row = Mapping[str, Any]
"""A row of that table."""
REMOVED_FILE = "file"
"""What a raw file has for its asset."""
REMOVAL_TABLES = (
    Table(
        REMOVALS,
        "Versions and raw files that `gc` or `dataset delete --files` removed; see view `removed_versions`.",
        Scope.CURRENT,
        (
            string("removed_asset", "Asset of the version; `file` is a raw file."),
            string("removed_partition", "Its partition; the SHA-256 of a raw file."),
            string("removed_version", "The version."),
            string("removed_commit", "Its commit, which is no longer in the log; empty for a raw file."),
            string("code_version", "Version of the code's meaning that made it."),
            timestamp("made_at", "When it was committed; missing for a raw file."),
            timestamp("unused_since", "Since when it was not current.", required=True),
            int64("size", "Bytes that it had to itself.", required=True),
            string("why", "Why it was removed."),
            timestamp("removed_at", "When it was removed.", required=True),
        ),
    ),
)

TIMES = ("made_at", "unused_since", "removed_at")
"""Its columns that are moments."""
