"""Why two versions of a dataset differ: in which inputs, options and code their locks differ, in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from refinebio_assets.domain import some_of

NAMED = 5
"""Samples named in a sentence."""
_ENTRY = {
    "version": "processed again",
    "processor_version": "processor version",
    "reference": "reference",
    "matrix_version": "its experiment's matrix",
}
"""What an input of a sample is called when it differs."""
_OWN = ("version", "matrix_version")
"""Those that are hashes, which differ from sample to sample where the cause is one."""

Place = tuple[str, str]
"""A sample and the matrix that it is in."""
Entries = Mapping[Place, Mapping[str, Any]]
Changes = Mapping[tuple[Place, str], str]
"""From what to what a field of a sample changed."""


def explain_locks(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Say in which inputs, options and code two locks differ, one sentence each."""
    return [
        *_changed("option", old["request"], new["request"], leave_out=("data",)),
        *_samples_changed(old, new),
        *_changed("target of", old["targets"], new["targets"]),
        *_references_changed(old.get("references", {}), new.get("references", {})),
        *_changed("software", old["software"], new["software"]),
        *_metadata_changed(old["experiments"], new["experiments"]),
        *_attributes_changed(old.get("attributes", {}), new.get("attributes", {})),
    ]


def _changed(
    what: str, old: Mapping[str, Any], new: Mapping[str, Any], *, leave_out: Sequence[str] = ()
) -> Iterator[str]:
    for name in sorted(old.keys() | new.keys()):
        if name not in leave_out and old.get(name) != new.get(name):
            yield f"{what} {name}: {_short(old.get(name))} -> {_short(new.get(name))}"


def of_samples(samples: Sequence[str], one: str, several: str) -> str:
    """Return what is said of one sample (``sample A``) or of several (``7 samples (A, B ...)``)."""
    if len(samples) == 1:
        return f"sample {samples[0]} {one}"
    return f"{len(samples):,} samples ({some_of(samples, NAMED)}) {several}"


def _samples_changed(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """Tell of samples; those of one matrix that changed alike are told in one sentence."""
    before, after = _entries(old), _entries(new)
    reasons = {(item["sample"], item["key"]): f": {item['reason']}" for item in new["filtered"]}
    for key, reason, samples in _alike(before.keys() - after.keys(), lambda place: reasons.get(place, "")):
        yield of_samples(samples, f"is no longer in {key}{reason}", f"are no longer in {key}{reason}")
    for key, _, samples in _alike(after.keys() - before.keys(), lambda _: ""):
        yield of_samples(samples, f"is new in {key}", f"are new in {key}")
    changes = {
        (place, name): f"({_short(before[place].get(name))} -> {_short(after[place].get(name))})"
        for place in before.keys() & after.keys()
        for name in _ENTRY
        if before[place].get(name) != after[place].get(name)
    }
    kinds = {place: _kind(place, changes) for place, _ in changes}
    for key, _, samples in _alike(kinds, lambda place: kinds[place]):
        told = f"of {key}: {', '.join(_differing(key, samples, changes))}"
        yield of_samples(samples, told, told)


def _alike(places: Iterable[Place], told: Callable[[Place], str]) -> Iterator[tuple[str, str, list[str]]]:
    """Yield matrix, what is told, and the samples of which it is told."""
    found: dict[tuple[str, str], list[str]] = {}
    for place in sorted(places):
        found.setdefault((place[1], told(place)), []).append(place[0])
    for (key, text), samples in found.items():
        yield key, text, samples


def _kind(place: Place, changes: Changes) -> str:
    """Return what samples have in common that changed alike: hashes of their own are left out."""
    found = {name: changes[place, name] for name in _ENTRY if (place, name) in changes}
    return "\n".join(name if name in _OWN else f"{name} {pair}" for name, pair in found.items())


def _differing(key: str, samples: Sequence[str], changes: Changes) -> Iterator[str]:
    """Name what differs of samples, from what to what where that is the same for all of them."""
    for name, words in _ENTRY.items():
        pairs = {changes.get(((sample, key), name), "") for sample in samples}
        if pairs != {""}:
            yield f"{words} {pairs.pop()}" if len(pairs) == 1 else words


def _entries(lock: Mapping[str, Any]) -> Entries:
    return {(entry["sample"], entry["key"]): entry for entry in lock["samples"]}


def _references_changed(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted(old.keys() ^ new.keys()):
        about = (old.get(name) or new[name]).get("release") or ""
        release = f" (release {about})" if about else ""
        yield f"reference {name}{release} is {'no longer used' if name in old else 'new'}"


def _metadata_changed(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted(old.keys() & new.keys()):
        for step in ("record", "metadata"):
            before, after = (lock[name].get(step, {}).get("version") for lock in (old, new))
            if before != after:
                what = "what its source says" if step == "record" else "harmonized metadata"
                yield f"{name}: {what} ({_short(before)} -> {_short(after)})"


def _attributes_changed(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """Tell of imports of what others say about samples."""
    for name in sorted(old.keys() | new.keys()):
        before, after = (lock.get(name, {}).get("version") for lock in (old, new))
        if before != after:
            yield f"attributes from {name}: {_short(before)} -> {_short(after)}"


def _short(value: object, shown: int = 12) -> str:
    text = "none" if value is None else str(value)
    return text[:shown] if len(text) == 64 else text
