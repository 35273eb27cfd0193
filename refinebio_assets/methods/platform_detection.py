"""Which BeadArray platform a file is of, told by its probe ids alone; submitters' words are not trusted.

Ids in, shares out. Which platforms are candidates, and what becomes of a file that fits none, is decided
elsewhere.

Two different shares take part. The winner is the platform of whose probes most are in the file; the gate
looks at how many of the file's ids are the winner's. A file of an array with fewer probes than its package
(HumanRef-8 has 45 % of ``illuminaHumanv2``) passes all the same.

Source: refine.bio's ``detect_database.R`` and ``illumina.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import pyarrow as pa
import pyarrow.compute as pc

GATE_PERCENT = 75.0
"""More than this share of a file's ids must be known probes; refine.bio's threshold."""


@dataclass(frozen=True, slots=True)
class CandidateShares:
    """How one platform and the file overlap; percentages are 0 where there is nothing to compare.

    ``probes``: distinct ids of the platform; ``found``: how many of them are in the file.
    ``detection_percentage``: found of ``probes``; ``mapped_percentage``: found of the file's distinct ids.
    """

    platform: str
    probes: int
    found: int
    detection_percentage: float
    mapped_percentage: float


@dataclass(frozen=True, slots=True)
class Detection:
    """The platform of a file, what speaks for it, and all that were considered, in their order.

    ``platform`` is None, and the percentages 0, where no candidate has a probe in the file. ``passed`` tells
    whether the file may be processed as of that platform. ``file_ids``: distinct ids of the file.
    """

    platform: str | None
    detection_percentage: float
    mapped_percentage: float
    passed: bool
    file_ids: int
    candidates: tuple[CandidateShares, ...]

    @property
    def summary(self) -> str:
        """Say in a sentence what was found, for people."""
        if not self.candidates:
            return "there is no annotation of a BeadArray of its organism to compare its ids with"
        if self.platform is None:
            names = ", ".join(each.platform for each in self.candidates)
            return f"none of the file's {self.file_ids:,} ids is a probe of {names}"
        gate = "more" if self.passed else "not more"
        return (
            f"{self.platform}: {self.mapped_percentage:.4g} % of the file's {self.file_ids:,} ids are its"
            f" probes ({gate} than {GATE_PERCENT:g} %), {self.detection_percentage:.4g} % of its probes are"
            " in the file"
        )


def detect_platform(file_ids: pa.StringArray, candidates: Mapping[str, pa.StringArray]) -> Detection:
    """Find the platform of a file by its probe ids.

    ``candidates`` holds the probe ids of each platform; of platforms with equal shares the first wins. Ids
    are compared as they are, each counts once however often it is there; missing and empty ones do not
    count. The file passes when strictly more than ``GATE_PERCENT`` of its ids are probes of the winner.
    """
    distinct = _distinct(file_ids)
    shares = tuple(_shares(name, distinct, _distinct(probes)) for name, probes in candidates.items())
    best = max(shares, key=lambda each: each.detection_percentage, default=None)
    if best is None or not best.found:
        return Detection(None, 0.0, 0.0, False, len(distinct), shares)
    passed = best.mapped_percentage > GATE_PERCENT
    percentages = best.detection_percentage, best.mapped_percentage
    return Detection(best.platform, *percentages, passed, len(distinct), shares)


def _distinct(ids: pa.StringArray) -> pa.StringArray:
    known = ids.drop_null().unique()
    # As a mask: a comparison with "" would import pandas (2 seconds).
    return known.filter(cast("pa.BooleanArray", pc.binary_length(known).cast(pa.bool_())))


def _shares(platform: str, file_ids: pa.StringArray, probes: pa.StringArray) -> CandidateShares:
    found = pc.is_in(file_ids, value_set=probes).true_count
    return CandidateShares(
        platform, len(probes), found, _percentage(found, len(probes)), _percentage(found, len(file_ids))
    )


def _percentage(part: int, whole: int) -> float:
    return 100.0 * part / whole if whole else 0.0
