"""The runs and pools of a lake's persistent Dagster instance: who executes what, and what died."""

import os
import socket
from pathlib import Path
from typing import Any

from dagster import DagsterInstance, DagsterRun, DagsterRunStatus, RunsFilter

PROCESS_TAG = ".dagster/refinebio/process"
"""Dagster's UI does not show tags of this prefix: nobody reads it, and it is long."""

_ENDED = ("Z", "X")
UNFINISHED = [DagsterRunStatus.NOT_STARTED, DagsterRunStatus.STARTING, DagsterRunStatus.STARTED]


def process_tags(run_id: str) -> dict[str, str]:
    """Return run tags that tell which process on which machine executes a run.

    The run is named too, because a run that is executed again gets the tags of the first.
    """
    return {PROCESS_TAG: f"{run_id} {socket.gethostname()} {_process_identity(os.getpid())}"}


def end_dead_runs(instance: DagsterInstance) -> list[str]:
    """Mark runs as failed whose process on this machine no longer exists; return their ids.

    Such a run would otherwise show as running for ever. The pool slots of all ended runs are freed too,
    as nobody else does it where no daemon runs.
    """
    running = RunsFilter(statuses=UNFINISHED)
    ended = []
    for run in instance.get_runs(filters=running):
        if not _is_process_gone(run):
            continue
        # A process that ended by itself wrote how, perhaps after the runs were listed.
        newest = instance.get_run_by_id(run.run_id)
        if newest is not None and not newest.is_finished:
            instance.report_run_failed(newest, "the process that executed this run was killed")
            ended.append(run.run_id)
    for run_id in _slot_holders(instance):
        holder = instance.get_run_by_id(run_id)
        if holder is None or holder.is_finished:
            instance.event_log_storage.free_concurrency_slots_for_run(run_id)
    return ended


def occupied_pools(instance: DagsterInstance) -> dict[str, str]:
    """Return the pools without a free slot, with a run that holds one, pool -> run id."""
    return {
        info.concurrency_key: min(info.active_run_ids)
        for info in _pools(instance)
        if info.active_run_ids and info.active_slot_count >= info.slot_count
    }


def _is_process_gone(run: DagsterRun) -> bool:
    """Tell whether the process that executes a run was one of this machine and no longer exists."""
    run_id, host, identity = (run.tags.get(PROCESS_TAG) or "  ").split(" ")
    if (run_id, host) != (run.run_id, socket.gethostname()):
        return False
    return identity != _process_identity(int(identity.partition("@")[0]))


def _slot_holders(instance: DagsterInstance) -> set[str]:
    """Return the ids of runs that hold a slot of a pool or wait for one."""
    return {
        run_id
        for info in _pools(instance)
        for run_id in info.active_run_ids | info.pending_run_ids | info.assigned_run_ids
    }


def _pools(instance: DagsterInstance) -> list[Any]:
    """Return what Dagster knows of each pool; the record's class has no public name."""
    storage = instance.event_log_storage
    return [storage.get_concurrency_info(pool) for pool in storage.get_concurrency_keys()]


def _process_identity(process: int) -> str:
    """Return the process id with its start time, as ids are used again; no start time when it is gone.

    A process that ended, but whose parent has not noticed, is gone too.
    """
    try:
        fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    except (OSError, IndexError):
        return f"{process}@{'unknown' if _exists(process) else 'gone'}"
    return f"{process}@{'gone' if fields[0] in _ENDED else fields[19]}"


def _exists(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
