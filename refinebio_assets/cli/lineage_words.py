"""What a thing on a lineage's way is called, and what is said of it, in words that a biologist reads.

The asset's own name, by which Dagster's UI lists it, stands in the last line of each.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

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
    lines = [line for key, value in said.items() if (line := _said(key, value))]
    if lines:
        yield ", ".join(lines)
    if command:
        yield without_folders(str(command))
    yield made(thing, facts)


def without_folders(command: str) -> str:
    """Return a command line with files by their names alone, as the folders are those of its run."""
    return _FOLDERS.sub("", command)


def plural(asset: str, count: int) -> str:
    """Return so many more things of an asset, in words."""
    noun = _NOUNS.get(asset)
    return f"{count:,} more {noun if count == 1 else f'{noun}s'}" if noun else f"{count:,} more of {asset}"


def _said(key: str, value: Any) -> str:
    """Return one fact in words; empty where it says nothing."""
    if key in _SENTENCES:
        return _SENTENCES[key](value)
    if isinstance(value, int) and not isinstance(value, bool):
        noun = key.replace("_", " ")
        return f"{value:,} {noun.removesuffix('s') if value == 1 else noun}"
    return f"{_PHRASES.get(key, key.replace('_', ' '))} {cell(value)}"


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
    return f"normalized compendium of {_organism(name)}" + _listed(
        _count(facts, "genes", "gene"), _count(facts, "samples", "sample")
    )


def _sample_compendium(name: str, facts: Facts) -> str:
    return f"quant.sf files of the RNA-seq samples of {_organism(name)}, in a zip" + _listed(
        _count(facts, "samples", "sample")
    )


def _record(name: str, facts: Facts) -> str:
    source = str(facts.get("source", "its source"))
    return f"what {_SOURCES.get(source, source)} says of {name}"


_TITLES: Mapping[str, Callable[[str, Facts], str]] = {
    "dataset_bundle": lambda name, _: f"the zip of dataset {name}",
    "dataset_matrices": _dataset,
    "dataset_request": _request,
    "target_quantiles": _target,
    "normalized_compendium": _compendium,
    "rnaseq_sample_compendium": _sample_compendium,
    "compendium_bundle": lambda name, _: f"the zip of the normalized compendium of {_organism(name)}",
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
    "experiment_record": _record,
    "experiment_registration": lambda name, _: f"{name} as it was registered to be processed",
    "transcriptome_registration": lambda name, _: f"the choice of files for {_organism(name)}",
    "platform_registration": lambda name, _: f"the choice of files for {name}",
    "gene_index_registration": lambda name, _: f"the choice of a table for {name}",
    "target_registration": lambda name, _: f"the choice of what the target of {_organism(name)} is made of",
    "metadata_corrections": lambda name, _: f"corrections of metadata, imported as {name}",
    "sample_attributes": lambda name, _: f"attributes of samples, by {name}",
}
_SOURCES = {"ARRAY_EXPRESS": "ArrayExpress"}
_NOUNS = {
    QUANTIFICATION: "sample",
    FILE: "file",
    "gene_expression": "experiment's gene expression",
    "dataset_matrices": "dataset",
    "raw_files": "experiment's source files",
}
_ONE_MATRIX = {
    "EXPERIMENT": "one matrix an experiment",
    "SPECIES": "one matrix a species",
    "ALL": "one matrix of all",
}
# Facts that are more than a word and a value.
_SENTENCES: Mapping[str, Callable[[Any], str]] = {
    "mapping_rate": lambda value: f"{value:.1%} of its fragments map",
    "aggregate_by": lambda value: _ONE_MATRIX.get(value, f"one matrix by {value}"),
    "scale_by": lambda value: "genes as they are" if value == "NONE" else f"genes scaled: {value.lower()}",
    "quantile_normalize": lambda value: "quantile normalized" if value else "not quantile normalized",
    "filtered": lambda value: f"{counted(value, 'sample')} left out" if value else "",
    "other_places": lambda value: f"also from {counted(value, 'other place')}" if value else "",
    "size": lambda value: counted(value, "byte"),
    "title": lambda value: f'"{value}"',
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
    "experiment": "in",
    "md5": "MD5",
    "role": "used as",
}
