"""Makes ``compendium_bundle``: the zip of a normalized compendium that a user downloads.

Its bytes depend on nothing but the compendium's version and that of the metadata: no clock, no machine.
Values are written and read back some genes at a time. Before it is committed the publish gate judges it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from refinebio_assets import __version__
from refinebio_assets.formats.deterministic_zip import ZipWriter
from refinebio_assets.lake.storage import make_scratch, remove_tree
from refinebio_assets.lake.store import Commit, Draft, InputRef, Lake
from refinebio_assets.pipelines.compendia import normalized_compendium
from refinebio_assets.pipelines.compendia.bundle.contents import Contents, compendium_pins, read_contents
from refinebio_assets.pipelines.compendia.bundle.inspection import inspect_compendium
from refinebio_assets.pipelines.compendia.bundle.matrices import add_mask, add_values, gene_table_tsv
from refinebio_assets.pipelines.compendia.bundle.metadata import MetadataFiles
from refinebio_assets.pipelines.compendia.bundle.texts import readme
from refinebio_assets.pipelines.compendia.confounds import confounds, technical_factors
from refinebio_assets.pipelines.compendia.lock import NAME as LOCK
from refinebio_assets.pipelines.compendia.lock import lock_bytes, read_compendium_lock
from refinebio_assets.pipelines.compendia.report.page import report_html
from refinebio_assets.pipelines.compendia.room import require_room, room_named
from refinebio_assets.pipelines.delivery.gate import Delivery, require_sound
from refinebio_assets.pipelines.delivery.license import license_text
from refinebio_assets.pipelines.delivery.manifest import MANIFEST, manifest_of
from refinebio_assets.pipelines.delivery.metadata_files import json_bytes
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
from refinebio_assets.pipelines.targets.target import require_target
from refinebio_assets.pipelines.workers import available_cores

ASSET = "compendium_bundle"
CODE_VERSION = "1"
REPORT = "report.html"
_BYTES_A_VALUE = 10
"""Room on the disk that a value takes: 4 bytes to be checked, and about 5 in the zip."""


@dataclass(frozen=True, slots=True)
class Assessment:
    """How a bundle stands against the newest version of its compendium and its samples' metadata."""

    situation: Situation
    compendium: Commit


def assess_bundle(lake: Lake, organism: str) -> Assessment:
    """Return how a bundle stands. Raises NotFoundError when the organism has no compendium yet."""
    compendium = require_head(lake, normalized_compendium.ASSET, organism)
    pins = compendium_pins(lake, read_compendium_lock(lake, compendium))
    basis = {"code version": CODE_VERSION, "compendium": compendium.id} | pins.basis()
    return Assessment(situation_of(lake, lake.head(ASSET, organism), basis), compendium)


def build_compendium_bundle(
    lake: Lake, organism: str, *, progress: Progress = SILENT, run_id: str = ""
) -> Outcome:
    """Make the zip of an organism's newest compendium, or return the one that is already right.

    Raises GateError, naming every defect, when what was written is not what it promises; nothing is
    committed then; StorageError when the disk has not 10 bytes a gene and sample beside.
    """
    assessed = assess_bundle(lake, organism)
    situation, compendium = assessed.situation, assessed.compendium
    if situation.current is not None:
        return Outcome(situation.current, changed=False)
    contents = read_contents(lake, compendium)
    scratch = make_scratch(lake.storage.scratch, "bundle")
    room = (scratch, _BYTES_A_VALUE * contents.row["genes"] * contents.row["samples"], "the compendium's zip")
    try:
        require_room(*room)
        with room_named(*room), lake.draft(ASSET, organism) as draft:
            manifest = _write(draft, contents, scratch, progress)
            progress.say("check the bundle")
            require_sound(
                _inspected(lake, draft.folder / bundle_name(organism), contents.lock, scratch),
                f"the compendium of {organism}",
            )
            other = made_meanwhile(lake, ASSET, organism, situation)
            if other is not None:
                return Outcome(other, False, MEANWHILE)
            draft.write_table("compendium_bundles", [_row(draft, contents, manifest)])
            commit = draft.commit(
                version=content_hash(manifest["files"]),
                code_version=CODE_VERSION,
                inputs=[_input(compendium), *contents.pins.inputs()],
                info={
                    "basis": situation.basis,
                    "number": compendium.info["number"],
                    "compendium": compendium.id,
                    "file": bundle_name(organism),
                },
                run_id=run_id,
                needs=[compendium, *contents.pins.commits()],
            )
    finally:
        remove_tree(scratch)
    return Outcome(commit, True, situation.reasons)


