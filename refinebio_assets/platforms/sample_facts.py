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
from refinebio_assets.platforms.microarrays import find_microarray, is_supported
from refinebio_assets.platforms.readable import readable

Files = tuple[SourceFile, ...]

_SRA_ACCESSION = re.compile(r"\b[SED]R[APRSX]\d+\b")
# ArrayExpress's archives of derived data, and GEO's MINiML family, whose tables are the submitter's values.
_NEVER_RAW = (".processed", "_family.xml")
_LABEL_KEYS = ("label", "label_ch1", "label_ch2")


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
        """The table of the submitter's values; one called non-normalized when there is no other."""
        return self._files(FileRole.PROCESSED) or self.intensities

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
        return find_microarray(self._platform_code)

    @property
    def platform_is_supported(self) -> bool:
        """Tell whether the platform is a supported microarray or sequencer."""
        return is_supported(self._platform_code)

    @property
    def platform_is_unknown(self) -> bool:
        """Tell whether the source leaves the platform open: names none, or several."""
        return not self._platform_code

    @property
    def sequencer_is_unlisted(self) -> bool:
        """Tell whether the source names a sequencer, and not a supported one; a sample sheet names none."""
        platform = self.sample.platform
        named = platform.accession or platform.source_accession
        return bool(named) and not self.platform_is_supported

    @property
    def is_rna_seq(self) -> bool:
        """Tell whether the source says that the sample was sequenced."""
        return self.sample.technology == Technology.RNA_SEQ

    @property
    def may_be_sequenced(self) -> bool:
        """Tell whether the source leaves it open; GEO's unlisted sequencers have no known technology."""
        return self.sample.technology != Technology.MICROARRAY

    @property
    def is_affymetrix(self) -> bool:
        """Tell whether it is a supported Affymetrix array."""
        return self.array is not None and self.array.manufacturer == Manufacturer.AFFYMETRIX

    @property
    def is_illumina(self) -> bool:
        """Tell whether it is a supported Illumina array."""
        return self.array is not None and self.array.manufacturer == Manufacturer.ILLUMINA

    @property
    def is_agilent(self) -> bool:
        """Tell whether the array is Agilent's: GEO says so in its title, ArrayExpress in its accession."""
        platform = self.sample.platform
        named = "agilent" in platform.name.lower() or platform.accession.startswith("A-AGIL-")
        return named or platform.manufacturer == Manufacturer.AGILENT

    @property
    def is_two_color(self) -> bool:
        """Tell whether two channels were measured: GEO counts them, an SDRF names both dyes."""
        pairs = [(key.strip().lower(), value.strip().lower()) for key, value in self.sample.metadata]
        dyes = " ".join(value for key, value in pairs if key in _LABEL_KEYS)
        return ("channel_count", "2") in pairs or ("cy3" in dyes and "cy5" in dyes)

    @property
    def runs_at_sra(self) -> str:
        """The SRA accessions that the record's relations name, separated by comma and blank."""
        relations = [value for key, value in self.sample.metadata if key.strip().lower() == "relation"]
        return ", ".join(distinct(_SRA_ACCESSION.findall(" ".join(relations))))

    def words(self) -> dict[str, str]:
        """Return what the reasons of the decision table may name."""
        platform = readable(self.sample.platform)
        roles = ", ".join(distinct(file.role for file in self.sample.files))
        candidates = self.sample.platform.source_accession
        return {
            "platform": platform or "an unknown platform",
            "excluded": self.sample.excluded.strip(),
            "runs": self.runs_at_sra,
            "roles": f"only: {roles}" if roles else "no files",
            "candidates": f" (it names {candidates})" if candidates else "",
        }

    @property
    def _platform_code(self) -> str:
        """The accession; a sample sheet has only a name, which may be one."""
        return self.sample.platform.accession or self.sample.platform.name

    def _has(self, role: FileRole) -> bool:
        return self.sample.file(role) is not None

    def _files(self, *roles: FileRole) -> Files:
        """Return the first file of each role, for roles that have one."""
        return tuple(file for role in roles if (file := self.sample.file(role)) is not None)
