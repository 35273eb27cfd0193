"""The annotations of BeadArrays in the lake, for those who process their samples.

Making them is the work of ``platform_annotation``, reading their source files that of ``bead_tables``.
"""

from __future__ import annotations

from dataclasses import dataclass

from refinebio_assets.lake.store import Commit, Lake
from refinebio_assets.pipelines.references.bead_probes import BeadProbes, read_bead_probes
from refinebio_assets.pipelines.references.bead_registry import KIND
from refinebio_assets.pipelines.references.platform_tables import STEP
from refinebio_assets.platforms.illumina_arrays import candidate_packages, illumina_packages

ASSET = STEP
PROBES_FILE = "bead_probes.parquet"
PAIRS_FILE = "bead_genes.parquet"


@dataclass(frozen=True, slots=True)
class BeadPlatform:
    """An annotated BeadArray. ``name`` is its package's (``illuminaHumanv4``) and its partition."""

    name: str
    organism: str
    version: str
    commit: Commit

    def annotation(self, lake: Lake) -> BeadProbes:
        """Return its probes and their genes."""
        probes, pairs = (lake.local(self.commit.file(name)) for name in (PROBES_FILE, PAIRS_FILE))
        return read_bead_probes(probes, pairs)


def find_bead_platform(lake: Lake, name: str) -> BeadPlatform | None:
    """Return the newest annotation of a BeadArray, or None."""
    head = lake.head(ASSET, name)
    if head is None or head.info.get("kind") != KIND:
        return None
    return BeadPlatform(name, str(head.info["organism"]), head.version, head)


def bead_platforms(lake: Lake, organism: str) -> list[BeadPlatform]:
    """Return the annotations among which the platform of an organism's file is looked for.

    The listed packages come first, in the table's order, as the first wins ties; others follow by name.
    """
    order = {package.name: number for number, package in enumerate(illumina_packages())}
    names = sorted(lake.partitions(ASSET), key=lambda name: (order.get(name, len(order)), name))
    found = (find_bead_platform(lake, name) for name in names)
    return [platform for platform in found if platform is not None and platform.organism == organism]


def missing_bead_platforms(lake: Lake, organism: str) -> tuple[str, ...]:
    """Return the listed packages of an organism that have no annotation yet, in the table's order."""
    packages = candidate_packages(organism)
    return tuple(package.name for package in packages if find_bead_platform(lake, package.name) is None)
