"""What lockfiles that are kept elsewhere pin: those of datasets and compendia, alone or in their zips."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from refinebio_assets.errors import FormatError
from refinebio_assets.pipelines.compendia import lock as compendium_lock
from refinebio_assets.pipelines.compendia.kinds import ASSETS, CompendiumKind
from refinebio_assets.pipelines.datasets import dataset_matrices, lockfile
from refinebio_assets.pipelines.garbage.uses import Uses, uses_of_lock
from refinebio_assets.pipelines.gene_expression import ASSET as EXPRESSION
from refinebio_assets.pipelines.metadata_overlays import ATTRIBUTES
from refinebio_assets.pipelines.references.transcriptome_index import ASSET as TRANSCRIPTOMES
from refinebio_assets.pipelines.targets.target import ASSET as TARGETS

_NAMES = (lockfile.NAME, compendium_lock.NAME)
_EXPECTED = f"a lockfile ({' or '.join(_NAMES)}), or a zip with one"


@dataclass(frozen=True, slots=True)
class Pinned:
    """What a lockfile pins: a version of ``asset``, by its number, and all that it was made from."""

    asset: str
    partition: str
    number: int | None
    uses: Uses

    def __str__(self) -> str:
        return f"lockfile of {self.asset} of {self.partition}, version {self.number}"


def read_pinned(path: Path) -> Pinned:
    """Return what a lockfile pins, or the one in the zip of a dataset or compendium.

    Raises FormatError that names file, what was expected and what was found.
    """
    try:
        data, place = _lock_in_zip(path) if zipfile.is_zipfile(path) else (path.read_bytes(), str(path))
        lock = json.loads(data)
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise FormatError(path, expected=_EXPECTED, found=str(error)) from error
    if not isinstance(lock, dict):
        raise FormatError(place, expected=_EXPECTED, found=f"JSON that is a {type(lock).__name__}")
    try:
        return pinned_by(lock, place)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        found = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise FormatError(place, expected="a whole lockfile", found=found) from error


def pinned_by(lock: Mapping[str, Any], file: str) -> Pinned:
    """Return what a lock pins. Raises FormatError for one of another format, KeyError for a part of one."""
    if "dataset" in lock:
        lockfile.check_lock(lock, file)
        return Pinned(dataset_matrices.ASSET, lock["dataset"], lock.get("number"), uses_of_lock(lock))
    if lock.get("format") != compendium_lock.FORMAT or not {"compendium", "organism"} & lock.keys():
        raise FormatError(
            file,
            expected=f"the lockfile of a dataset or compendium, format {compendium_lock.FORMAT}",
            found=f"format {lock.get('format')!r} with {', '.join(sorted(lock)) or 'nothing'}",
        )
    if "compendium" in lock:
        asset = ASSETS[CompendiumKind.NORMALIZED]
        return Pinned(asset, lock["compendium"], lock["number"], _uses_of_normalized(lock))
    asset = ASSETS[CompendiumKind.RNASEQ_SAMPLE]
    return Pinned(asset, lock["organism"], lock["number"], _uses_of_samples(lock))


def _uses_of_normalized(lock: Mapping[str, Any]) -> Uses:
    """Return what a normalized compendium was made from; its zip's lock has what describes the samples."""
    matrices = lock["matrices"]
    made_from = Uses(
        frozenset((EXPRESSION, matrix["experiment"], matrix["version"]) for matrix in matrices)
        | {(TARGETS, lock["compendium"], lock["target"])},
        frozenset(matrix["commit"] for matrix in matrices),
    )
    return made_from | uses_of_lock({"experiments": {}, **lock})


def _uses_of_samples(lock: Mapping[str, Any]) -> Uses:
    steps = {name: own["commits"] for name, own in lock["experiments"].items()}
    versions = {(TRANSCRIPTOMES, lock["organism"], version) for version in lock["references"]}
    versions |= {(ATTRIBUTES, name, version) for name, version in lock["attributes"].items()}
    return uses_of_lock({"experiments": steps}) | Uses(frozenset(versions))


def _lock_in_zip(path: Path) -> tuple[bytes, str]:
    with zipfile.ZipFile(path) as archive:
        members = archive.namelist()
        name = next((name for name in _NAMES if name in members), None)
        if name is None:
            raise ValueError(f"a zip of {len(members):,} files without one")
        return archive.read(name), f"{name} in {path}"
