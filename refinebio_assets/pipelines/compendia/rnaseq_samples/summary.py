"""The files at the top of an RNA-seq sample compendium, made of what its experiments' parts noted.

Notes are read again for each file, and never kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain
from typing import Any

from refinebio_assets import __version__
from refinebio_assets.domain import DropKind, Dropped, distinct
from refinebio_assets.formats.deterministic_zip import Member
from refinebio_assets.formats.json_stream import Fields, Items, json_chunks
from refinebio_assets.formats.resumable_zip import Part, PartWriter, ResumableZip
from refinebio_assets.pipelines.compendia.rnaseq_samples.experiment_part import STEP
from refinebio_assets.pipelines.compendia.rnaseq_samples.texts import readme
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

NO_REFERENCE = "not told"
"""In place of a reference's version: of a ``quant.sf`` that was submitted."""
TOP = ""
"""The name of the part with the files at the top."""
LOCK, AGGREGATED, FILTERED = "compendium.lock.json", "aggregated_metadata.json", "filtered_samples_metadata"
FORMAT = 1

Parts = Callable[[], Iterator[Part]]


@dataclass(frozen=True, slots=True)
class About:
    """What a compendium says of itself; ``created_at`` is when the newest of its inputs was made.

    ``releases`` tell of each reference, by its version, what it is of.
    """

    organism: str
    number: int
    created_at: str
    code_version: str
    attributes: Mapping[str, str]
    releases: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Totals:
    """What is in the parts, over all.

    ``filtered`` are the experiments and reasons of each sample that is left out of one; ``lost`` those of
    them that no experiment delivers. ``references`` count files by what transcripts were measured against.
    """

    experiments: int
    samples: int
    files: int
    filtered: Mapping[str, list[tuple[str, str]]]
    lost: frozenset[str]
    references: Mapping[str, int]

    @property
    def dropped(self) -> tuple[Dropped, ...]:
        """The samples that are in no experiment's folder, with the reasons."""
        return tuple(
            Dropped(DropKind.SAMPLE, sample, STEP, _reasons(self.filtered[sample]))
            for sample in sorted(self.lost)
        )


def count_parts(parts: Parts) -> Totals:
    """Count what the parts hold."""
    filtered: dict[str, list[tuple[str, str]]] = {}
    names: set[str] = set()
    references: Counter[str] = Counter()
    experiments = files = 0
    for part in parts():
        own = part.notes["lock"]["samples"]
        names |= own.keys()
        experiments, files = experiments + bool(own), files + len(own)
        references.update(facts["reference"] or NO_REFERENCE for facts in own.values())
        for item in part.notes["filtered"]:
            filtered.setdefault(item["sample"], []).append((part.name, item["reason"]))
    lost = frozenset(filtered.keys() - names)
    return Totals(experiments, len(names), files, filtered, lost, dict(sorted(references.items())))


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
                yield sample.sample, sample_json(sample) | {EXPERIMENT: experiments, REASON: _reasons(where)}


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


def _reasons(where: Iterable[tuple[str, str]]) -> str:
    return "; ".join(distinct(reason for _, reason in where))


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
