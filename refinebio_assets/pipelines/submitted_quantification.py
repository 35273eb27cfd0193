"""Converts one sample's values as its submitter published them to Ensembl genes; nothing is normalized.

Refine.bio calls this pipeline no-op. The table may be the sample's own or hold several samples.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

from refinebio_assets import __version__
from refinebio_assets.domain import Sample
from refinebio_assets.errors import PermanentError
from refinebio_assets.formats.beadarray import SampleNames
from refinebio_assets.formats.processed_table import ProcessedTable, read_processed_table
from refinebio_assets.lake.store import Draft, InputRef, Lake
from refinebio_assets.pipelines.bead_intensities import detected_columns, detection_rows
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

    processor: ClassVar[str] = PROCESSOR
    """The submitter, whatever was done."""
    reference: ClassVar[None] = None
    """Not known before the kind of ids is."""
    code_version: ClassVar[str] = CODE_VERSION
    result_file: ClassVar[str] = VALUES_FILE
    """A value for each submitted row and gene."""

    sample: Sample
    table: RawFile
    names: SampleNames
    columns: tuple[str, ...]
    shared: bool
    references: IdReferences
    reason: str

    def basis(self) -> Basis:
        """Return everything that determines the result."""
        names = self.names
        told = [names.accession, names.title, *names.descriptions, *self.columns, str(self.shared)]
        return {
            "code version": CODE_VERSION,
            "processor": PROCESSOR,
            "table": self.table.sha256,
            "names of its column": content_hash(told),
            "reason": self.reason,
            **self.references.basis(),
        }

    def inputs(self) -> list[InputRef]:
        """Return the table and what its ids may be converted by."""
        return [*self.table.inputs(), *self.references.inputs()]

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
            **converted.facts(self.reason),
            **(detected_columns(converted.detection) if converted.detection else {}),
            "notes": _notes(table),
            "details": _details(table, converted),
            "started_at": started.isoformat(),
            "duration_seconds": (datetime.now(UTC) - started).total_seconds(),
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
