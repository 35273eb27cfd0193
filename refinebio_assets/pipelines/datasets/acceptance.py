"""Is a dataset request one that can be met? All that stands against it is named at once, with what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from refinebio_assets.domain import AggregateBy, Technology, distinct, organism_title, some_of
from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.rows import query_rows
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.datasets.candidates import Candidate, experiment_candidates
from refinebio_assets.pipelines.datasets.request import (
    ALL,
    DatasetRequest,
    DatasetRequestError,
    Fault,
    Problem,
    suggestion,
)
from refinebio_assets.pipelines.registry import registered_accessions
from refinebio_assets.sources.accessions import geo_twin, recognize

TARGET_ASSET = "target_quantiles"
MAX_NAMED = 20
"""Samples named in one sentence; a problem's ``items`` has them all."""


@dataclass(frozen=True, slots=True)
class AcceptedRequest:
    """A request that can be met: ``ALL`` replaced by samples, experiments and samples sorted.

    ``whole`` are the experiments that were asked for with ``ALL``; ``advice`` is what stands between the
    request and its result although it is in order (an organism without a target).
    """

    request: DatasetRequest
    whole: tuple[str, ...]
    advice: tuple[str, ...]


Known = Mapping[str, Mapping[str, Candidate]]
"""Experiment -> sample -> what a dataset can take of it."""


def accept_request(
    lake: Lake, catalog: Catalog, request: DatasetRequest, *, about: str = ""
) -> AcceptedRequest:
    """Judge a request against the lake as it is now.

    Raises DatasetRequestError naming every experiment and sample that stands against it: unknown, listed
    under another experiment, without expression values or ``quant.sf``; skipping normalization where values
    would not be comparable; nothing left.
    """
    known = {name: experiment_candidates(lake, name) for name in request.experiments}
    found = {name: candidates for name, candidates in known.items() if candidates is not None}
    problems = list(_unknown_experiments(lake, [name for name in known if name not in found]))
    samples = []
    for experiment, wanted in request.data:
        if experiment in found:
            chosen, own = _choose(request, experiment, wanted, found[experiment])
            samples.append((experiment, tuple(sorted(chosen))))
            problems += own
    problems += _strangers(catalog, request, found)
    expanded = replace(request, data=tuple(sorted(samples)))
    problems += _skipping(expanded, found)
    if not problems and not expanded.samples:
        problems.append(Problem(Fault.EMPTY, "data", "no sample is left"))
    if problems:
        raise DatasetRequestError(problems, about=about or "dataset request")
    whole = tuple(experiment for experiment, wanted in request.data if wanted == (ALL,))
    return AcceptedRequest(expanded, whole, tuple(_advice(lake, expanded, found)))


def read_and_accept(
    lake: Lake, catalog: Catalog, read: Callable[[], DatasetRequest], *, about: str = ""
) -> AcceptedRequest:
    """Read a request and judge it; what is wrong with its form and with its samples is named together."""
    try:
        request = read()
    except DatasetRequestError as error:
        if error.readable is None or not error.readable.data:
            raise
        try:
            accept_request(lake, catalog, _each_once(error.readable))
        except DatasetRequestError as more:
            named = {item for problem in error.found for item in problem.items}
            others = [
                problem
                for problem in more.found
                if problem.fault != Fault.EMPTY and named.isdisjoint(problem.items)
            ]
            raise DatasetRequestError([*error.found, *others], about=about or "dataset request") from None
        raise
    return accept_request(lake, catalog, request, about=about)


def _each_once(request: DatasetRequest) -> DatasetRequest:
    data = tuple((experiment, tuple(distinct(samples))) for experiment, samples in request.data)
    return replace(request, data=data)


def _unknown_experiments(lake: Lake, names: Sequence[str]) -> Iterator[Problem]:
    registered = registered_accessions(lake) if names else []
    for name in names:
        twin = geo_twin(name)
        if twin in registered:
            hint = f"; it is here as {twin}"
        else:
            hint = suggestion(name, registered)
            if recognize(name) is not None:
                hint += f"; process it first: `refinebio-assets process {name}`"
            elif not hint:
                hint = "; `refinebio-assets status` lists the experiments that are here"
        yield Problem(
            Fault.UNKNOWN_EXPERIMENT, f"data.{name}", f"there is no experiment {name}{hint}", (name,)
        )


