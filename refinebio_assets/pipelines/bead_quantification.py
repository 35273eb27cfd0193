"""Quantifies one sample of an Illumina BeadArray table by SCAN, or says why its values are only converted.

The table is of many samples (``bead_intensities``). One that SCAN cannot take has its values converted to
genes as they are: the sample is *submitter-processed* then, with the reason beside it.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

import numpy as np

from refinebio_assets import __version__
from refinebio_assets.domain import Processing, Sample
from refinebio_assets.errors import PermanentError
from refinebio_assets.lake.store import Draft, InputRef, Lake
from refinebio_assets.methods.beadarray import BeadResult
from refinebio_assets.methods.scan.quality import value_quartiles
from refinebio_assets.pipelines.bead_intensities import (
    PreparedProbes,
    PreparedTable,
    TableNames,
    detected_columns,
    detection_rows,
    prepared_table,
)
from refinebio_assets.pipelines.freshness import Basis
from refinebio_assets.pipelines.probe_values import ProbeValues, write_probe_values
from refinebio_assets.pipelines.raw_file import RawFile
from refinebio_assets.pipelines.submitted_conversion import CODE_VERSION as CONVERSION_VERSION
from refinebio_assets.pipelines.submitted_conversion import (
    PROCESSOR as SUBMITTED,
)
from refinebio_assets.pipelines.submitted_conversion import (
    IdReferences,
    convert_submitted,
    missing_annotations,
)

CODE_VERSION = f"1.{CONVERSION_VERSION}"
PROCESSOR = "Illumina SCAN"
VALUES_FILE = "values.parquet"


@dataclass(frozen=True, slots=True)
class BeadTask:
    """All that one sample of a BeadArray table needs.

    ``names`` are those of all samples of the experiment that share the table: its columns are told by them,
    and how its values are treated by all of their columns. ``references`` are all annotations that the table
    may be of, and the gene index for values that SCAN cannot take.
    """

    processor: ClassVar[str] = PROCESSOR
    """SCAN for BeadArrays, our own; what was converted only says so in its facts."""
    reference: ClassVar[None] = None
    """Not known before the table's platform is."""
    code_version: ClassVar[str] = CODE_VERSION
    result_file: ClassVar[str] = VALUES_FILE
    """A value for each probe and gene."""

    sample: Sample
    table: RawFile
    names: TableNames
    references: IdReferences

    def basis(self) -> Basis:
        """Return everything that determines the result."""
        return {
            "code version": CODE_VERSION,
            "processor": PROCESSOR,
            "table": self.table.sha256,
            "names of the table's samples": self.names.version,
            **self.references.basis(),
        }

    def inputs(self) -> list[InputRef]:
        """Return the table and all annotations among which its platform was looked for."""
        return [*self.table.inputs(), *self.references.inputs()]

    def remarks(self) -> list[str]:
        """Return nothing: what is odd about a table is told by its content."""
        return []

    def run(
        self, lake: Lake, draft: Draft, *, threads: int, cancelled: threading.Event | None
    ) -> dict[str, Any]:
        """Write the sample's values into the draft and return how it went.

        Raises FormatError for a table that cannot be read, PermanentError for one without this sample, for a
        sample that the model cannot be fitted to, and where an annotation may be wanting.
        """
        started = datetime.now(UTC)
        prepared = prepared_table(lake, self.table, self.names, self.references.platforms)
        place = prepared.place_of(self.sample.accession)
        obstacle = prepared.obstacle_of(place)
        if obstacle:
            content, facts = self._converted(lake, prepared, place, obstacle)
        else:
            content, facts = self._scanned(prepared, place)
        facts["details"]["table_columns"] = prepared.columns_of(self.sample.accession)
        facts["details"]["platform_detection"] = detection_rows(prepared.detection)
        return facts | {
            "version": write_probe_values(draft.folder / VALUES_FILE, content),
            "processor_version": __version__,
            **detected_columns(prepared.detection),
            "notes": prepared.notes(),
            "started_at": started.isoformat(),
            "duration_seconds": (datetime.now(UTC) - started).total_seconds(),
        }

    def _scanned(self, prepared: PreparedTable, place: int) -> tuple[ProbeValues, dict[str, Any]]:
        result, probes = prepared.scan(place)
        values = result.values[probes.reported.rows]
        platform = probes.platform
        facts = {
            "processing": str(Processing.FROM_RAW),
            "platform": platform.name,
            "reference_asset": platform.commit.asset,
            "reference": platform.version,
            "warnings": [*self.references.doubts(), *_warnings(result, probes)],
            "details": {"array_quality": [_quality(platform.name, result, values)]},
        }
        return ProbeValues(probes.probe_ids, probes.reported.genes, values), facts

    def _converted(
        self, lake: Lake, prepared: PreparedTable, place: int, obstacle: str
    ) -> tuple[ProbeValues, dict[str, Any]]:
        if self.references.absent:
            raise PermanentError(
                f"{prepared.label}: {obstacle}. {missing_annotations(self.references.absent)}"
            )
        because = f"raw processing was not possible because {obstacle}"
        table = prepared.table
        try:
            converted = convert_submitted(lake, table.probe_ids, table.values[:, place], self.references)
        except PermanentError as error:
            raise PermanentError(f"{prepared.label}: {because}; and {error}") from error
        evidence = {
            "rows": len(table.probe_ids),
            "duplicated_ids": len(table.probe_ids) - len(set(table.probe_ids)),
            "missing_values": int(np.isnan(table.values[:, place]).sum()),
            "encoding": table.encoding,
            **converted.evidence,
        }
        facts = {
            "processor": SUBMITTED,
            **converted.facts(because),
            "details": {"submitted_values": [evidence]},
        }
        return converted.content, facts


def _warnings(result: BeadResult, probes: PreparedProbes) -> list[str]:
    warnings = []
    lost = int((~result.measured).sum())
    if lost:
        warnings.append(f"{lost:,} of {len(result.measured):,} probes have no usable signal in this sample")
    if not result.scan.converged:
        warnings.append(f"SCAN's fit did not settle in {result.scan.iterations} iterations")
    if not probes.treatment.correct_background:
        warnings.append(
            "its table has values of 0 or less: they count as background-corrected, and are used without "
            "another correction"
        )
    return warnings


def _quality(platform: str, result: BeadResult, values: np.ndarray[Any, Any]) -> dict[str, Any]:
    low, lower, median, upper, high = value_quartiles(values)
    return {
        "platform": platform,
        "iterations": result.scan.iterations,
        "converged": result.scan.converged,
        "background_share": result.scan.background_share,
        "minimum": low,
        "lower_quartile": lower,
        "median": median,
        "upper_quartile": upper,
        "maximum": high,
    }
