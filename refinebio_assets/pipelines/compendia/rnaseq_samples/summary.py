"""The files at the top of an RNA-seq sample compendium, made of what its experiments' parts noted.

Notes are read again for each file, and never kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from itertools import chain
from typing import Any

from refinebio_assets import __version__
from refinebio_assets.formats.deterministic_zip import Member
from refinebio_assets.formats.json_stream import Fields, Items, json_chunks
from refinebio_assets.formats.resumable_zip import PartWriter, ResumableZip
from refinebio_assets.pipelines.compendia.rnaseq_samples.texts import readme
from refinebio_assets.pipelines.compendia.rnaseq_samples.totals import (
    About,
    Parts,
    Totals,
    joined_reasons,
)
from refinebio_assets.pipelines.delivery.license import license_text
from refinebio_assets.pipelines.delivery.manifest import MANIFEST
from refinebio_assets.pipelines.delivery.metadata import SampleMetadata
from refinebio_assets.pipelines.delivery.metadata_files import (
    EXPERIMENT,
    REASON,
    metadata_columns,
    metadata_tsv,
    sample_json,
)

TOP = ""
"""The name of the part with the files at the top."""
LOCK, AGGREGATED, FILTERED = "compendium.lock.json", "aggregated_metadata.json", "filtered_samples_metadata"
FORMAT = 1


def content_version(members: Iterable[Member]) -> str:
    """Return the hash of the experiments' files: the compendium's version."""
    digest = sha256()
    for member in members:
        digest.update(f"{member.sha256} {member.name}\n".encode())
    return digest.hexdigest()


def write_summary(archive: ResumableZip, top: PartWriter, about: About, totals: Totals) -> None:
    """Write the files at the top: texts, metadata, filtered samples, lock and manifest."""
    parts = archive.parts
    top.add_bytes("README.md", readme(about, totals).encode())
    top.add_bytes("LICENSE.TXT", license_text("compendium").encode())
    _write_json(top, AGGREGATED, _aggregated(parts, about, totals))
    if totals.filtered:
        _write_json(top, f"{FILTERED}.json", Fields(_filtered(parts, totals)))
        _write_filtered_table(parts, top)
    _write_json(top, LOCK, _lock(parts, about))
    files = (
        {"path": member.name, "size": member.size, "sha256": member.sha256}
        for member in chain(archive.members(), top.members)
    )
    head = {"format": FORMAT, "compendium": about.organism, "number": about.number}
    _write_json(top, MANIFEST, Fields([*head.items(), ("files", Items(files))]))


def _write_json(top: PartWriter, name: str, content: Fields) -> None:
    with top.member(name) as sink:
        for chunk in json_chunks(content):
            sink.write(chunk)


def _aggregated(parts: Parts, about: About, totals: Totals) -> Fields:
    head = {
        "aggregate_by": "EXPERIMENT",
        "compendium_version": about.number,
        "created_at": about.created_at,
        "ks_pvalue": None,
        "ks_statistic": None,
        "ks_warning": None,
        "num_experiments": totals.experiments,
        "num_samples": totals.samples,
        "organism": about.organism,
        "quant_sf_only": True,
        "quantile_normalized": False,
        "scale_by": "NONE",
        "refinebio_assets": {
            "software_version": __version__,
            "files": totals.files,
            "references": totals.references,
            "filtered_samples": len(totals.filtered),
        },
    }
    experiments = ((part.name, part.notes["experiment"]) for part in parts() if part.notes["samples"])
    sections = [("experiments", Fields(experiments)), ("samples", Fields(_samples(parts)))]
    return Fields([*head.items(), *sections])


def _samples(parts: Parts) -> Iterator[tuple[str, Any]]:
    """Yield each delivered sample once, as the first of its experiments tells of it."""
    told: set[str] = set()
    for part in parts():
        for name, facts in part.notes["samples"].items():
            if name not in told:
                told.add(name)
                yield name, facts


def _filtered(parts: Parts, totals: Totals) -> Iterator[tuple[str, Any]]:
    told: set[str] = set()
    for part in parts():
        for item in part.notes["filtered"]:
            sample = _metadata_of(item)
            if sample.sample not in told:
                told.add(sample.sample)
                where = totals.filtered[sample.sample]
                experiments = ";".join(experiment for experiment, _ in where)
                yield (
                    sample.sample,
                    sample_json(sample) | {EXPERIMENT: experiments, REASON: joined_reasons(where)},
                )


def _write_filtered_table(parts: Parts, top: PartWriter) -> None:
    columns = metadata_columns(_metadata_of(item) for part in parts() for item in part.notes["filtered"])
    header = metadata_tsv(columns, (), ("",))
    with top.member(f"{FILTERED}.tsv") as sink:
        sink.write(header)
        for part in parts():
            items = part.notes["filtered"]
            rows = [(_metadata_of(item), part.name) for item in items]
            sink.write(
                metadata_tsv(columns, rows, [item["reason"] for item in items] or ("",))[len(header) :]
            )


def _metadata_of(item: Mapping[str, Any]) -> SampleMetadata:
    return SampleMetadata(item["sample"], item["refinebio"], item["submitted"], tuple(item["annotations"]))


def _lock(parts: Parts, about: About) -> Fields:
    head = {
        "format": FORMAT,
        "organism": about.organism,
        "number": about.number,
        "software": {"refinebio-assets": __version__, "rnaseq_sample_compendium": about.code_version},
        "attributes": dict(about.attributes),
        "references": {version: dict(release) for version, release in about.releases.items()},
    }
    return Fields(
        [*head.items(), ("experiments", Fields((part.name, part.notes["lock"]) for part in parts()))]
    )
