"""Makes ``dataset_matrices``: the matrices of a dataset, as it was asked for, with all that they cost.

Each build is a new version, counted up; older ones stay as they are, and no two have one number. How one
matrix is made is in `aggregation.py`; the files that users download are made by `bundle.py`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from refinebio_assets.domain import DropKind, Dropped
from refinebio_assets.errors import NotFoundError, PermanentError
from refinebio_assets.lake.store import Commit, Draft, InputRef, Lake
from refinebio_assets.pipelines.datasets.dataset_rows import content_rows, dataset_row
from refinebio_assets.pipelines.datasets.explanations import left_out
from refinebio_assets.pipelines.datasets.lockfile import (
    NAME,
    lock_bytes,
    locked_pins,
    make_lock,
    require_lock_of,
)
from refinebio_assets.pipelines.datasets.quant_files import sound_quant_files
from refinebio_assets.pipelines.datasets.registry import ASSET as REQUEST
from refinebio_assets.pipelines.datasets.registry import BUNDLE, registered_dataset
from refinebio_assets.pipelines.datasets.request import DatasetRequest, parse_request
from refinebio_assets.pipelines.datasets.selection import Filtered, Selection, select_samples
from refinebio_assets.pipelines.datasets.targets import (
    NO_TARGETS,
    Targets,
    exact_targets,
    newest_targets,
)
from refinebio_assets.pipelines.datasets.written_matrices import WrittenMatrices, write_matrices
from refinebio_assets.pipelines.delivery.pins import Pins, newest_pins
from refinebio_assets.pipelines.freshness import content_hash
from refinebio_assets.pipelines.outcome import (
    MEANWHILE,
    Outcome,
    Situation,
    all_failed,
    dropped_rows,
    is_whole,
    made_meanwhile,
    situation_of,
)
from refinebio_assets.pipelines.progress import SILENT, Progress
from refinebio_assets.pipelines.version_numbers import version_number

ASSET = "dataset_matrices"
CODE_VERSION = "2"
OVERVIEW = "overview.json"
NOT_ZIPPED = "its zip is lost, and so is what it was made of"


@dataclass(frozen=True, slots=True)
class Assessment:
    """How a dataset stands against the lake, with what a build would be made from."""

    situation: Situation
    dataset: str
    requested_at: str
    request: DatasetRequest
    pins: Pins
    selection: Selection
    targets: Targets
    request_version: str


def assess_dataset(lake: Lake, dataset: str) -> Assessment:
    """Return how a dataset stands against its request and the newest results of its experiments.

    Raises NotFoundError for an unknown or deleted dataset, or an experiment that is not in the lake.
    """
    registered = registered_dataset(lake, dataset)
    request = registered.request
    pins = newest_pins(lake, request.experiments)
    selection = select_samples(lake, request, pins)
    targets = newest_targets(lake, selection.organisms) if _normalizes(request) else NO_TARGETS
    assessed = _assess(
        lake,
        dataset,
        f"{registered.commit.created_at:%Y-%m-%dT%H:%M:%S}",
        request,
        pins,
        selection,
        targets,
        registered.commit.version,
    )
    current = assessed.situation.current
    if current is None or can_be_zipped(lake, current):
        return assessed
    return replace(assessed, situation=replace(assessed.situation, reasons=(NOT_ZIPPED,)))


def require_buildable(assessed: Assessment) -> None:
    """Raise what a build would be refused for, as far as it can be known before values are read.

    RequestError for an organism without a target; AllFailedError when no sample is left.
    """
    assessed.targets.require_all()
    _require_samples(assessed.dataset, assessed.selection)


def build_matrices(lake: Lake, dataset: str, *, progress: Progress = SILENT, run_id: str = "") -> Outcome:
    """Make the matrices of a dataset, or return the version that is already right.

    Raises what ``assess_dataset`` does; RequestError for an organism without a target; PermanentError for a
    matrix without genes; AllFailedError when no sample is left. Nothing is written then, and earlier
    versions stay.
    """
    assessed = assess_dataset(lake, dataset)
    current = assessed.situation.current
    if current is not None:
        return Outcome(current, changed=False, dropped=_dropped(assessed.selection.filtered))
    return _build(lake, assessed, None, progress, run_id)


def can_be_zipped(lake: Lake, matrices: Commit) -> bool:
    """Tell whether a version has its zip, or everything that its lock names, of which a zip is made."""
    zipped = lake.head(BUNDLE, matrices.partition)
    if zipped is not None and zipped.info["matrices"] == matrices.id and is_whole(lake, zipped):
        return True
    try:
        locked_pins(lake, read_dataset_lock(lake, matrices))
    except NotFoundError:
        return False
    return True


def rebuild_from_lock(
    lake: Lake, dataset: str, lock: Mapping[str, Any], *, progress: Progress = SILENT, run_id: str = ""
) -> Outcome:
    """Make a dataset's matrices again from its lockfile, as a new version, to the same values.

    Raises what ``assess_lock`` does, and PermanentError when the values are not those that the lock promises.
    """
    assessed = assess_lock(lake, dataset, lock)
    current = assessed.situation.current
    if current is not None:
        return Outcome(current, changed=False, dropped=_dropped(assessed.selection.filtered))
    return _build(lake, assessed, lock["matrices"], progress, run_id)


def assess_lock(lake: Lake, dataset: str, lock: Mapping[str, Any]) -> Assessment:
    """Return how a dataset stands against what a lockfile pins.

    Raises RequestError for the lock of another dataset, NotFoundError naming everything pinned that is no
    longer in the lake, PermanentError when the code has another meaning today.
    """
    require_lock_of(dataset, lock)
    code = lock["software"].get(ASSET)
    if code != CODE_VERSION:
        raise PermanentError(
            f"the lockfile is of {ASSET} {code}, this software makes {CODE_VERSION}: use "
            f"refinebio-assets {lock['software'].get('refinebio-assets')}"
        )
    request = parse_request(lock["request"], about="lockfile")
    pins = locked_pins(lake, lock)
    targets = exact_targets(lake, lock["targets"])
    selection = select_samples(lake, request, pins)
    version = content_hash(request.content())
    return _assess(lake, dataset, lock["requested_at"], request, pins, selection, targets, version)


def dataset_versions(lake: Lake, dataset: str) -> list[Commit]:
    """Return all versions of a dataset's matrices, oldest first; ``info["number"]`` counts them from 1."""
    return lake.history(ASSET, dataset)


