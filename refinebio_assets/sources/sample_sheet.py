"""Sample sheets: experiments that a user describes in one table, with files of their own.

One row is one sample. The columns named in ``COLUMNS`` are understood; every other column is metadata of
the submitter and kept as it is. Whether the files exist is found out when they are fetched, so that one
missing file fails one sample; everything else that is wrong with a sheet is told at once.
"""

from __future__ import annotations

import difflib
import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from refinebio_assets.domain import (
    Experiment,
    FileRole,
    Manufacturer,
    Platform,
    Sample,
    SourceFile,
    Technology,
    accession_problem,
    distinct,
    organism_name,
)
from refinebio_assets.errors import RequestError
from refinebio_assets.sources.delimited_text import read_delimited_text

SOURCE = "sample_sheet"

REQUIRED = ("experiment", "sample", "organism")
EXPERIMENT_COLUMNS = ("experiment_title", "experiment_description")
FILE_ROLES = (
    *(FileRole.FASTQ_1, FileRole.FASTQ_2, FileRole.QUANT_SF, FileRole.GENE_MAP, FileRole.CEL),
    *(FileRole.BEADARRAY, FileRole.PROCESSED),
)
FILE_COLUMNS = tuple(role.value for role in FILE_ROLES)
TABLE_COLUMN = "table_column"
"""What the sample's column is headed in a table of several; kept as metadata, by which columns are found."""
COLUMNS = (*REQUIRED, "technology", "platform", *FILE_COLUMNS, TABLE_COLUMN, *EXPERIMENT_COLUMNS)
"""The columns that are understood, in any case and with blanks or dashes for underscores."""

# How people and archives name these columns; for advice only, never taken for the column itself.
_OTHER_NAMES = {
    "experiment": "experiment_accession experiment_id study study_accession study_id series project",
    "sample": "sample_accession sample_id sample_name run run_accession id name",
    "organism": "species scientific_name organism_name taxon taxon_name",
    "fastq_1": "fastq1 fastq fastq_r1 r1 read1 read_1 reads fq1 fq_1 fq mate1 mates1 file1 fastq_file",
    "fastq_2": "fastq2 fastq_r2 r2 read2 read_2 fq2 fq_2 mate2 mates2 file2",
    "quant_sf": "quant quant.sf quantsf salmon salmon_quant",
    "gene_map": "tx2gene t2g genemap gene_mapping genes_to_transcripts",
    "cel": "cel_file celfile cel_path",
    "beadarray": "non_normalized nonnormalized raw_table bead_array beadstudio intensities",
    "processed": "processed_table series_matrix values normalized processed_file",
}

