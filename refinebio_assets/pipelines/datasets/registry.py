"""Keeps dataset requests: each a commit of ``dataset_request``, a newer version beside the older ones.

A dataset that is deleted is marked so: it is no longer listed or built, and all its versions stay
readable until their files are removed on purpose.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from shlex import quote
from typing import Any
from uuid import uuid4

from refinebio_assets.domain import accession_problem
from refinebio_assets.errors import FormatError, NotFoundError, RequestError
from refinebio_assets.lake.removal_notices import post_notice, take_down
from refinebio_assets.lake.removal_records import record_removals
from refinebio_assets.lake.removal_tables import Row
from refinebio_assets.lake.store import Commit, Lake
from refinebio_assets.lake.upkeep import own_size, remove_commits
from refinebio_assets.pipelines.datasets.acceptance import AcceptedRequest
from refinebio_assets.pipelines.datasets.request import DatasetRequest, parse_request, suggestion
from refinebio_assets.pipelines.freshness import content_hash, explain_changes
from refinebio_assets.pipelines.outcome import is_whole

ASSET = "dataset_request"
CODE_VERSION = "1"
NAME = "request.json"
VERSION_MARK = "@"
"""Between a dataset's name and the number of a version: ``liver@2``."""
BUNDLE = "dataset_bundle"
BUILT = (BUNDLE, "dataset_matrices")
"""The assets that are built of a request, the last first."""


@dataclass(frozen=True, slots=True)
class RegisteredDataset:
    """A dataset as registered; ``commit`` is the request's, ``changed`` tells whether it was written now."""

    dataset: str
    request: DatasetRequest
    commit: Commit
    changed: bool = False

    @property
    def whole(self) -> list[str]:
        """The experiments that were asked for with ``ALL``."""
        return list(self.commit.info.get("whole", []))


def new_dataset_id() -> str:
    """Return an id for a dataset without a name."""
    return str(uuid4())


def register_dataset(
    lake: Lake,
    accepted: AcceptedRequest,
    *,
    dataset: str = "",
    update: bool = False,
    origin: str = "",
    new_id: Callable[[], str] = new_dataset_id,
) -> RegisteredDataset:
    """Keep a request under ``dataset``, its own name, or a new id; an equal one is not written again.

    ``origin`` says where it came from (a file, the command line). Raises RequestError when ``dataset``
    cannot be a name, and when another request has the name and ``update`` is not set; ``update`` makes a
    new version, and brings a deleted dataset back.
    """
    request = accepted.request
    name = dataset or request.name or new_id()
    if reason := accession_problem(name):
        raise RequestError(f"the dataset's name {name!r} {reason}")
    head = lake.head(ASSET, name)
    if head is None and VERSION_MARK in name:
        raise RequestError(
            f"the dataset's name {name!r} contains {VERSION_MARK}, which stands between a name and a version"
        )
    if head is not None and is_whole(lake, head):
        before = _read(lake, head)
        if before == request and not is_deleted(head):
            return RegisteredDataset(name, request, head)
        if not update:
            raise RequestError(_taken(name, head, before, request))
    commit = _write(lake, name, request, {"origin": origin, "whole": list(accepted.whole)})
    return RegisteredDataset(name, request, commit, changed=True)


def registered_dataset(lake: Lake, dataset: str) -> RegisteredDataset:
    """Return a dataset as last requested. Raises NotFoundError for an unknown or a deleted one."""
    head = lake.head(ASSET, dataset)
    if head is None:
        hint = suggestion(dataset, lake.partitions(ASSET))
        raise NotFoundError(f"there is no dataset {dataset}{hint}")
    if is_deleted(head):
        stays = any(lake.head(asset, dataset) for asset in BUILT)
        left = (
            "its versions are still in the lake" if stays else "nothing that was built of it is in the lake"
        )
        raise NotFoundError(
            f"dataset {dataset} was deleted on {head.created_at:%Y-%m-%d}; {left}; "
            f"`refinebio-assets dataset create --update --name {quote(dataset)}` uses the name again"
        )
    if not is_whole(lake, head):
        raise NotFoundError(
            f"the request of dataset {dataset} is no longer whole in the lake: ask for it again with "
            f"`refinebio-assets dataset create --name {quote(dataset)} ...`"
        )
    return RegisteredDataset(dataset, _read(lake, head), head)


def registered_datasets(lake: Lake, *, deleted: bool = False) -> list[str]:
    """Return the ids of all datasets, sorted; with ``deleted`` those that are marked so, too."""
    names = lake.partitions(ASSET)
    if deleted:
        return names
    return [name for name in names if (head := lake.head(ASSET, name)) is not None and not is_deleted(head)]