def read_dataset_lock(lake: Lake, commit: Commit) -> dict[str, Any]:
    """Return the lock of a version of a dataset."""
    with lake.open(commit.file(NAME)) as file:
        return dict(json.loads(file.read()))


def read_overview(lake: Lake, commit: Commit) -> dict[str, Any]:
    """Return what the matrices of a version look like, by key: see `picture.py`."""
    with lake.open(commit.file(OVERVIEW)) as file:
        return dict(json.loads(file.read()))


def _normalizes(request: DatasetRequest) -> bool:
    return request.quantile_normalize and not request.quant_sf_only


def _assess(
    lake: Lake,
    dataset: str,
    requested_at: str,
    request: DatasetRequest,
    pins: Pins,
    selection: Selection,
    targets: Targets,
    request_version: str,
) -> Assessment:
    basis = {
        "code version": CODE_VERSION,
        "request": request_version,
        **pins.basis(),
        **targets.basis(),
    }
    situation = situation_of(lake, lake.head(ASSET, dataset), basis)
    return Assessment(situation, dataset, requested_at, request, pins, selection, targets, request_version)


def _build(
    lake: Lake,
    assessed: Assessment,
    promised: Mapping[str, Mapping[str, Any]] | None,
    progress: Progress,
    run_id: str,
) -> Outcome:
    require_buildable(assessed)
    request, selection = assessed.request, assessed.selection
    if request.quant_sf_only:
        selection = sound_quant_files(lake, selection)
    groups = () if request.quant_sf_only else selection.groups
    with lake.draft(ASSET, assessed.dataset) as draft:
        made = write_matrices(lake, draft, groups, request, assessed.targets, progress)
        selection = selection.without(made.filtered)
        _require_samples(assessed.dataset, selection)
        if promised is not None:
            _require_promised({item.key: item.locked for item in made.matrices}, promised)
        dropped = _dropped(selection.filtered)
        other = made_meanwhile(lake, ASSET, assessed.dataset, assessed.situation)
        if other is not None:
            return Outcome(other, False, MEANWHILE, dropped)
        with version_number(lake, ASSET, assessed.dataset) as number:
            commit = _commit(lake, draft, assessed, selection, made, number, run_id)
    return Outcome(commit, True, assessed.situation.reasons, dropped)


