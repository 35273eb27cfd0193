"""Brings the wanted files of an experiment into the lake: what stands is kept, what is new is fetched.

A location is downloaded once however many samples have files there. Runs of SRA whose FASTQ files cannot
be had from ENA are taken from NCBI instead.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from refinebio_assets.domain import Experiment, FileRole, Sample, SourceFile, distinct, some_of
from refinebio_assets.errors import RefinebioError, StorageError
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.arriving_file import (
    FailedPart,
    FetchedFile,
    check_stored,
    fetch,
    fetch_from_archive,
)
from refinebio_assets.pipelines.fetch_file import Origin, WebSource, promised
from refinebio_assets.pipelines.progress import Progress
from refinebio_assets.pipelines.raw_file import RawFile
from refinebio_assets.pipelines.wanted_files import from_sheet, origin_now, wanted_files
from refinebio_assets.pipelines.workers import available_cores, run_all
from refinebio_assets.platforms.file_roles import is_archive

FILES_AT_ONCE = 4
"""Downloads wait for the network, not for a core; the hosts' own limits are kept by the fetch layer."""

MEGABYTE = 1_000_000
READ = "read raw files"
CHECK = "check raw files again"
DOWNLOAD = "download"
SHOWN_MEMBERS = 5
FROM_NCBI = "; and from NCBI: "

Found = dict[SourceFile, list[RawFile]]


