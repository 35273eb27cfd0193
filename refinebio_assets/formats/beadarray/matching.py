"""Which column of a table holds which sample's values, by the names that the sample has."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from refinebio_assets.formats.beadarray.columns import Column
from refinebio_assets.formats.beadarray.model import SampleNames
from refinebio_assets.formats.beadarray.spelling import Kind, bare, folded, is_only_number, split_header

_BARCODE = re.compile(r"(?<!\d)\d{8,12}_[a-z](?:_\d)?(?![a-z0-9])")
"""Illumina's number of a chip and the letter of an array on it (``4343238066_A``)."""
_SHORTEST_CONTAINED = 2
_WORD = re.compile(r"[^\W_]+")


class Fit(IntEnum):
    """How a header names a sample, the best first."""

    TITLE = 0
    DESCRIPTION = 1
    TITLE_AND_WORDS = 2
    DESCRIPTION_AND_WORDS = 3
    ALTERED = 4
    CONTAINED = 5
    END_OF_TITLE = 6
    ONLY_ONE = 7


REASONS = {
    Fit.TITLE: "its header is the sample's title or accession",
    Fit.DESCRIPTION: "its header is the sample's description",
    Fit.TITLE_AND_WORDS: "its header is the sample's title or accession and what is measured",
    Fit.DESCRIPTION_AND_WORDS: "its header is the sample's description and what is measured",
    Fit.ALTERED: "its header is one of the sample's names, written differently, or its array's number",
    Fit.CONTAINED: "its header contains the sample's title or accession",
    Fit.END_OF_TITLE: "the sample's title ends in its header",
    Fit.ONLY_ONE: "it is the only column of values, and one sample is asked for",
}


@dataclass(frozen=True, slots=True)
class Match:
    """A column that a header gives to a sample: how, and the kind of what it holds."""

    column: Column
    accession: str
    fit: Fit
    kind: Kind

    @property
    def rank(self) -> tuple[bool, int, int]:
        """The order among a sample's columns of values: the smallest is the best."""
        return (self.fit >= Fit.CONTAINED, -self.kind, self.fit)


class Names:
    """The names of all samples that are asked for; a name that several have names none of them."""

    def __init__(self, samples: Sequence[SampleNames]) -> None:
        titles = [(name, each.accession) for each in samples for name in (each.title, each.accession)]
        descriptions = [(name, each.accession) for each in samples for name in each.descriptions]
        everything = titles + descriptions
        self._titles = _unique((folded(name), sample) for name, sample in titles)
        self._descriptions = _unique((folded(name), sample) for name, sample in descriptions)
        barcodes = [(code, sample) for name, sample in everything for code in _BARCODE.findall(folded(name))]
        self._altered = _unique([*((bare(name), sample) for name, sample in everything), *barcodes])
        ends = ((end, sample) for name, sample in self._titles.items() for end in _ends(name))
        self._ends = _unique(ends)
        self._by_word = _by_rarest_word(self._titles)

    def match(self, column: Column) -> Match | None:
        """Return the sample that a column's header names, or None."""
        for fit, accession, kind in self._attempts(column):
            if accession:
                return Match(column, accession, fit, kind)
        return None

    def _attempts(self, column: Column) -> Iterable[tuple[Fit, str, Kind]]:
        if not column.name:
            return
        yield Fit.TITLE, self._titles.get(column.name, ""), Kind.PLAIN
        yield Fit.DESCRIPTION, self._descriptions.get(column.name, ""), Kind.PLAIN
        yield Fit.TITLE_AND_WORDS, self._titles.get(column.rest, ""), column.kind
        yield Fit.DESCRIPTION_AND_WORDS, self._descriptions.get(column.rest, ""), column.kind
        for altered in _altered(column.rest):
            yield Fit.ALTERED, self._altered.get(altered, ""), column.kind
        yield self._contained(column)
        # A number that tells equal headers apart must not pass for the number of a sample.
        if not is_only_number(column.rest) or column.kind == Kind.PLAIN:
            yield Fit.END_OF_TITLE, self._ends.get(column.rest, ""), column.kind

    def _contained(self, column: Column) -> tuple[Fit, str, Kind]:
        """Find the longest title in a header, and what the header says beside it."""
        header = column.name
        candidates = [name for word in set(_WORD.findall(header)) for name in self._by_word.get(word, ())]
        for name in sorted(candidates, key=lambda name: (-len(name), name)):
            if _SHORTEST_CONTAINED <= len(name) < len(header) and (place := _find_word(name, header)) >= 0:
                beside = f"{header[:place]} {header[place + len(name) :]}".strip()
                kind = split_header(beside)[1]
                return Fit.CONTAINED, self._titles[name], Kind.VALUE if kind == Kind.PLAIN else kind
        return Fit.CONTAINED, "", Kind.OTHER


def best_matches(matches: Iterable[Match]) -> tuple[dict[str, Match], dict[str, list[Match]]]:
    """Return for each sample its column of values, and for some samples several that are equally good."""
    of_sample: dict[str, list[Match]] = {}
    for match in matches:
        of_sample.setdefault(match.accession, []).append(match)
    best, several = {}, {}
    for accession, found in of_sample.items():
        first = min(match.rank for match in found)
        equal = [match for match in found if match.rank == first]
        if len(equal) == 1:
            best[accession] = equal[0]
        else:
            several[accession] = equal
    return best, several


def only_column(columns: Sequence[Column], accession: str) -> Match | None:
    """Return the one column that may hold values, for a table of one sample; the best kind counts alone."""
    candidates = [column for column in columns if column.may_be_values and not column.empty]
    for kind in (Kind.RAW, Kind.SIGNAL, Kind.PLAIN):
        of_kind = [column for column in candidates if column.kind == kind]
        if of_kind:
            return Match(of_kind[0], accession, Fit.ONLY_ONE, kind) if len(of_kind) == 1 else None
    return None


def _unique(names: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return whose each name is, without those of several samples and empty ones."""
    owners: dict[str, set[str]] = {}
    for name, sample in names:
        owners.setdefault(name, set()).add(sample)
    return {name: next(iter(each)) for name, each in owners.items() if name and len(each) == 1}


def _by_rarest_word(names: Iterable[str]) -> dict[str, list[str]]:
    """Return the names by that of their words which the fewest have, to look at few."""
    words = {name: _WORD.findall(name) for name in names}
    counts = Counter(word for each in words.values() for word in each)
    index: dict[str, list[str]] = {}
    for name, each in words.items():
        if each:
            index.setdefault(min(each, key=counts.__getitem__), []).append(name)
    return index


def _ends(title: str) -> list[str]:
    """Return what comes after each underscore of a title."""
    return [title[place + 1 :].strip() for place, letter in enumerate(title) if letter == "_"]


def _altered(rest: str) -> list[str]:
    """Return the forms in which a name may be found that R or a spreadsheet has changed."""
    plain = bare(rest)
    # R puts an X before names that begin with a digit.
    forms = [plain, plain[1:]] if re.match(r"x\d", plain) else [plain]
    return [*forms, *_BARCODE.findall(rest)]


def _find_word(name: str, header: str) -> int:
    """Return where a name begins in a header, as words of their own; -1 when it does not.

    A letter or digit, or ``+``, right beside it makes it another name: S1 is not in S10.
    """
    place = header.find(name)
    while place >= 0:
        before = header[place - 1] if place else " "
        after = header[place + len(name)] if place + len(name) < len(header) else " "
        if not (before.isalnum() or after.isalnum() or after == "+"):
            return place
        place = header.find(name, place + 1)
    return -1
