"""Brings the wanted files of an experiment into the lake: what stands is kept, what is new is fetched.

A location is downloaded once however many samples have files there. Runs of SRA whose FASTQ files cannot
be had from ENA are taken from NCBI instead.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from refinebio_assets.domain import Experiment, FileRole, Sample, SourceFile, distinct
from refinebio_assets.errors import RefinebioError, StorageError
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.arriving_file import fetch, fetch_from_archive
from refinebio_assets.pipelines.fetch_file import Origin, WebSource, promised
from refinebio_assets.pipelines.progress import Progress
from refinebio_assets.pipelines.raw_file import RawFile
from refinebio_assets.pipelines.wanted_files import from_sheet, origin_now, wanted_files
from refinebio_assets.pipelines.workers import available_cores, run_all

FILES_AT_ONCE = 4
"""Downloads wait for the network, not for a core; the hosts' own limits are kept by the fetch layer."""

MEGABYTE = 1_000_000
READ = "read raw files"
DOWNLOAD = "download"

Found = dict[SourceFile, list[RawFile]]


def gather(
    lake: Lake,
    experiment: Experiment,
    known: Sequence[RawFile],
    web: WebSource,
    *,
    retry_failed: bool,
    progress: Progress,
) -> list[RawFile]:
    """Return the files of each sample, in sample order; one that cannot be had carries its reason.

    ``known`` are files of an earlier time that passed today's checks.
    """
    sheet = from_sheet(experiment)
    wanted = list(wanted_files(experiment))
    files = list(dict.fromkeys(file for _, file in wanted))
    found: Found = {}
    for file in files:
        stands = _standing(lake, file, known, web, sheet, retry_failed, progress)
        if stands:
            found[file] = stands
    missing = [file for file in files if file not in found]
    found |= _fetch_all(lake, missing, web, sheet, progress)
    gathered = [replace(raw, sample=sample.accession) for sample, file in wanted for raw in found[file]]
    return gathered if sheet else _with_second_choices(lake, experiment, gathered, web, progress)


def _standing(
    lake: Lake,
    file: SourceFile,
    known: Sequence[RawFile],
    web: WebSource,
    sheet: bool,
    retry_failed: bool,
    progress: Progress,
) -> list[RawFile]:
    """Return what is known of a file when it need not be read again, else nothing."""
    mine = [raw for raw in known if _is_of(raw, file)]
    first = [raw for raw in mine if raw.sample == mine[0].sample]
    if not first or not all(_settled(lake, raw, retry_failed) for raw in first):
        return []
    try:
        if any(origin_now(file, sheet=sheet, web=web) != raw.origin for raw in first):
            return []
    except RefinebioError as error:
        if any(raw.stored is None for raw in first):
            return []
        progress.say(f"{error}: the verified copy in the lake is used")
    # What is in the lake passed its own checks; how mates compare is judged anew.
    return [replace(raw, reason="") if raw.stored else raw for raw in first]


def _is_of(raw: RawFile, file: SourceFile) -> bool:
    """Tell whether a known file came from this one: directly, or as a part whose name was not known."""
    if raw.origin.location != file.location:
        return False
    if file.role in (FileRole.ARCHIVE, FileRole.SRA):
        return bool(raw.member) or raw.role is file.role
    return raw.role is file.role and (not file.member or raw.member == file.member)


def _settled(lake: Lake, raw: RawFile, retry_failed: bool) -> bool:
    if raw.stored is None:
        return raw.permanent and not retry_failed
    return lake.has_object(raw.stored.sha256)


def _fetch_all(
    lake: Lake, files: Sequence[SourceFile], web: WebSource, sheet: bool, progress: Progress
) -> Found:
    if not files:
        return {}
    by_location: dict[tuple[str, object], list[SourceFile]] = {}
    for file in files:
        # In a sheet one file may serve two roles, each with checks of its own.
        by_location.setdefault((file.location, file.role if sheet else ""), []).append(file)
    progress.start(READ, len(by_location), "files")
    arriving = _Arriving([group[0] for group in by_location.values()], progress)

    def one(group: list[SourceFile]) -> Found:
        try:
            if sheet:
                return _fetch_from_sheet(lake, group, web)
            return _fetch_from_archive(lake, group, web, arriving.count)
        except StorageError:
            raise
        except RefinebioError as error:
            return {file: [_failed(file, error, sheet, web)] for file in group}

    found: Found = {}
    workers = max(FILES_AT_ONCE, available_cores()) if not sheet else available_cores()
    for group, made in run_all(one, list(by_location.values()), workers=workers, tick=arriving.show):
        found |= made
        reasons = distinct(raw.reason for raws in made.values() for raw in raws if raw.reason)
        progress.advance(READ, reasons[0] if reasons else group[0].location)
    return found


