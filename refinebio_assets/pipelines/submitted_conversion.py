"""A submitter's values, as Ensembl genes on a log2 scale: what they were converted by, and the evidence.

Ids are those of an Illumina annotation package, told by the ids themselves, or of any column of a platform's
gene index. Where the ids and values come from is the work of the tasks that call this.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from refinebio_assets.domain import Processing
from refinebio_assets.errors import PermanentError
from refinebio_assets.formats.gene_index import GENE_COLUMN, PROBE_COLUMN, make_gene_index
from refinebio_assets.formats.illumina_annotation import string_array
from refinebio_assets.lake.store import InputRef, Lake
from refinebio_assets.methods.platform_detection import Detection, detect_platform
from refinebio_assets.methods.probe_conversion import (
    Conversion,
    Log2Evidence,
    PreparedIndex,
    convert_to_genes,
    detect_log2,
    prepare_index,
    quality_problems,
    to_log2,
)
from refinebio_assets.pipelines.kept import Kept
from refinebio_assets.pipelines.probe_values import ProbeValues
from refinebio_assets.pipelines.references.bead_annotation import BeadPlatform
from refinebio_assets.pipelines.references.bead_probes import BeadProbes
from refinebio_assets.pipelines.references.gene_index import StoredGeneIndex

Vector = npt.NDArray[np.float64]

CODE_VERSION = "1"
PROCESSOR = "Submitter-processed"
INDEXES_KEPT = 4
"""A prepared index takes some 20 MB."""
ANNOTATIONS_KEPT = 4
"""As many as there are of human arrays."""
_indexes: Kept[PreparedIndex] = Kept(INDEXES_KEPT)
_annotations: Kept[BeadProbes] = Kept(ANNOTATIONS_KEPT)


@dataclass(frozen=True, slots=True)
class IdReferences:
    """What ids may be converted by: the annotations of an organism's BeadArrays, a platform's gene index.

    ``absent`` names annotations that might fit and are not in the lake.
    """

    platforms: tuple[BeadPlatform, ...] = ()
    index: StoredGeneIndex | None = None
    absent: tuple[str, ...] = ()

    def basis(self) -> dict[str, str]:
        """Return the versions of all of them; any of them may decide."""
        basis = {f"annotation of {each.name}": each.version for each in self.platforms}
        if self.index is not None:
            basis[f"gene index of {self.index.platform}"] = self.index.version
        if self.absent:
            basis["annotations not here"] = ", ".join(self.absent)
        return basis

    def doubts(self) -> list[str]:
        """Say which annotations the platform was looked for without."""
        names = ", ".join(self.absent)
        return [f"its platform was looked for without {names}, which are not in the lake"] if names else []

    def inputs(self) -> list[InputRef]:
        """Return all of them as inputs."""
        refs = [InputRef(each.commit.asset, each.commit.partition, each.version) for each in self.platforms]
        index = self.index
        if index is not None:
            refs.append(InputRef(index.commit.asset, index.commit.partition, index.version))
        return refs


def missing_annotations(packages: tuple[str, ...]) -> str:
    """Say how the annotations are added without which a table's platform cannot be told."""
    commands = ", ".join(
        f"`refinebio-assets reference add-platform --platform {package}`" for package in packages
    )
    return f"Annotations that it may be of are not in the lake. Add them with {commands}"


@dataclass(frozen=True, slots=True, eq=False)
class Converted:
    """A submitter's values as genes: what is stored, what they were converted by, and how it went.

    ``evidence`` is a row of the table ``submitted_values``, without experiment and sample.
    """

    content: ProbeValues
    platform: str
    reference: InputRef
    detection: Detection | None
    evidence: dict[str, Any]
    warnings: list[str]

    def facts(self, reason: str) -> dict[str, Any]:
        """Return what the results tell of such a sample; ``reason`` says why it is only converted."""
        return {
            "processing": str(Processing.SUBMITTER_PROCESSED),
            "processing_reason": reason,
            "platform": self.platform,
            "reference_asset": self.reference.asset,
            "reference": self.reference.version,
            "warnings": self.warnings,
        }


@dataclass(frozen=True, slots=True)
class _Reference:
    """One thing to convert by, ready to be loaded."""

    platform: str
    ref: InputRef
    load: Callable[[], PreparedIndex]


