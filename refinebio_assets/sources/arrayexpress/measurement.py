"""How a sample was measured: on an array or by sequencing, on which platform, and why it is not processed.

Reads that ArrayExpress describes are kept at ENA, and processed from there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from refinebio_assets.domain import FileRole, Platform, SourceFile, Technology, distinct
from refinebio_assets.platforms.array_design import platform_of_array_designs
from refinebio_assets.platforms.sequencers import find_sequencer
from refinebio_assets.sources.arrayexpress.biostudies import Study
from refinebio_assets.sources.arrayexpress.files import OfferedFiles, files_of_sample, named_files
from refinebio_assets.sources.arrayexpress.mage_tab import SdrfRow

_DESIGN = "arraydesignref"
_LABEL = "label"
_RUN = "comment[ena_run]"
_STRATEGY = "comment[library_strategy]"
_INSTRUMENT = ("comment[instrument_model]", "comment[platform_title]")
_OF_RNA = re.compile(r"RNA|EST|OTHER", re.IGNORECASE)
_BOTH_DYES = {"cy3", "cy5"}


@dataclass(frozen=True, slots=True)
class ExperimentFacts:
    """What a sample needs to know of its experiment.

    ``array_designs`` are all that are named for it, ``read_archives`` where its reads are (studies of ENA,
    else the series of GEO), ``two_color_files`` the raw files that hold both dyes.
    """

    accession: str
    study: Study | None
    array_designs: tuple[str, ...]
    read_archives: tuple[str, ...]
    two_color_files: frozenset[str]


@dataclass(frozen=True, slots=True)
class Measurement:
    """One sample's measurement; ``main_file`` is the name of the file it is told apart by, or empty."""

    technology: Technology
    platform: Platform
    files: tuple[SourceFile, ...] = ()
    has_raw: bool = True
    excluded: str = ""
    main_file: str = ""


def array_designs(rows: Iterable[SdrfRow]) -> list[str]:
    """Return the accessions of the array designs that rows name, each once."""
    return distinct(design for row in rows for design in row.values(_DESIGN))


def run_of(row: SdrfRow) -> str:
    """Return the accession of the sequencing run that a row names, or an empty text."""
    return row.first(_RUN)


def is_sequenced(rows: Sequence[SdrfRow]) -> bool:
    """Tell whether rows are of a sequenced sample: they name no array, and a run or its library."""
    told = any(row.first(_RUN, _STRATEGY) or "sequencing" in row.first("technologytype") for row in rows)
    return told and not array_designs(rows)


def two_color_files(rows: Iterable[SdrfRow]) -> frozenset[str]:
    """Return the raw files that rows with both dyes name, though they may name different assays."""
    dyes: dict[str, set[str]] = {}
    for row in rows:
        for file in named_files(row):
            if not file.derived:
                dyes.setdefault(file.name, set()).update(_labels([row]))
    return frozenset(name for name, labels in dyes.items() if labels >= _BOTH_DYES)


def measured_by_sequencing(rows: Sequence[SdrfRow], facts: ExperimentFacts) -> Measurement:
    """Return the measurement of a sequenced sample, which says where its reads are instead.

    No file is taken: what ArrayExpress has of such a sample are the submitter's tables.
    """
    instrument = next((text for row in rows if (text := row.first(*_INSTRUMENT))), "")
    platform = find_sequencer(instrument) or Platform(source_accession=instrument)
    strategy = next((text for row in rows if (text := row.first(_STRATEGY))), "")
    if strategy and not _OF_RNA.search(strategy):
        excluded = f"It was sequenced, but not its RNA: its library is {strategy}."
        return Measurement(Technology.UNKNOWN, platform, excluded=excluded)
    return Measurement(Technology.RNA_SEQ, platform, excluded=_why_at_ena(rows, facts))


def measured_on_array(rows: Sequence[SdrfRow], facts: ExperimentFacts) -> Measurement | str:
    """Return the measurement of a sample on an array, or why there is none.

    The array is the sample's own, or the experiment's where its rows name none. A sample that was measured
    against another one on a two-color array is excluded.
    """
    platform, technology = platform_of_array_designs(array_designs(rows) or facts.array_designs)
    offered = files_of_sample(rows, facts.accession, facts.study, platform.manufacturer)
    if not offered.named:
        return "its row names no data file"
    if not offered.offered:
        return f"ArrayExpress does not offer {' or '.join(offered.named)}, which its row names"
    return Measurement(
        technology=technology,
        platform=platform,
        files=offered.files,
        has_raw=offered.has_raw,
        excluded=_why_not_processed(rows, facts, offered),
        main_file=offered.offered[0].rsplit("/", 1)[-1],
    )


def _why_not_processed(rows: Sequence[SdrfRow], facts: ExperimentFacts, offered: OfferedFiles) -> str:
    if any(file.role == FileRole.CEL for file in offered.files):
        return ""
    if len(_labels(rows)) > 1 or not facts.two_color_files.isdisjoint(offered.named):
        return "Two-color arrays are not processed."
    if not offered.files:
        return f"None of its files is of a kind that a pipeline reads: {', '.join(offered.offered)}."
    return ""


def _why_at_ena(rows: Sequence[SdrfRow], facts: ExperimentFacts) -> str:
    runs = distinct(run for row in rows if (run := run_of(row)))
    instead = " or ".join(facts.read_archives or runs)
    if not instead:
        return "It is an RNA-seq sample, and its record does not say where at ENA its reads are."
    where = f"at ENA ({', '.join(runs)})" if runs else "at ENA"
    return f"Its reads are {where}, not at ArrayExpress: process {instead} instead."


def _labels(rows: Iterable[SdrfRow]) -> set[str]:
    return {label.lower() for row in rows for label in row.values(_LABEL)}