def _fetch_from_sheet(lake: Lake, group: Sequence[SourceFile], web: WebSource) -> Found:
    fetched = fetch(lake, group[0].location, group[0].role, web)
    return {file: [RawFile.of_fetched(fetched, file.role)] for file in group}


def _fetch_from_archive(
    lake: Lake, group: Sequence[SourceFile], web: WebSource, tell: Callable[[int], None]
) -> Found:
    fetched = fetch_from_archive(lake, group, web, tell)
    return {
        file: [RawFile.of_fetched(part, part.role or file.role) for part in parts]
        for file, parts in fetched.items()
    }


class _Arriving:
    """Counts bytes as they arrive, in any thread, and shows whole megabytes when asked to."""

    def __init__(self, files: Sequence[SourceFile], progress: Progress) -> None:
        self._progress = progress
        self._total = sum(file.size or 0 for file in files) // MEGABYTE
        self._bytes = 0
        self._shown = 0
        self._lock = threading.Lock()
        if self._total:
            progress.start(DOWNLOAD, self._total, "MB")

    def count(self, arrived: int) -> None:
        """Take note of more bytes."""
        with self._lock:
            self._bytes += arrived

    def show(self) -> None:
        """Show what has arrived since the last time, where the archive promised sizes."""
        more = min(self._bytes // MEGABYTE, self._total) - self._shown
        if more > 0:
            self._shown += more
            self._progress.advance(DOWNLOAD, amount=more)


def _failed(file: SourceFile, error: RefinebioError, sheet: bool, web: WebSource) -> RawFile:
    """Record a refused file as it stands, so that it is read again only when it changes."""
    try:
        origin = origin_now(file, sheet=sheet, web=web)
    except RefinebioError:
        origin = Origin(file.location, 0, "") if sheet else promised(file)
    return RawFile("", file.role, origin, reason=str(error), permanent=error.permanent, member=file.member)


def _with_second_choices(
    lake: Lake, experiment: Experiment, gathered: Sequence[RawFile], web: WebSource, progress: Progress
) -> list[RawFile]:
    """Take the runs whose FASTQ files could not be had for good from NCBI, where it offers them."""
    lost = {raw.sample: raw.reason for raw in gathered if _lost_reads(raw)}
    second = {
        sample.accession: file for sample in experiment.samples if (file := _run_of(sample, lost)) is not None
    }
    if not second:
        return list(gathered)
    for sample in second:
        progress.say(f"{sample}: {lost[sample]}; its reads are taken from NCBI")
    found = _fetch_all(lake, list(second.values()), web, False, progress)
    return _replaced(gathered, second, found)


def _lost_reads(raw: RawFile) -> bool:
    return raw.role in (FileRole.FASTQ_1, FileRole.FASTQ_2) and not raw.usable and raw.permanent


def _run_of(sample: Sample, lost: Mapping[str, str]) -> SourceFile | None:
    return sample.file(FileRole.SRA) if sample.accession in lost else None


def _replaced(gathered: Sequence[RawFile], second: Mapping[str, SourceFile], found: Found) -> list[RawFile]:
    """Put the second choices that arrived in place of what they stand for, in the samples' order."""
    usable = {
        sample: [replace(raw, sample=sample) for raw in found[file]]
        for sample, file in second.items()
        if all(raw.usable for raw in found[file])
    }
    result: list[RawFile] = []
    for raw in gathered:
        if raw.sample not in usable:
            result.append(raw)
        elif not any(made.sample == raw.sample for made in result):
            result += usable[raw.sample]
    return result
