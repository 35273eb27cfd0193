"""The nouns of the field, as frozen values: experiments, samples, their files, and what was lost.

No input or output happens here, and nothing here knows about storage, tools or Dagster.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Technology(StrEnum):
    """How expression was measured."""

    RNA_SEQ = "RNA-SEQ"
    MICROARRAY = "MICROARRAY"


class FileRole(StrEnum):
    """What a source file is for; the values are the sample sheet's column names."""

    FASTQ_1 = "fastq_1"
    FASTQ_2 = "fastq_2"
    QUANT_SF = "quant_sf"
    GENE_MAP = "gene_map"
    CEL = "cel"


class Verdict(StrEnum):
    """What became of one sample in one processing step."""

    PROCESSED = "processed"
    FAILED = "failed"
    NOT_SUPPORTED = "not supported"


class DropKind(StrEnum):
    """What kind of thing was left out of a result."""

    SAMPLE = "sample"
    TRANSCRIPT = "transcript"


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file of a sample as its source names it: a role and a path or URL, not yet fetched."""

    role: FileRole
    location: str


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample as its source describes it.

    ``metadata`` is what the submitter said, untouched; ``files`` are in role order.
    """

    accession: str
    organism: str
    technology: Technology
    platform: str = ""
    files: tuple[SourceFile, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)

    def file(self, role: FileRole) -> SourceFile | None:
        """Return the sample's file with this role, or None."""
        return next((file for file in self.files if file.role == role), None)


@dataclass(frozen=True, slots=True)
class Experiment:
    """A set of samples that were submitted together."""

    accession: str
    source: str
    samples: tuple[Sample, ...]
    title: str = ""
    description: str = ""

    @property
    def organisms(self) -> list[str]:
        """The organisms of its samples, sorted, each once."""
        return sorted({sample.organism for sample in self.samples})

    @property
    def technologies(self) -> list[Technology]:
        """The technologies of its samples, sorted, each once."""
        return sorted({sample.technology for sample in self.samples})


@dataclass(frozen=True, slots=True)
class Dropped:
    """One thing that did not make it into a result: what, at which step, and why."""

    kind: DropKind
    item: str
    step: str
    reason: str
    permanent: bool = True


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
