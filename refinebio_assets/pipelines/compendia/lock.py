"""``compendium.lock.json``: everything that determined a compendium's numbers, and who was considered.

It pins each matrix with its samples, the target, the choices and the code. What is delivered beside the
numbers (metadata) is pinned when a bundle is made.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from importlib.metadata import version as installed_version
from typing import Any

from refinebio_assets import __version__
from refinebio_assets.lake.store import Commit, Lake
from refinebio_assets.pipelines.compendia.lake_matrices import LakeMatrices
from refinebio_assets.pipelines.compendia.model import CompendiumSettings

NAME = "compendium.lock.json"
FORMAT = 1
LIBRARIES = ("numpy", "pyarrow")
"""Libraries whose arithmetic and formats the values went through."""


def make_lock(
    *,
    organism: str,
    number: int,
    organisms: Iterable[str],
    code_version: str,
    settings: CompendiumSettings,
    target: str,
    sources: LakeMatrices,
) -> dict[str, Any]:
    """Return the lock of a compendium, with all samples that were considered, by experiment."""
    unfit: dict[str, list[str]] = {}
    for sample, experiment in sources.unfit_in.items():
        unfit.setdefault(experiment, []).append(sample)
    return {
        "format": FORMAT,
        "compendium": organism,
        "number": number,
        "organisms": list(organisms),
        "software": {
            "refinebio-assets": __version__,
            "normalized_compendium": code_version,
            **{name: installed_version(name) for name in LIBRARIES},
        },
        "settings": {"imputation": str(settings.imputation), "seed": settings.seed},
        "target": target,
        "matrices": [
            {
                "experiment": matrix.experiment,
                "matrix": matrix.name,
                "version": matrix.version,
                "commit": matrix.commit.id,
                "technology": str(matrix.technology),
                "platform": matrix.platform,
                "organism": matrix.organism,
                "samples": list(matrix.samples),
            }
            for matrix in sources.matrices
        ],
        "unfit": unfit,
    }


def lock_bytes(lock: Mapping[str, Any]) -> bytes:
    """Return a lock as it is written: keys sorted, for people to read and compare."""
    return (json.dumps(lock, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def read_compendium_lock(lake: Lake, commit: Commit) -> dict[str, Any]:
    """Return the lock of a compendium's commit."""
    content: dict[str, Any] = json.loads(lake.local(commit.file(NAME)).read_bytes())
    return content


def considered(lock: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return all samples that a lock names, by experiment: each is delivered or filtered with a reason."""
    found: dict[str, list[str]] = {}
    for matrix in lock["matrices"]:
        found.setdefault(matrix["experiment"], []).extend(matrix["samples"])
    for experiment, samples in lock["unfit"].items():
        found.setdefault(experiment, []).extend(samples)
    return found
