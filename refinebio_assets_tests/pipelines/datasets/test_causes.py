"""Why versions of a dataset differ is told once for all samples that changed alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from refinebio_assets.pipelines.datasets.causes import explain_locks


def lock(
    samples: Mapping[str, Mapping[str, str]], filtered: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return a lock with samples of one matrix; ``filtered`` are others, with reasons."""
    empty: dict[str, Any] = {"request": {}, "targets": {}, "software": {}, "experiments": {}}
    return empty | {
        "samples": [{"sample": name, "key": "SRP1", **facts} for name, facts in samples.items()],
        "filtered": [
            {"sample": name, "key": "SRP1", "reason": reason} for name, reason in (filtered or {}).items()
        ],
    }


def processed(count: int, mark: str, index: str) -> dict[str, dict[str, str]]:
    """Return samples that have a version each, and one reference."""
    return {f"S{n}": {"version": f"{mark}{n}", "reference": index} for n in range(1, count + 1)}


def test_samples_that_changed_alike_share_a_sentence() -> None:
    told = explain_locks(lock(processed(9, "a", "old")), lock(processed(9, "b", "new")))
    assert told == [
        "9 samples (S1, S2, S3, S4, S5 and 4 more) of SRP1: processed again, reference (old -> new)"
    ]


def test_a_sample_that_changed_otherwise_has_a_sentence_of_its_own() -> None:
    newer = processed(3, "b", "new")
    newer["S3"]["reference"] = "other"
    assert explain_locks(lock(processed(3, "a", "old")), lock(newer)) == [
        "2 samples (S1, S2) of SRP1: processed again, reference (old -> new)",
        "sample S3 of SRP1: processed again (a3 -> b3), reference (old -> other)",
    ]


def test_samples_that_come_and_go_are_told_by_reason() -> None:
    old, new = processed(3, "a", "old"), {"S4": {"version": "a4"}, "S5": {"version": "a5"}}
    lost = {"S1": "it is lost", "S2": "it is lost"}
    assert explain_locks(lock(old), lock(new, filtered=lost)) == [
        "2 samples (S1, S2) are no longer in SRP1: it is lost",
        "sample S3 is no longer in SRP1",
        "2 samples (S4, S5) are new in SRP1",
    ]