@dataclass(frozen=True, slots=True)
class Gathering:
    """How an experiment's files are gathered: where to, from where, and what to try again.

    ``checked_alike`` tells that what is known passed the checks of today's code; otherwise the copies in
    the lake are checked again, and not asked for anew.
    """

    lake: Lake
    web: WebSource
    progress: Progress
    retry_failed: bool = False
    checked_alike: bool = True

    def gather(self, experiment: Experiment, known: Sequence[RawFile]) -> list[RawFile]:
        """Return the files of each sample, in sample order; one that cannot be had carries its reason.

        ``known`` are the files of an earlier time.
        """
        # Whether what was lost can be had is found out anew.
        known = [replace(raw, permanent=True) if raw.stored else raw for raw in known]
        sheet, recorded = from_sheet(experiment), known
        if not self.checked_alike:
            known = self._checked_again(known)
        second = {} if sheet else second_choices(experiment)
        standing_in = self._standing_in(second, known)
        wanted, found = self._here(experiment, known, standing_in)
        fetched = self._fetch_all([file for _, file in wanted if file not in found], sheet)
        found |= {file: self._or_recorded(file, raws, recorded) for file, raws in fetched.items()}
        raw: dict[str, list[RawFile]] = dict(standing_in)
        by_name = {sample.accession: sample for sample in experiment.samples}
        sharing = Counter(file for _, file in wanted)
        for sample, file in wanted:
            parts = parts_of(by_name[sample], file, found[file], alone=sharing[file] == 1)
            raw.setdefault(sample, []).extend(replace(one, sample=sample) for one in parts)
        raw |= self._from_second_choices(raw, second)
        return [one for sample in experiment.samples for one in raw.get(sample.accession, ())]

    def missing(self, experiment: Experiment, known: Sequence[RawFile]) -> list[tuple[str, SourceFile]]:
        """Return the files that ``gather`` would fetch, each with its sample; nothing is fetched."""
        second = {} if from_sheet(experiment) else second_choices(experiment)
        wanted, found = self._here(experiment, known, self._standing_in(second, known))
        return [(sample, file) for sample, file in wanted if file not in found]

    def _here(
        self, experiment: Experiment, known: Sequence[RawFile], standing_in: Mapping[str, Sequence[RawFile]]
    ) -> tuple[list[tuple[str, SourceFile]], Found]:
        """Return each sample with each file of it that is wanted, and those files that need not be read."""
        sheet = from_sheet(experiment)
        wanted = [
            (s.accession, file) for s, file in wanted_files(experiment) if s.accession not in standing_in
        ]
        found: Found = {}
        samples_of: dict[SourceFile, set[str]] = {}
        for sample, file in wanted:
            samples_of.setdefault(file, set()).add(sample)
        for file, samples in samples_of.items():
            stands = self._standing(file, samples, known, sheet)
            if stands:
                found[file] = stands
        return wanted, found

    def _checked_again(self, known: Sequence[RawFile]) -> list[RawFile]:
        """Check what is in the lake by today's code; files that are not there have to be fetched anew."""
        stored = [raw for raw in known if raw.stored and self.lake.has_object(raw.stored.sha256)]
        if stored:
            self.progress.start(CHECK, len(stored), "files")
        checked = []
        for before, raw in run_all(self._check, stored, workers=available_cores()):
            checked += [raw] if raw else []
            self.progress.advance(CHECK, raw.reason if raw else f"{before.origin.location} is damaged here")
        place = {(raw.sample, raw.role, raw.origin.location, raw.member): n for n, raw in enumerate(known)}
        return sorted(checked, key=lambda raw: place[raw.sample, raw.role, raw.origin.location, raw.member])

    def _check(self, raw: RawFile) -> RawFile | None:
        """Check a copy in the lake; None when it does not pass: what its source has now is to decide."""
        if raw.stored is None:
            return raw
        try:
            findings = check_stored(self.lake, raw.stored, raw.role, raw.origin.location)
        except StorageError:
            raise
        except RefinebioError:
            return None
        return replace(raw.with_findings(findings), reason="")

    def _standing_in(
        self, second: Mapping[str, SourceFile], known: Sequence[RawFile]
    ) -> dict[str, list[RawFile]]:
        """Return, by sample, the second choices that are in the lake already."""
        mine = {sample: [raw for raw in known if raw.sample == sample] for sample in second}
        return {
            sample: raws
            for sample, raws in mine.items()
            if raws and all(self._is_stored(raw, second[sample]) for raw in raws)
        }

    def _is_stored(self, raw: RawFile, file: SourceFile) -> bool:
        """Tell whether a known file came from this one and is in the lake, whole."""
        stored = raw.stored
        if not raw.usable or stored is None or raw.origin != promised(file):
            return False
        return self.lake.has_object(stored.sha256)

    def _standing(
        self, file: SourceFile, samples: AbstractSet[str], known: Sequence[RawFile], sheet: bool
    ) -> list[RawFile]:
        """Return what is known of a file when it need not be read again, else nothing."""
        mine = [raw for raw in known if _is_of(raw, file)]
        if holds_unknown_members(file) and not samples <= {raw.sample for raw in mine}:
            return []
        first = _distinct_parts(mine)
        if not first or not all(self._settled(raw) for raw in first):
            return []
        try:
            if any(origin_now(file, sheet=sheet, web=self.web) != raw.origin for raw in first):
                return []
        except RefinebioError as error:
            if any(raw.stored is None for raw in first):
                return []
            self.progress.say(f"{error}: the verified copy in the lake is used")
        # What is in the lake passed its own checks; how mates compare is judged anew.
        return [replace(raw, reason="") if raw.stored else raw for raw in first]

    def _or_recorded(
        self, file: SourceFile, fetched: list[RawFile], recorded: Sequence[RawFile]
    ) -> list[RawFile]:
        """Return what was fetched, or the record of what was lost from the lake and cannot be had.

        Its bytes are gone; what was made of them stands. Where its source may come back, so may they.
        """
        mine = [raw for raw in recorded if raw.usable and _is_of(raw, file)]
        failed = [raw for raw in fetched if not raw.usable]
        if not failed or not mine or all(self._settled(raw) for raw in mine):
            return fetched
        permanent = all(raw.permanent for raw in failed)
        lost = f"lost from the lake, and cannot be had {'again' if permanent else 'now'}: {failed[0].reason}"
        self.progress.say(f"{file.location}: {lost}")
        return [replace(raw, lost=lost, permanent=permanent) for raw in _distinct_parts(mine)]

    def _settled(self, raw: RawFile) -> bool:
        if raw.stored is None:
            return raw.permanent and not self.retry_failed
        return self.lake.has_object(raw.stored.sha256)

    def _fetch_all(self, files: Iterable[SourceFile], sheet: bool) -> Found:
        by_location: dict[tuple[str, object], list[SourceFile]] = {}
        for file in dict.fromkeys(files):
            # In a sheet one file may serve two roles, each with checks of its own.
            by_location.setdefault((file.location, file.role if sheet else ""), []).append(file)
        groups = list(by_location.values())
        if not groups:
            return {}
        self.progress.start(READ, len(groups), "files")
        arriving = _Arriving([group[0] for group in groups], self.progress)
        found: Found = {}
        workers = available_cores() if sheet else max(FILES_AT_ONCE, available_cores())
        work = self._from_sheet if sheet else self._from_archive(arriving.count)
        for group, made in run_all(work, groups, workers=workers, tick=arriving.show):
            found |= made
            reasons = distinct(raw.reason for raws in made.values() for raw in raws if raw.reason)
            self.progress.advance(READ, reasons[0] if reasons else group[0].location)
        return found

    def _from_sheet(self, group: Sequence[SourceFile]) -> Found:
        try:
            fetched = fetch(self.lake, group[0].location, group[0].role, self.web)
        except StorageError:
            raise
        except RefinebioError as error:
            return {file: [self._failed(file, error, sheet=True)] for file in group}
        return {file: [RawFile.of_fetched(fetched, file.role)] for file in group}

    def _from_archive(self, tell: Callable[[int], None]) -> Callable[[Sequence[SourceFile]], Found]:
        def fetch_group(group: Sequence[SourceFile]) -> Found:
            try:
                fetched = fetch_from_archive(self.lake, group, self.web, tell)
            except StorageError:
                raise
            except RefinebioError as error:
                return {file: [self._failed(file, error, sheet=False)] for file in group}
            return {
                file: [self._failed(file, parts, sheet=False)]
                if isinstance(parts, RefinebioError)
                else [self._part(file, part) for part in parts]
                for file, parts in fetched.items()
            }

        return fetch_group

    def _part(self, file: SourceFile, part: FetchedFile | FailedPart) -> RawFile:
        if isinstance(part, FetchedFile):
            return RawFile.of_fetched(part, part.role or file.role)
        failed = self._failed(file, part.error, sheet=False)
        return replace(failed, role=part.role, member=part.member)

    def _failed(self, file: SourceFile, error: RefinebioError, *, sheet: bool) -> RawFile:
        """Record a refused file as it stands, so that it is read again only when it changes."""
        try:
            origin = origin_now(file, sheet=sheet, web=self.web)
        except RefinebioError:
            origin = Origin(file.location, 0, "")
        return RawFile(
            "", file.role, origin, reason=str(error), permanent=error.permanent, member=file.member
        )

    def _from_second_choices(
        self, raw: Mapping[str, Sequence[RawFile]], second: Mapping[str, SourceFile]
    ) -> dict[str, list[RawFile]]:
        """Take the runs whose FASTQ files could not be had for good from NCBI, where it offers them."""
        lost = {sample: _lost_reads(raw.get(sample, ())) for sample in second}
        chosen = {
            sample: file
            for sample, file in second.items()
            if lost[sample] and (self.retry_failed or FROM_NCBI not in lost[sample])
        }
        for sample in chosen:
            self.progress.say(f"{sample}: {lost[sample]}; NCBI is asked for its reads instead")
        found = self._fetch_all(chosen.values(), sheet=False)
        return {sample: _second_or_both(sample, raw[sample], found[file]) for sample, file in chosen.items()}


