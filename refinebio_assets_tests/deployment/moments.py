"""What went on at the same time, from what Dagster recorded."""

from __future__ import annotations

from collections.abc import Iterable

from dagster import DagsterEventType, DagsterInstance

POOLS = {"raw_files": "download", "sample_quantifications": "salmon", "gene_expression": "memory"}
_ENDS = {DagsterEventType.STEP_SUCCESS, DagsterEventType.STEP_FAILURE}

Span = tuple[float, float]


def most_at_once(spans: Iterable[Span]) -> int:
    """Return how many spans overlap at most; one that begins when another ends does not overlap it."""
    changes = sorted(change for begin, end in spans for change in ((begin, 1), (end, -1)))
    most = now = 0
    for _, change in changes:
        now += change
        most = max(most, now)
    return most


def run_spans(instance: DagsterInstance, runs: Iterable[str]) -> dict[str, Span]:
    """Return when runs that ended were in progress, by id, in order of their start."""
    spans = {}
    for run_id in runs:
        record = instance.get_run_record_by_id(run_id)
        if record is not None and record.start_time and record.end_time:
            spans[run_id] = (record.start_time, record.end_time)
    return dict(sorted(spans.items(), key=lambda item: item[1]))


def pool_spans(instance: DagsterInstance, runs: Iterable[str]) -> dict[str, list[Span]]:
    """Return when steps held a slot of each pool, from the steps' events."""
    spans: dict[str, list[Span]] = {pool: [] for pool in POOLS.values()}
    for run_id in runs:
        began: dict[str, float] = {}
        for entry in instance.all_logs(run_id, of_type={DagsterEventType.STEP_START, *_ENDS}):
            step = str(entry.step_key)
            if entry.get_dagster_event().event_type == DagsterEventType.STEP_START:
                began[step] = entry.timestamp
            elif step in POOLS:
                spans[POOLS[step]].append((began[step], entry.timestamp))
    return spans
