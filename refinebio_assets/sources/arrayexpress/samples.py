"""Which rows of an SDRF are one sample, and what they say of it; what is no sample, with the reason.

The rules are refine.bio's. Platforms and files are in ``measurement``, accessions in ``names``.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Sequence

from refinebio_assets.domain import DropKind, Dropped, Metadata, Protocol, Sample, organism_name
from refinebio_assets.sources.arrayexpress.files import raw_stems
from refinebio_assets.sources.arrayexpress.mage_tab import SdrfRow
from refinebio_assets.sources.arrayexpress.measurement import (
    ExperimentFacts,
    Measurement,
    is_sequenced,
    measured_by_sequencing,
    measured_on_array,
    run_of,
)
from refinebio_assets.sources.arrayexpress.names import distinct_accessions, sample_accession

STEP = "survey"
_SOURCE = "sourcename"
_TITLE = "comment[sample_title]"
_ASSAY = ("assayname", "hybridizationname")
_ORGANISM = "characteristics[organism]"
_OF_ONE_ARRAY = "arraydatafile"
_TERM = ("termsourceref", "termaccessionnumber")
_TAXON = re.compile(r"(?:NCBITaxon[_:#]*)?(\d+)", re.IGNORECASE)


def read_samples(
    rows: Sequence[SdrfRow], facts: ExperimentFacts, protocols: tuple[Protocol, ...]
) -> tuple[tuple[Sample, ...], tuple[Dropped, ...]]:
    """Return the samples of these rows, in the order in which they first appear, and what is none.

    Rows without an organism, and those of arrays without a file that ArrayExpress offers, are no samples.
    Each sample has all ``protocols``, as refine.bio has it; which were used is in its metadata, under
    ``Protocol REF``. Its metadata end with what the pipeline's choice needs and other rows or the experiment
    say: the other dye of its array, or where its reads are.
    """
    read: list[tuple[tuple[SdrfRow, ...], Measurement]] = []
    dropped: list[Dropped] = []
    for group in group_rows(rows):
        measured = _measured(group, facts)
        if isinstance(measured, Measurement):
            read.append((group, measured))
        else:
            dropped.append(_dropped(group, measured))
    accessions = distinct_accessions(
        [_candidate(group, facts.accession, measured.main_file) for group, measured in read]
    )
    samples = (
        _sample(accession, group, measured, protocols)
        for accession, (group, measured) in zip(accessions, read, strict=True)
    )
    return tuple(samples), tuple(dropped)


def group_rows(rows: Iterable[SdrfRow]) -> list[tuple[SdrfRow, ...]]:
    """Return the rows by sample: those with the same assay, the same raw data file and the same run.

    One array is one sample, whatever number of rows it has: for two dyes, pooled sources, both mates of a
    run. Rows that name no assay are one sample when they name the same file of one array; in a matrix of
    several samples their sources tell them apart. Rows that name nothing of this are each alone.
    """
    groups: dict[Hashable, list[SdrfRow]] = {}
    for row in rows:
        groups.setdefault(_key(row), []).append(row)
    return [tuple(group) for group in groups.values()]


def metadata_of_rows(rows: Sequence[SdrfRow]) -> Metadata:
    """Return all columns of the first row, then the cells of further rows that say something else.

    Headers and cells are as written; empty cells of further rows are left out.
    """
    pairs = list(rows[0].pairs)
    known = set(pairs)
    for row in rows[1:]:
        for header, cell in row.pairs:
            if cell.strip() and (header, cell) not in known:
                known.add((header, cell))
                pairs.append((header, cell))
    return tuple(pairs)


def _key(row: SdrfRow) -> Hashable:
    assay, run, stems = row.first(*_ASSAY), run_of(row), raw_stems(row)
    if not assay and not row.first(_OF_ONE_ARRAY):
        assay = row.first(_SOURCE)
    return (assay, run, stems) if assay or run or stems else (row.file, row.line)


def _measured(rows: tuple[SdrfRow, ...], facts: ExperimentFacts) -> Measurement | str:
    """Return how a sample was measured, or why these rows are none."""
    if not _first(rows, _ORGANISM):
        return "its row names no organism"
    return measured_by_sequencing(rows, facts) if is_sequenced(rows) else measured_on_array(rows, facts)


def _candidate(rows: tuple[SdrfRow, ...], experiment: str, main_file: str) -> tuple[str, str]:
    """Return the accession that the rule gives, and what marks this sample among those that share it."""
    source, assay = _first(rows, _SOURCE), _first(rows, *_ASSAY)
    mark = main_file.rpartition(".")[0] or main_file or run_of(rows[0])
    return sample_accession(experiment, source, assay, main_file), mark


def _sample(
    accession: str, rows: tuple[SdrfRow, ...], measured: Measurement, protocols: tuple[Protocol, ...]
) -> Sample:
    return Sample(
        accession=accession,
        organism=organism_name(_first(rows, _ORGANISM)),
        technology=measured.technology,
        platform=measured.platform,
        files=measured.files,
        metadata=_with_what_is_told_elsewhere(metadata_of_rows(rows), measured),
        title=_first(rows, _TITLE, _SOURCE),
        has_raw=measured.has_raw,
        taxonomy_id=_taxonomy_id(rows[0]),
        protocols=protocols,
    )


def _with_what_is_told_elsewhere(pairs: Metadata, measured: Measurement) -> Metadata:
    known = set(pairs)
    more = dict.fromkeys(pair for pair in measured.told_elsewhere if pair not in known)
    return (*pairs, *more)


def _first(rows: Iterable[SdrfRow], *names: str) -> str:
    return next((text for row in rows if (text := row.first(*names))), "")


def _dropped(rows: Sequence[SdrfRow], reason: str) -> Dropped:
    item = _first(rows, *_ASSAY, _SOURCE) or rows[0].place
    return Dropped(DropKind.SAMPLE, item, STEP, f"{reason} ({rows[0].place})")


def _taxonomy_id(row: SdrfRow) -> int | None:
    """Return NCBI's number from the ontology term right of the organism, None where there is none."""
    if _ORGANISM not in row.names:
        return None
    column = row.names.index(_ORGANISM) + 1
    for name, cell in zip(row.names[column:], row.cells[column:], strict=True):
        if name not in _TERM:
            return None
        match = _TAXON.fullmatch(cell.strip().rsplit("/", 1)[-1].rsplit("#", 1)[-1])
        if name == _TERM[-1]:
            return int(match[1]) if match else None
    return None
