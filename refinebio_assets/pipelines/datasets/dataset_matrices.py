"""Makes ``dataset_matrices``: the matrices of a dataset, as it was asked for, with all that they cost.

Each build is a new version, counted up; older ones stay as they are. How one matrix is made is in
`aggregation.py`; the files that users download are made by `bundle.py`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from refinebio_assets.domain import DropKind, Dropped, ScaleBy
from refinebio_assets.errors import PermanentError
from refinebio_assets.lake.store import Commit, Draft, InputRef, Lake
from refinebio_assets.pipelines.datasets.aggregation import BuiltMatrix, build_matrix
from refinebio_assets.pipelines.datasets.dataset_rows import (
    content_rows,
    dataset_row,
    gene_loss_rows,
    matrix_row,
)
from refinebio_assets.pipelines.datasets.lockfile import (
    NAME,
    filtered_entry,
    lock_bytes,
    locked_pins,
    make_lock,
    require_lock_of,
)
from refinebio_assets.pipelines.datasets.matrix_file import (
    gene_set_hash,
    matrix_file_name,
    values_hash,
    write_dataset_matrix,
)
from refinebio_assets.pipelines.datasets.pins import Pins, newest_pins
from refinebio_assets.pipelines.datasets.quant_files import sound_quant_files
from refinebio_assets.pipelines.datasets.registry import ASSET as REQUEST
from refinebio_assets.pipelines.datasets.registry import registered_dataset
from refinebio_assets.pipelines.datasets.request import DatasetRequest, parse_request
from refinebio_assets.pipelines.datasets.selection import Filtered, Selection, select_samples
from refinebio_assets.pipelines.datasets.targets import (
    NO_TARGETS,
    Targets,
    exact_targets,
    newest_targets,
)
from refinebio_assets.pipelines.freshness import content_hash, explain_changes
from refinebio_assets.pipelines.outcome import Outcome, Situation, all_failed, dropped_rows
from refinebio_assets.pipelines.progress import SILENT, Progress

ASSET = "dataset_matrices"
CODE_VERSION = "2"
OVERVIEW = "overview.json"


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
    return _assess(
        lake,
        dataset,
        f"{registered.commit.created_at:%Y-%m-%dT%H:%M:%S}",
        request,
        pins,
        selection,
        targets,
        registered.commit.version,
    )


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


def rebuild_from_lock(
    lake: Lake, dataset: str, lock: Mapping[str, Any], *, progress: Progress = SILENT, run_id: str = ""
) -> Outcome:
    """Make a dataset's matrices again from its lockfile, as a new version, to the same values.

    Raises RequestError for the lock of another dataset, NotFoundError naming everything pinned that is no
    longer in the lake, PermanentError when the code has another meaning today, or the values are not those
    that the lock promises.
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
    assessed = _assess(lake, dataset, lock["requested_at"], request, pins, selection, targets, version)
    current = assessed.situation.current
    if current is not None:
        return Outcome(current, changed=False, dropped=_dropped(selection.filtered))
    return _build(lake, assessed, lock["matrices"], progress, run_id)


def dataset_versions(lake: Lake, dataset: str) -> list[Commit]:
    """Return all versions of a dataset's matrices, oldest first: number 1 is the first."""
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
    head = lake.head(ASSET, dataset)
    basis = {
        "code version": CODE_VERSION,
        "request": request_version,
        **pins.basis(),
        **targets.basis(),
    }
    reasons = explain_changes(head.info["basis"] if head else None, basis)
    if head is not None and lake.missing_files(head):
        reasons.append("its files are no longer in the lake")
    situation = Situation(head, basis, tuple(reasons))
    return Assessment(situation, dataset, requested_at, request, pins, selection, targets, request_version)


