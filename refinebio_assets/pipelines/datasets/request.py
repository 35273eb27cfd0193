"""What a user asks of a dataset, as a frozen value, and its plain form (JSON, YAML).

Only the form is judged here, and all that is wrong with it is told at once; whether the samples exist and
have values is judged in `acceptance.py`, files are read in `request_file.py`.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from refinebio_assets.domain import AggregateBy, ScaleBy, accession_problem, distinct
from refinebio_assets.errors import RequestError

ALL = "ALL"
"""In place of an experiment's samples: every one of them that is processed."""

Samples = tuple[tuple[str, tuple[str, ...]], ...]
"""(experiment, its samples), an experiment once; the samples are ``(ALL,)`` until they are looked up."""


class Fault(StrEnum):
    """What kind of thing is wrong with a request; the words stay the same, as programs read them."""

    REQUIRED = "required"
    NULL = "null"
    UNKNOWN_FIELD = "unknown field"
    WRONG_TYPE = "wrong type"
    NOT_A_CHOICE = "not a choice"
    BAD_NAME = "bad name"
    EMPTY = "empty"
    REPEATED = "repeated"
    UNKNOWN_EXPERIMENT = "unknown experiment"
    NOTHING_PROCESSED = "nothing processed"
    UNKNOWN_SAMPLE = "unknown sample"
    NOT_OF_EXPERIMENT = "not of the experiment"
    NOT_PROCESSED = "not processed"
    NO_QUANT_SF = "no quant.sf"
    CANNOT_SKIP_NORMALIZATION = "cannot skip normalization"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where in the request, in words, and the experiments or samples it is about."""

    fault: Fault
    place: str
    message: str
    items: tuple[str, ...] = ()


class DatasetRequestError(RequestError):
    """A dataset cannot be made as asked; ``found`` are its problems, the message names them all.

    ``readable`` is what could be read of a request whose form is wrong.
    """

    def __init__(
        self,
        found: Sequence[Problem],
        *,
        about: str = "dataset request",
        readable: DatasetRequest | None = None,
    ) -> None:
        super().__init__([f"{problem.place}: {problem.message}" for problem in found], about=about)
        self.found = tuple(found)
        self.readable = readable


@dataclass(frozen=True, slots=True)
class DatasetRequest:
    """Which samples, and how their matrices are made.

    ``name`` is the dataset's own (its id), empty to be given one; it and ``notes`` change no number.
    """

    data: Samples
    aggregate_by: AggregateBy = AggregateBy.EXPERIMENT
    scale_by: ScaleBy = ScaleBy.NONE
    quantile_normalize: bool = True
    quant_sf_only: bool = False
    h5ad: bool = False
    name: str = ""
    notes: str = ""

    @property
    def experiments(self) -> list[str]:
        """The experiments, in the request's order."""
        return [experiment for experiment, _ in self.data]

    @property
    def samples(self) -> list[str]:
        """All samples, each once, in the request's order."""
        return distinct(sample for _, samples in self.data for sample in samples)

    def of(self, experiment: str) -> tuple[str, ...]:
        """Return the samples that are wanted of an experiment; none when it is not asked for."""
        return dict(self.data).get(experiment, ())

    def content(self) -> dict[str, Any]:
        """Return what determines the dataset's bytes, in plain values: all but name and notes."""
        return {
            "data": {experiment: list(samples) for experiment, samples in self.data},
            "aggregate_by": str(self.aggregate_by),
            "scale_by": str(self.scale_by),
            "quantile_normalize": self.quantile_normalize,
            "quant_sf_only": self.quant_sf_only,
            "h5ad": self.h5ad,
        }

    def plain(self) -> dict[str, Any]:
        """Return the whole request in plain values; ``parse_request`` reads it back."""
        return self.content() | {"name": self.name, "notes": self.notes}


FIELDS = (
    *("data", "aggregate_by", "scale_by", "quantile_normalize", "quant_sf_only", "h5ad"),
    *("name", "notes"),
)


def parse_request(document: Any, *, about: str = "dataset request") -> DatasetRequest:
    """Make a request of its plain form: a mapping with ``data`` and any of the other ``FIELDS``.

    ``data`` is a mapping of experiments to lists of samples, or to ``ALL``; choices are read in any case.
    Raises DatasetRequestError naming every problem with its place.
    """
    if not isinstance(document, Mapping):
        problem = Problem(
            Fault.WRONG_TYPE, "request", f"expected a mapping with `data`, found {_kind(document)}"
        )
        raise DatasetRequestError([problem], about=about)
    problems = [_unknown_field(key) for key in document if key not in FIELDS]
    request = DatasetRequest(
        data=_samples(document, problems),
        aggregate_by=_choice(document, "aggregate_by", AggregateBy.EXPERIMENT, problems),
        scale_by=_choice(document, "scale_by", ScaleBy.NONE, problems),
        quantile_normalize=_truth(document, "quantile_normalize", True, problems),
        quant_sf_only=_truth(document, "quant_sf_only", False, problems),
        h5ad=_truth(document, "h5ad", False, problems),
        name=_text(document, "name", problems),
        notes=_text(document, "notes", problems),
    )
    if request.name and (reason := accession_problem(request.name)):
        problems.append(Problem(Fault.BAD_NAME, "name", f"{request.name!r} {reason}"))
    if problems:
        raise DatasetRequestError(problems, about=about, readable=request)
    return request


