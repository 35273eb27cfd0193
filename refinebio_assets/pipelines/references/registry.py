"""Registrations: which files a reference is to be made from, as a person or a table of sources says.

One registry a kind of reference. What a registration must hold, and where published files are, is said in
the modules of the kinds (``platform_registry``, ``transcriptome_registry`` ...).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.freshness import content_hash

CODE_VERSION = "1"


class ReferenceInputs(Protocol):
    """What was registered: files by their roles."""

    def locations(self) -> dict[str, str]:
        """Return the given files, role -> path or URL."""


Inputs = TypeVar("Inputs", bound=ReferenceInputs)


@dataclass(frozen=True, slots=True)
class ReferenceRegistry(Generic[Inputs]):
    """The registrations of one kind of reference.

    ``asset`` is under which name they are in the lake; ``read`` makes the inputs from what was stored, a
    commit's ``info``.
    """

    asset: str
    read: Callable[[Mapping[str, Any]], Inputs]

    def register(self, lake: Lake, partition: str, content: Mapping[str, Any], kind: str = "") -> str:
        """Store the inputs of a partition, unless they are the last ones already; return their version.

        ``kind`` tells inputs apart where a registry has several kinds of them.
        """
        version = content_hash(content)
        head = lake.head(self.asset, partition)
        if head is None or head.version != version:
            info = {"inputs": content, **({"kind": kind} if kind else {})}
            with lake.draft(self.asset, partition) as draft:
                draft.commit(version=version, code_version=CODE_VERSION, info=info)
        return version

    def find(self, lake: Lake, partition: str) -> tuple[Inputs, str] | None:
        """Return the inputs as last registered and the registration's version, or None."""
        head = lake.head(self.asset, partition)
        return (self.read(head.info), head.version) if head else None

    def partitions(self, lake: Lake) -> list[str]:
        """Return everything that is registered, sorted."""
        return sorted(lake.partitions(self.asset))