_TECHNOLOGIES = {"rnaseq": Technology.RNA_SEQ, "microarray": Technology.MICROARRAY}
_MEASURED_BY = {
    FileRole.FASTQ_1: Technology.RNA_SEQ,
    FileRole.QUANT_SF: Technology.RNA_SEQ,
    FileRole.CEL: Technology.MICROARRAY,
    FileRole.BEADARRAY: Technology.MICROARRAY,
    FileRole.PROCESSED: Technology.MICROARRAY,
}
_COMPANION_OF = {FileRole.FASTQ_2: FileRole.FASTQ_1, FileRole.GENE_MAP: FileRole.QUANT_SF}
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*(://|::)")


@dataclass(frozen=True, slots=True)
class _Row:
    """One row as written: ``known`` has every understood column, stripped, empty where there is none."""

    line: int
    known: dict[str, str]
    metadata: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Entry:
    """One row that makes sense by itself."""

    row: _Row
    sample: Sample

    @property
    def experiment(self) -> str:
        return self.row.known["experiment"]


def read_sample_sheet(path: Path) -> list[Experiment]:
    """Read a CSV or TSV file of samples; experiments and samples keep the order of the sheet.

    The delimiter (comma, tab or semicolon) is found out from the header. UTF-8 with or without BOM and
    UTF-16 with BOM are read. Relative paths are relative to the sheet; locations are absolute afterwards;
    URLs stay as they are. Empty metadata values are not stored.

    Raises NotFoundError when there is no such file, RequestError naming every problem with its line.
    """
    about = f"sample sheet {path}"
    header, records = read_delimited_text(path, about=about, understood=lambda name: _column(name) in COLUMNS)
    if not records:
        raise RequestError("has a header but no samples", about=about)
    columns = [_column(name) for name in header]
    problems = _header_problems(header, columns) + _width_problems(len(header), records)
    if problems:
        raise RequestError(problems, about=about)
    rows = [_row(line, header, columns, cells) for line, cells in records]
    read = [_read_row(row, path.absolute().parent) for row in rows]
    entries = [entry for entry, _ in read if entry is not None]
    problems = [problem for _, row_problems in read for problem in row_problems]
    problems += _repeated_samples(entries) + _contradicting_titles(entries)
    if problems:
        raise RequestError(problems, about=about)
    return _experiments(entries)


def _column(name: str) -> str:
    return re.sub(r"[\s_-]+", "_", name.strip()).casefold()


def _header_problems(header: Sequence[str], columns: Sequence[str]) -> list[str]:
    unnamed = [number for number, name in enumerate(header, start=1) if not name.strip()]
    problems = [f"column {number} has no name" for number in unnamed]
    # A column that is understood counts in any spelling; metadata names are taken as they are.
    names = [
        column if column in COLUMNS else name.strip() for name, column in zip(header, columns, strict=True)
    ]
    problems += [
        f"the column {name!r} is there {count} times"
        for name, count in Counter(filter(None, names)).items()
        if count > 1
    ]
    problems += [
        f"there is no column {name!r}{_advice([name], header, columns)}"
        for name in REQUIRED
        if name not in columns
    ]
    mains = [role.value for role in _MEASURED_BY]
    if not set(mains) & set(columns):
        problems.append(f"there is no column of files: {', '.join(mains)}{_advice(mains, header, columns)}")
    return problems + [
        f"the column {other!r} is not understood: did you mean {name!r}?"
        for name in (role.value for role in _COMPANION_OF)
        if name not in columns
        for other in _like(name, header, columns)
    ]


def _advice(wanted: Iterable[str], header: Sequence[str], columns: Sequence[str]) -> str:
    likely = distinct(other for name in wanted for other in _like(name, header, columns))
    return f"; did you mean {' or '.join(map(repr, likely))}?" if likely else ""


def _like(wanted: str, header: Sequence[str], columns: Sequence[str]) -> list[str]:
    """Name the columns that may be a near miss of the wanted one."""
    others = _OTHER_NAMES[wanted].split()
    return [
        name.strip()
        for name, column in zip(header, columns, strict=True)
        if column not in COLUMNS
        and (column in others or difflib.get_close_matches(column, [wanted], cutoff=0.8))
    ]


def _width_problems(width: int, records: Iterable[tuple[int, list[str]]]) -> list[str]:
    return [
        f"line {line:,}: has {len(cells)} fields, the header {width}"
        for line, cells in records
        if len(cells) != width
    ]


def _row(line: int, header: Sequence[str], columns: Sequence[str], cells: Sequence[str]) -> _Row:
    known = dict.fromkeys(COLUMNS, "")
    metadata = {}
    for name, column, cell in zip(header, columns, cells, strict=True):
        if column in COLUMNS:
            known[column] = cell.strip()
        elif cell.strip():
            metadata[name] = cell
    return _Row(line, known, metadata)


def _read_row(row: _Row, folder: Path) -> tuple[_Entry | None, list[str]]:
    """Make a sample of one row, or say everything that is wrong with it."""
    organism = organism_name(row.known["organism"])
    names = {**row.known, "organism": organism}
    problems = [
        f"the {name} {names[name]!r} {problem}" if names[name] else f"the {name} is empty"
        for name in REQUIRED
        if (problem := accession_problem(names[name]))
    ]
    files, file_problems = _files(row.known, folder)
    technology, technology_problems = _technology(row.known["technology"], files)
    problems += file_problems + technology_problems + _column_problems(row.known, files)
    if problems or technology is None:
        return None, [f"line {row.line:,}: {problem}" for problem in problems]
    sample = Sample(
        accession=row.known["sample"],
        organism=organism,
        technology=technology,
        platform=_platform(row.known["platform"], files),
        files=files,
        metadata=tuple(sorted((row.metadata | _table_column(row.known)).items())),
        title=row.metadata.get("title", ""),
    )
    return _Entry(row, sample), []


def _files(known: dict[str, str], folder: Path) -> tuple[tuple[SourceFile, ...], list[str]]:
    given = [role for role in FILE_ROLES if known[role.value]]
    problems = []
    mains = [role.value for role in given if role in _MEASURED_BY]
    if not mains:
        names = [role.value for role in _MEASURED_BY]
        problems.append(f"there is no file: {', '.join(names[:-1])} or {names[-1]}")
    elif len(mains) > 1:
        problems.append(f"{' and '.join(mains)} exclude each other")
    problems += [
        f"there is a {role.value} but no {_COMPANION_OF[role].value}"
        for role in given
        if role in _COMPANION_OF and _COMPANION_OF[role] not in given
    ]
    files = []
    for role in given:
        try:
            files.append(SourceFile(role, _location(known[role.value], folder)))
        except (RuntimeError, ValueError) as error:
            problems.append(f"the {role.value} {known[role.value]!r} cannot be located: {error}")
    first_use = {file.location: file.role for file in reversed(files)}
    problems += [
        f"{first_use[file.location].value} and {file.role.value} are the same file"
        for file in files
        if first_use[file.location] != file.role
    ]
    return tuple(files), problems


def _table_column(known: dict[str, str]) -> dict[str, str]:
    return {TABLE_COLUMN: known[TABLE_COLUMN]} if known[TABLE_COLUMN] else {}


def _column_problems(known: dict[str, str], files: Iterable[SourceFile]) -> list[str]:
    tables = (FileRole.BEADARRAY, FileRole.PROCESSED)
    if not known[TABLE_COLUMN] or any(file.role in tables for file in files):
        return []
    return [f"there is a {TABLE_COLUMN} but neither a beadarray nor a processed table"]


def _platform(name: str, files: Iterable[SourceFile]) -> Platform:
    """Return the platform as it is named; who lists a BeadArray table says whose array it is."""
    if any(file.role == FileRole.BEADARRAY for file in files):
        return Platform(name=name, manufacturer=Manufacturer.ILLUMINA)
    return Platform(name=name)


def _location(text: str, folder: Path) -> str:
    """Return a URL as it is and a path as absolute, without touching the file system."""
    if _URL.match(text):
        return text
    return os.path.normpath(folder / Path(text).expanduser())


def _technology(text: str, files: Iterable[SourceFile]) -> tuple[Technology | None, list[str]]:
    """Tell the technology by its column or by the files, and whether they contradict each other."""
    told_by_files = {_MEASURED_BY[file.role]: file.role for file in files if file.role in _MEASURED_BY}
    if not text:
        return next(iter(told_by_files), None), []
    technology = _TECHNOLOGIES.get(re.sub(r"[\s_-]", "", text).casefold())
    if technology is None:
        return None, [f"the technology {text!r} is neither RNA-SEQ nor MICROARRAY"]
    return technology, [
        f"the technology is {technology.value}, but {role.value} holds {told.value}"
        for told, role in told_by_files.items()
        if told != technology
    ]


def _repeated_samples(entries: Sequence[_Entry]) -> list[str]:
    """Find samples that are twice in an experiment, or not the same in two experiments."""
    problems = []
    in_experiment: dict[tuple[str, str], _Entry] = {}
    anywhere: dict[str, _Entry] = {}
    for entry in entries:
        line, name = entry.row.line, entry.sample.accession
        twin = in_experiment.setdefault((entry.experiment, name), entry)
        other = anywhere.setdefault(name, entry)
        if twin is not entry:
            problems.append(
                f"line {line:,}: the sample {name!r} of {entry.experiment!r} is on line {twin.row.line:,} too"
            )
        elif other.sample != entry.sample:
            problems.append(
                f"line {line:,}: the sample {name!r} differs from line {other.row.line:,} "
                f"in {_difference(entry, other)}"
            )
    return problems


def _contradicting_titles(entries: Sequence[_Entry]) -> list[str]:
    """Find experiments whose rows, as far as they say anything, give two titles or descriptions."""
    problems = []
    first: dict[tuple[str, str], _Entry] = {}
    for entry in entries:
        for column in EXPERIMENT_COLUMNS:
            if not entry.row.known[column]:
                continue
            other = first.setdefault((entry.experiment, column), entry)
            if other.row.known[column] != entry.row.known[column]:
                problems.append(
                    f"line {entry.row.line:,}: the {column} of {entry.experiment!r} "
                    f"differs from line {other.row.line:,}"
                )
    return problems


def _difference(entry: _Entry, other: _Entry) -> str:
    ours, theirs = ({**e.row.known, **e.row.metadata} for e in (entry, other))
    names = distinct([*ours, *theirs])
    ignored = {"experiment", *EXPERIMENT_COLUMNS}
    return ", ".join(name for name in names if name not in ignored and ours.get(name) != theirs.get(name))


def _experiments(entries: Sequence[_Entry]) -> list[Experiment]:
    by_experiment: dict[str, list[_Entry]] = {}
    for entry in entries:
        by_experiment.setdefault(entry.experiment, []).append(entry)
    return [_experiment(accession, own) for accession, own in by_experiment.items()]


def _experiment(accession: str, entries: Sequence[_Entry]) -> Experiment:
    title, description = (
        next((entry.row.known[column] for entry in entries if entry.row.known[column]), "")
        for column in EXPERIMENT_COLUMNS
    )
    return Experiment(accession, SOURCE, tuple(entry.sample for entry in entries), title, description)
