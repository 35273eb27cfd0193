"""How long what is due would take, from measured durations, and in which words people read it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from refinebio_assets.domain import counted, distinct
from refinebio_assets.pipelines import (
    experiment_record,
    gene_expression,
    harmonized_metadata,
    raw_files,
    sample_quantifications,
)
from refinebio_assets.pipelines.durations import Durations
from refinebio_assets.pipelines.work import CHECKED_FILES, Work

SECONDS_A_MINUTE, SECONDS_AN_HOUR = 60, 3600
STEPS = {
    experiment_record.ASSET: "survey",
    harmonized_metadata.ASSET: "harmonize",
    CHECKED_FILES: "check files",
    raw_files.ASSET: "download",
    sample_quantifications.ASSET: "quantify",
    gene_expression.ASSET: "summarize",
}
"""What each step does, in a word."""

_OF = {"harmonize": "harmonize metadata of", "check files": "check files of"}
NO_MEASUREMENT = "no measurement yet"
AFTER_SURVEY = "known after the survey"


@dataclass(frozen=True, slots=True)
class StepToDo:
    """One step: ``samples`` is None where only a survey will tell, ``seconds`` where none was measured."""

    step: str
    samples: int | None
    seconds: float | None

    @property
    def time(self) -> str:
        """How long it takes, as people read it."""
        return AFTER_SURVEY if self.samples is None else duration(self.seconds)


@dataclass(frozen=True, slots=True)
class ToDo:
    """All that is due in an experiment. ``samples`` are those that are downloaded or quantified."""

    steps: tuple[StepToDo, ...]
    samples: tuple[str, ...] = ()

    @property
    def samples_due(self) -> int | None:
        """How many samples are downloaded or quantified; None where only a survey will tell."""
        return None if any(step.samples is None for step in self.steps) else len(self.samples)

    @property
    def seconds(self) -> float | None:
        """How long it takes as far as it was measured; None where nothing was."""
        measured = [step.seconds for step in self.steps if step.seconds is not None]
        return sum(measured) if measured or not self.steps else None

    @property
    def text(self) -> str:
        """How much it is, in a sentence."""
        return f"{said([self])}; {duration(self.seconds)}"


def estimate(experiment: str, work: Work, durations: Durations) -> ToDo:
    """Return what there is to do in an experiment, with the seconds that it took before."""
    steps = []
    for asset, samples in work.steps.items():
        each = durations.seconds(asset, experiment, work.organism, work.technology)
        seconds = None if samples is None or each is None else samples * each
        steps.append(StepToDo(STEPS[asset], samples, seconds))
    return ToDo(tuple(steps), work.samples)


def amount(todos: Sequence[ToDo]) -> str:
    """Say how much there is to do in several experiments, and how long it took before."""
    seconds = [each.seconds for each in todos if each.seconds is not None]
    text = f"{counted(len(todos), 'experiment')}: {said(todos)}"
    text += f"; {duration(sum(seconds))}, as measured before" if seconds else ""
    unmeasured = distinct(
        step.step for each in todos for step in each.steps if step.samples and step.seconds is None
    )
    return text + (f"; {NO_MEASUREMENT} of: {', '.join(unmeasured)}" if unmeasured else "")


def said(todos: Iterable[ToDo]) -> str:
    """Say which steps are due and for how many samples each."""
    samples: Counter[str] = Counter()
    surveys = 0
    for step in (step for each in todos for step in each.steps):
        samples[step.step] += step.samples or 0
        surveys += step.samples is None
    parts = [f"survey {counted(surveys, 'experiment')}"] if surveys else []
    parts += [
        f"{_OF.get(word, word)} {counted(samples[word], 'sample')}"
        for word in STEPS.values()
        if samples[word]
    ]
    return ", ".join(parts) or "update records, no samples"


def duration(seconds: float | None) -> str:
    """Say how long something takes, in seconds, minutes or hours."""
    if seconds is None:
        return NO_MEASUREMENT
    if seconds < 1:
        return "less than a second"
    if seconds < SECONDS_A_MINUTE:
        return f"about {counted(round(seconds), 'second')}"
    if seconds < SECONDS_AN_HOUR:
        return f"about {counted(round(seconds / SECONDS_A_MINUTE), 'minute')}"
    return f"about {seconds / SECONDS_AN_HOUR:,.1f} hours"