def second_choices(experiment: Experiment) -> dict[str, SourceFile]:
    """Return, by sample, the run at NCBI that can stand in for FASTQ files at ENA."""
    reads_at_ena = {s.accession for s, file in wanted_files(experiment) if file.role is FileRole.FASTQ_1}
    runs = {sample.accession: sample.file(FileRole.SRA) for sample in experiment.samples}
    return {sample: file for sample, file in runs.items() if file is not None and sample in reads_at_ena}


def holds_unknown_members(file: SourceFile) -> bool:
    """Tell whether a file is an archive of which only its content says what is in it."""
    archive = file.role is FileRole.ARCHIVE or is_archive(file.name)
    return archive and not file.member and file.role is not FileRole.SRA


def parts_of(sample: Sample, file: SourceFile, parts: Sequence[RawFile], *, alone: bool) -> list[RawFile]:
    """Return the members of an archive that are a sample's, or a failure that lists them.

    Those that are named after it: by its accession, also without that of its experiment, or its title. An
    archive that no other sample has may hold one file of a kind under any name; of one that several have, a
    table that is alone is of all of them, whose columns its header names.
    """
    if not holds_unknown_members(file) or not any(part.member for part in parts):
        return list(parts)
    only_table = len(parts) == 1 and parts[0].role in (FileRole.BEADARRAY, FileRole.PROCESSED)
    mine = [part for part in parts if _is_named_after(part.member, sample)]
    if not mine and (alone or only_table):
        mine = list(parts)
    roles = Counter(part.role for part in mine)
    if mine and max(roles.values()) == 1:
        return mine
    members = some_of([part.member for part in parts], SHOWN_MEMBERS)
    reason = f"{file.location} does not tell which file is this sample's: it holds {members}"
    return [RawFile("", file.role, parts[0].origin, reason=reason)]


