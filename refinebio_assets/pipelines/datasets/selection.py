"""Which values of which samples go into which matrix of a dataset, and which samples have none, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from refinebio_assets.domain import AggregateBy, Processing, Technology, Verdict
from refinebio_assets.lake.rows import read_rows
from refinebio_assets.lake.store import Commit, Lake, StoredFile
from refinebio_assets.pipelines.array_quantification import PROCESSOR as ARRAYS
from refinebio_assets.pipelines.array_values import GENES
from refinebio_assets.pipelines.datasets.candidates import Candidate, pinned_candidates
from refinebio_assets.pipelines.datasets.request import ALL, DatasetRequest
from refinebio_assets.pipelines.delivery.pins import ExperimentPins, Pins
from refinebio_assets.pipelines.gene_expression import matrix_samples
from refinebio_assets.pipelines.read_quantification import QUANT_FILE

WHOLE = "ALL"
"""The key of the one matrix that holds everything."""


@dataclass(frozen=True, slots=True)
class Source:
    """A matrix of an experiment that samples are taken from."""

    experiment: str
    matrix: str
    version: str
    technology: Technology
    platform: str
    submitted: bool
    commit: Commit = field(compare=False)

    @property
    def name(self) -> str:
        """What tells sources of one dataset apart."""
        return f"{self.experiment}/{self.matrix}"


@dataclass(frozen=True, slots=True)
class Member:
    """One sample of one matrix of a dataset: where its values are, or its ``quant.sf``.

    ``experiments`` are those of the request that list it; by experiment only the matrix's own. ``source`` is
    None where files are delivered.
    """

    sample: str
    organism: str
    technology: Technology
    experiments: tuple[str, ...]
    source: Source | None
    quant_sf: StoredFile | None = None


@dataclass(frozen=True, slots=True)
class Filtered:
    """A requested sample that is not delivered under a key, and why."""

    sample: str
    experiment: str
    key: str
    reason: str


@dataclass(frozen=True, slots=True)
class Group:
    """The samples of one matrix, sorted: ``key`` is an experiment, an organism, or ``ALL``."""

    key: str
    members: tuple[Member, ...]

    @property
    def samples(self) -> list[str]:
        """The samples, in the matrix's order."""
        return [member.sample for member in self.members]

    @property
    def organisms(self) -> list[str]:
        """The organisms of its samples, sorted."""
        return sorted({member.organism for member in self.members})


@dataclass(frozen=True, slots=True)
class Selection:
    """What a dataset is made of."""

    groups: tuple[Group, ...]
    filtered: tuple[Filtered, ...]

    @property
    def organisms(self) -> list[str]:
        """The organisms of all delivered samples, sorted."""
        return sorted({organism for group in self.groups for organism in group.organisms})

    @property
    def samples(self) -> list[str]:
        """All delivered samples, each once, sorted."""
        return sorted({member.sample for group in self.groups for member in group.members})

    def without(self, filtered: Sequence[Filtered]) -> Selection:
        """Return it less what turned out to have no values; a group without samples is none."""
        if not filtered:
            return self
        gone = {(item.key, item.sample) for item in filtered}
        groups = (
            Group(group.key, tuple(item for item in group.members if (group.key, item.sample) not in gone))
            for group in self.groups
        )
        return Selection(tuple(group for group in groups if group.members), (*self.filtered, *filtered))


def select_samples(lake: Lake, request: DatasetRequest, pins: Pins) -> Selection:
    """Choose for each requested sample its newest processed values.

    By experiment these are the experiment's own where it has any. Of one experiment's matrices one made
    from raw data comes before the submitter's values. Samples are sorted, as in refine.bio's downloads.
    """
    available = {
        name: _available(lake, pins.experiments[name], request.quant_sf_only) for name in request.experiments
    }
    wanted = [
        (experiment, sample)
        for experiment, samples in request.data
        for sample in _expanded(samples, available[experiment])
    ]
    listing: dict[str, list[str]] = {}
    for experiment, sample in wanted:
        listing.setdefault(sample, []).append(experiment)
    groups: dict[str, dict[str, Member]] = {}
    filtered = []
    for experiment, sample in wanted:
        member = _choose(sample, experiment, listing[sample], available, request.aggregate_by)
        if member is None:
            known = available[experiment].candidates.get(sample)
            key = _key(request.aggregate_by, experiment, known.organism if known else "")
            filtered.append(Filtered(sample, experiment, key, available[experiment].reason(sample)))
        else:
            key = _key(request.aggregate_by, experiment, member.organism)
            groups.setdefault(key, {})[sample] = member
    made = (Group(key, tuple(members[name] for name in sorted(members))) for key, members in groups.items())
    return Selection(tuple(sorted(made, key=lambda group: group.key)), tuple(filtered))


