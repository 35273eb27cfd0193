"""Which compendia are out of date, and by how many samples. Nothing is started here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from refinebio_assets.domain import counted
from refinebio_assets.errors import RefinebioError
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.compendia.bundle.compendium_bundle import assess_bundle
from refinebio_assets.pipelines.compendia.kinds import CompendiumKind, require_version
from refinebio_assets.pipelines.compendia.normalized_compendium import assess_compendium
from refinebio_assets.pipelines.compendia.rnaseq_samples.rnaseq_sample_compendium import assess_samples
from refinebio_assets.pipelines.freshness import Basis, explain_changes
from refinebio_assets.pipelines.metadata_overlays import ATTRIBUTES
from refinebio_assets.pipelines.outcome import Situation

_EXPERIMENTS = "experiments"


@dataclass(frozen=True, slots=True)
class StaleCompendium:
    """A compendium that is out of date: which version, and in words by what.

    ``step`` is the asset to make again: the compendium, or its zip alone. ``inputs`` are the kinds of things
    that changed (``experiments``, ``target``); ``samples`` count those of experiments that came, went or
    changed. ``problem`` is set in place of all that where it cannot be judged.
    """

    step: str
    organism: str
    number: int
    inputs: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    samples: int = 0
    problem: str = ""


def stale_compendia(lake: Lake) -> Iterator[StaleCompendium]:
    """Yield the compendia of the lake that are out of date, or cannot be judged."""
    for kind in CompendiumKind:
        for organism in lake.partitions(kind.asset):
            number = int(require_version(lake, kind, organism).info["number"])
            try:
                step, situation = _first_due(lake, kind, organism)
            except RefinebioError as error:
                yield StaleCompendium(kind.asset, organism, number, problem=str(error))
            else:
                if situation.reasons:
                    yield _stale(step, organism, number, situation)


def _first_due(lake: Lake, kind: CompendiumKind, organism: str) -> tuple[str, Situation]:
    if kind is CompendiumKind.RNASEQ_SAMPLE:
        return kind.asset, assess_samples(lake, organism).situation
    situation = assess_compendium(lake, organism).situation
    if situation.reasons:
        return kind.asset, situation
    return kind.zip_asset, assess_bundle(lake, organism).situation


def _stale(step: str, organism: str, number: int, situation: Situation) -> StaleCompendium:
    old = situation.head.info["basis"] if situation.head else None
    if old is None:
        return StaleCompendium(step, organism, number, reasons=situation.reasons)
    inputs, reasons, samples = what_changed(old, situation.basis)
    told = explain_changes(old, situation.basis)
    reasons += [reason for reason in situation.reasons if reason not in told]
    return StaleCompendium(step, organism, number, tuple(inputs), tuple(reasons), samples)


def what_changed(old: Basis, new: Basis) -> tuple[list[str], list[str], int]:
    """Return what differs between two bases of a compendium: which inputs, sentences, and how many samples.

    Experiments are told of together, as there may be thousands; all else by itself.
    """
    before, now = _experiments(old), _experiments(new)
    touched = {
        "added": now.keys() - before.keys(),
        "removed": before.keys() - now.keys(),
        "changed": {name for name in now.keys() & before.keys() if now[name] != before[name]},
    }
    sizes = {**_sizes(old), **_sizes(new)}
    reasons = [
        f"{counted(len(names), 'experiment')} {how}{_samples_of(names, sizes)}"
        for how, names in touched.items()
        if names
    ]
    inputs = [_EXPERIMENTS] if reasons else []
    others = [
        key for key in sorted({*old, *new}) if _experiment(key) is None and old.get(key) != new.get(key)
    ]
    reasons += explain_changes(
        {k: old[k] for k in others if k in old}, {k: new[k] for k in others if k in new}
    )
    return [*inputs, *others], reasons, sum(sizes[name] for names in touched.values() for name in names)


def _samples_of(names: Iterable[str], sizes: Mapping[str, int]) -> str:
    """Return how many samples experiments have, in brackets; empty where the basis does not say."""
    samples = sum(sizes[name] for name in names)
    return f" ({counted(samples, 'sample')})" if samples else ""


def _experiment(key: str) -> str | None:
    """Return the experiment that a basis' key is about: `rna-seq_x of SRP1`, `metadata of SRP1`."""
    what, of, name = key.rpartition(" of ")
    return name if of and what != ATTRIBUTES else None


def _experiments(basis: Basis) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = {}
    for key, value in basis.items():
        name = _experiment(key)
        if name is not None:
            found.setdefault(name, {})[key] = value
    return found


def _sizes(basis: Basis) -> dict[str, int]:
    """Return how many samples of each experiment take part: the second item of lists."""
    sizes: Counter[str] = Counter()
    for key, value in basis.items():
        name = _experiment(key)
        if name is not None:
            sizes[name] += int(value[1]) if isinstance(value, list) else 0
    return dict(sizes)
