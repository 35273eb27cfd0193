"""What is registered of microarrays, whichever kind they are: reading registrations back.

Registering is in the modules of the kinds, ``platform_registry`` (Affymetrix) and ``bead_registry``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from refinebio_assets.errors import NotFoundError
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.references.bead_registry import KIND, BeadInputs, bead_inputs
from refinebio_assets.pipelines.references.platform_registry import PLATFORM_REGISTRATION, PlatformInputs
from refinebio_assets.pipelines.references.registry import ReferenceRegistry
from refinebio_assets.platforms.annotation_sources import annotation_source
from refinebio_assets.platforms.illumina_arrays import illumina_package


def _inputs(info: Mapping[str, Any]) -> PlatformInputs | BeadInputs:
    return bead_inputs(info["inputs"]) if info.get("kind") == KIND else PlatformInputs(**info["inputs"])


_REGISTRY: ReferenceRegistry[PlatformInputs | BeadInputs] = ReferenceRegistry(PLATFORM_REGISTRATION, _inputs)


def registered_platform(lake: Lake, platform: str) -> tuple[PlatformInputs | BeadInputs, str]:
    """Return an array's files as last registered, with the registration's version."""
    found = _REGISTRY.find(lake, platform)
    if found is None:
        published = annotation_source(platform) or illumina_package(platform)
        files = "" if published else " --probe-tab FILE --brainarray FILE"
        raise NotFoundError(
            f"the microarray {platform} is not registered. Register it with `refinebio-assets reference "
            f"add-platform --platform {platform}{files}`"
        )
    return found


def registered_platforms(lake: Lake) -> list[str]:
    """Return the names of all registered arrays, sorted."""
    return _REGISTRY.partitions(lake)
