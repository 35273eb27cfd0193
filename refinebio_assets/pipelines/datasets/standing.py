"""How a dataset stands: what a build would do and why, and what it takes to build an earlier one again."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.datasets import bundle, dataset_matrices
from refinebio_assets.pipelines.datasets.acceptance import AcceptedRequest, accept_request
from refinebio_assets.pipelines.datasets.bundle import assess_bundle
from refinebio_assets.pipelines.datasets.dataset_matrices import assess_dataset, require_buildable
from refinebio_assets.pipelines.datasets.inbox import requests_after
from refinebio_assets.pipelines.datasets.lockfile import NAME, check_lock, read_lock, require_lock_of
from refinebio_assets.pipelines.datasets.registry import (
    RegisteredDataset,
    register_dataset,
    registered_dataset,
    registered_datasets,
)
from refinebio_assets.pipelines.datasets.request import ALL, parse_request
from refinebio_assets.pipelines.delivery.zipped import opened_zip


def due_dataset(lake: Lake, dataset: str) -> tuple[str, tuple[str, ...]] | None:
    """Return the first step of a dataset that has work to do, with the reasons; None when there is none.

    Raises what ``assess_dataset`` and ``require_buildable`` raise.
    """
    assessed = assess_dataset(lake, dataset)
    matrices = assessed.situation
    if matrices.reasons:
        require_buildable(assessed)
        return dataset_matrices.ASSET, matrices.reasons
    zipped = assess_bundle(lake, dataset).situation
    return (bundle.ASSET, zipped.reasons) if zipped.reasons else None


def unbuilt_requests(lake: Lake) -> list[str]:
    """Return the datasets that came through the inbox and have no bundle yet, oldest first."""
    asked = [found.dataset for found in requests_after(lake, "")]
    return [dataset for dataset in asked if lake.head(bundle.ASSET, dataset) is None]


def asked_anew(lake: Lake, catalog: Catalog, registered: RegisteredDataset) -> AcceptedRequest:
    """Return a dataset's request as it would be taken now, with ALL looked up again where it was asked for.

    Raises DatasetRequestError when it can no longer be met.
    """
    data = tuple(
        (experiment, (ALL,) if experiment in registered.whole else samples)
        for experiment, samples in registered.request.data
    )
    request = replace(registered.request, data=data)
    return accept_request(lake, catalog, request, about=f"dataset {registered.dataset}")


def read_any_lock(path: Path) -> dict[str, Any]:
    """Return the lock in a lockfile, or in a dataset's zip. Raises FormatError."""
    if not zipfile.is_zipfile(path):
        return read_lock(path)
    with opened_zip(path, f"a dataset's zip with {NAME}") as archive:
        return check_lock(json.loads(archive.read(NAME)), f"{NAME} in {path}")


def register_lock(lake: Lake, lock: Mapping[str, Any], *, dataset: str, origin: str) -> RegisteredDataset:
    """Keep the request of a lock, as it was resolved then, so that the dataset can be built from the lock.

    A request that asks for the same stays as it is, with its notes and its ALL. Raises RequestError when the
    lock is of another dataset than ``dataset``.
    """
    require_lock_of(dataset, lock)
    request = parse_request(lock["request"], about=origin)
    if dataset in registered_datasets(lake):
        registered = registered_dataset(lake, dataset)
        if registered.request.content() == request.content():
            return registered
    return register_dataset(
        lake, AcceptedRequest(request, (), ()), dataset=dataset, update=True, origin=origin
    )
