"""What has been asked for: experiments as registered from a source, before any work is done.

A registration is a commit of its own, so that the UI, another machine or a later day can process
what a sample sheet or an archive described without asking it again. Transcriptomes are registered in
``transcriptome_registry``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from refinebio_assets.domain import Experiment, Sample, accession_problem
from refinebio_assets.errors import NotFoundError, RequestError
from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.rows import query_rows
from refinebio_assets.lake.store import Commit, Lake
from refinebio_assets.pipelines.experiment_file import read_experiment, write_experiment
from refinebio_assets.pipelines.freshness import content_hash
from refinebio_assets.pipelines.outcome import is_whole
from refinebio_assets.sources.accessions import KINDS
from refinebio_assets.sources.experiment_json import experiment_to_json
from refinebio_assets.sources.sample_sheet import read_sample_sheet

EXPERIMENT_REGISTRATION = "experiment_registration"
CODE_VERSION = "1"


@dataclass(frozen=True, slots=True)
class SurveyTerms:
    """On what terms an archive was asked: by which accession, and by which versions of which rules.

    All are empty for a sample sheet.
    """

    asked: str = ""
    survey_version: str = ""
    rules: str = ""

    @classmethod
    def of(cls, commit: Commit) -> SurveyTerms:
        """Return the terms of an earlier registration."""
        return cls(**{field.name: commit.info.get(field.name, "") for field in fields(cls)})


NO_SURVEY = SurveyTerms()


@dataclass(frozen=True, slots=True)
class Registration:
    """One experiment as registered; ``removed`` lists samples an earlier registration still had."""

    experiment: Experiment
    version: str
    changed: bool
    removed: tuple[str, ...] = ()


def register_sample_sheet(
    lake: Lake, catalog: Catalog, sheet: Path, *, qualify_samples: bool = False, dry_run: bool = False
) -> list[Registration]:
    """Register every experiment of a sample sheet; nothing is registered when anything is wrong.

    ``qualify_samples`` names every sample ``<experiment>-<sample>``; ``dry_run`` writes
    nothing. Raises RequestError, naming all problems at once, when the sheet is not usable or when a
    sample's name already belongs to another experiment's sample with other files: sample names are
    global, as accessions are.
    """
    experiments = read_sample_sheet(sheet)
    if qualify_samples:
        experiments = [_qualified(experiment) for experiment in experiments]
    problems = _conflicts(catalog, experiments)
    if problems:
        raise RequestError(problems, about=str(sheet))
    return [
        register_experiment(lake, experiment, origin=str(sheet), dry_run=dry_run)
        for experiment in experiments
    ]


def register_experiment(
    lake: Lake,
    experiment: Experiment,
    *,
    origin: str,
    terms: SurveyTerms = NO_SURVEY,
    dry_run: bool = False,
) -> Registration:
    """Register one experiment; an equal registration is not written again.

    Raises RequestError when a name cannot be one.
    """
    _refuse_names(experiment)
    content = experiment_to_json(experiment)
    version = content_hash(content)
    head = lake.head(EXPERIMENT_REGISTRATION, experiment.accession)
    whole = is_whole(lake, head)
    if head is not None and head.version == version and SurveyTerms.of(head) == terms and whole:
        return Registration(experiment, version, changed=False)
    before = read_experiment(lake, head).samples if head and whole else ()
    kept = {sample.accession for sample in experiment.samples}
    removed = tuple(sample.accession for sample in before if sample.accession not in kept)
    if dry_run:
        return Registration(experiment, version, changed=True, removed=removed)
    with lake.draft(EXPERIMENT_REGISTRATION, experiment.accession) as draft:
        write_experiment(draft, content)
        draft.write_table("registered_samples", _registered_rows(experiment))
        draft.commit(
            version=version,
            code_version=CODE_VERSION,
            info={"origin": origin, **asdict(terms)},
        )
    return Registration(experiment, version, changed=True, removed=removed)


def registered_experiment(lake: Lake, accession: str) -> tuple[Experiment, Commit]:
    """Return an experiment as last registered, with the registration's commit."""
    head = lake.head(EXPERIMENT_REGISTRATION, accession)
    if head is None:
        raise NotFoundError(
            f"experiment {accession} is not registered. Register it with "
            f"`refinebio-assets process --sample-sheet FILE`, where FILE has rows for {accession}, or give "
            f"an accession of a public archive: {KINDS}"
        )
    return read_experiment(lake, head), head


def registered_accessions(lake: Lake) -> list[str]:
    """Return the accessions of all registered experiments, sorted."""
    return sorted(lake.partitions(EXPERIMENT_REGISTRATION))


def _refuse_names(experiment: Experiment) -> None:
    names = [experiment.accession, *(sample.accession for sample in experiment.samples)]
    problems = [f"the name {name!r} {problem}" for name in names if (problem := accession_problem(name))]
    if problems:
        raise RequestError(problems, about=experiment.accession)


def _qualified(experiment: Experiment) -> Experiment:
    samples = tuple(
        replace(sample, accession=f"{experiment.accession}-{sample.accession}")
        for sample in experiment.samples
    )
    return replace(experiment, samples=samples)


def _definition(sample: Sample) -> str:
    """Hash what makes a sample the same wherever it is listed: organism, technology, files."""
    files = sorted((str(file.role), file.location, file.member) for file in sample.files)
    return content_hash([sample.organism, str(sample.technology), files])


def _registered_rows(experiment: Experiment) -> list[dict[str, str]]:
    return [
        {
            "experiment": experiment.accession,
            "sample": sample.accession,
            "definition": _definition(sample),
        }
        for sample in experiment.samples
    ]


def _conflicts(catalog: Catalog, experiments: Sequence[Experiment]) -> list[str]:
    """Name the samples that an experiment outside the sheet defines differently."""
    catalog.sync()
    rows = [row for experiment in experiments for row in _registered_rows(experiment)]
    found = query_rows(
        catalog,
        """
        SELECT mine.experiment, mine.sample, min(registered.experiment) AS owner
        FROM (SELECT unnest($experiments) AS experiment, unnest($samples) AS sample,
                     unnest($definitions) AS definition) AS mine
        JOIN registered_samples AS registered USING (sample)
        WHERE registered.definition <> mine.definition
          AND NOT list_contains($experiments, registered.experiment)
        GROUP BY ALL ORDER BY ALL
        """,
        {
            "experiments": [row["experiment"] for row in rows],
            "samples": [row["sample"] for row in rows],
            "definitions": [row["definition"] for row in rows],
        },
    )
    return [
        f"sample {row['sample']} of experiment {row['experiment']} is already registered in "
        f"experiment {row['owner']} with other files. Sample names are unique across experiments, "
        f"as accessions are: rename it, for example {row['experiment']}-{row['sample']}, or give "
        "--qualify-samples to have all samples named so"
        for row in found
    ]
