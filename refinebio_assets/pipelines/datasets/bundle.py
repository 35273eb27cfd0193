"""Makes ``dataset_bundle``: the zip that a user downloads, in the layout of refine.bio's downloads.

Its bytes depend on nothing but the version of the matrices: no clock, no machine. Before it is committed
it is read back and judged by the publish gate.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from refinebio_assets.domain import AggregateBy
from refinebio_assets.formats.deterministic_zip import ZipWriter
from refinebio_assets.formats.matrix_tsv import write_matrix_tsv
from refinebio_assets.lake.store import Commit, Draft, InputRef, Lake
from refinebio_assets.pipelines.datasets import dataset_matrices
from refinebio_assets.pipelines.datasets.annotated_matrix import write_h5ad
from refinebio_assets.pipelines.datasets.bundle_texts import readme
from refinebio_assets.pipelines.datasets.contents import Contents, read_contents
from refinebio_assets.pipelines.datasets.dataset_matrices import read_overview
from refinebio_assets.pipelines.datasets.inspection import inspect_bundle
from refinebio_assets.pipelines.datasets.lockfile import NAME as LOCK
from refinebio_assets.pipelines.datasets.lockfile import lock_bytes
from refinebio_assets.pipelines.datasets.matrix_file import matrix_file_name, read_dataset_matrix
from refinebio_assets.pipelines.datasets.registry import BUNDLE
from refinebio_assets.pipelines.datasets.report import report_html
from refinebio_assets.pipelines.datasets.targets import exact_targets
from refinebio_assets.pipelines.delivery.gate import Delivery, require_sound
from refinebio_assets.pipelines.delivery.license import license_text
from refinebio_assets.pipelines.delivery.manifest import MANIFEST, manifest_of
from refinebio_assets.pipelines.delivery.metadata_files import (
    filtered_json,
    json_bytes,
    metadata_columns,
    metadata_tsv,
    organism_json,
)
from refinebio_assets.pipelines.delivery.quant_files import delivered_name, quant_sf_chunks
from refinebio_assets.pipelines.freshness import content_hash
from refinebio_assets.pipelines.outcome import (
    MEANWHILE,
    Outcome,
    Situation,
    made_meanwhile,
    require_commit,
    require_head,
    situation_of,
)
from refinebio_assets.pipelines.progress import SILENT, Progress
from refinebio_assets.pipelines.workers import available_cores

ASSET = BUNDLE
CODE_VERSION = "3"


@dataclass(frozen=True, slots=True)
class Assessment:
    """How a bundle stands against the newest version of its dataset's matrices."""

    situation: Situation
    matrices: Commit


def assess_bundle(lake: Lake, dataset: str) -> Assessment:
    """Return how a bundle stands. Raises NotFoundError when the dataset has no matrices yet."""
    matrices = require_head(lake, dataset_matrices.ASSET, dataset)
    basis = {"code version": CODE_VERSION, "matrices": matrices.id}
    return Assessment(situation_of(lake, lake.head(ASSET, dataset), basis), matrices)


def build_bundle(lake: Lake, dataset: str, *, progress: Progress = SILENT, run_id: str = "") -> Outcome:
    """Make the bundle of a dataset's newest matrices, or return the one that is already right.

    Raises GateError, naming every defect, when what was written is not what it promises; nothing is
    committed then.
    """
    assessed = assess_bundle(lake, dataset)
    situation = assessed.situation
    if situation.current is not None:
        return Outcome(situation.current, changed=False)
    contents = read_contents(lake, assessed.matrices)
    with lake.draft(ASSET, dataset) as draft:
        name = bundle_name(dataset)
        manifest = _write_bundle(lake, draft, contents, progress)
        progress.say("check the bundle")
        require_sound(_inspected(lake, draft.folder / name, contents), f"dataset {dataset}")
        other = made_meanwhile(lake, ASSET, dataset, situation)
        if other is not None:
            return Outcome(other, False, MEANWHILE)
        commit = draft.commit(
            version=content_hash(manifest["files"]),
            code_version=CODE_VERSION,
            inputs=[InputRef(dataset_matrices.ASSET, dataset, assessed.matrices.version)],
            info={
                "basis": situation.basis,
                "number": assessed.matrices.info["number"],
                "matrices": assessed.matrices.id,
                "warnings": assessed.matrices.info["warnings"],
                "file": name,
            },
            run_id=run_id,
            needs=[assessed.matrices],
        )
    return Outcome(commit, True, situation.reasons)


