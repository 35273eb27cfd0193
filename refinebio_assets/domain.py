"""The nouns of the field, as frozen values: experiments, samples, their files, and what was lost.

No input or output happens here, and nothing here knows about storage, tools or Dagster.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from shlex import quote


class Technology(StrEnum):
    """How expression was measured; ``UNKNOWN`` when the source does not let us tell."""

    RNA_SEQ = "RNA-SEQ"
    MICROARRAY = "MICROARRAY"
    UNKNOWN = "UNKNOWN"


class Manufacturer(StrEnum):
    """Who made the microarray or the sequencer."""

    AFFYMETRIX = "AFFYMETRIX"
    ILLUMINA = "ILLUMINA"
    AGILENT = "AGILENT"
    ION_TORRENT = "ION_TORRENT"
    UNKNOWN = "UNKNOWN"


class FileRole(StrEnum):
    """What a source file is for.

    ``sra`` is a run in NCBI's own format, ``beadarray`` a table of non-normalized Illumina intensities,
    ``processed`` a table of the submitter's own values, ``archive`` a file whose members are not known
    before it is unpacked.
    """

    FASTQ_1 = "fastq_1"
    FASTQ_2 = "fastq_2"
    QUANT_SF = "quant_sf"
    GENE_MAP = "gene_map"
    CEL = "cel"
    SRA = "sra"
    BEADARRAY = "beadarray"
    PROCESSED = "processed"
    ARCHIVE = "archive"


class Pipeline(StrEnum):
    """How a sample is turned into gene expression, or that it is not."""

    AFFYMETRIX_SCAN = "Affymetrix SCAN"
    ILLUMINA_SCAN = "Illumina SCAN"
    SALMON = "Salmon"
    TXIMPORT = "tximport"
    SUBMITTER_PROCESSED = "submitter-processed"
    NONE = "none"


class Processing(StrEnum):
    """Who made expression values from the measurement: we, from raw data, or the submitter."""

    FROM_RAW = "from raw"
    SUBMITTER_PROCESSED = "submitter-processed"


class AggregateBy(StrEnum):
    """What one matrix of a dataset holds: an experiment, an organism, or everything."""

    EXPERIMENT = "EXPERIMENT"
    SPECIES = "SPECIES"
    ALL = "ALL"


class ScaleBy(StrEnum):
    """How each gene of a dataset's matrix is transformed over the samples, after normalization."""

    NONE = "NONE"
    MINMAX = "MINMAX"
    STANDARD = "STANDARD"
    ROBUST = "ROBUST"


class Verdict(StrEnum):
    """What became of one sample in one processing step."""

    PROCESSED = "processed"
    FAILED = "failed"
    NOT_SUPPORTED = "not supported"


class DropKind(StrEnum):
    """What kind of thing was left out of a result."""

    SAMPLE = "sample"
    TRANSCRIPT = "transcript"
    PROBE = "probe"
    GENE = "gene"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file of a sample as its source names it: a role and a path or URL, not yet fetched.

    ``member`` is the file's path inside the archive at ``location``, empty when the file is not in one.
    ``size`` (bytes) and ``md5`` (lower-case hexadecimal) are what the source promises of the file at
    ``location``; None and empty when it promises nothing. ``columns`` names the columns of a table that has
    no header of its own, as far as the source tells them.
    """

    role: FileRole
    location: str
    member: str = ""
    size: int | None = None
    md5: str = ""
    columns: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The file's name, without folders and query."""
        path = self.member or self.location.split("?", 1)[0]
        return path.rstrip("/").rsplit("/", 1)[-1]


@dataclass(frozen=True, slots=True)
class Protocol:
    """One protocol as submitted; every field may be empty. ``reference`` is where it is published."""

    accession: str = ""
    kind: str = ""
    text: str = ""
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Publication:
    """The paper an experiment was published in; unknown fields are empty."""

    pubmed_id: str = ""
    doi: str = ""
    title: str = ""
    authors: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Tell whether anything is known of a publication."""
        return bool(self.pubmed_id or self.doi or self.title)


Metadata = tuple[tuple[str, str], ...]
"""What a submitter said, in the source's order and untouched: (key, value), a key may come again."""


