"""``dataset.lock.json``: everything that determined a dataset's numbers, so that they can be made again.

It pins the request, each commit and checksum that values came from, targets, references, and the code; and
tells what came out: the genes and a hash of the values of each matrix.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any

from refinebio_assets import __version__
from refinebio_assets.errors import FormatError, RequestError
from refinebio_assets.lake.rows import read_rows
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.datasets.request import DatasetRequest
from refinebio_assets.pipelines.datasets.selection import Filtered, Group, Selection
from refinebio_assets.pipelines.datasets.targets import Targets
from refinebio_assets.pipelines.delivery.lock_entries import pinned, pinned_references
from refinebio_assets.pipelines.delivery.pins import Pins, exact_pins

NAME = "dataset.lock.json"
FORMAT = 1
LIBRARIES = ("numpy", "pyarrow")
"""Libraries whose arithmetic and formats the values went through."""
_RESULT = ("version", "processor", "processor_version", "reference", "file_sha256")


def make_lock(
    lake: Lake,
    *,
    dataset: str,
    number: int,
    requested_at: str,
    request: DatasetRequest,
    code_version: str,
    pins: Pins,
    targets: Targets,
    selection: Selection,
) -> dict[str, Any]:
    """Return the lock of a dataset without its results; ``matrices`` is filled in as they are made."""
    return {
        "format": FORMAT,
        "dataset": dataset,
        "number": number,
        "requested_at": requested_at,
        "request": request.content(),
        "software": {
            "refinebio-assets": __version__,
            "dataset_matrices": code_version,
            **{name: installed_version(name) for name in LIBRARIES},
        },
        "experiments": {
            name: {step: pinned(commit) for step, commit in own.commits()}
            for name, own in pins.experiments.items()
        },
        "attributes": {commit.partition: pinned(commit) for commit in pins.attributes},
        "references": dict(pinned_references(lake, pins)),
        "targets": targets.versions(),
        "samples": list(_samples(lake, pins, selection.groups)),
        "filtered": [filtered_entry(item) for item in selection.filtered],
        "matrices": {},
    }


def filtered_entry(item: Filtered) -> dict[str, str]:
    """Return a filtered sample as a lock has it."""
    return {"sample": item.sample, "experiment": item.experiment, "key": item.key, "reason": item.reason}


def delivered_experiments(lock: Mapping[str, Any]) -> list[str]:
    """Return the experiments of a lock's request that it has a sample of."""
    delivered = {entry["sample"] for entry in lock["samples"]}
    return [name for name, samples in lock["request"]["data"].items() if delivered.intersection(samples)]


def read_lock(path: Path) -> dict[str, Any]:
    """Read a lockfile. Raises FormatError for a file that is none, or of a newer format."""
    try:
        lock = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise FormatError(path, expected="a dataset lockfile in JSON", found=str(error)) from error
    return check_lock(lock, str(path))


def check_lock(lock: Any, file: str) -> dict[str, Any]:
    """Return a lock if it is one. Raises FormatError naming what is missing."""
    form = lock.get("format") if isinstance(lock, dict) else None
    if form != FORMAT:
        raise FormatError(file, expected=f"a dataset lockfile, format {FORMAT}", found=f"format {form!r}")
    wanted = ("dataset", "requested_at", "request", "software", "experiments", "targets", "matrices")
    missing = [name for name in wanted if name not in lock]
    if missing:
        raise FormatError(file, expected="a whole lockfile", found=f"no {', '.join(missing)}")
    return dict(lock)


def require_lock_of(dataset: str, lock: Mapping[str, Any]) -> None:
    """Raise RequestError when a lock is of another dataset."""
    if lock["dataset"] != dataset:
        raise RequestError(f"the lock is of dataset {lock['dataset']}, not of {dataset}")


def locked_pins(lake: Lake, lock: Mapping[str, Any]) -> Pins:
    """Return the commits that a lock names. Raises NotFoundError naming all that are gone."""
    experiments = {
        name: {step: pin["commit"] for step, pin in steps.items()}
        for name, steps in lock["experiments"].items()
    }
    attributes = {name: pin["commit"] for name, pin in lock.get("attributes", {}).items()}
    return exact_pins(lake, experiments, attributes)


def lock_bytes(lock: Mapping[str, Any]) -> bytes:
    """Return a lock as it is written: keys sorted, for people to read and compare."""
    return (json.dumps(lock, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def _samples(lake: Lake, pins: Pins, groups: Iterable[Group]) -> Iterator[dict[str, Any]]:
    results = {
        name: {row["sample"]: row for row in read_rows(lake, own.quantified, "results")}
        for name, own in pins.experiments.items()
        if own.quantified is not None
    }
    for group in groups:
        for member in group.members:
            experiment = member.source.experiment if member.source else member.experiments[0]
            row = results.get(experiment, {}).get(member.sample, {})
            entry: dict[str, Any] = {
                "sample": member.sample,
                "key": group.key,
                "experiment": experiment,
                "technology": str(member.technology),
            }
            entry |= {name: row.get(name) for name in _RESULT}
            if member.source is not None:
                entry |= {"matrix": member.source.matrix, "matrix_version": member.source.version}
            if member.quant_sf is not None:
                entry["quant_sf_sha256"] = member.quant_sf.sha256
            yield entry
