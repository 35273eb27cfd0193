"""What an RNA-seq sample compendium says of itself: which it is, and what is in it, over all of its parts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from refinebio_assets.domain import DropKind, Dropped, distinct
from refinebio_assets.formats.resumable_zip import Part
from refinebio_assets.pipelines.compendia.rnaseq_samples.experiment_part import STEP

NO_REFERENCE = "not told"
"""In place of a reference's version: of a ``quant.sf`` that was submitted."""

Parts = Callable[[], Iterator[Part]]


@dataclass(frozen=True, slots=True)
class About:
    """What a compendium says of itself; ``created_at`` is when the newest of its inputs was made.

    ``releases`` tell of each reference, by its version, what it is of.
    """

    organism: str
    number: int
    created_at: str
    code_version: str
    attributes: Mapping[str, str]
    releases: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Totals:
    """What is in the parts, over all.

    ``filtered`` are the experiments and reasons of each sample that is left out of one; ``lost`` those of
    them that no experiment delivers. ``references`` count files by what transcripts were measured against.
    """

    experiments: int
    samples: int
    files: int
    filtered: Mapping[str, list[tuple[str, str]]]
    lost: frozenset[str]
    references: Mapping[str, int]

    @property
    def dropped(self) -> tuple[Dropped, ...]:
        """The samples that are in no experiment's folder, with the reasons."""
        return tuple(
            Dropped(DropKind.SAMPLE, sample, STEP, joined_reasons(self.filtered[sample]))
            for sample in sorted(self.lost)
        )


def count_parts(parts: Parts) -> Totals:
    """Count what the parts hold."""
    filtered: dict[str, list[tuple[str, str]]] = {}
    names: set[str] = set()
    references: Counter[str] = Counter()
    experiments = files = 0
    for part in parts():
        own = part.notes["lock"]["samples"]
        names |= own.keys()
        experiments, files = experiments + bool(own), files + len(own)
        references.update(facts["reference"] or NO_REFERENCE for facts in own.values())
        for item in part.notes["filtered"]:
            filtered.setdefault(item["sample"], []).append((part.name, item["reason"]))
    lost = frozenset(filtered.keys() - names)
    return Totals(experiments, len(names), files, filtered, lost, dict(sorted(references.items())))


def joined_reasons(where: Iterable[tuple[str, str]]) -> str:
    """Return the distinct reasons of (experiment, reason), one after the other."""
    return "; ".join(distinct(reason for _, reason in where))
