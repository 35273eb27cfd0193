"""Names samples: refine.bio's rule for the accession of an ArrayExpress sample, and what keeps it usable.

ArrayExpress has no accessions for its samples.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import chain, count

from refinebio_assets.domain import MAX_ACCESSION_LENGTH

_UNUSABLE = re.compile(r'[\x00-\x1f\x7f/\\,|"]|\.(?=\.)|(?<=\.)\.')
"""What ``domain.accession_problem`` refuses, one character at a time."""
_LONGEST_ENDING = MAX_ACCESSION_LENGTH // 2


def name_of_sample(source: str, assay: str, file_name: str) -> str:
    """Return the name that tells a sample apart: its source's or its assay's.

    That is the one which contains the file's name without suffix, the source first; else the one without
    blanks, when only one has blanks; else the longer, or the source when they are equally long.
    """
    stem = file_name.rpartition(".")[0]
    if stem and (stem in source or stem in assay):
        return source if stem in source else assay
    if (" " in source) != (" " in assay):
        return assay if " " in source else source
    return source if len(source) >= len(assay) else assay


def sample_accession(experiment: str, source: str, assay: str, file_name: str) -> str:
    """Return ``<experiment>-<name>``, usable as an accession.

    Characters that accessions must not have become ``_``, and a name that is too long loses its end.
    """
    usable = _UNUSABLE.sub("_", f"{experiment}-{name_of_sample(source, assay, file_name)}")
    return usable[:MAX_ACCESSION_LENGTH].rstrip()


def distinct_accessions(candidates: Sequence[tuple[str, str]]) -> list[str]:
    """Return an accession for each sample of an experiment, from its candidate and what marks it.

    A candidate that several samples share gets each sample's mark (its file's name without suffix, or its
    run) behind it, so that no accession depends on the order of the rows; only what is still the same then
    is numbered, ``-2``, ``-3``.
    """
    uses = Counter(accession for accession, _ in candidates)
    taken = {accession for accession, times in uses.items() if times == 1}
    chosen = []
    for accession, mark in candidates:
        free = accession if uses[accession] == 1 else _first_free(_ending(accession, mark), taken)
        taken.add(free)
        chosen.append(free)
    return chosen


def _first_free(accession: str, taken: set[str]) -> str:
    numbered = (_ending(accession, str(number)) for number in count(2))
    return next(free for free in chain([accession], numbered) if free not in taken)


def _ending(accession: str, mark: str) -> str:
    ending = _UNUSABLE.sub("_", f"-{mark}")[:_LONGEST_ENDING].rstrip() if mark else ""
    return accession[: MAX_ACCESSION_LENGTH - len(ending)].rstrip() + ending