def convert_submitted(lake: Lake, ids: Sequence[str], values: Vector, by: IdReferences) -> Converted:
    """Convert one sample's values (one for each id, NaN where missing) to genes, on a log2 scale.

    The annotation with the largest share of its probes among the ids is tried first, then the gene index.
    Raises PermanentError where neither knows half of the ids, and for values that are of no use.
    """
    annotations = {each.name: _annotation(lake, each) for each in by.platforms}
    probes = {name: known.listed_ids() for name, known in annotations.items()}
    detection = detect_platform(string_array(ids), probes) if probes else None
    tried: list[str] = []
    for reference in _references(lake, by, detection, annotations):
        try:
            conversion = convert_to_genes(ids, values, reference.load())
        except PermanentError as error:
            tried.append(f"by {reference.platform}: {error}")
            continue
        return _finished(ids, conversion, reference, detection, by.doubts() if detection else [])
    if not tried and detection is not None:
        tried.append(detection.summary)
    why = "; ".join(tried) or "there is neither an annotation nor a gene index for its platform"
    hint = f". {missing_annotations(by.absent)}" if by.absent else ""
    raise PermanentError(f"the submitter's values cannot be converted to genes: {why}{hint}")


def _annotation(lake: Lake, platform: BeadPlatform) -> BeadProbes:
    key = (lake.url, platform.name, platform.version)
    return _annotations.get(key, lambda: platform.annotation(lake))


def _references(
    lake: Lake, by: IdReferences, detection: Detection | None, annotations: dict[str, BeadProbes]
) -> list[_Reference]:
    found = []
    if detection is not None and detection.platform is not None:
        platform = next(each for each in by.platforms if each.name == detection.platform)
        known = annotations[platform.name]
        ref = InputRef(platform.commit.asset, platform.commit.partition, platform.version)
        key = (lake.url, ref)
        found.append(_Reference(platform.name, ref, lambda: _indexes.get(key, lambda: _index_of(known))))
    index = by.index
    if index is not None:
        index_ref = InputRef(index.commit.asset, index.commit.partition, index.version)
        index_key = (lake.url, index_ref)
        found.append(
            _Reference(
                index.platform,
                index_ref,
                lambda: _indexes.get(index_key, lambda: prepare_index(index.read(lake).columns)),
            )
        )
    return found


def _index_of(known: BeadProbes) -> PreparedIndex:
    """Return a package's probes with all their genes; probes without any count as known ids."""
    paired, genes = _texts(known.gene_pairs.probe_ids), _texts(known.gene_pairs.genes)
    with_gene = set(paired)
    others = [name for name in _texts(known.probe_ids) if name not in with_gene]
    columns: dict[str, list[str | None]] = {
        PROBE_COLUMN: [*paired, *others],
        GENE_COLUMN: [*genes, *[None] * len(others)],
    }
    return prepare_index(make_gene_index(columns).columns)


def _texts(texts: pa.StringArray) -> list[str]:
    return [str(text.as_py()) for text in texts]


def _finished(
    ids: Sequence[str],
    conversion: Conversion,
    reference: _Reference,
    detection: Detection | None,
    doubts: Sequence[str],
) -> Converted:
    log2 = detect_log2(conversion.values)
    values, without_log = (conversion.values, 0) if log2.on_log_scale else to_log2(conversion.values)
    problems = quality_problems(values)
    if problems:
        raise PermanentError(f"the submitter's values are of no use: {'; '.join(problems)}")
    probes = [ids[row] for row in conversion.rows.tolist()]
    content = ProbeValues(probes, conversion.genes, values, log2_taken=not log2.on_log_scale)
    unmapped = len(conversion.unmapped)
    evidence = {
        "converted_by": reference.platform,
        "id_kind": conversion.id_column,
        "overlap": conversion.overlap,
        "rows_without_gene": unmapped,
        "genes": len(set(conversion.genes)),
        **_log2_columns(log2, without_log),
    }
    warnings = [*doubts, *log2.doubts]
    if unmapped:
        warnings.append(f"{unmapped:,} of {len(ids):,} rows have no Ensembl gene and are left out")
    if without_log:
        warnings.append(f"{without_log:,} values of 0 or less have no logarithm and are missing")
    return Converted(content, reference.platform, reference.ref, detection, evidence, warnings)


def _log2_columns(log2: Log2Evidence, without_log: int) -> dict[str, Any]:
    return {
        "log2_taken": not log2.on_log_scale,
        "log2_reason": log2.reason,
        "doubts": list(log2.doubts),
        "without_logarithm": without_log,
        "minimum": log2.minimum,
        "median": log2.median,
        "percentile_99": log2.percentile_99,
        "maximum": log2.maximum,
        "share_negative": log2.share_negative,
        "share_above_limit": log2.share_above_limit,
    }
