"""What differs between two bases is said in words."""

from __future__ import annotations

from refinebio_assets.pipelines.freshness import explain_changes


def test_what_was_added_removed_and_changed_is_told_key_by_key() -> None:
    old = {"code version": "1", "fastq_2": "b.fastq", "index": "0" * 64}
    new = {"code version": "2", "fastq_1": "a.fastq", "index": "f" * 64}
    assert explain_changes(old, new) == [
        "code version changed: 1 -> 2",
        "fastq_1 added",
        "fastq_2 removed",
        "index changed: 000000000000 -> ffffffffffff",
    ]


def test_when_a_file_was_modified_is_told_as_a_time() -> None:
    (reason,) = explain_changes(
        {"sheet": "/a.csv, 5 bytes, modified 1795876712504422508"},
        {"sheet": "/a.csv, 5 bytes, modified 1795876713504422508"},
    )
    assert reason == (
        "sheet changed: /a.csv, 5 bytes, modified 2026-11-28 14:38:32.504 -> "
        "/a.csv, 5 bytes, modified 2026-11-28 14:38:33.504"
    )
