"""One experiment's folder of an RNA-seq sample compendium: whole ``quant.sf`` files, and a table of metadata.

What the files at the top need of an experiment is noted beside it, so that it is read once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from refinebio_assets.formats.resumable_zip import PartWriter
from refinebio_assets.lake.rows import read_rows
from refinebio_assets.lake.store import Commit, Lake
from refinebio_assets.pipelines.compendia.rnaseq_samples.choice import ExperimentPart, sequenced_samples
from refinebio_assets.pipelines.datasets.request import DatasetRequest
from refinebio_assets.pipelines.datasets.selection import Member, select_samples
from refinebio_assets.pipelines.delivery.lock_entries import pinned
from refinebio_assets.pipelines.delivery.metadata import SampleMetadata, delivered_metadata
from refinebio_assets.pipelines.delivery.metadata_files import metadata_columns, metadata_tsv, sample_json
from refinebio_assets.pipelines.delivery.pins import ExperimentPins
from refinebio_assets.pipelines.delivery.quant_files import DamagedError, delivered_name, whole_quant_sf
from refinebio_assets.pipelines.progress import Progress

STEP = "write quant.sf files"
_LOCKED = ("version", "processor", "processor_version", "reference", "file_sha256")


def write_experiment(
    lake: Lake,
    archive: PartWriter,
    part: ExperimentPart,
    organism: str,
    attributes: tuple[Commit, ...],
    progress: Progress,
) -> None:
    """Write an experiment's folder, if one of its samples has a whole ``quant.sf``, and its notes.

    The notes are what is told of the experiment (``experiment``) and each delivered sample (``samples``),
    what each was made from (``lock``), and the samples that are left out, with the reason (``filtered``).
    """
    name, pins = part.experiment, part.pins(lake, attributes)
    own = pins.experiments[name]
    wanted = sequenced_samples(lake, own.record, organism)
    selection = select_samples(lake, DatasetRequest(((name, tuple(wanted)),), quant_sf_only=True), pins)
    reasons = {item.sample: item.reason for item in selection.filtered}
    members = [member for group in selection.groups for member in group.members]
    reasons |= _write_files(lake, archive, name, members, progress)
    metadata = delivered_metadata(lake, pins, dict.fromkeys(wanted, name))
    delivered = [metadata.samples[sample] for sample in wanted if sample not in reasons]
    if delivered:
        rows = [(sample, name) for sample in delivered]
        archive.add_bytes(f"{name}/metadata_{name}.tsv", metadata_tsv(metadata_columns(delivered), rows))
    archive.notes |= {
        "experiment": dict(metadata.experiments[name]),
        "samples": {sample.sample: sample_json(sample) for sample in delivered},
        "filtered": [
            {"reason": reasons[sample], **asdict(metadata.samples[sample])}
            for sample in wanted
            if sample in reasons
        ],
        "lock": _lock(lake, own, delivered),
    }


def _write_files(
    lake: Lake, archive: PartWriter, experiment: str, members: Iterable[Member], progress: Progress
) -> dict[str, str]:
    """Write the files that are whole, one at a time, and return why the others are not written."""
    damaged = {}
    for member in members:
        if member.quant_sf is None:  # the selection has files only
            continue
        try:
            text = whole_quant_sf(lake, member.quant_sf)
        except DamagedError as error:
            damaged[member.sample] = str(error)
        else:
            archive.add_bytes(delivered_name(experiment, member.sample), text)
        progress.advance(STEP)
    return damaged


def _lock(lake: Lake, pins: ExperimentPins, delivered: Iterable[SampleMetadata]) -> dict[str, Any]:
    rows = (
        {row["sample"]: row for row in read_rows(lake, pins.quantified, "results")} if pins.quantified else {}
    )
    return {
        "commits": {step: pinned(commit) for step, commit in pins.commits()},
        "samples": {
            sample.sample: {field: rows[sample.sample].get(field) for field in _LOCKED}
            for sample in delivered
        },
    }
