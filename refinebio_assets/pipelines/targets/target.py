"""A quantile target in the lake: the distribution of one organism, and what is known of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from refinebio_assets.domain import Technology
from refinebio_assets.errors import NotFoundError, RequestError
from refinebio_assets.formats.target_file import read_target_file, target_file_bytes
from refinebio_assets.lake.removals import removal_note
from refinebio_assets.lake.store import Commit, Lake

ASSET = "target_quantiles"
VALUES_FILE = "target.tsv"
GENES_FILE = "genes.txt"
SHORTEST_VERSION = 6
"""Characters of a version that tell it from others."""

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Target:
    """One version of an organism's target.

    ``genes`` is how many quantiles it has, one for each gene of the samples it is made of.
    """

    organism: str
    version: str
    technology: Technology
    genes: int
    commit: Commit

    @property
    def imported(self) -> bool:
        """Whether it came as a file, so that nothing is known of its samples."""
        return bool(self.commit.info["imported"])

    def values(self, lake: Lake) -> Vector:
        """Return the quantiles, ascending."""
        return read_target_file(lake.local(self.commit.file(VALUES_FILE)), f"target of {self.organism}")

    def gene_ids(self, lake: Lake) -> list[str]:
        """Return the genes of the samples it is made of, sorted; none for an imported target."""
        if self.imported:
            return []
        return lake.local(self.commit.file(GENES_FILE)).read_text(encoding="utf-8").splitlines()


def find_target(lake: Lake, organism: str, version: str | None = None) -> Target | None:
    """Return an organism's newest target, or the one of a version, or None when there is none.

    ``version`` may be shortened to 6 characters or more. Raises RequestError when it is shorter or
    means several targets.
    """
    if version is None:
        head = lake.head(ASSET, organism)
        return _target(head) if head is not None else None
    if len(version) < SHORTEST_VERSION:
        raise RequestError(
            f"{version!r} is too short for a version: give {SHORTEST_VERSION} characters or more"
        )
    found = {commit.version: commit for commit in lake.history(ASSET, organism)}
    meant = [commit for full, commit in found.items() if full.startswith(version)]
    if len(meant) > 1:
        listed = ", ".join(commit.version for commit in meant)
        raise RequestError(f"{version} means several targets of {organism}: {listed}")
    return _target(meant[0]) if meant else None


def require_target(lake: Lake, organism: str, version: str | None = None) -> Target:
    """Return a target as ``find_target``; NotFoundError, which says what there is, when there is none."""
    target = find_target(lake, organism, version)
    if target is not None:
        return target
    history = lake.history(ASSET, organism)
    if not history:
        others = lake.partitions(ASSET)
        known = f"; there are targets of {', '.join(others)}" if others else ""
        raise NotFoundError(
            f"there is no quantile target of {organism}{known}. `refinebio-assets target build {organism}` "
            "makes one of the lake's samples, and `refinebio-assets target import FILE --organism "
            f"{organism}` takes one from a file"
        )
    listed = ", ".join(dict.fromkeys(commit.version[:12] for commit in reversed(history)))
    note = removal_note(lake, ASSET, organism, version=version or "")
    raise NotFoundError(f"{organism} has no target of version {version}; it has {listed}{note}")


def write_target(folder: Path, values: Vector, genes: list[str], technology: Technology) -> str:
    """Write a target's files and return its version, the hash of its content."""
    content, names = target_file_bytes(values), "".join(f"{gene}\n" for gene in genes).encode()
    (folder / VALUES_FILE).write_bytes(content)
    if genes:
        (folder / GENES_FILE).write_bytes(names)
    return hashlib.sha256(b"\0".join([str(technology).encode(), names, content])).hexdigest()


def _target(commit: Commit) -> Target:
    info: Any = commit.info
    technology = Technology(info["technology"])
    return Target(commit.partition, commit.version, technology, int(info["genes"]), commit)
