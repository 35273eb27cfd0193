"""Converts one sample's values as its submitter published them to Ensembl genes; nothing is normalized.

Refine.bio calls this pipeline no-op. The table may be the sample's own or hold several samples.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from refinebio_assets import __version__
from refinebio_assets.domain import Processing, Sample
from refinebio_assets.errors import PermanentError
from refinebio_assets.formats.beadarray import SampleNames
from refinebio_assets.formats.processed_table import ProcessedTable, read_processed_table
from refinebio_assets.lake.store import Draft, InputRef, Lake
from refinebio_assets.pipelines.bead_intensities import detection_rows
from refinebio_assets.pipelines.freshness import Basis, content_hash
from refinebio_assets.pipelines.probe_values import write_probe_values
from refinebio_assets.pipelines.raw_file import RawFile
from refinebio_assets.pipelines.submitted_conversion import (
    CODE_VERSION,
    PROCESSOR,
    Converted,
    IdReferences,
    convert_submitted,
)

VALUES_FILE = "values.parquet"


@dataclass(frozen=True, slots=True)
class SubmittedTask:
    """All that the conversion of one sample's values needs.

    ``names`` are those by which the sample's column is found, ``columns`` the names of the columns of a table
    without a header. ``shared`` tells that other samples have the same table: then only a column that is
    named after the sample is taken. ``reason`` says why there is nothing rawer.
    """

    sample: Sample
    table: RawFile
    names: SampleNames
    columns: tuple[str, ...]
    shared: bool
    references: IdReferences
    reason: str

    @property
    def processor(self) -> str:
        """The submitter, whatever was done."""
        return PROCESSOR

    @property
    def reference(self) -> str | None:
        """Not known before the kind of ids is."""
        return None

    @property
    def code_version(self) -> str:
        """The version of the code's meaning."""
        return CODE_VERSION

    @property
    def result_file(self) -> str:
        """A value for each submitted row and gene."""
        return VALUES_FILE

    def basis(self) -> Basis:
        """Return everything that determines the result."""
        stored, names = self.table.stored, self.names
        told = [names.accession, names.title, *names.descriptions, *self.columns, str(self.shared)]
        return {
            "code version": CODE_VERSION,
            "processor": PROCESSOR,
            "table": stored.sha256 if stored else "",
            "names of its column": content_hash(told),
            "reason": self.reason,
            **self.references.basis(),
        }

    def inputs(self) -> list[InputRef]:
        """Return the table and what its ids may be converted by."""
        stored = self.table.stored
        file = [InputRef("file", stored.sha256, stored.sha256)] if stored else []
        return [*file, *self.references.inputs()]

    def remarks(self) -> list[str]:
        """Return nothing: what is odd about a table is told by its content."""
        return []

    def run(
        self, lake: Lake, draft: Draft, *, threads: int, cancelled: threading.Event | None
    ) -> dict[str, Any]:
        """Write the sample's values into the draft and return how they were understood.

        Raises FormatError for a table that cannot be read or has no column for the sample, PermanentError for
        ids that nothing knows and values that are of no use.
        """
        if self.table.stored is None:
            raise PermanentError(f"sample {self.sample.accession} has no table of values")
        started = datetime.now(UTC)
        table = read_processed_table(
            lake.local(self.table.stored),
            label=self.table.label,
            sample=self.names.accession,
            also=(self.names.title, *self.names.descriptions),
            column_names=self.columns,
            shared=self.shared,
        )
        try:
            converted = convert_submitted(lake, table.ids, table.values, self.references)
        except PermanentError as error:
            raise PermanentError(f"{self.table.label}: {error}") from error
        return {
            "version": write_probe_values(draft.folder / VALUES_FILE, converted.content),
            "processor_version": __version__,
            "processing": str(Processing.SUBMITTER_PROCESSED),
            "processing_reason": self.reason,
            "platform": converted.platform,
            "reference_asset": converted.reference.asset,
            "reference": converted.reference.version,
            **_detected(converted),
            "warnings": converted.warnings,
            "notes": _notes(table),
            "details": _details(table, converted),
            "started_at": started.isoformat(),
            "duration_seconds": (datetime.now(UTC) - started).total_seconds(),
        }


def _detected(converted: Converted) -> dict[str, Any]:
    found = converted.detection
    if found is None:
        return {}
    return {
        "detected_platform": found.platform,
        "detection_percentage": found.detection_percentage,
        "mapped_percentage": found.mapped_percentage,
    }


def _details(table: ProcessedTable, converted: Converted) -> dict[str, list[dict[str, Any]]]:
    evidence = {
        "rows": len(table.ids),
        "duplicated_ids": table.duplicated_ids,
        "missing_values": table.missing + table.infinite,
        "encoding": table.encoding,
        "number_style": table.number_style,
        "header": table.header,
        "description": table.description,
        **converted.evidence,
    }
    columns = [
        {"position": place, "header": each.name, "role": each.role, "reason": each.reason}
        for place, each in enumerate(table.columns, start=1)
        if each.used
    ]
    detection = detection_rows(converted.detection) if converted.detection else []
    return {"submitted_values": [evidence], "table_columns": columns, "platform_detection": detection}


def _notes(table: ProcessedTable) -> list[str]:
    """Return what was repaired or passed over when the table was read."""
    counts = {
        "blank lines and remarks passed over": table.skipped_lines,
        "rows lack fields at their end, taken as missing": table.short_rows,
        "infinite values are missing": table.infinite,
    }
    return [f"{count:,} {what}" for what, count in counts.items() if count]
