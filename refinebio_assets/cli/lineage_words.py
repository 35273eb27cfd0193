"""What a thing on a lineage's way is called, and what is said of it, in words that a biologist reads.

The asset's own name, by which Dagster's UI lists it, stands in the last line of each.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from refinebio_assets.cli.tables import cell
from refinebio_assets.domain import counted
from refinebio_assets.pipelines.lineage import FILE, QUANTIFICATION, Thing
from refinebio_assets.pipelines.lineage_facts import Facts

SHOWN_OF_A_VERSION = 12
_SHOWN_OF_A_RUN = 8
_FOLDERS = re.compile(r"(?<=\s)/\S*/(?=[^/\s])")
_OF_COMMIT = ("made", "software", "code_version", "run_id", "is_current")


def title(thing: Thing, facts: Facts) -> str:
    """Return what a thing is, in a few words."""
    words = _TITLES.get(thing.asset)
    if words is None:
        return f"{thing.asset.replace('_', ' ')} of {thing.partition}"
    return words(thing.partition, facts).strip()


def details(thing: Thing, facts: Facts) -> Iterator[str]:
    """Yield lines with everything else that is known of a thing: content first, then who made it when."""
    told = _TOLD.get(thing.asset, ())
    said = {key: value for key, value in facts.items() if key not in (*_OF_COMMIT, *told)}
    command = said.pop("command", None)
    rate = said.pop("mapping_rate", None)
    lines = [f"{_PHRASES.get(key, key.replace('_', ' '))} {cell(value)}" for key, value in said.items()]
    if rate is not None:
        lines.append(f"{rate:.1%} of its fragments map")
    if lines:
        yield ", ".join(lines)
    if command:
        yield _FOLDERS.sub("", str(command))
    yield made(thing, facts)


def made(thing: Thing, facts: Facts) -> str:
    """Return which version a thing is, and who made it when: a file's checksum."""
    if thing.asset == FILE:
        return f"SHA-256 {thing.version}"
    said = [f"{thing.asset}, version {thing.version[:SHOWN_OF_A_VERSION]}"]
    if isinstance(facts.get("made"), datetime):
        said.append(f"made {cell(facts['made'])} UTC")
    if facts.get("software"):
        said.append(f"by {facts['software']}")
    if facts.get("code_version"):
        said.append(f"code version {facts['code_version']}")
    if facts.get("run_id"):
        said.append(f"run {facts['run_id'][:_SHOWN_OF_A_RUN]}")
    if facts.get("is_current") is False:
        said.append("since superseded")
    return ", ".join(said)


def _organism(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _count(facts: Facts, key: str, noun: str) -> str:
    return counted(facts[key], noun) if isinstance(facts.get(key), int) else ""


def _listed(*parts: str) -> str:
    """Return what there is to tell after a colon, or nothing."""
    told = ", ".join(part for part in parts if part)
    return f": {told}" if told else ""


def _dataset(name: str, facts: Facts) -> str:
    number = f", version {facts['number']}" if "number" in facts else ""
    return f"dataset {name}{number}" + _listed(
        _count(facts, "matrices", "matrix"), _count(facts, "samples", "sample")
    )


def _request(name: str, facts: Facts) -> str:
    return f"what was asked for as {name}" + _listed(
        _count(facts, "samples", "sample"), _count(facts, "experiments", "experiment")
    )


def _target(name: str, facts: Facts) -> str:
    source = facts.get("platform") or facts.get("technology") or ""
    samples = _count(facts, "samples", "sample")
    return f"quantile target of {_organism(name)}" + _listed(
        _count(facts, "genes", "quantile"), f"from {samples} of {source}" if samples else str(source)
    )


def _transcripts(name: str, facts: Facts) -> str:
    release = f"release {facts['release']}" if facts.get("release") else ""
    parts = [part for part in (facts.get("assembly"), release, facts.get("division")) if part]
    return f"transcripts of {_organism(name)}" + (f" ({', '.join(parts)})" if parts else "")


def _samples(name: str, facts: Facts) -> str:
    processed = f"{facts['processed']:,} processed" if "processed" in facts else ""
    others = f"{facts['not_processed']:,} not" if facts.get("not_processed") else ""
    return f"samples of {name}, quantified one by one{_listed(processed, others)}"


def _file(name: str, facts: Facts) -> str:
    named = facts.get("name") or str(facts.get("origin", "")).rsplit("/", 1)[-1]
    return f"file {named or name[:SHOWN_OF_A_VERSION]}"


def _sample(name: str, facts: Facts) -> str:
    if not facts.get("processor"):
        return f"sample {name}"
    return f"sample {name}, by {facts['processor']} {facts.get('processor_version', '')}"


def _compendium(name: str, facts: Facts) -> str:
    return f"compendium of {_organism(name)}" + _listed(
        _count(facts, "genes", "gene"), _count(facts, "samples", "sample")
    )


_TITLES: Mapping[str, Callable[[str, Facts], str]] = {
    "dataset_bundle": lambda name, _: f"the zip of dataset {name}",
    "dataset_matrices": _dataset,
    "dataset_request": _request,
    "target_quantiles": _target,
    "normalized_compendium": _compendium,
    "rnaseq_sample_compendium": _compendium,
    "gene_expression": lambda name, facts: (
        f"gene expression of {name}{_listed(str(facts.get('matrices', '')))}"
    ),
    "sample_quantifications": _samples,
    QUANTIFICATION: _sample,
    FILE: _file,
    "transcriptome_index": _transcripts,
    "platform_annotation": lambda name, _: f"probes and genes of {name}",
    "gene_index": lambda name, _: f"gene ids of {name}",
    "raw_files": lambda name, _: f"source files of {name}, as they came and were checked",
    "harmonized_metadata": lambda name, _: f"harmonized metadata of {name}",
    "experiment_record": lambda name, facts: f"what {facts.get('source', 'its source')} says of {name}",
}
# What the title has told of each asset's facts.
_TOLD: Mapping[str, tuple[str, ...]] = {
    "dataset_matrices": ("number", "matrices", "samples"),
    "dataset_request": ("samples", "experiments"),
    "target_quantiles": ("genes", "samples", "platform", "technology"),
    "normalized_compendium": ("genes", "samples"),
    "rnaseq_sample_compendium": ("genes", "samples"),
    "gene_expression": ("matrices",),
    "sample_quantifications": ("processed", "not_processed"),
    QUANTIFICATION: ("processor", "processor_version"),
    FILE: ("name",),
    "transcriptome_index": ("release", "assembly", "division"),
    "experiment_record": ("source",),
}
_PHRASES: Mapping[str, str] = {
    "origin": "from",
    "source": "from",
    "url": "see",
    "member": "in the archive as",
    "salmon_version": "indexed by Salmon",
    "aggregate_by": "one matrix by",
    "scale_by": "genes scaled:",
    "quantile_normalize": "quantile normalized:",
    "experiment": "in",
    "filtered": "samples left out:",
    "md5": "MD5",
    "size": "bytes:",
}