def bundle_name(dataset: str) -> str:
    """Return the name of a dataset's zip in its commit."""
    return f"{dataset}.zip"


def inspect_commit(lake: Lake, commit: Commit) -> Delivery:
    """Read a bundle that was committed, for the publish gate's checks of it."""
    matrices = require_commit(lake, dataset_matrices.ASSET, commit.partition, commit.info["matrices"])
    path = lake.local(commit.file(commit.info["file"]))
    return _inspected(lake, path, read_contents(lake, matrices))


def _inspected(lake: Lake, path: Path, contents: Contents) -> Delivery:
    targets = exact_targets(lake, contents.lock["targets"]).values(lake)
    return inspect_bundle(path, targets, contents.organism_of)


def _write_bundle(lake: Lake, draft: Draft, contents: Contents, progress: Progress) -> dict[str, Any]:
    """Write the zip into the draft, and return its manifest."""
    path = draft.folder / bundle_name(draft.partition)
    lock, row = contents.lock, contents.row
    metadata = contents.metadata
    columns = metadata_columns([*metadata.samples.values()])
    overview = read_overview(lake, contents.commit)
    with path.open("xb") as stream, ZipWriter(stream, threads=available_cores()) as archive:
        archive.add_bytes("README.md", readme(lock, row["warnings"] or ()).encode())
        archive.add_bytes("LICENSE.TXT", license_text("dataset").encode())
        archive.add_bytes("aggregated_metadata.json", json_bytes(contents.aggregated()))
        if contents.filtered:
            archive.add_bytes("filtered_samples_metadata.json", filtered_json(contents.filtered))
            rows = [(sample, experiment) for sample, experiment, _ in contents.filtered]
            reasons = [reason for _, _, reason in contents.filtered]
            archive.add_bytes("filtered_samples_metadata.tsv", metadata_tsv(columns, rows, reasons))
        for key in contents.keys:
            progress.say(f"write {key}")
            _write_key(lake, draft, archive, contents, key, columns)
        archive.add_bytes(
            "report.html",
            report_html(lock, row, overview, contents.loss, metadata, contents.listing).encode(),
        )
        archive.add_bytes(LOCK, lock_bytes(lock))
        manifest = manifest_of(archive.members, dataset=lock["dataset"], number=lock["number"])
        archive.add_bytes(MANIFEST, json_bytes(manifest))
    return manifest


def _write_key(
    lake: Lake, draft: Draft, archive: ZipWriter, contents: Contents, key: str, columns: list[str]
) -> None:
    """Write one folder of the bundle."""
    if contents.quant_sf_only:
        _write_quant_files(lake, archive, contents, key)
    else:
        _write_matrix(lake, draft, archive, contents, key)
    rows = contents.rows(key)
    archive.add_bytes(f"{key}/metadata_{key}.tsv", metadata_tsv(columns, rows))
    if contents.lock["request"]["aggregate_by"] == AggregateBy.SPECIES:
        archive.add_bytes(f"{key}/metadata_{key}.json", organism_json(key, (sample for sample, _ in rows)))


def _write_matrix(lake: Lake, draft: Draft, archive: ZipWriter, contents: Contents, key: str) -> None:
    path = lake.local(contents.commit.file(matrix_file_name(key)))
    genes, values = read_dataset_matrix(path)
    samples = contents.listing[key]
    with archive.member(f"{key}/{key}.tsv") as sink:
        write_matrix_tsv(sink, genes, samples, values)
    archive.add_file(f"{key}/{key}.parquet", path, stored=True)
    if contents.lock["request"]["h5ad"]:
        temporary = draft.folder / f"{key}.h5ad"
        try:
            write_h5ad(temporary, genes, values, contents.rows(key))
            archive.add_file(f"{key}/{key}.h5ad", temporary)
        finally:
            temporary.unlink(missing_ok=True)


def _write_quant_files(lake: Lake, archive: ZipWriter, contents: Contents, key: str) -> None:
    group = contents.groups.get(key)
    if group is None:
        return  # All its files were damaged since: the gate tells.
    for member in group.members:
        if member.quant_sf is not None:
            with archive.member(delivered_name(key, member.sample)) as sink:
                for chunk in quant_sf_chunks(lake, member.quant_sf):
                    sink.write(chunk)


def versions(lake: Lake, dataset: str) -> Iterator[Commit]:
    """Yield all bundles of a dataset, oldest first."""
    yield from lake.history(ASSET, dataset)
