"""What ``/v2`` shows."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from refinebio_assets.api.models.problems import Shape


class Thing(Shape):
    """One version of one asset's partition."""

    asset: str
    partition: str
    version: str


class DescribedThing(Thing):
    """The same, with what is known of it."""

    facts: dict[str, Any]


class Edge(Shape):
    """What of one asset is beside a thing: how many, and those that are shown."""

    source: Thing = Field(alias="from")
    asset: str
    count: int
    to: list[Thing]


class Lineage(Shape):
    """What a thing was made from, or what was made from it."""

    roots: list[Thing]
    things: list[DescribedThing]
    edges: list[Edge]


class Version(Shape):
    """One version of an asset's partition."""

    id: str
    version: str
    code_version: str
    created_at: str
    run_id: str
    is_current: bool


class GeneLoss(Shape):
    """What one technology or platform cost a matrix."""

    matrix: str
    measured_with: str
    samples: int
    genes: int
    alone_removed: int
