"""The publish gate: what a bundle promises, compared with what is in it. A defect stops its publication.

Pure functions on a `Delivery`; how one is read is told by `inspection.py` of each kind of delivery.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from refinebio_assets.domain import some_of
from refinebio_assets.errors import PermanentError

NAMED = 5
"""Samples or files named in a message."""
TOLERANCE = 1e-9
"""Largest departure of a normalized sample, of the size of its values; rounding leaves about 1e-12."""
NARROW_TOLERANCE = 1e-6
"""The same of values that were rounded to float32, which leaves about 1e-7."""


class Defect(StrEnum):
    """What may be wrong with a bundle; the words are the names of the checks."""

    NO_METADATA = "matrix without metadata"
    NO_MATRIX = "metadata without matrix"
    NOT_NORMALIZED = "not normalized"
    SAMPLE_LOST = "sample neither delivered nor filtered"
    WRONG_CHECKSUM = "checksum differs from manifest"
    ROWS_DIFFER = "columns differ from metadata rows"


@dataclass(frozen=True, slots=True)
class Found:
    """One defect: which, and a sentence with names."""

    defect: Defect
    message: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """What is in a bundle.

    ``requested`` are the samples of each experiment that were asked for; ``delivered`` the columns of each
    matrix (or the samples of each folder of ``quant.sf`` files), by key; ``described`` the rows of each
    metadata table, by key; ``filtered`` (experiment, sample) pairs with their reason. ``departures`` say
    how far each sample is from its target, by key, where samples were normalized; ``magnitudes`` how large
    values of that matrix are. ``manifest`` and ``checksums`` are SHA-256 by path: promised and found.
    ``by_experiment`` tells that keys are experiments, so that each has to hold its own samples.
    ``tolerance`` is the largest departure, of the size of the values.
    """

    requested: Mapping[str, Sequence[str]]
    delivered: Mapping[str, Sequence[str]]
    described: Mapping[str, Sequence[str]]
    filtered: Mapping[tuple[str, str], str]
    manifest: Mapping[str, str]
    checksums: Mapping[str, str]
    normalized: bool = False
    departures: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    magnitudes: Mapping[str, float] = field(default_factory=dict)
    by_experiment: bool = False
    tolerance: float = TOLERANCE


class GateError(PermanentError):
    """A bundle is not published; ``found`` are its defects, the message names them all."""

    def __init__(self, about: str, found: Sequence[Found]) -> None:
        lines = "\n".join(f"  - {item.defect}: {item.message}" for item in found)
        super().__init__(f"{about} is not published:\n{lines}")
        self.found = tuple(found)


def require_sound(delivery: Delivery, about: str) -> None:
    """Raise GateError naming every defect, or return."""
    found = find_defects(delivery)
    if found:
        raise GateError(about, found)


def find_defects(delivery: Delivery, defects: Sequence[Defect] = tuple(Defect)) -> list[Found]:
    """Return the defects of a delivery, or only those of some kinds."""
    return [Found(defect, message) for defect in defects for message in CHECKS[defect](delivery)]


def _without_metadata(delivery: Delivery) -> Iterator[str]:
    for key in delivery.delivered:
        if not delivery.described.get(key):
            yield f"{key} has {len(delivery.delivered[key]):,} samples and no metadata"


def _without_matrix(delivery: Delivery) -> Iterator[str]:
    for key, rows in delivery.described.items():
        if not delivery.delivered.get(key):
            yield f"{key} has {len(rows):,} rows of metadata and no values"


def _not_normalized(delivery: Delivery) -> Iterator[str]:
    if not delivery.normalized:
        return
    for key, samples in delivery.delivered.items():
        departures = delivery.departures.get(key, {})
        limit = delivery.tolerance * max(1.0, delivery.magnitudes.get(key, 1.0))
        wrong = [name for name in samples if not departures.get(name, float("inf")) <= limit]
        if wrong:
            yield f"{some_of(wrong, NAMED)} of {key} have not the distribution of the target"


def _sample_lost(delivery: Delivery) -> Iterator[str]:
    present = {sample for samples in delivery.delivered.values() for sample in samples}
    lost = []
    for experiment, samples in delivery.requested.items():
        own = set(delivery.delivered.get(experiment, ())) if delivery.by_experiment else present
        lost += [
            f"{sample} of {experiment}"
            for sample in samples
            if sample not in own and not delivery.filtered.get((experiment, sample))
        ]
    if lost:
        named = some_of(lost, NAMED)
        yield f"{named} was asked for and is neither in a matrix nor listed as filtered with a reason"
    stray = _never_asked_for(delivery)
    if stray:
        yield f"{some_of(stray, NAMED)} is delivered and was not asked for"


def _never_asked_for(delivery: Delivery) -> list[str]:
    """Return the samples that are delivered and were not requested; by experiment, where they are."""
    asked = {sample for samples in delivery.requested.values() for sample in samples}
    if not delivery.by_experiment:
        return sorted({sample for samples in delivery.delivered.values() for sample in samples} - asked)
    return [
        f"{sample} of {key}" if sample in asked else sample
        for key, samples in delivery.delivered.items()
        for sample in sorted(set(samples) - set(delivery.requested.get(key, ())))
    ]


def _wrong_checksum(delivery: Delivery) -> Iterator[str]:
    for path in sorted(delivery.manifest.keys() | delivery.checksums.keys()):
        promised, found = delivery.manifest.get(path), delivery.checksums.get(path)
        if found is None:
            yield f"{path} is in the manifest and not in the bundle"
        elif promised is None:
            yield f"{path} is in the bundle and not in the manifest"
        elif promised != found:
            yield f"{path} has SHA-256 {found[:12]}, the manifest says {promised[:12]}"


def _rows_differ(delivery: Delivery) -> Iterator[str]:
    for key, columns in delivery.delivered.items():
        rows = delivery.described.get(key)
        if rows and list(rows) != list(columns):
            only_columns = [name for name in columns if name not in set(rows)]
            only_rows = [name for name in rows if name not in set(columns)]
            what = [f"only in the matrix: {some_of(only_columns, NAMED)}"] if only_columns else []
            what += [f"only in the metadata: {some_of(only_rows, NAMED)}"] if only_rows else []
            yield f"{key}: {'; '.join(what) or 'the same samples in another order, or one twice'}"


CHECKS: Mapping[Defect, Callable[[Delivery], Iterator[str]]] = {
    Defect.NO_METADATA: _without_metadata,
    Defect.NO_MATRIX: _without_matrix,
    Defect.NOT_NORMALIZED: _not_normalized,
    Defect.SAMPLE_LOST: _sample_lost,
    Defect.WRONG_CHECKSUM: _wrong_checksum,
    Defect.ROWS_DIFFER: _rows_differ,
}
