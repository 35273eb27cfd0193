"""How a sample was measured: on an array or by sequencing, on which platform, with which files.

Whether it can be processed is decided in ``platforms/pipeline_choice``, from what is told here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from refinebio_assets.domain import Metadata, Platform, SourceFile, Technology, distinct
from refinebio_assets.platforms.array_design import platform_of_array_designs
from refinebio_assets.platforms.sequencers import find_sequencer
from refinebio_assets.platforms.sra_rules import is_of_rna
from refinebio_assets.sources.arrayexpress.biostudies import Study
from refinebio_assets.sources.arrayexpress.files import files_of_sample, named_files
from refinebio_assets.sources.arrayexpress.mage_tab import SdrfRow

_DESIGN = "arraydesignref"
_LABEL = "label"
_RUN = "comment[ena_run]"
_STRATEGY = "comment[library_strategy]"
_BOTH_DYES = {"cy3", "cy5"}
_INSTRUMENT = ("comment[instrument_model]", "comment[platform_title]")


@dataclass(frozen=True, slots=True)
class ExperimentFacts:
    """What a sample needs to know of its experiment.

    ``array_designs`` are all that are named for it, ``reads_at`` what is said of where its reads are, and
    ``two_color_files`` the labels of each raw file that holds both dyes, as (header, cell).
    """

    accession: str
    study: Study | None
    array_designs: tuple[str, ...]
    reads_at: Metadata
    two_color_files: Mapping[str, Metadata]


@dataclass(frozen=True, slots=True)
class Measurement:
    """One sample's measurement; ``main_file`` is the name of the file it is told apart by, or empty.

    ``told_elsewhere`` is what other rows, or the experiment, say of how it was measured.
    """

    technology: Technology
    platform: Platform
    files: tuple[SourceFile, ...] = ()
    has_raw: bool = True
    told_elsewhere: Metadata = ()
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


def two_color_files(rows: Iterable[SdrfRow]) -> dict[str, Metadata]:
    """Return the raw files whose rows have both dyes, with their labels; each dye may have its own assay."""
    labels: dict[str, dict[tuple[str, str], None]] = {}
    for row in rows:
        for file in named_files(row):
            if not file.derived:
                labels.setdefault(file.name, {}).update(dict.fromkeys(_labels(row)))
    return {
        name: tuple(of_file)
        for name, of_file in labels.items()
        if {label.strip().lower() for _, label in of_file} >= _BOTH_DYES
    }


def measured_by_sequencing(rows: Sequence[SdrfRow], facts: ExperimentFacts) -> Measurement:
    """Return the measurement of a sequenced sample, with what the experiment says of where its reads are.

    They are at ENA. No file is taken: what ArrayExpress has of such a sample are the submitter's tables. The
    technology is unknown when something else than RNA was sequenced.
    """
    instrument = next((text for row in rows if (text := row.first(*_INSTRUMENT))), "")
    platform = find_sequencer(instrument) or Platform(source_accession=instrument)
    strategy = next((text for row in rows if (text := row.first(_STRATEGY))), "")
    technology = Technology.RNA_SEQ if is_of_rna(strategy) else Technology.UNKNOWN
    return Measurement(technology, platform, told_elsewhere=facts.reads_at)


def measured_on_array(rows: Sequence[SdrfRow], facts: ExperimentFacts) -> Measurement | str:
    """Return the measurement of a sample on an array, or why there is none.

    The array is the sample's own, or the experiment's where its rows name none. Of a sample that was
    measured against another one on a two-color array the other's label is told as well.
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
        told_elsewhere=tuple(pair for name in offered.named for pair in facts.two_color_files.get(name, ())),
        main_file=offered.offered[0].rsplit("/", 1)[-1],
    )


def _labels(row: SdrfRow) -> Metadata:
    cells = zip(row.names, row.pairs, strict=True)
    return tuple(pair for name, pair in cells if name == _LABEL and pair[1].strip())
