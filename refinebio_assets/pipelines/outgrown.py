"""Targets and compendia that were outgrown, and why one of them is not to be made now.

By how much something must have grown is in ``rhythm``. Nothing is started here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from refinebio_assets.domain import counted
from refinebio_assets.errors import RefinebioError
from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.rows import read_rows
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines import target_quantiles
from refinebio_assets.pipelines.compendia import normalized_compendium
from refinebio_assets.pipelines.compendia.normalized_compendium import assess_compendium
from refinebio_assets.pipelines.compendia.rnaseq_samples import rnaseq_sample_compendium
from refinebio_assets.pipelines.compendia.rnaseq_samples.rnaseq_sample_compendium import assess_samples
from refinebio_assets.pipelines.failed_builds import Assess, why_not_now
from refinebio_assets.pipelines.outcome import dropped_before
from refinebio_assets.pipelines.rhythm import GROWTH, growing_targets, outgrown_compendia
from refinebio_assets.pipelines.target_quantiles import assess_target

_ASSESS: Mapping[str, Assess] = {
    target_quantiles.ASSET: lambda lake, organism: assess_target(lake, organism).situation,
    normalized_compendium.ASSET: lambda lake, organism: assess_compendium(lake, organism).situation,
    rnaseq_sample_compendium.ASSET: lambda lake, organism: assess_samples(lake, organism).situation,
}
_CODE_VERSIONS = {
    normalized_compendium.ASSET: normalized_compendium.CODE_VERSION,
    rnaseq_sample_compendium.ASSET: rnaseq_sample_compendium.CODE_VERSION,
}


@dataclass(frozen=True, slots=True)
class Outgrown:
    """A target or compendium to make again: ``state`` differs when it, or what outgrew it, does.

    ``samples`` counts those that are processed and not in it, ``why`` says in words what is different.
    """

    asset: str
    organism: str
    state: str
    samples: int
    why: tuple[str, ...]

    def hindrance(self, lake: Lake) -> str:
        """Say why making it now would be in vain; empty when it may succeed."""
        return why_not_now(lake, self.asset, self.organism, _ASSESS[self.asset])


def targets_to_make(lake: Lake, catalog: Catalog) -> list[Outgrown]:
    """Return the targets that were outgrown, by organism.

    Counted are the samples that it would be made of now, and neither was made of nor left out. Where that
    cannot be told, all samples of the organism count, and ``hindrance`` says why it cannot be made.
    """
    found = []
    for row in growing_targets(catalog):
        try:
            new = _new_samples(lake, row["organism"])
        except RefinebioError:
            new = row["new"]
        if new >= GROWTH * row["before"]:
            found.append(_outgrown(target_quantiles.ASSET, row | {"new": new}, []))
    return found


def _new_samples(lake: Lake, organism: str) -> int:
    """Return how many samples a target would be made of that the newest neither was made of nor left out."""
    assessed = assess_target(lake, organism)
    head, source = assessed.situation.head, assessed.source
    if head is None or source is None:
        return 0
    known = {row["sample"] for row in read_rows(lake, head, "target_samples")}
    known.update(item.item for item in dropped_before(lake, head))
    return len({sample for matrix in source.matrices for sample in matrix.samples} - known)


def compendia_to_make(catalog: Catalog) -> list[Outgrown]:
    """Return the compendia that were outgrown, by kind and organism."""
    return [_outgrown(row["asset"], row, row["why"]) for row in outgrown_compendia(catalog, _CODE_VERSIONS)]


def _outgrown(asset: str, row: Mapping[str, Any], why: Sequence[str]) -> Outgrown:
    new, before = row["new"], row["before"]
    grown = [f"{counted(new, 'new sample')}, made of {before:,}"] if new and new >= GROWTH * before else []
    reasons = (*why, *grown)
    state = " ".join([row["commit_id"], str(new), *reasons])
    return Outgrown(asset, row["organism"], state, new, reasons)
