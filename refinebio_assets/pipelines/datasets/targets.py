"""The targets that a dataset is normalized to: each organism's newest, or the one of a lockfile."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from refinebio_assets.errors import NotFoundError, RequestError
from refinebio_assets.lake.removals import Asked, removal_notes
from refinebio_assets.lake.store import Commit, InputRef, Lake
from refinebio_assets.pipelines.datasets.explanations import no_target
from refinebio_assets.pipelines.targets.target import ASSET, Target, find_target


@dataclass(frozen=True, slots=True)
class Targets:
    """Targets by organism; organisms without one have no entry."""

    found: Mapping[str, Target]
    organisms: tuple[str, ...]

    def require_all(self) -> None:
        """Raise RequestError naming every organism without a target, and what to do."""
        missing = [name for name in self.organisms if name not in self.found]
        if missing:
            raise RequestError([no_target(name) for name in missing], about="quantile normalization")

    def values(self, lake: Lake) -> dict[str, npt.NDArray[np.float64]]:
        """Return the quantiles of each organism."""
        return {organism: target.values(lake) for organism, target in self.found.items()}

    def inputs(self) -> list[InputRef]:
        """Return them as inputs of a commit."""
        return [InputRef(ASSET, organism, target.version) for organism, target in self.found.items()]

    def commits(self) -> list[Commit]:
        """Return the commits with them."""
        return [target.commit for target in self.found.values()]

    def versions(self) -> dict[str, str]:
        """Return organism -> version."""
        return {organism: target.version for organism, target in self.found.items()}

    def basis(self) -> dict[str, Any]:
        """Return the versions under words that people understand; also that there is none."""
        return {f"target of {name}": self.versions().get(name, "none") for name in self.organisms}


NO_TARGETS = Targets({}, ())


def newest_targets(lake: Lake, organisms: Iterable[str]) -> Targets:
    """Return the newest target of each organism that has one."""
    names = tuple(organisms)
    found = {name: target for name in names if (target := find_target(lake, name)) is not None}
    return Targets(found, names)


def exact_targets(lake: Lake, versions: Mapping[str, str]) -> Targets:
    """Return these versions of targets. Raises NotFoundError naming every one that is not in the lake."""
    found = {name: target for name, wanted in versions.items() if (target := find_target(lake, name, wanted))}
    gone = [Asked(ASSET, name, version) for name, version in versions.items() if name not in found]
    if gone:
        missing = [
            f"target of {item.partition}, version {item.version}{note}"
            for item, note in zip(gone, removal_notes(lake, gone), strict=True)
        ]
        raise NotFoundError(f"no longer in the lake: {'; '.join(missing)}")
    return Targets(found, tuple(versions))
