"""Says in plain words which factors of a compendium's samples can be told apart from their experiments.

Nothing is corrected: who compares groups has to know what else differs between them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from refinebio_assets.domain import some_of
from refinebio_assets.formats.compendium_store import CompendiumStore
from refinebio_assets.methods.separation import Separation, separate

TECHNICAL = ("technology", "platform", "organism")
_NAMED = 3


class Separable(StrEnum):
    """Whether a difference between groups can be told from one between experiments."""

    YES = "yes"
    PARTLY = "in part"
    NO = "no"
    ONE_GROUP = "one group only"


@dataclass(frozen=True, slots=True)
class Confound:
    """What is found of a factor: ``samples`` have a value of it, in so many ``groups``."""

    factor: str
    groups: int
    samples: int
    separable: Separable
    sentence: str


def technical_factors(store: CompendiumStore) -> dict[str, list[str]]:
    """Return what is technical about each sample."""
    return {name: list(map(str, store.samples.column(name).to_pylist())) for name in TECHNICAL}


def confounds(factors: Mapping[str, Sequence[str]], experiments: Sequence[str]) -> list[Confound]:
    """Return for each factor that is known of any sample whether it can be separated from the experiment.

    ``factors`` and ``experiments`` have a value for each sample; samples without one ("") are left out.
    """
    found = []
    for factor, values in factors.items():
        known = [(value, of) for value, of in zip(values, experiments, strict=True) if value]
        if known:
            found.append(_confound(factor.replace("_", " "), *zip(*known, strict=True)))
    return found


def _confound(factor: str, values: Sequence[str], experiments: Sequence[str]) -> Confound:
    groups, codes = np.unique(np.asarray(values), return_inverse=True)
    accessions, numbers = np.unique(np.asarray(experiments), return_inverse=True)
    names, number = [str(name) for name in groups], len(accessions)
    if len(names) == 1:
        sentence = f"All samples whose {factor} is known have the same: {names[0]}."
        return Confound(factor, 1, len(values), Separable.ONE_GROUP, sentence)
    found = separate(codes, numbers)
    joining = [str(accessions[place]) for place in found.joining]
    if len(found.connected) == len(names):
        separable, sentence = Separable.NO, _not_at_all(factor, names, number)
    elif len(found.connected) == 1:
        separable, sentence = Separable.YES, _wholly(factor, names, joining, number, found)
    else:
        separable, sentence = Separable.PARTLY, _partly(factor, names, joining, number, found)
    return Confound(factor, len(names), len(values), separable, sentence)


def _not_at_all(factor: str, names: Sequence[str], experiments: int) -> str:
    return (
        f"{factor.capitalize()} cannot be separated from experiment: none of the {experiments:,} experiments "
        f"has samples of more than one {factor}. A difference between {_and(names)} may as well be one "
        "between their experiments."
    )


def _wholly(
    factor: str, names: Sequence[str], joining: Sequence[str], experiments: int, found: Separation
) -> str:
    text = f"{factor.capitalize()} can be separated from experiment: "
    if len(joining) == 1:
        return (
            f"{text}experiment {joining[0]} has samples of all {len(names):,}. The comparison rests on its "
            f"{found.samples:,} samples alone."
        )
    return (
        f"{text}{len(joining):,} of the {experiments:,} experiments, with {found.samples:,} samples, have "
        f"samples of more than one {factor} and connect all {len(names):,}."
    )


def _partly(
    factor: str, names: Sequence[str], joining: Sequence[str], experiments: int, found: Separation
) -> str:
    sets = [[names[place] for place in held] for held in found.connected]
    connected = [held for held in sets if len(held) > 1]
    alone = [held[0] for held in sets if len(held) == 1]
    joined = "; ".join(_and(held) for held in connected[:_NAMED])
    verb = "has" if len(joining) == 1 else "have"
    more = f"; and {len(connected) - _NAMED:,} more sets" if len(connected) > _NAMED else ""
    text = (
        f"{factor.capitalize()} can be separated from experiment only in part: {len(joining):,} of "
        f"the {experiments:,} experiments {verb} samples of more than one {factor}. That connects "
        f"{joined}{more}. "
    )
    if len(connected) > 1:
        text += "A difference between one of these sets and another may as well be one between experiments. "
    if alone:
        verb = "is" if len(alone) == 1 else "are"
        text += (
            f"{_and(alone)} {verb} in no experiment with another {factor}: differences from the "
            "others may as well be of experiments."
        )
    return text.rstrip()


def _and(names: Sequence[str]) -> str:
    """Return names for a sentence: ``a and b``, ``a, b and c``, or the first ones and how many more."""
    if len(names) > _NAMED:
        return some_of(names, _NAMED)
    return " and ".join([*([", ".join(names[:-1])] if names[:-1] else []), names[-1]])