def bundle_name(organism: str) -> str:
    """Return the name of a compendium's zip in its commit."""
    return f"{organism}.zip"


def inspect_commit(lake: Lake, commit: Commit) -> Delivery:
    """Read a bundle that was committed, for the publish gate's checks of it."""
    asset, made_of = normalized_compendium.ASSET, commit.info["compendium"]
    lock = read_compendium_lock(lake, require_commit(lake, asset, commit.partition, made_of))
    scratch = make_scratch(lake.storage.scratch, "bundle")
    try:
        return _inspected(lake, lake.local(commit.file(commit.info["file"])), lock, scratch)
    finally:
        remove_tree(scratch)


def _inspected(lake: Lake, path: Path, lock: Mapping[str, Any], scratch: Path) -> Delivery:
    target = require_target(lake, lock["compendium"], lock["target"])
    return inspect_compendium(path, target.values(lake), scratch)


def _write(draft: Draft, contents: Contents, scratch: Path, progress: Progress) -> dict[str, Any]:
    """Write the zip and the report into the draft, and return the zip's manifest."""
    organism, store = contents.organism, contents.store
    progress.say("read the metadata of all samples")
    metadata = MetadataFiles(contents, scratch)
    experiments = list(map(str, store.samples.column("experiment").to_pylist()))
    found = confounds(technical_factors(store) | metadata.factors, experiments)
    report = report_html(contents, found).encode()
    (draft.folder / REPORT).write_bytes(report)
    path = draft.folder / bundle_name(organism)
    with path.open("xb") as stream, ZipWriter(stream, threads=available_cores()) as archive:
        archive.add_bytes("README.md", readme(contents, found).encode())
        archive.add_bytes("LICENSE.TXT", license_text("compendium").encode())
        archive.add_bytes(REPORT, report)
        metadata.add_to(archive, _aggregated(contents))
        archive.add_bytes(f"{organism}/genes_{organism}.tsv", gene_table_tsv(store))
        _add_dropped_genes(archive, contents)
        progress.say("write values")
        add_values(archive, f"{organism}/{organism}.tsv", store)
        if contents.imputed:
            add_mask(archive, f"{organism}/imputed_{organism}.tsv", store)
        archive.add_bytes(LOCK, lock_bytes(contents.whole_lock()))
        manifest = manifest_of(
            archive.members, compendium=organism, compendium_version=contents.row["number"]
        )
        archive.add_bytes(MANIFEST, json_bytes(manifest))
    return manifest


def _add_dropped_genes(archive: ZipWriter, contents: Contents) -> None:
    dropped = contents.dropped_genes()
    if dropped:
        lines = ["Gene\treason", *(f"{item.item}\t{item.reason}" for item in dropped)]
        archive.add_bytes("dropped_genes.tsv", ("\n".join(lines) + "\n").encode())


def _aggregated(contents: Contents) -> dict[str, Any]:
    """Return what ``aggregated_metadata.json`` says of the whole compendium."""
    row = contents.row
    return {
        "aggregate_by": "SPECIES",
        "compendium_version": row["number"],
        "filtered_samples": contents.filtered(),
        "imputation": contents.findings["imputation"],
        "ks_pvalue": row["ks_pvalue"],
        "ks_statistic": row["ks_statistic"],
        "num_experiments": row["experiments"],
        "num_genes": row["genes"],
        "num_samples": row["samples"],
        "organism": contents.organism,
        "organisms": list(row["organisms"]),
        "quant_sf_only": False,
        "quantile_normalized": True,
        "refinebio_assets": {
            "software_version": __version__,
            "version": contents.commit.version,
            "target": row["target"],
        },
        "scale_by": "NONE",
    }


def _row(draft: Draft, contents: Contents, manifest: Mapping[str, Any]) -> dict[str, Any]:
    row = contents.row
    return {
        "organism": contents.organism,
        "number": row["number"],
        "compendium_version": contents.commit.version,
        "genes": row["genes"],
        "samples": row["samples"],
        "size_bytes": (draft.folder / bundle_name(contents.organism)).stat().st_size,
        "files": len(manifest["files"]),
        "file": bundle_name(contents.organism),
    }


def _input(commit: Commit) -> InputRef:
    return InputRef(commit.asset, commit.partition, commit.version)
