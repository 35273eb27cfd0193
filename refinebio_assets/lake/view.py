"""What a view of the catalog is, and what follows from it: DuckDB statements, docs.

Which views there are is in `views.py` and `ledger_views.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class View:
    """One view: what it answers, what its columns mean, and the SELECT behind it."""

    name: str
    description: str
    columns: Mapping[str, str]
    sql: str

    def statement(self) -> str:
        """Return the DuckDB statements that create the view, with its comment."""
        comment = self.description.replace("'", "''")
        return f'CREATE VIEW "{self.name}" AS {self.sql};\nCOMMENT ON VIEW "{self.name}" IS \'{comment}\''

    def markdown(self) -> str:
        """Return the view's section in the docs."""
        rows = "\n".join(f"| `{name}` | {meaning} |" for name, meaning in self.columns.items())
        return f"### {self.name} (view)\n\n{self.description}\n\n| Column | Meaning |\n|---|---|\n{rows}\n"
