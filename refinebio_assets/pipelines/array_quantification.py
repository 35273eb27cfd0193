"""Quantifies one Affymetrix sample: its CEL file by SCAN, summarized to genes or probe sets."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

import numpy as np

from refinebio_assets import __version__
from refinebio_assets.domain import Processing, Sample
from refinebio_assets.errors import PermanentError
from refinebio_assets.formats.cel import CelFile, read_cel
from refinebio_assets.lake.store import Draft, InputRef, Lake
from refinebio_assets.methods.scan.design import Design, prepare_design
from refinebio_assets.methods.scan.kernel import ScanResult, scan
from refinebio_assets.methods.scan.quality import intensity_quality, sequence_share, value_quartiles
from refinebio_assets.methods.scan.settings import SCAN_FAST
from refinebio_assets.methods.scan.summary import ProbeSets, group_probes, match_cells, summarize
from refinebio_assets.pipelines.array_values import GENES, PROBE_SETS, ArrayValues, write_array_values
from refinebio_assets.pipelines.freshness import Basis
from refinebio_assets.pipelines.kept import Kept
from refinebio_assets.pipelines.raw_file import RawFile
from refinebio_assets.pipelines.references.platform_annotation import ASSET as ANNOTATION
from refinebio_assets.pipelines.references.platform_annotation import Annotation
from refinebio_assets.pipelines.references.platform_probes import cell_keys, text_array
from refinebio_assets.platforms.microarrays import find_by_chip_type, find_microarray

Vector = np.ndarray[Any, np.dtype[np.float64]]

CODE_VERSION = "3"
PROCESSOR = "Affymetrix SCAN"
VALUES_FILE = "values.parquet"
LEAST_SEQUENCE_SHARE = 0.02
"""Measured with their own probe tables: 0.26 (HG-U95Av2), 0.14 (Clariom S); with another array's: 0.00004."""


@dataclass(frozen=True, slots=True)
class ArrayTask:
    """All that the quantification of one CEL file needs; the annotation is of the file's own platform."""

    processor: ClassVar[str] = PROCESSOR
    """SCAN, our own."""
    code_version: ClassVar[str] = CODE_VERSION
    result_file: ClassVar[str] = VALUES_FILE
    """A value for each gene, or for each probe set where no genes are known."""

    sample: Sample
    cel: RawFile
    annotation: Annotation

    @property
    def reference(self) -> str | None:
        """The version of the platform's annotation."""
        return self.annotation.version

    def basis(self) -> Basis:
        """Return everything that determines the result."""
        return {
            "code version": CODE_VERSION,
            "processor": PROCESSOR,
            "cel": self.cel.sha256,
            "platform": self.annotation.platform,
            "platform annotation": self.annotation.version,
        }

    def inputs(self) -> list[InputRef]:
        """Return the CEL file and the annotation that the quantification is made from."""
        annotation = InputRef(ANNOTATION, self.annotation.platform, self.annotation.version)
        return [*self.cel.inputs(), annotation]

    def run(
        self, lake: Lake, draft: Draft, *, threads: int, cancelled: threading.Event | None
    ) -> dict[str, Any]:
        """Write the sample's values into the draft and return how the array was.

        Raises FormatError for a damaged CEL file, PermanentError for an array that SCAN refuses.
        """
        if self.cel.stored is None:
            raise PermanentError(f"sample {self.sample.accession} has no CEL file")
        started = datetime.now(UTC)
        platform = prepared_platform(lake, self.annotation)
        cel = read_cel(lake.local(self.cel.stored), label=self.cel.origin.location)
        intensities = platform.intensities(cel, self.cel.origin.location)
        result = scan(intensities, platform.design)
        values = summarize(result.values, platform.sets)
        path = draft.folder / VALUES_FILE
        version = write_array_values(path, ArrayValues(platform.sets.names, values, platform.level))
        facts = _facts(intensities, result, values)
        facts["sequence_share"] = _sequence_share(platform, intensities, result)
        duration = (datetime.now(UTC) - started).total_seconds()
        return {
            "version": version,
            "processor_version": __version__,
            "started_at": started.isoformat(),
            "duration_seconds": duration,
            "warnings": _warnings(platform, result, facts["sequence_share"]),
            "processing": str(Processing.FROM_RAW),
            "platform": self.annotation.platform,
            "reference_asset": ANNOTATION,
            "details": {
                "array_quality": [{**facts, "platform": self.annotation.platform, "scan_date": cel.scan_date}]
            },
        }

    def remarks(self) -> list[str]:
        """Say when the sample's source names another platform than the CEL file."""
        said = self.sample.platform.accession or self.sample.platform.name
        claimed = find_microarray(said) or find_by_chip_type(said)
        if claimed is None or claimed.accession == self.annotation.platform:
            return []
        own = self.annotation.platform
        return [f"its source calls the platform {claimed.accession}; the CEL file is of {own}"]


