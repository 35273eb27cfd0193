"""Says in words how an experiment's description differs from an earlier one."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from refinebio_assets.domain import Experiment, Sample, SourceFile

SHOWN_CHARACTERS = 60


def explain_experiment(old: Experiment, new: Experiment) -> list[str]:
    """Return one sentence for each thing that was added, removed or changed."""
    before = {sample.accession: sample for sample in old.samples}
    now = {sample.accession: sample for sample in new.samples}
    return [
        *_changed_fields("experiment", old, new, without=("samples", "left_out", "metadata")),
        *_changed_pairs("experiment", old.metadata, new.metadata),
        *(f"sample {name} added" for name in now if name not in before),
        *(f"sample {name} removed" for name in before if name not in now),
        *(
            sentence
            for name in now
            if name in before and before[name] != now[name]
            for sentence in _explain_sample(before[name], now[name])
        ),
    ]


def _explain_sample(old: Sample, new: Sample) -> list[str]:
    about = f"sample {new.accession}"
    return [
        *_changed_fields(about, old, new, without=("metadata", "files")),
        *_changed_files(about, old.files, new.files),
        *_changed_pairs(about, old.metadata, new.metadata),
    ]


def _changed_fields(about: str, old: Any, new: Any, *, without: tuple[str, ...]) -> list[str]:
    names = [field.name for field in fields(old) if field.name not in without]
    return [
        f"{about}: {name} changed: {_short(getattr(old, name))} -> {_short(getattr(new, name))}"
        for name in names
        if getattr(old, name) != getattr(new, name)
    ]


def _changed_files(about: str, old: tuple[SourceFile, ...], new: tuple[SourceFile, ...]) -> list[str]:
    before = {(file.location, file.member): file for file in old}
    now = {(file.location, file.member): file for file in new}
    return [
        *(f"{about}: file {now[place].name} added" for place in now if place not in before),
        *(f"{about}: file {before[place].name} removed" for place in before if place not in now),
        *(
            f"{about}: file {now[place].name} changed at its source"
            for place in now
            if place in before and before[place] != now[place]
        ),
    ]


def _changed_pairs(
    about: str, old: tuple[tuple[str, str], ...], new: tuple[tuple[str, str], ...]
) -> list[str]:
    before, now = _by_key(old), _by_key(new)
    return [
        f"{about}: {key} {_change(before.get(key), now.get(key))}"
        for key in dict.fromkeys([*before, *now])
        if before.get(key) != now.get(key)
    ]


def _change(old: tuple[str, ...] | None, new: tuple[str, ...] | None) -> str:
    if old is None:
        return f"added: {_short(new)}"
    if new is None:
        return "removed"
    return f"changed: {_short(old)} -> {_short(new)}"


def _by_key(pairs: tuple[tuple[str, str], ...]) -> dict[str, tuple[str, ...]]:
    values: dict[str, tuple[str, ...]] = {}
    for key, value in pairs:
        values[key] = (*values.get(key, ()), value)
    return values


def _short(value: Any) -> str:
    text = "; ".join(map(str, value)) if isinstance(value, tuple) else str(value)
    text = repr(text) if not text or text != text.strip() else text
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS - 1]}…"