def _commit(
    lake: Lake,
    draft: Draft,
    assessed: Assessment,
    selection: Selection,
    made: WrittenMatrices,
    number: int,
    run_id: str,
) -> Commit:
    lock = make_lock(
        lake,
        dataset=assessed.dataset,
        number=number,
        requested_at=assessed.requested_at,
        request=assessed.request,
        code_version=CODE_VERSION,
        pins=assessed.pins,
        targets=assessed.targets,
        selection=selection,
    )
    lock["matrices"] = {item.key: item.locked for item in made.matrices}
    warnings = [*_left_out(assessed.request, selection), *made.warnings]
    overview = {item.key: item.overview for item in made.matrices}
    (draft.folder / NAME).write_bytes(lock_bytes(lock))
    (draft.folder / OVERVIEW).write_text(json.dumps(overview), encoding="utf-8")
    version = content_hash(lock["matrices"] or lock["samples"])
    rows = [item.row for item in made.matrices]
    draft.write_table("datasets", [dataset_row(lock, version, selection, rows, warnings, made.worst)])
    draft.write_table("dataset_matrices", rows)
    draft.write_table("dataset_contents", list(content_rows(assessed.dataset, selection)))
    draft.write_table("gene_loss", [row for item in made.matrices for row in item.loss_rows])
    draft.write_table("dropped", dropped_rows(_dropped(selection.filtered)))
    return draft.commit(
        version=version,
        code_version=CODE_VERSION,
        inputs=[
            InputRef(REQUEST, assessed.dataset, assessed.request_version),
            *assessed.pins.inputs(),
            *assessed.targets.inputs(),
        ],
        info={"basis": assessed.situation.basis, "number": number, "warnings": warnings},
        run_id=run_id,
        needs=[*assessed.pins.commits(), *assessed.targets.commits()],
    )


def _left_out(request: DatasetRequest, selection: Selection) -> list[str]:
    """Say of which experiments nothing is delivered, and why."""
    delivered = {
        name for group in selection.groups for member in group.members for name in member.experiments
    }
    reasons: dict[str, list[str]] = {}
    for item in selection.filtered:
        reasons.setdefault(item.experiment, []).append(item.reason)
    return left_out(request.experiments, delivered, reasons)


def _require_samples(dataset: str, selection: Selection) -> None:
    if not selection.groups:
        raise all_failed(f"no sample of dataset {dataset} can be delivered", _dropped(selection.filtered))


def _require_promised(made: Mapping[str, Any], promised: Mapping[str, Mapping[str, Any]]) -> None:
    different = [
        key
        for key in sorted(made.keys() | promised.keys())
        if made.get(key, {}).get("values_sha256") != promised.get(key, {}).get("values_sha256")
    ]
    if different:
        raise PermanentError(
            f"the matrices made of the lockfile are not those that it promises: {', '.join(different)} "
            "differ. Everything pinned is in the lake, so the software or its libraries calculate otherwise"
        )


def _dropped(filtered: Sequence[Filtered]) -> tuple[Dropped, ...]:
    return tuple(Dropped(DropKind.SAMPLE, item.sample, ASSET, item.reason) for item in filtered)
