"""Makes the file that the API answers from: the catalog's rows joined once, as clients ask for them.

Which rows those are is written in ``sql/``, in the order of the files' names.
"""

from __future__ import annotations

from hashlib import sha256
from importlib.resources import files
from pathlib import Path

import duckdb

from refinebio_assets.lake.binding import sql_text

_SQL = files("refinebio_assets.api.holdings") / "sql"


def statements() -> list[str]:
    """Return the SQL that makes the tables, one text a file."""
    parts = sorted(
        (part for part in _SQL.iterdir() if part.name.endswith(".sql")), key=lambda part: part.name
    )
    return [part.read_text(encoding="utf-8") for part in parts]


def holdings_fingerprint() -> str:
    """Return a hash of all that decides what a file of holdings looks like."""
    return sha256("\n".join([duckdb.__version__, *statements()]).encode()).hexdigest()


def make_holdings(catalog: Path, target: Path) -> None:
    """Write the holdings of a published catalog to ``target``, which does not exist yet.

    Raises duckdb.Error, FileNotFoundError when the catalog is no longer there.
    """
    if not catalog.is_file():
        raise FileNotFoundError(catalog)
    with duckdb.connect(str(target)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"ATTACH {sql_text(str(catalog))} AS source (READ_ONLY)")
        for statement in statements():
            connection.execute(statement)
        connection.execute("CHECKPOINT")
