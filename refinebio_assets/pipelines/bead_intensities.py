"""One table of non-normalized BeadArray intensities, ready for all its samples: read, detected, prepared.

A table holds the samples of a whole series. It is read and its platform found once; each sample is then a
quantification of its own. What keeps a table from SCAN is an *obstacle*, in words: its values are converted
as the submitter's own then.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from refinebio_assets.domain import some_of
from refinebio_assets.errors import PermanentError
from refinebio_assets.formats.beadarray import BeadArrayTable, Role, SampleNames, read_beadarray
from refinebio_assets.formats.illumina_annotation import string_array, take_texts
from refinebio_assets.lake.store import Lake, StoredFile
from refinebio_assets.methods.beadarray import (
    BeadDesign,
    BeadResult,
    ReportedProbes,
    Treatment,
    choose_treatment,
    match_probes,
    prepare_beads,
    reported_probes,
    scan_beads,
)
from refinebio_assets.methods.platform_detection import Detection, detect_platform
from refinebio_assets.pipelines.freshness import content_hash
from refinebio_assets.pipelines.kept import Kept
from refinebio_assets.pipelines.raw_file import RawFile
from refinebio_assets.pipelines.references.bead_annotation import BeadPlatform
from refinebio_assets.pipelines.references.bead_probes import BeadProbes

Matrix = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

TABLES_KEPT = 2
"""A table of 100 samples takes some 80 MB, three times that while it is read. Two may take turns."""
_SHOWN_COLUMNS = 5


@dataclass(frozen=True, slots=True)
class TableNames:
    """The names of all samples of an experiment that share a table, by which its columns are found.

    ``version`` is their hash, made once for all samples.
    """

    samples: tuple[SampleNames, ...]
    version: str

    @classmethod
    def of(cls, samples: Iterable[SampleNames]) -> TableNames:
        """Return the names with their version."""
        listed = tuple(samples)
        content = [[each.accession, each.title, *each.descriptions] for each in listed]
        return cls(listed, content_hash(content))


@dataclass(frozen=True, slots=True, eq=False)
class PreparedProbes:
    """The probes of a table that its platform knows, and what is done to their values.

    ``rows`` are theirs in the table, ``signals`` and ``p_values`` are probes x samples (NaN where missing).
    ``reported`` says which of them are published, ``probe_ids`` are the ids of those.
    """

    platform: BeadPlatform
    rows: Indices
    signals: Matrix
    p_values: Matrix
    design: BeadDesign
    treatment: Treatment
    reported: ReportedProbes
    probe_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class PreparedTable:
    """A table, the platform it is of, and its probes ready for SCAN, or (``probes`` None) the obstacle."""

    table: BeadArrayTable
    label: str
    detection: Detection
    probes: PreparedProbes | None
    obstacle: str = ""

    def place_of(self, accession: str) -> int:
        """Return a sample's column of ``table.values``; PermanentError, quoting the header, without one."""
        if accession in self.table.samples:
            return self.table.samples.index(accession)
        reason = next(each.reason for each in self.table.unmatched if each.accession == accession)
        headers = " | ".join(column.header for column in self.table.columns)
        raise PermanentError(f"{self.label}: {reason}; the header is {headers[:1000]!r}")

    def obstacle_of(self, place: int) -> str:
        """Say why a sample cannot be processed from its raw values; empty when it can."""
        if self.probes is None:
            return self.obstacle
        if self.probes.treatment.correct_background and self.table.detection[place] is None:
            return "its table has no detection p-values for it, from which the background is estimated"
        return ""

    def scan(self, place: int) -> tuple[BeadResult, PreparedProbes]:
        """Normalize one sample; raises what ``scan_beads`` raises."""
        probes = self.probes
        if probes is None:
            raise PermanentError(self.obstacle)
        signals, p_values = probes.signals[:, place], probes.p_values[:, place]
        return scan_beads(signals, p_values, probes.treatment, probes.design), probes

    def columns_of(self, accession: str) -> list[dict[str, Any]]:
        """Return the columns that a sample's values are from, probe ids and p-values too, and why."""
        return [
            {
                "position": column.index + 1,
                "header": column.header,
                "role": str(column.role),
                "reason": column.reason,
            }
            for column in self.table.columns
            if column.role == Role.PROBE_ID or column.sample == accession
        ]

    def notes(self) -> list[str]:
        """Return what was repaired or passed over when the table was read."""
        ignored = [column for column in self.table.columns if column.role == Role.IGNORED]
        shown = some_of([f"{column.header!r} ({column.reason})" for column in ignored], _SHOWN_COLUMNS)
        return [*self.table.notes, *([f"columns not used: {shown}"] if ignored else [])]