def _build(
    lake: Lake,
    assessed: Assessment,
    promised: Mapping[str, Mapping[str, Any]] | None,
    progress: Progress,
    run_id: str,
) -> Outcome:
    assessed.targets.require_all()
    request = assessed.request
    selection = sound_quant_files(lake, assessed.selection) if request.quant_sf_only else assessed.selection
    _require_samples(assessed.dataset, selection)
    number = len(lake.history(ASSET, assessed.dataset)) + 1
    lock = make_lock(
        lake,
        dataset=assessed.dataset,
        number=number,
        requested_at=assessed.requested_at,
        request=request,
        code_version=CODE_VERSION,
        pins=assessed.pins,
        targets=assessed.targets,
        selection=selection,
    )
    with lake.draft(ASSET, assessed.dataset) as draft:
        made = [] if request.quant_sf_only else list(_matrices(lake, draft, assessed, selection, progress))
        selection = _without_filtered(selection, made)
        lock["matrices"] = {item.key: item.locked for item in made}
        lock["filtered"] = [filtered_entry(item) for item in selection.filtered]
        if promised is not None:
            _require_promised(lock["matrices"], promised)
        warnings = [f"{item.key}: {line}" for item in made for line in item.warnings]
        overview = {item.key: item.overview for item in made}
        (draft.folder / NAME).write_bytes(lock_bytes(lock))
        (draft.folder / OVERVIEW).write_text(json.dumps(overview), encoding="utf-8")
        version = content_hash(lock["matrices"] or lock["samples"])
        rows = [item.row for item in made]
        draft.write_table("datasets", [dataset_row(lock, version, selection, rows, warnings, _worst(made))])
        draft.write_table("dataset_matrices", rows)
        draft.write_table("dataset_contents", list(content_rows(assessed.dataset, selection)))
        draft.write_table("gene_loss", [row for item in made for row in item.loss_rows])
        dropped = _dropped(selection.filtered)
        draft.write_table("dropped", dropped_rows(dropped))
        commit = draft.commit(
            version=version,
            code_version=CODE_VERSION,
            inputs=[
                InputRef(REQUEST, assessed.dataset, assessed.request_version),
                *assessed.pins.inputs(),
                *assessed.targets.inputs(),
            ],
            info={"basis": assessed.situation.basis, "number": number, "warnings": warnings},
            run_id=run_id,
        )
    return Outcome(commit, True, assessed.situation.reasons, dropped)


@dataclass(frozen=True, slots=True)
class _Made:
    """What stays of a matrix when it is written: everything but its values."""

    key: str
    row: Mapping[str, Any]
    loss_rows: Sequence[Mapping[str, Any]]
    locked: Mapping[str, Any]
    overview: Mapping[str, Any]
    warnings: Sequence[str]
    filtered: Sequence[Filtered]
    ks: tuple[float, float] | None


def _matrices(
    lake: Lake, draft: Draft, assessed: Assessment, selection: Selection, progress: Progress
) -> Iterator[_Made]:
    """Make and write one matrix after the other, so that only one is in memory."""
    targets = assessed.targets.values(lake)
    for group in selection.groups:
        task = f"aggregate {group.key}"
        progress.start(task, len(group.members), "samples")
        tell = _teller(progress, task)
        matrix = build_matrix(lake, group, assessed.request, targets, tell=tell)
        scaled = assessed.request.scale_by is not ScaleBy.NONE
        yield _written(draft, assessed.dataset, matrix, scaled=scaled)


def _teller(progress: Progress, task: str) -> Callable[[int], None]:
    return lambda samples: progress.advance(task, amount=samples)


def _written(draft: Draft, dataset: str, matrix: BuiltMatrix, *, scaled: bool) -> _Made:
    name = matrix_file_name(matrix.key)
    genes, samples = matrix.genes, matrix.samples
    write_dataset_matrix(draft.folder / name, genes, samples, matrix.values)
    gene_set, values = gene_set_hash(genes), values_hash(genes, samples, matrix.values)
    locked: dict[str, Any] = {
        "genes": len(genes),
        "samples": len(samples),
        "type": str(matrix.values.dtype),
        "gene_set": gene_set,
        "values_sha256": values,
    }
    if scaled and matrix.departures:
        # Scaling hides the distribution, so that nobody could measure them again.
        locked["departures"] = dict(zip(samples, matrix.departures, strict=True))
    return _Made(
        key=matrix.key,
        row=matrix_row(dataset, matrix, name, gene_set, values),
        loss_rows=list(gene_loss_rows(dataset, matrix)),
        locked=locked,
        overview={
            "samples": samples,
            "before": matrix.before.plain(),
            "after": matrix.after.plain(),
            "picture": matrix.picture.plain(),
        },
        warnings=(*matrix.warnings, *matrix.picture.warnings),
        filtered=matrix.filtered,
        ks=(matrix.check.statistic, matrix.check.p_value) if matrix.check else None,
    )


def _worst(made: Sequence[_Made]) -> tuple[float, float] | None:
    """Return the statistic and p-value of the worst pair of all matrices."""
    checks = [item.ks for item in made if item.ks is not None]
    return max(checks, key=lambda pair: (pair[0], -pair[1]), default=None)


def _without_filtered(selection: Selection, made: Sequence[_Made]) -> Selection:
    """Return the selection less what turned out to have no values."""
    lost = [item for matrix in made for item in matrix.filtered]
    if not lost:
        return selection
    gone = {(item.key, item.sample) for item in lost}
    groups = tuple(
        replace(
            group,
            members=tuple(member for member in group.members if (group.key, member.sample) not in gone),
        )
        for group in selection.groups
    )
    return Selection(groups, (*selection.filtered, *lost))


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