@dataclass(frozen=True, slots=True)
class _Available:
    """What one experiment has of each of its samples."""

    candidates: Mapping[str, Candidate]
    sources: Mapping[str, Source]
    files: Mapping[str, StoredFile]
    quant_sf_only: bool
    age: str
    """Id of the commit that its values or files are of; a newer one sorts later."""

    def has(self, sample: str) -> bool:
        return sample in (self.files if self.quant_sf_only else self.sources)

    def reason(self, sample: str) -> str:
        candidate = self.candidates.get(sample)
        if candidate is None:
            return "it is no longer a sample of the experiment"
        problem = candidate.quant_sf_problem if self.quant_sf_only else candidate.problem
        return problem or "its values are no longer in the lake"


def _available(lake: Lake, pins: ExperimentPins, quant_sf_only: bool) -> _Available:
    candidates = pinned_candidates(lake, pins.accession, pins.record, pins.expression, pins.quantified)
    files = dict(_quant_files(lake, pins)) if quant_sf_only else {}
    sources = {} if quant_sf_only else _sources(lake, pins)
    commit = pins.quantified if quant_sf_only else pins.expression
    return _Available(candidates, sources, files, quant_sf_only, commit.id if commit else "")


def _expanded(samples: Sequence[str], available: _Available) -> list[str]:
    if tuple(samples) != (ALL,):
        return list(samples)
    return [sample for sample in available.candidates if available.has(sample)]


def _sources(lake: Lake, pins: ExperimentPins) -> dict[str, Source]:
    """Return the matrix that each sample of an experiment is taken from."""
    if pins.expression is None:
        return {}
    rows = [row for row in read_rows(lake, pins.expression, "matrices") if (row["level"] or GENES) == GENES]
    chosen: dict[str, Source] = {}
    for row in sorted(rows, key=_is_submitted):
        source = Source(
            pins.accession,
            row["matrix"],
            row["version"],
            Technology(row["technology"]),
            row["platform"] or "",
            _is_submitted(row),
            pins.expression,
        )
        for sample in matrix_samples(lake, pins.expression, row["matrix"]):
            chosen.setdefault(sample, source)
    return chosen


def _is_submitted(row: Mapping[str, Any]) -> bool:
    return bool(row["processing"] == Processing.SUBMITTER_PROCESSED)


def _quant_files(lake: Lake, pins: ExperimentPins) -> Iterator[tuple[str, StoredFile]]:
    if pins.quantified is None:
        return
    for row in read_rows(lake, pins.quantified, "results"):
        if row["verdict"] == Verdict.PROCESSED and _is_quant_sf(row):
            stored = StoredFile(QUANT_FILE, row["file_path"], row["file_size"], row["file_sha256"])
            yield row["sample"], stored


def _is_quant_sf(row: Mapping[str, Any]) -> bool:
    return row["processor"] != ARRAYS and str(row["file_path"]).endswith(QUANT_FILE)


def _choose(
    sample: str,
    experiment: str,
    listing: Sequence[str],
    available: Mapping[str, _Available],
    aggregate_by: AggregateBy,
) -> Member | None:
    having = [name for name in listing if available[name].has(sample)]
    if not having:
        return None
    by_experiment = aggregate_by is AggregateBy.EXPERIMENT
    chosen = experiment if by_experiment and experiment in having else ""
    chosen = chosen or max(having, key=lambda name: available[name].age)
    facts = available[chosen].candidates[sample]
    source = available[chosen].sources.get(sample)
    return Member(
        sample,
        facts.organism,
        source.technology if source else facts.technology,
        (experiment,) if by_experiment else tuple(sorted(listing)),
        source,
        available[chosen].files.get(sample),
    )


def _key(aggregate_by: AggregateBy, experiment: str, organism: str) -> str:
    keys = {AggregateBy.EXPERIMENT: experiment, AggregateBy.SPECIES: organism, AggregateBy.ALL: WHOLE}
    return keys[aggregate_by]
