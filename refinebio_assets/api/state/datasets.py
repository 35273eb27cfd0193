"""Datasets as clients put them together, start them, and see them end.

A dataset that was started is also a request in the lake; what is kept here is what clients see beside it. Of
an e-mail address only that there was one is kept, as nobody is written to.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import uuid4

from refinebio_assets.api.state.database import Database


class DatasetState(StrEnum):
    """How a dataset stands."""

    EDITABLE = "editable"
    PROCESSING = "processing"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Options:
    """How a dataset is to be made, and what else a client says about it."""

    aggregate_by: str = "EXPERIMENT"
    scale_by: str = "NONE"
    quantile_normalize: bool = True
    quant_sf_only: bool = False
    svd_algorithm: str = "NONE"
    notify_me: bool = True
    email_ccdl_ok: bool = False


@dataclass(frozen=True, slots=True)
class Product:
    """What was made: the bundle's commit and name, its size in bytes, its checksums."""

    commit: str
    name: str
    size: int
    sha1: str
    sha256: str
    made_at: str


@dataclass(frozen=True, slots=True)
class Dataset:
    """One dataset; times are ISO 8601 in UTC."""

    id: str
    data: Mapping[str, list[str]]
    options: Options
    created_at: str
    last_modified: str
    state: DatasetState = DatasetState.EDITABLE
    has_email: bool = False
    failure_reason: str = ""
    product: Product | None = None


class Datasets:
    """All datasets that clients made. Methods raise StorageError."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database, self._now = database, now

    def create(self, data: Mapping[str, list[str]], options: Options, *, has_email: bool) -> Dataset:
        """Keep a new dataset."""
        moment = self.moment()
        dataset = Dataset(str(uuid4()), data, options, moment, moment, has_email=has_email)
        with self._database.changing() as connection:
            connection.execute("INSERT INTO datasets VALUES (?, ?, ?)", _row(dataset))
        return dataset

    def find(self, identity: str) -> Dataset | None:
        """Return a dataset, or None."""
        rows = self._database.rows("SELECT document FROM datasets WHERE id = ?", [identity])
        return _dataset(rows[0]["document"]) if rows else None

    def change(self, identity: str, changed: Callable[[Dataset], Dataset]) -> Dataset | None:
        """Replace a dataset by what ``changed`` makes of it as it is now; None when there is none.

        Errors of ``changed`` pass through, and the dataset stays as it was.
        """
        with self._database.changing() as connection:
            row = connection.execute("SELECT document FROM datasets WHERE id = ?", [identity]).fetchone()
            if row is None:
                return None
            dataset = replace(changed(_dataset(row["document"])), last_modified=self.moment())
            _, state, document = _row(dataset)
            values = [state, document, identity]
            connection.execute("UPDATE datasets SET state = ?, document = ? WHERE id = ?", values)
        return dataset

    def in_state(self, state: DatasetState) -> list[str]:
        """Return the ids of the datasets that stand so."""
        rows = self._database.rows("SELECT id FROM datasets WHERE state = ? ORDER BY id", [str(state)])
        return [row["id"] for row in rows]

    def count(self) -> int:
        """Return how many datasets there are."""
        rows = self._database.rows("SELECT count(*) AS n FROM datasets")
        return int(rows[0]["n"]) if rows else 0

    def moment(self, later: timedelta = timedelta()) -> str:
        """Return the present moment, or one later, as text."""
        return (self._now() + later).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _row(dataset: Dataset) -> list[Any]:
    document = asdict(dataset)
    return [dataset.id, str(dataset.state), json.dumps(document, ensure_ascii=False)]


def _dataset(text: str) -> Dataset:
    document = json.loads(text)
    product = document.pop("product")
    return Dataset(
        **document
        | {
            "options": Options(**document["options"]),
            "state": DatasetState(document["state"]),
            "product": Product(**product) if product else None,
        }
    )