def _choose(
    request: DatasetRequest, experiment: str, wanted: Sequence[str], candidates: Mapping[str, Candidate]
) -> tuple[list[str], list[Problem]]:
    """Return which samples of an experiment can be taken as asked, and what is wrong with the others."""
    place = f"data.{experiment}"
    usable = {name: _problem(request, candidate) for name, candidate in candidates.items()}
    if tuple(wanted) == (ALL,):
        chosen = [name for name, problem in usable.items() if not problem]
        if chosen:
            return chosen, []
        return [], [_nothing(request, experiment, usable)]
    taken = [name for name in wanted if name in usable]
    problems = []
    fault = Fault.NO_QUANT_SF if request.quant_sf_only else Fault.NOT_PROCESSED
    what = "quant.sf" if request.quant_sf_only else "expression values"
    for problem, names in _by_problem(usable, taken).items():
        message = f"{some_of(names, MAX_NAMED)} cannot be added, having no {what}: {problem}"
        problems.append(Problem(fault, place, message, tuple(names)))
    return [name for name in taken if not usable[name]], problems


def _problem(request: DatasetRequest, candidate: Candidate) -> str:
    return candidate.quant_sf_problem if request.quant_sf_only else candidate.problem


def _by_problem(usable: Mapping[str, str], names: Iterable[str]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for name in names:
        if usable[name]:
            grouped.setdefault(usable[name], []).append(name)
    return grouped


def _nothing(request: DatasetRequest, experiment: str, usable: Mapping[str, str]) -> Problem:
    what = "a quant.sf" if request.quant_sf_only else "expression values"
    reasons = "; ".join(
        f"{some_of(names, MAX_NAMED)}: {problem}" for problem, names in _by_problem(usable, usable).items()
    )
    message = f"none of its samples has {what}. {reasons or 'It has no samples'}"
    return Problem(Fault.NOTHING_PROCESSED, f"data.{experiment}", message, (experiment,))


def _strangers(catalog: Catalog, request: DatasetRequest, known: Known) -> list[Problem]:
    """Name samples that are listed under an experiment which does not have them."""
    strange = [
        (experiment, sample)
        for experiment, wanted in request.data
        if experiment in known and wanted != (ALL,)
        for sample in wanted
        if sample not in known[experiment]
    ]
    if not strange:
        return []
    owners = _owners(catalog, [sample for _, sample in strange])
    return [_stranger(experiment, sample, owners.get(sample, []), known) for experiment, sample in strange]


def _stranger(experiment: str, sample: str, owners: Sequence[str], known: Known) -> Problem:
    place = f"data.{experiment}"
    if owners:
        message = f"{sample} is no sample of {experiment} but of {', '.join(owners)}: list it there"
        return Problem(Fault.NOT_OF_EXPERIMENT, place, message, (sample,))
    hint = suggestion(sample, known[experiment])
    return Problem(Fault.UNKNOWN_SAMPLE, place, f"there is no sample {sample}{hint}", (sample,))


def _owners(catalog: Catalog, samples: Sequence[str]) -> dict[str, list[str]]:
    """Return the experiments that have these samples, by sample."""
    catalog.sync()
    rows = query_rows(
        catalog,
        """SELECT DISTINCT sample, experiment FROM registered_samples
           WHERE list_contains($samples, sample) ORDER BY ALL""",
        {"samples": list(samples)},
    )
    owners: dict[str, list[str]] = {}
    for row in rows:
        owners.setdefault(row["sample"], []).append(row["experiment"])
    return owners


def _skipping(request: DatasetRequest, known: Known) -> Iterator[Problem]:
    """Refuse to leave out normalization where values of samples would not be comparable."""
    if request.quantile_normalize or request.quant_sf_only:
        return
    fault, place = Fault.CANNOT_SKIP_NORMALIZATION, "quantile_normalize"
    if request.aggregate_by is not AggregateBy.EXPERIMENT:
        message = (
            "can be false only when aggregate_by is EXPERIMENT: values of different experiments are "
            "comparable only after quantile normalization"
        )
        yield Problem(fault, place, message)
    arrays = [
        sample
        for experiment, samples in request.data
        for sample in samples
        if known[experiment][sample].technology is Technology.MICROARRAY
    ]
    if arrays:
        message = (
            f"can be false for RNA-seq samples only, and {some_of(arrays, MAX_NAMED)} "
            f"{'is a microarray' if len(arrays) == 1 else 'are microarrays'}: keep it true, or leave them out"
        )
        yield Problem(fault, place, message, tuple(arrays))


def _advice(lake: Lake, request: DatasetRequest, known: Known) -> Iterator[str]:
    """Say which organisms have no target yet, as nothing can be normalized without."""
    if not request.quantile_normalize or request.quant_sf_only:
        return
    organisms = {
        known[experiment][sample].organism for experiment, samples in request.data for sample in samples
    }
    for organism in sorted(organisms):
        if lake.head(TARGET_ASSET, organism) is None:
            yield (
                f"{organism_title(organism)} has no target for quantile normalization yet, which the build "
                f'needs: `refinebio-assets target build "{organism_title(organism)}"`'
            )