def delete_dataset(lake: Lake, dataset: str) -> Commit:
    """Mark a dataset as deleted; all its versions stay in the lake. Raises NotFoundError."""
    registered = registered_dataset(lake, dataset)
    return _write(lake, dataset, registered.request, {"deleted": True, "whole": registered.whole})


def remove_built(lake: Lake, dataset: str) -> int:
    """Remove what was built of a deleted dataset, for good, in all versions; return how many bytes it had.

    What was asked for stays on record, and so does what went. A zip that is being made of it is not kept.
    Raises RequestError for a dataset that is not marked as deleted.
    """
    head = lake.head(ASSET, dataset)
    if head is None or not is_deleted(head):
        raise RequestError(f"dataset {dataset} is not deleted: its files stay")
    going: dict[str, Commit] = {}
    rows: list[Row] = []
    notices = []
    # Once a listing has nothing new, whatever comes later finds what it is made of on show.
    while fresh := [commit for commit in _built(lake, dataset) if commit.id not in going]:
        shown = [_removal(commit, head, lake.now()) for commit in fresh]
        notices.append(post_notice(lake, shown))
        going |= {commit.id: commit for commit in fresh}
        rows += shown
    size = remove_commits(lake, going.values())
    if rows:
        record_removals(lake, rows)
    for notice in notices:
        take_down(lake, notice)
    return size


def _built(lake: Lake, dataset: str) -> Iterator[Commit]:
    return (commit for asset in BUILT for commit in lake.history(asset, dataset))


def _removal(commit: Commit, deletion: Commit, now: datetime) -> Row:
    return {
        "removed_asset": commit.asset,
        "removed_partition": commit.partition,
        "removed_version": commit.version,
        "removed_commit": commit.id,
        "code_version": commit.code_version,
        "made_at": commit.created_at,
        "unused_since": deletion.created_at,
        "size": own_size(commit),
        "why": f"its dataset was deleted on {deletion.created_at:%Y-%m-%d}",
        "removed_at": now,
    }


def is_deleted(commit: Commit) -> bool:
    """Tell whether a commit of ``dataset_request`` marks its dataset as deleted."""
    return bool(commit.info.get("deleted", False))


def _taken(name: str, head: Commit, before: DatasetRequest, request: DatasetRequest) -> str:
    if is_deleted(head):
        return f"the name {name} belonged to a deleted dataset; take another, or --update to use it again"
    differences = "; ".join(explain_changes(_flat(before), _flat(request)))
    return f"there is a dataset {name} with another request ({differences}); take another name, or --update"


def _flat(request: DatasetRequest) -> dict[str, Any]:
    """Return a request as words and values that can be compared one by one."""
    plain = request.plain()
    data = plain.pop("data")
    return plain | {f"experiment {name}": ", ".join(samples) for name, samples in data.items()}


def _write(lake: Lake, dataset: str, request: DatasetRequest, info: dict[str, Any]) -> Commit:
    with lake.draft(ASSET, dataset) as draft:
        text = json.dumps(request.plain(), ensure_ascii=False, indent=1)
        (draft.folder / NAME).write_text(text + "\n", encoding="utf-8")
        draft.write_table("dataset_requests", [_request_row(dataset, request, info)])
        draft.write_table("dataset_samples", _sample_rows(dataset, request, info))
        return draft.commit(version=content_hash(request.content()), code_version=CODE_VERSION, info=info)


def _request_row(dataset: str, request: DatasetRequest, info: dict[str, Any]) -> dict[str, Any]:
    return {
        "dataset": dataset,
        "aggregate_by": str(request.aggregate_by),
        "scale_by": str(request.scale_by),
        "quantile_normalize": request.quantile_normalize,
        "quant_sf_only": request.quant_sf_only,
        "h5ad": request.h5ad,
        "experiments": len(request.data),
        "samples": len(request.samples),
        "version": content_hash(request.content()),
        "notes": request.notes,
        "origin": info.get("origin", ""),
        "deleted": bool(info.get("deleted", False)),
    }


def _sample_rows(dataset: str, request: DatasetRequest, info: dict[str, Any]) -> list[dict[str, Any]]:
    if info.get("deleted"):
        return []
    return [
        {"dataset": dataset, "experiment": experiment, "sample": sample}
        for experiment, samples in request.data
        for sample in samples
    ]


def _read(lake: Lake, commit: Commit) -> DatasetRequest:
    stored = commit.file(NAME)
    try:
        with lake.open(stored) as file:
            document = json.loads(file.read())
    except ValueError as error:
        raise FormatError(stored.path, expected="a dataset request in JSON", found=str(error)) from error
    return parse_request(document, about=stored.path)