def _is_named_after(member: str, sample: Sample) -> bool:
    stem = member.rsplit("/", 1)[-1].split(".", 1)[0].casefold()
    own = sample.accession.casefold()
    short = re.sub(r"^e-[a-z]{4}-\d+-", "", own)
    names = {own, short, sample.title.strip().casefold()} - {""}
    return stem in names or any(re.match(rf"{re.escape(name)}[^a-z0-9]", stem) for name in (own, short))


def _distinct_parts(raws: Sequence[RawFile]) -> list[RawFile]:
    """Return each part of a file once, though several samples have it."""
    return list({(raw.role, raw.member): raw for raw in reversed(raws)}.values())[::-1]


def _is_of(raw: RawFile, file: SourceFile) -> bool:
    """Tell whether a known file came from this one: directly, or as a part whose name was not known."""
    if raw.origin.location != file.location:
        return False
    if file.role in (FileRole.ARCHIVE, FileRole.SRA):
        return bool(raw.member) or raw.role is file.role
    return raw.role is file.role and (not file.member or raw.member == file.member)


def _lost_reads(raw: Sequence[RawFile]) -> str:
    """Say why a sample's FASTQ files could not be had, when that is for good; empty otherwise."""
    lost = [one for one in raw if one.role in (FileRole.FASTQ_1, FileRole.FASTQ_2) and not one.usable]
    return "; ".join(distinct(one.reason for one in lost)) if lost and all(o.permanent for o in lost) else ""


def _second_or_both(sample: str, first: Sequence[RawFile], second: Sequence[RawFile]) -> list[RawFile]:
    """Return the second choice when it is good; else the first, with what failed in either."""
    if all(one.usable for one in second):
        return [replace(one, sample=sample) for one in second]
    failure = "; ".join(distinct(one.reason for one in second if one.reason))
    permanent = all(one.permanent for one in second if not one.usable)
    return [
        one if one.usable else replace(one, reason=f"{one.reason}{FROM_NCBI}{failure}", permanent=permanent)
        for one in first
    ]


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