def suggestion(given: str, known: Iterable[str]) -> str:
    """Return a hint at what was probably meant, or nothing."""
    by_case = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(given.casefold(), by_case, n=3, cutoff=0.75)
    return f"; did you mean {' or '.join(by_case[name] for name in near)}?" if near else ""


def _unknown_field(key: object) -> Problem:
    hint = suggestion(str(key), FIELDS) or f"; there are {', '.join(FIELDS)}"
    return Problem(Fault.UNKNOWN_FIELD, str(key), f"there is no such field{hint}", (str(key),))


def _samples(document: Mapping[Any, Any], problems: list[Problem]) -> Samples:
    if "data" not in document:
        problems.append(
            Problem(Fault.REQUIRED, "data", "is missing: a mapping of experiments to samples, or to ALL")
        )
        return ()
    data = document["data"]
    if data is None:
        problems.append(Problem(Fault.NULL, "data", "is empty: expected a mapping of experiments to samples"))
        return ()
    if not isinstance(data, Mapping):
        expected = "expected a mapping of experiments to lists of samples, or to ALL"
        problems.append(Problem(Fault.WRONG_TYPE, "data", f"{expected}, found {_kind(data)}"))
        return ()
    if not data:
        problems.append(
            Problem(Fault.EMPTY, "data", "names no experiment; a dataset has at least one sample")
        )
    entries = []
    for experiment, value in data.items():
        place = f"data.{experiment}"
        if not isinstance(experiment, str):
            message = f"expected an experiment's name, found {_kind(experiment)}; put it in quotes"
            problems.append(Problem(Fault.WRONG_TYPE, place, message, (str(experiment),)))
            continue
        if reason := accession_problem(experiment):
            problems.append(
                Problem(
                    Fault.BAD_NAME, place, f"the experiment's name {experiment!r} {reason}", (experiment,)
                )
            )
        entries.append((experiment, _listed(experiment, value, problems)))
    return tuple(entries)


def _listed(experiment: str, value: Any, problems: list[Problem]) -> tuple[str, ...]:
    """Return the samples listed for an experiment; ALL alone, in any case, stands for all of them."""
    place = f"data.{experiment}"
    if isinstance(value, str) and value.upper() == ALL:
        return (ALL,)
    if not isinstance(value, list | tuple):
        expected = "expected a list of samples, or ALL"
        problems.append(Problem(Fault.WRONG_TYPE, place, f"{expected}, found {_kind(value)}", (experiment,)))
        return ()
    if not value:
        message = "lists no sample; name one or more, or ALL"
        problems.append(Problem(Fault.EMPTY, place, message, (experiment,)))
    texts = []
    for number, item in enumerate(value):
        if isinstance(item, str):
            texts.append(item)
        else:
            message = f"expected a sample's name, found {_kind(item)}; put it in quotes"
            problems.append(Problem(Fault.WRONG_TYPE, f"{place}[{number}]", message, (experiment,)))
    if {text.upper() for text in texts} == {ALL}:
        return (ALL,)
    if ALL in texts:
        message = "asks for all samples and names some, too; do one or the other"
        problems.append(Problem(Fault.REPEATED, place, message, (experiment,)))
    for sample, count in Counter(texts).items():
        if count > 1:
            message = f"lists the sample {sample} {count} times"
            problems.append(Problem(Fault.REPEATED, place, message, (sample,)))
    return tuple(texts)


_Choice = TypeVar("_Choice", bound=StrEnum)


def _choice(document: Mapping[Any, Any], field: str, default: _Choice, problems: list[Problem]) -> _Choice:
    value = document.get(field, default)
    choices = type(default)
    if isinstance(value, str) and value.upper() in choices.__members__:
        return choices[value.upper()]
    names = ", ".join(choices.__members__)
    if value is None:
        problems.append(Problem(Fault.NULL, field, f"is empty; expected one of {names}"))
    elif not isinstance(value, str):
        problems.append(Problem(Fault.WRONG_TYPE, field, f"expected one of {names}, found {_kind(value)}"))
    else:
        hint = suggestion(value, choices.__members__) or f"; there are {names}"
        problems.append(Problem(Fault.NOT_A_CHOICE, field, f"{value!r} is not a choice{hint}", (value,)))
    return default


def _truth(document: Mapping[Any, Any], field: str, default: bool, problems: list[Problem]) -> bool:
    value = document.get(field, default)
    if isinstance(value, bool):
        return value
    fault = Fault.NULL if value is None else Fault.WRONG_TYPE
    problems.append(Problem(fault, field, f"expected true or false, found {_kind(value)}"))
    return default


def _text(document: Mapping[Any, Any], field: str, problems: list[Problem]) -> str:
    value = document.get(field, "")
    if isinstance(value, str):
        return value
    fault = Fault.NULL if value is None else Fault.WRONG_TYPE
    problems.append(Problem(fault, field, f"expected text, found {_kind(value)}"))
    return ""


def _kind(value: object) -> str:
    """Return what a plain value is, in words; short scalars with their text."""
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    text = f"{value!r}"[:42] if isinstance(value, str) else f"{value}"[:40].lower()
    names = {bool: "the truth value", int: "the number", float: "the number", str: "the text"}
    return f"{names.get(type(value), 'the ' + type(value).__name__)} {text}"