def _sequence_share(platform: PreparedPlatform, intensities: Vector, result: ScanResult) -> float | None:
    predicted = platform.design.predictor.predict(result.fit.background.coefficients)
    share = sequence_share(np.log2(intensities + 1), predicted)
    return None if np.isnan(share) else share


def _warnings(platform: PreparedPlatform, result: ScanResult, share: float | None) -> list[str]:
    warnings = []
    if share is not None and share < LEAST_SEQUENCE_SHARE:
        warnings.append(
            f"its probes' sequences explain next to nothing of their intensities ({share:.1%}): are the "
            "platform's probe tables those of another array?"
        )
    if not result.converged:
        warnings.append(f"SCAN's fit did not settle in {result.iterations} iterations")
    if platform.level != GENES:
        warnings.append("values are of probe sets: no genes are registered for its platform")
    return warnings


@dataclass(frozen=True, slots=True, eq=False)
class PreparedPlatform:
    """What all arrays of a platform share: where its probes are, SCAN's design, and what is summarized.

    ``level`` is ``gene`` or ``probe set``.
    """

    x: np.ndarray[Any, np.dtype[np.int32]]
    y: np.ndarray[Any, np.dtype[np.int32]]
    design: Design
    sets: ProbeSets
    level: str

    def intensities(self, cel: CelFile, label: str) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Return the intensity of each probe by its cell; PermanentError when the array is too small."""
        if self.x.max() >= cel.columns or self.y.max() >= cel.rows:
            raise PermanentError(
                f"{label} has {cel.columns} x {cel.rows} cells; the annotation's probes reach to "
                f"{self.x.max() + 1} x {self.y.max() + 1}: it is of another array"
            )
        cells = self.y.astype(np.intp) * cel.columns + self.x
        values: np.ndarray[Any, np.dtype[np.float64]] = cel.intensities[cells].astype(np.float64)
        return values


def prepared_platform(lake: Lake, annotation: Annotation) -> PreparedPlatform:
    """Return a platform ready for its arrays; those prepared last are kept in memory.

    Arrays of one platform are processed side by side, and wait for one preparation.
    """
    key = (lake.url, annotation.platform, annotation.version)
    return _prepared.get(key, lambda: _prepare(lake, annotation))


PLATFORMS_KEPT = 2
"""A prepared platform takes some 50 MB."""
_prepared: Kept[PreparedPlatform] = Kept(PLATFORMS_KEPT)


def _prepare(lake: Lake, annotation: Annotation) -> PreparedPlatform:
    probes = annotation.probes(lake)
    genes = annotation.gene_probes(lake)
    design = prepare_design(probes.sequences, SCAN_FAST)
    if genes is None:
        names = text_array(probes.probe_sets)
        sets = group_probes(names, np.arange(len(probes)), len(probes))
        return PreparedPlatform(probes.x, probes.y, design, sets, PROBE_SETS)
    in_design, in_table = match_cells(cell_keys(probes), cell_keys(genes))
    names = text_array(genes.genes.take(in_table))
    sets = group_probes(names, in_design, len(probes))
    return PreparedPlatform(probes.x, probes.y, design, sets, GENES)


def _facts(intensities: Vector, result: ScanResult, values: Vector) -> dict[str, Any]:
    quality = intensity_quality(intensities)
    low, lower, median, upper, high = value_quartiles(values)
    return {
        "zeros": quality.zeros,
        "saturated": quality.saturated,
        "iterations": result.iterations,
        "converged": result.converged,
        "background_share": result.background_share,
        "minimum": low,
        "lower_quartile": lower,
        "median": median,
        "upper_quartile": upper,
        "maximum": high,
    }