def detected_columns(detection: Detection) -> dict[str, Any]:
    """Return which platform was detected and how surely, as columns of ``results``."""
    return {
        "detected_platform": detection.platform,
        "detection_percentage": detection.detection_percentage,
        "mapped_percentage": detection.mapped_percentage,
    }


def detection_rows(detection: Detection) -> list[dict[str, Any]]:
    """Return how every candidate platform and a file overlap."""
    return [
        {
            "platform": each.platform,
            "probes": each.probes,
            "found": each.found,
            "detection_percentage": each.detection_percentage,
            "mapped_percentage": each.mapped_percentage,
            "detected": each.platform == detection.platform,
            "passed": each.platform == detection.platform and detection.passed,
        }
        for each in detection.candidates
    ]


def prepared_table(
    lake: Lake, file: RawFile, names: TableNames, candidates: Sequence[BeadPlatform]
) -> PreparedTable:
    """Return a table ready for its samples; the last is kept in memory, by content and annotations.

    Raises PermanentError for a table that cannot be read or has no column for any sample, each time.
    """
    stored = file.stored
    if stored is None:
        raise PermanentError("there is no table of intensities in the lake")
    versions = [(platform.name, platform.version) for platform in candidates]
    key = (lake.url, stored.sha256, names.version, tuple(versions))
    prepared = _tables.get(key, lambda: _prepare_or_fail(lake, stored, file.label, names.samples, candidates))
    if isinstance(prepared, PermanentError):
        raise prepared
    return prepared


_tables: Kept[PreparedTable | PermanentError] = Kept(TABLES_KEPT)


def _prepare_or_fail(
    lake: Lake,
    stored: StoredFile,
    label: str,
    names: Sequence[SampleNames],
    candidates: Sequence[BeadPlatform],
) -> PreparedTable | PermanentError:
    """Prepare a table; what is wrong with it is kept, too, as each of its samples asks."""
    try:
        return _prepare(lake, read_beadarray(lake.local(stored), names, label=label), label, candidates)
    except PermanentError as error:
        return error


def _prepare(
    lake: Lake, table: BeadArrayTable, label: str, candidates: Sequence[BeadPlatform]
) -> PreparedTable:
    ids = string_array(table.probe_ids)
    annotations = {platform.name: platform.annotation(lake) for platform in candidates}
    detection = detect_platform(ids, {name: known.listed_ids() for name, known in annotations.items()})
    if not detection.passed or detection.platform is None:
        return PreparedTable(table, label, detection, None, detection.summary)
    platform = next(each for each in candidates if each.name == detection.platform)
    try:
        probes = _prepare_probes(table, ids, platform, annotations[platform.name])
    except PermanentError as error:
        return PreparedTable(table, label, detection, None, str(error))
    return PreparedTable(table, label, detection, probes)


def _prepare_probes(
    table: BeadArrayTable, ids: pa.StringArray, platform: BeadPlatform, known: BeadProbes
) -> PreparedProbes:
    """Pair the table's rows with the platform's probes; PermanentError for too few, or unusable ones."""
    sequenced = _rows_with_text(known.sequences)
    rows, places = match_probes(ids, take_texts(known.probe_ids, sequenced))
    in_platform = sequenced[places]
    design = prepare_beads(take_texts(known.sequences, in_platform))
    missing = np.full(len(ids), np.nan)
    signals = np.asfortranarray(table.values[rows])
    p_values = np.column_stack([(missing if each is None else each)[rows] for each in table.detection])
    reported = reported_probes(take_texts(known.qualities, in_platform), take_texts(known.genes, in_platform))
    return PreparedProbes(
        platform=platform,
        rows=rows,
        signals=signals,
        p_values=np.asfortranarray(p_values),
        design=design,
        treatment=choose_treatment(signals, p_values),
        reported=reported,
        probe_ids=tuple(table.probe_ids[row] for row in rows[reported.rows].tolist()),
    )


def _rows_with_text(texts: pa.StringArray) -> Indices:
    known = pc.binary_length(texts).cast(pa.bool_())
    return np.from_dlpack(pc.indices_nonzero(known)).astype(np.intp)
