"""Targets and compendia that were outgrown, and why one of them is not to be made now.

By how much something must have grown is in ``rhythm``. Nothing is started here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from refinebio_assets.domain import counted
from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines import target_quantiles
from refinebio_assets.pipelines.compendia import normalized_compendium
from refinebio_assets.pipelines.compendia.normalized_compendium import assess_compendium
from refinebio_assets.pipelines.compendia.rnaseq_samples import rnaseq_sample_compendium
from refinebio_assets.pipelines.compendia.rnaseq_samples.rnaseq_sample_compendium import assess_samples
from refinebio_assets.pipelines.failed_builds import Assess, why_not_now
from refinebio_assets.pipelines.rhythm import outgrown_compendia, outgrown_targets
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

    ``samples`` are those that were processed since, ``why`` says in words what is different.
    """

    asset: str
    organism: str
    state: str
    samples: int
    why: tuple[str, ...]

    def hindrance(self, lake: Lake) -> str:
        """Say why making it now would be in vain; empty when it may succeed."""
        return why_not_now(lake, self.asset, self.organism, _ASSESS[self.asset])


def targets_to_make(catalog: Catalog) -> list[Outgrown]:
    """Return the targets that were outgrown, by organism."""
    return [
        Outgrown(
            asset=target_quantiles.ASSET,
            organism=row["organism"],
            state=f"{row['commit_id']} {row['new']}",
            samples=row["new"],
            why=(f"{counted(row['new'], 'sample')} processed since, made of {row['before']:,}",),
        )
        for row in outgrown_targets(catalog)
    ]


def compendia_to_make(catalog: Catalog) -> list[Outgrown]:
    """Return the compendia that were outgrown, by kind and organism."""
    return [
        Outgrown(
            asset=row["asset"],
            organism=row["organism"],
            state=f"{row['commit_id']} {row['new']} {row['why']}",
            samples=row["new"],
            why=tuple(row["why"]),
        )
        for row in outgrown_compendia(catalog, _CODE_VERSIONS)
    ]