@dataclass(frozen=True, slots=True)
class Platform:
    """A microarray or sequencer.

    ``accession`` is what refine.bio calls it (``hgu133a``, ``IlluminaHiSeq2000``), or the source's own
    accession when it knows no such platform; ``name`` is for people; ``source_accession`` is the archive's
    (``GPL96``). Unknown fields are empty.
    """

    accession: str = ""
    name: str = ""
    manufacturer: Manufacturer = Manufacturer.UNKNOWN
    source_accession: str = ""


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample as its source describes it.

    ``metadata`` is what the submitter said, untouched; ``files`` are all files that the source names for
    it, best first within a role. ``has_raw`` tells whether the source offers raw data. ``taxonomy_id`` is
    NCBI's. ``excluded`` says why the source's own rules or a blacklist keep it from being processed.
    """

    accession: str
    organism: str
    technology: Technology
    platform: Platform = Platform()
    files: tuple[SourceFile, ...] = ()
    metadata: Metadata = ()
    title: str = ""
    has_raw: bool = True
    taxonomy_id: int | None = None
    protocols: tuple[Protocol, ...] = ()
    excluded: str = ""

    def file(self, role: FileRole) -> SourceFile | None:
        """Return the sample's first file with this role, or None."""
        return next((file for file in self.files if file.role == role), None)


@dataclass(frozen=True, slots=True)
class Dropped:
    """One thing that did not make it into a result: what, at which step, and why."""

    kind: DropKind
    item: str
    step: str
    reason: str
    permanent: bool = True


@dataclass(frozen=True, slots=True)
class Experiment:
    """A set of samples that were submitted together.

    ``alternates`` are its accessions in other archives. ``published`` and ``updated`` are ISO 8601 dates
    (``2017-01-15``) or empty. ``metadata`` is the source's own record of it, untouched; ``left_out`` what
    the source names but could not be taken as a sample, with the reason.
    """

    accession: str
    source: str
    samples: tuple[Sample, ...]
    title: str = ""
    description: str = ""
    url: str = ""
    alternates: tuple[str, ...] = ()
    published: str = ""
    updated: str = ""
    institution: str = ""
    publication: Publication = Publication()
    protocols: tuple[Protocol, ...] = ()
    metadata: Metadata = ()
    left_out: tuple[Dropped, ...] = ()

    @property
    def organisms(self) -> list[str]:
        """The organisms of its samples, sorted, each once."""
        return sorted({sample.organism for sample in self.samples})

    @property
    def technologies(self) -> list[Technology]:
        """The technologies of its samples, sorted, each once."""
        return sorted({sample.technology for sample in self.samples})


_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_FORBIDDEN_IN_ACCESSION = '/\\,|"'
MAX_ACCESSION_LENGTH = 200


def accession_problem(text: str) -> str | None:
    """Say why ``text`` cannot name an experiment or sample, or return None when it can.

    Accessions become folder names, partition keys and column headers, so they are free of
    separators and control characters; letters of any script and inner blanks are fine.
    """
    bad = sorted({character for character in text if character in _FORBIDDEN_IN_ACCESSION})
    problems = {
        "is empty": not text.strip(),
        "starts or ends with white space": text != text.strip(),
        f"has {len(text)} characters, more than {MAX_ACCESSION_LENGTH}": len(text) > MAX_ACCESSION_LENGTH,
        "contains a control character": bool(_CONTROL.search(text)),
        f"contains {' '.join(bad)}": bool(bad),
        "may not be '.' or contain '..'": ".." in text or text == ".",
        "is the name of the gene column in expression matrices": text.casefold() == "gene",
    }
    return next((problem for problem, found in problems.items() if found), None)


def organism_name(text: str) -> str:
    """Return the form in which organisms are named everywhere: ``Homo sapiens`` -> ``HOMO_SAPIENS``."""
    return re.sub(r"[\s_]+", "_", text.strip()).upper()


def organism_title(name: str) -> str:
    """Return an organism's name as people write it: ``HOMO_SAPIENS`` -> ``Homo sapiens``."""
    return name.replace("_", " ").capitalize()


def distinct(values: Iterable[str]) -> list[str]:
    """Return the values in order of first appearance, each once."""
    return list(dict.fromkeys(values))


def some_of(names: Sequence[str], shown: int) -> str:
    """Return the first names for a sentence, and how many more there are: ``a, b and 3 more``."""
    more = f" and {len(names) - shown:,} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more


def first_lines(lines: Sequence[str], shown: int) -> list[str]:
    """Return the first lines of a list, and as one more line how many are left out: ``and 3 more``."""
    more = [f"and {len(lines) - shown:,} more"] if len(lines) > shown else []
    return [*lines[:shown], *more]


def as_argument(name: str) -> str:
    """Return a name as a shell and our commands take it as an argument: ``'my liver'``, ``-- -x``."""
    return f"-- {quote(name)}" if name.startswith("-") else quote(name)


def counted(count: int, noun: str) -> str:
    """Return a number with its noun: ``1 sample``, ``1,000 samples``; ``matrix`` has ``matrices``."""
    many = "matrices" if noun == "matrix" else f"{noun}s"
    return f"{count:,} {noun if count == 1 else many}"
