"""The kinds of compendia, and their versions in the lake."""

from __future__ import annotations

from enum import StrEnum

from refinebio_assets.errors import NotFoundError
from refinebio_assets.lake.removals import removal_note
from refinebio_assets.lake.store import Commit, Lake, StoredFile


class CompendiumKind(StrEnum):
    """What a compendium is: one normalized store, or the samples' own ``quant.sf`` files."""

    NORMALIZED = "normalized"
    RNASEQ_SAMPLE = "rnaseq-sample"

    @property
    def asset(self) -> str:
        """The asset that holds compendia of this kind."""
        return ASSETS[self]

    @property
    def zip_asset(self) -> str:
        """The asset that holds the zips that they are downloaded as."""
        return "compendium_bundle" if self is CompendiumKind.NORMALIZED else self.asset


ASSETS = {
    CompendiumKind.NORMALIZED: "normalized_compendium",
    CompendiumKind.RNASEQ_SAMPLE: "rnaseq_sample_compendium",
}


def require_version(lake: Lake, kind: CompendiumKind, organism: str, number: int | None = None) -> Commit:
    """Return the commit of an organism's newest compendium, or of the version with this number.

    Raises NotFoundError that says which there are.
    """
    history = lake.history(kind.asset, organism)
    if not history:
        known = ", ".join(lake.partitions(kind.asset))
        there = f"there are some of {known}" if known else "nor of any other organism"
        flag = "" if kind is CompendiumKind.NORMALIZED else f" --kind {kind}"
        raise NotFoundError(
            f"there is no {kind} compendium of {organism}{'; ' if known else ', '}{there}. "
            f"`refinebio-assets compendium build {organism}{flag}` makes one"
        )
    if number is None:
        return history[-1]
    found = [commit for commit in history if commit.info["number"] == number]
    if not found:
        numbers = ", ".join(str(commit.info["number"]) for commit in history)
        note = removal_note(lake, kind.asset, organism)
        raise NotFoundError(f"{organism} has no {kind} compendium version {number}; it has {numbers}{note}")
    return found[-1]


def require_zip(lake: Lake, kind: CompendiumKind, organism: str, number: int | None = None) -> Commit:
    """Return the newest commit with the zip of a version. Raises NotFoundError where there is none."""
    version = require_version(lake, kind, organism, number).info["number"]
    found = [item for item in lake.history(kind.zip_asset, organism) if item.info["number"] == version]
    if not found:
        raise NotFoundError(
            f"version {version} of the {kind} compendium of {organism} has no zip. "
            f"`refinebio-assets compendium build {organism}` makes that of the newest version"
        )
    return found[-1]


def zip_of(commit: Commit) -> StoredFile:
    """Return the zip that a compendium is downloaded as. Raises NotFoundError for a commit without one."""
    found = next((file for file in commit.files if file.name.endswith(".zip")), None)
    if found is None:
        raise NotFoundError(
            f"version {commit.info['number']} of the compendium of {commit.partition} has no zip; "
            f"it was made by {commit.software or 'an earlier program'}"
        )
    return found
