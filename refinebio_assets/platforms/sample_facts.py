"""What the decision table asks of a sample: its files by use, and what its platform is.

No decision is made here; those are in ``pipeline_choice``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from refinebio_assets.domain import (
    FileRole,
    Manufacturer,
    Platform,
    Sample,
    SourceFile,
    Technology,
    distinct,
)
from refinebio_assets.platforms.microarrays import find_by_chip_type, find_microarray, is_supported
from refinebio_assets.platforms.readable import readable
from refinebio_assets.platforms.sra_rules import is_of_rna

Files = tuple[SourceFile, ...]

_BLANKS = re.compile(r"\s+")
_AT_SRA = re.compile(r"\b[SED]R[PRSX]\d+\b")
_STUDY = re.compile(r"\b[SED]RP\d+\b")
_PROJECT = re.compile(r"\bPRJ[A-Z]{2}\d+\b")
_OF_IMPORTED_SERIES = re.compile(r"E-GEOD-(\d+)-")
# ArrayExpress's archives of derived data, and GEO's MINiML family, whose tables are the submitter's values.
_NEVER_RAW = (".processed", "_family.xml")
# Keys of GEO (SOFT) and of ArrayExpress (SDRF and IDF), as ``_plain`` spells them.
_LABELS = ("label", "label_ch1", "label_ch2")
_RUNS = ("relation", "comment[ena_run]")
_STUDIES = ("series_relation", "comment[secondaryaccession]", "biostudieslink")
_LIBRARY = ("library_strategy", "comment[library_strategy]")
_NAMED_FILES = re.compile(r"supplementary_file(?:_\d+)?|(?:derived)?arraydata(?:matrix)?file")
_NO_FILE = "NONE"
_OWN_TABLE = re.compile(r"_family\.xml\.tgz$")


@dataclass(frozen=True, slots=True)
class SampleFacts:
    """One sample, with the questions that the decision table asks of it. Empty means: it has none."""

    sample: Sample

    @property
    def quantification(self) -> Files:
        """The quant.sf, with the gene map that belongs to it."""
        return self._files(FileRole.QUANT_SF, FileRole.GENE_MAP) if self._has(FileRole.QUANT_SF) else ()

    @property
    def cel(self) -> Files:
        """The first CEL file."""
        return self._files(FileRole.CEL)

    @property
    def reads(self) -> Files:
        """The FASTQ file or both mates', else the SRA run."""
        if self._has(FileRole.FASTQ_1):
            return self._files(FileRole.FASTQ_1, FileRole.FASTQ_2)
        return self._files(FileRole.SRA)

    @property
    def intensities(self) -> Files:
        """The table of non-normalized Illumina intensities."""
        return self._files(FileRole.BEADARRAY)

    @property
    def values(self) -> Files:
        """The table of the submitter's values; one called non-normalized when there is no other.

        GEO's own table of the sample comes first: its ids are the platform's, and any other file may hold
        anything.
        """
        tables = [file for file in self.sample.files if file.role == FileRole.PROCESSED]
        own = [file for file in tables if _OWN_TABLE.search(file.location)]
        return tuple((own or tables)[:1]) or self.intensities

    @property
    def archive(self) -> Files:
        """The first file whose members are not known."""
        return self._files(FileRole.ARCHIVE)

    @property
    def raw_archive(self) -> Files:
        """The archive, if the source calls the data raw and the archive's name does not deny it."""
        location = self.archive[0].location.lower() if self.archive else ""
        is_raw = self.sample.has_raw and not any(word in location for word in _NEVER_RAW)
        return self.archive if is_raw else ()

    @property
    def array(self) -> Platform | None:
        """The supported microarray, or None when the platform is another or unknown."""
        return find_microarray(self._platform_code) or find_by_chip_type(self._platform_code)

    @property
    def platform_is_supported(self) -> bool:
        """Tell whether the platform is a supported microarray or sequencer."""
        return is_supported(self._platform_code) or self.array is not None

    @property
    def platform_is_unknown(self) -> bool:
        """Tell whether the source leaves the platform open: names none, or several."""
        return not self._platform_code

    @property
    def array_is_ones_own(self) -> bool:
        """Tell whether a person names the array in words, if at all, and not the record of an archive."""
        platform = self.sample.platform
        return self.array is None and not (platform.accession or platform.source_accession)

    @property
    def sequencer_is_unlisted(self) -> bool:
        """Tell whether the source names a sequencer, and not a supported one; a sample sheet names none."""
        platform = self.sample.platform
        named = platform.accession or platform.source_accession
        return bool(named) and not self.platform_is_supported

    @property
    def is_rna_seq(self) -> bool:
        """Tell whether the source says that the sample's RNA was sequenced."""
        return self.sample.technology == Technology.RNA_SEQ

    @property
    def is_sequenced(self) -> bool:
        """Tell whether the source says so, of RNA or by GEO's type of sample."""
        return self.is_rna_seq or "SRA" in self._values("type")

    @property
    def may_be_sequenced(self) -> bool:
        """Tell whether the source leaves it open; GEO's unlisted sequencers have no known technology."""
        return self.is_sequenced or self.sample.technology != Technology.MICROARRAY

    @property
    def other_library(self) -> str:
        """The library strategy, if it is not one of RNA; empty when it is, or none is given."""
        return next((text for text in self._values(*_LIBRARY) if not is_of_rna(text)), "")

    @property
    def is_affymetrix(self) -> bool:
        """Tell whether it is a supported Affymetrix array."""
        return self.array is not None and self.array.manufacturer == Manufacturer.AFFYMETRIX

    @property
    def is_illumina(self) -> bool:
        """Tell whether it is a supported Illumina array."""
        return self.array is not None and self.array.manufacturer == Manufacturer.ILLUMINA

    @property
    def is_made_by_illumina(self) -> bool:
        """Tell whether the source says so of the platform, whichever it is."""
        return self.sample.platform.manufacturer == Manufacturer.ILLUMINA

    @property
    def is_agilent(self) -> bool:
        """Tell whether the array is Agilent's: GEO says so in its title, ArrayExpress in its accession."""
        platform = self.sample.platform
        named = "agilent" in platform.name.lower() or platform.accession.startswith("A-AGIL-")
        return named or platform.manufacturer == Manufacturer.AGILENT

    @property
    def is_two_color(self) -> bool:
        """Tell whether two channels were measured: GEO counts them, an SDRF names the label of each."""
        counts = [int(text) for text in self._values("channel_count") if text.isascii() and text.isdigit()]
        dyes = " ".join(self._values(*_LABELS)).lower()
        labels = {text.lower() for text in self._values("label")}
        return max(counts, default=1) > 1 or len(labels) > 1 or ("cy3" in dyes and "cy5" in dyes)

    @property
    def runs_at_sra(self) -> list[str]:
        """The accessions at SRA (runs, experiments, samples) that the sample's own record names."""
        return distinct(_AT_SRA.findall(" ".join(self._values(*_RUNS))))

    @property
    def where_its_reads_are(self) -> list[str]:
        """What can be processed instead of a sample without reads; empty when its source does not say.

        Studies of SRA that its experiment names, else projects, else the GEO series that ArrayExpress
        imported it from (``E-GEOD-123-GSM1`` -> ``GSE123``), else what its own record names.
        """
        said = " ".join(self._values(*_STUDIES))
        imported = [f"GSE{number}" for number in _OF_IMPORTED_SERIES.findall(self.sample.accession)]
        return distinct(_STUDY.findall(said) or _PROJECT.findall(said) or imported or self.runs_at_sra)

    @property
    def named_files(self) -> list[str]:
        """The names of all files that the record names, also of those that no pipeline reads."""
        cells = [value.strip() for key, value in self.sample.metadata if _NAMED_FILES.fullmatch(_plain(key))]
        return distinct(cell.rsplit("/", 1)[-1] for cell in cells if cell not in ("", _NO_FILE))

    def words(self) -> dict[str, str]:
        """Return what the reasons of the decision table may name."""
        platform = readable(self.sample.platform)
        roles = ", ".join(distinct(file.role for file in self.sample.files))
        candidates = self.sample.platform.source_accession
        named = ", ".join(self.named_files)
        return {
            "platform": platform or "an unknown platform",
            "excluded": self.sample.excluded.strip(),
            "library": self.other_library,
            "runs": f" ({', '.join(self.runs_at_sra)})" if self.runs_at_sra else "",
            "instead": " or ".join(self.where_its_reads_are),
            "named": f" that a pipeline reads; it names {named}" if named else "",
            "roles": f"only: {roles}" if roles else "no files",
            "candidates": f" (it names {candidates})" if candidates else "",
        }

    @property
    def _platform_code(self) -> str:
        """The accession; a sample sheet has only a name, which may be one."""
        return self.sample.platform.accession or self.sample.platform.name

    def _values(self, *keys: str) -> list[str]:
        """Return the stripped values of these keys (plain ones), without the empty ones."""
        found = (value.strip() for key, value in self.sample.metadata if _plain(key) in keys)
        return [value for value in found if value]

    def _has(self, role: FileRole) -> bool:
        return self.sample.file(role) is not None

    def _files(self, *roles: FileRole) -> Files:
        """Return the first file of each role, for roles that have one."""
        return tuple(file for role in roles if (file := self.sample.file(role)) is not None)


def _plain(key: str) -> str:
    """Return a key as it is compared: lower-case, without blanks, as MAGE-TAB compares its headers."""
    return _BLANKS.sub("", key).lower()
