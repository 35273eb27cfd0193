"""Attributes and keywords of samples that somebody else contributed, such as the ontology terms of MetaSRA.

They stand beside harmonized metadata and never change them. Where they are kept is not known here.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from refinebio_assets.errors import RequestError
from refinebio_assets.metadata.tsv import read_text, read_tsv

_ONTOLOGY_TERM = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*:\S+")
_URL = re.compile(r"https?://\S+")
_UNKNOWN = frozenset({"", "unknown", "missing", "none"})
"""How contributors say that a unit or a probability is not known."""
_TERMS, _NUMBERS, _TYPE, _TYPE_PROBABILITY = (
    "mapped ontology terms",
    "real-value properties",
    "sample type",
    "sample-type confidence",
)


@dataclass(frozen=True, slots=True)
class SampleAttribute:
    """One thing that a contributor says of a sample.

    ``name`` is a name in words, ``ontology_term`` a term (``PATO:0000047``); one of them may be empty.
    ``value`` is a text, number or term; empty for a keyword, which the sample simply has. ``unit`` is empty
    when there is none. ``probability`` (0 to 1) is how sure the contributor is, None when not said.
    ``source`` is the contributor, ``methods_url`` where it says how it was found out.
    """

    sample: str
    name: str
    ontology_term: str
    value: str
    unit: str
    probability: float | None
    source: str
    methods_url: str


def read_attributes(path: Path, *, source: str, methods_url: str) -> tuple[SampleAttribute, ...]:
    """Read a contributor's attributes or keywords, each once, in the order of the file.

    JSON (a file that starts with a bracket) in refine.bio's forms, one object or a list of them:
    ``{"SRR1": [{"PATO:0000122": {"value": 25, "unit": "UO:0010012", "probability": 0.9}}]}``,
    ``{"sample_accession": "SRR1", "attributes": [...]}``, or keywords ``{"SRR1": ["CL:0000236"]}``; and
    MetaSRA's (``mapped ontology terms``, ``real-value properties``, ``sample type``).
    Or tab-separated text with the column ``sample``, one or both of ``name`` and ``ontology_term``, and, if
    wanted, ``value``, ``unit`` and ``probability``.

    Raises NotFoundError when there is no such file, RequestError naming every problem with its place.
    """
    about = f"attributes file {path}"
    problems = [] if source.strip() else ["the name of its source is empty"]
    if not _URL.fullmatch(methods_url):
        problems.append(f"the methods URL {methods_url!r} is no http or https URL")
    read = _read_json if read_text(path, about).lstrip()[:1] in {"{", "["} else _read_tsv
    found = _Collected(source, methods_url, problems)
    read(path, about, found)
    if found.problems:
        raise RequestError(found.problems, about=about)
    return tuple(found.attributes.values())


class _Collected:
    """Attributes as they are found, and what is wrong with the others."""

    def __init__(self, source: str, methods_url: str, problems: list[str]) -> None:
        self.problems = problems
        self.attributes: dict[tuple[str, ...], SampleAttribute] = {}
        self._contributor = source, methods_url

    def add(
        self, place: str, sample: object, named: _Named, *, unit: object = "", probability: object = ""
    ) -> None:
        """Take one attribute, or note everything that is wrong with it."""
        name, term, value = named.name, named.term, named.value
        problems = []
        if not isinstance(sample, str) or not sample.strip():
            problems.append("has no sample")
        if not name and not term:
            problems.append("has neither name nor ontology term")
        if isinstance(value, list | dict):
            problems.append(f"the value is {_kind(value)}: expected a text or a number")
        certainty, problem = _probability(probability)
        problems += [problem] * bool(problem)
        if problems:
            self.problems += [f"{place}: {problem}" for problem in problems]
            return
        texts = (str(sample).strip(), name, term, _text(value), "" if _is_unknown(unit) else _text(unit))
        attribute = SampleAttribute(*texts, certainty, *self._contributor)
        if self.attributes.setdefault(texts, attribute) != attribute:
            what = f"{name or term} of {texts[0]}"
            self.problems.append(f"{place}: {what} was there before with another probability")


@dataclass(frozen=True, slots=True)
class _Named:
    """A property by name, term or both, and its value."""

    name: str
    term: str
    value: object

    @classmethod
    def of(cls, text: str, value: object = "") -> _Named:
        """Tell by its form whether the property is given by term (``CL:0000236``) or by name."""
        plain = text.strip()
        return cls("", plain, value) if _ONTOLOGY_TERM.fullmatch(plain) else cls(plain, "", value)


def _read_tsv(path: Path, about: str, found: _Collected) -> None:
    optional = ("name", "ontology_term", "value", "unit", "probability")
    rows, cut = read_tsv(path, about=about, required=("sample",), optional=optional)
    found.problems += cut
    for row in rows:
        cells = row.cells
        named = _Named(cells["name"], cells["ontology_term"], cells["value"])
        place = f"line {row.line:,}"
        found.add(place, cells["sample"], named, unit=cells["unit"], probability=cells["probability"])


def _read_json(path: Path, about: str, found: _Collected) -> None:
    try:
        document = json.loads(read_text(path, about))
    except (json.JSONDecodeError, RecursionError) as error:
        raise RequestError(f"is not JSON: {error}", about=about) from error
    for sample, content in _samples(document, found.problems):
        if isinstance(content, Mapping) and content.keys() & {_TERMS, _NUMBERS}:
            _take_metasra(sample, content, found)
        else:
            _take(sample, content, found)


def _samples(document: object, problems: list[str]) -> Iterator[tuple[str, object]]:
    """Yield each sample of the file and what is said of it, whether in one object or in several."""
    for position, part in enumerate(document if isinstance(document, list) else [document], start=1):
        if not isinstance(part, Mapping):
            problems.append(f"item {position:,} is {_kind(part)}: expected an object with samples")
        elif "sample_accession" in part:
            accession = part["sample_accession"]
            for name in ("attributes", "keywords"):
                yield accession if isinstance(accession, str) else "", part.get(name, [])
        else:
            yield from part.items()


def _take(sample: str, content: object, found: _Collected) -> None:
    """Take attributes ``[{term: {"value": ...}}]``, also without the list, or keywords ``[term]``."""
    place = f"sample {sample!r}"
    if not isinstance(content, list | Mapping):
        found.problems.append(f"{place}: is {_kind(content)}: expected a list of attributes or keywords")
        return
    for item in content if isinstance(content, list) else [content]:
        if isinstance(item, str):
            found.add(place, sample, _Named.of(item))
        elif isinstance(item, Mapping):
            _take_attributes(sample, item, found)
        else:
            found.problems.append(f"{place}: holds {_kind(item)}: expected an attribute or a keyword")


def _take_attributes(sample: str, attributes: Mapping[str, object], found: _Collected) -> None:
    for name, said in attributes.items():
        place = f"sample {sample!r}, {name!r}"
        if not isinstance(said, Mapping) or _is_missing(said.get("value")):
            found.problems.append(f"{place}: has no value: expected an object such as {{'value': 25}}")
            continue
        named = _Named.of(name, said["value"])
        found.add(place, sample, named, unit=said.get("unit"), probability=said.get("probability"))


def _take_metasra(sample: str, content: Mapping[str, object], found: _Collected) -> None:
    place = f"sample {sample!r}"
    for term in _listed(content, _TERMS, place, found.problems):
        if isinstance(term, str):
            found.add(place, sample, _Named.of(term))
        else:
            found.problems.append(f"{place}, {_TERMS!r}: holds {_kind(term)}: expected a term")
    for said in _listed(content, _NUMBERS, place, found.problems):
        if not isinstance(said, Mapping) or _is_missing(said.get("value")):
            found.problems.append(f"{place}, {_NUMBERS!r}: a property has no value")
            continue
        named = _Named.of(_text(said.get("property_id")), said["value"])
        found.add(f"{place}, {_NUMBERS!r}", sample, named, unit=said.get("unit_id"))
    if not _is_missing(content.get(_TYPE)):
        named = _Named(_TYPE, "", content[_TYPE])
        found.add(f"{place}, {_TYPE!r}", sample, named, probability=content.get(_TYPE_PROBABILITY))


def _listed(content: Mapping[str, object], name: str, place: str, problems: list[str]) -> Iterable[object]:
    listed = content.get(name, [])
    if isinstance(listed, list):
        return listed
    problems.append(f"{place}, {name!r}: is {_kind(listed)}: expected a list")
    return []


def _probability(said: object) -> tuple[float | None, str]:
    """Return the probability, and what is wrong with it."""
    if _is_unknown(said):
        return None, ""
    try:
        probability = math.nan if isinstance(said, bool) else float(_text(said))
    except ValueError:
        probability = math.nan
    if 0 <= probability <= 1:
        return probability, ""
    return None, f"the probability is {_text(said)!r}: expected a number from 0 to 1"


def _text(value: object) -> str:
    """Return a value as text, numbers and truth values as JSON spells them, null as nothing."""
    if isinstance(value, str):
        return value.strip()
    return "" if value is None else json.dumps(value)


def _is_missing(value: object) -> bool:
    return _text(value) == ""


def _is_unknown(value: object) -> bool:
    return _text(value).lower() in _UNKNOWN


def _kind(value: object) -> str:
    kinds = {dict: "an object", list: "a list", str: "a text", bool: "a truth value", type(None): "null"}
    return kinds.get(type(value), "a number")
