"""What a dry run tells is what a run then does: samples by step, for every kind of change."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from refinebio_assets.lake.rows import read_rows
from refinebio_assets.pipelines import (
    experiment_record,
    gene_expression,
    harmonized_metadata,
    raw_files,
    read_quantification,
    sample_quantifications,
)
from refinebio_assets.pipelines.costs import TABLE as COSTS
from refinebio_assets.pipelines.due import due_step
from refinebio_assets.pipelines.durations import Durations, measured_durations
from refinebio_assets.pipelines.estimate import amount, estimate
from refinebio_assets.pipelines.gene_expression import summarize_expression
from refinebio_assets.pipelines.metadata_overlays import import_corrections
from refinebio_assets.pipelines.outcome import Outcome
from refinebio_assets.pipelines.sample_quantifications import quantify_samples
from refinebio_assets.pipelines.work import CHECKED_FILES, Work, WorkRequest, work_due
from refinebio_assets_tests.pipelines.study import MATRIX, Study, quant_sf_text
from refinebio_assets_tests.pipelines.surveyed import World

Patch = pytest.MonkeyPatch
HARMONIZE, DOWNLOAD = harmonized_metadata.ASSET, raw_files.ASSET
QUANTIFY, SUMMARIZE = sample_quantifications.ASSET, gene_expression.ASSET


def correct(study: Study) -> None:
    file = study.folder / "corrections.tsv"
    header = "sample\tfield\tvalue\tsource\tnote\n"
    file.write_text(header + "S1\tspecimen_part\tliver\tcurator\t\n", encoding="utf-8")
    import_corrections(study.lake, file, "mine")


def add_one(study: Study, patch: Patch) -> None:
    study.add_sample("S4", 4)
    study.register()


def remove_one(study: Study, patch: Patch) -> None:
    study.rows.pop()
    study.register()


def say_something_else(study: Study, patch: Patch) -> None:
    study.rows[0]["tissue"] = "heart"
    study.register()


CHANGES: dict[str, tuple[Callable[[Study, Patch], object], dict[str, int]]] = {
    "a sample added": (add_one, {HARMONIZE: 4, DOWNLOAD: 1, QUANTIFY: 1, SUMMARIZE: 4}),
    "a sample removed": (remove_one, {HARMONIZE: 2, SUMMARIZE: 2}),
    "a file changed": (
        lambda study, patch: study.write("S1.sf", quant_sf_text(50)),
        {DOWNLOAD: 1, QUANTIFY: 1, SUMMARIZE: 3},
    ),
    "metadata changed": (say_something_else, {HARMONIZE: 3}),
    "metadata corrected": (lambda study, patch: correct(study), {HARMONIZE: 3}),
    "harmonization rules changed": (
        lambda study, patch: patch.setattr(harmonized_metadata, "CODE_VERSION", "next"),
        {HARMONIZE: 3},
    ),
    "checks of files changed": (
        lambda study, patch: patch.setattr(raw_files, "CODE_VERSION", "next"),
        {CHECKED_FILES: 3},
    ),
    "quantification changed": (
        lambda study, patch: patch.setattr(read_quantification, "CODE_VERSION", "next"),
        {QUANTIFY: 3, SUMMARIZE: 3},
    ),
    "bookkeeping of quantifications changed": (
        lambda study, patch: patch.setattr(sample_quantifications, "CODE_VERSION", "next"),
        {},
    ),
    "summary changed": (
        lambda study, patch: patch.setattr(gene_expression, "CODE_VERSION", "next"),
        {SUMMARIZE: 3},
    ),
    "nothing": (lambda study, patch: None, {}),
}


def done(study: Study, outcomes: dict[str, Outcome]) -> dict[str, int]:
    """Return for how many samples each step of a run worked, by what it noted of its costs."""
    found = {}
    for asset, outcome in outcomes.items():
        if outcome.changed and asset != experiment_record.ASSET:
            (cost,) = read_rows(study.lake, outcome.commit, COSTS)
            found[asset] = cost["samples"]
    return {asset: samples for asset, samples in found.items() if samples}


@pytest.mark.parametrize("change", CHANGES)
def test_the_samples_told_are_the_samples_done(study: Study, monkeypatch: Patch, change: str) -> None:
    study.process()
    make, expected = CHANGES[change]
    make(study, monkeypatch)
    told = work_due(study.lake, "STUDY").steps
    assert told == expected
    carried_out = done(study, study.process())
    assert carried_out == {step: count for step, count in told.items() if step != CHECKED_FILES}
    assert due_step(study.lake, "STUDY") is None
    assert work_due(study.lake, "STUDY") == Work({}, (), "DANIO_RERIO", "RNA-SEQ")


def test_all_is_due_in_what_was_never_processed(study: Study) -> None:
    told = work_due(study.lake, "STUDY")
    assert told.steps == {HARMONIZE: 3, DOWNLOAD: 3, QUANTIFY: 3, SUMMARIZE: 3}
    assert told.samples == ("S1", "S2", "S3")
    assert done(study, study.process()) == told.steps


def test_one_sample_is_due_when_one_is_redone_on_request(study: Study) -> None:
    study.process()
    told = work_due(study.lake, "STUDY", WorkRequest(samples=["S2"]))
    assert (told.steps, told.samples) == ({QUANTIFY: 1, SUMMARIZE: 3}, ("S2",))
    outcomes = {QUANTIFY: quantify_samples(study.lake, "STUDY", samples=["S2"])}
    outcomes[SUMMARIZE] = summarize_expression(study.lake, "STUDY")
    assert done(study, outcomes) == told.steps


def test_a_failure_is_due_again_only_on_request(study: Study) -> None:
    study.write("S2.sf", "nonsense\n")
    study.process()
    assert work_due(study.lake, "STUDY").steps == {}
    told = work_due(study.lake, "STUDY", WorkRequest(retry_failed=True))
    assert (told.steps, told.samples) == ({QUANTIFY: 1, SUMMARIZE: 3}, ("S2",))


def test_files_and_results_that_were_lost_from_the_lake_are_due_and_nothing_that_follows(
    study: Study,
) -> None:
    study.process()
    files, matrices = (study.lake.head(asset, "STUDY") for asset in (DOWNLOAD, SUMMARIZE))
    assert files is not None and matrices is not None
    (raw,) = [row["path"] for row in read_rows(study.lake, files, "files") if row["name"] == "S1.sf"]
    for path in (raw, matrices.file(f"{MATRIX}.parquet").path):
        (study.folder / "lake" / path).unlink()
    told = work_due(study.lake, "STUDY")
    assert (told.steps, told.samples) == ({DOWNLOAD: 1, SUMMARIZE: 3}, ("S1",))
    assert done(study, study.process()).keys() == {SUMMARIZE}
    assert work_due(study.lake, "STUDY").steps == {}


def test_only_a_survey_tells_what_is_due_in_an_archives_experiment(world: World) -> None:
    told = work_due(world.lake, "SRP000001")
    assert told == Work({experiment_record.ASSET: None})
    todo = estimate("SRP000001", told, Durations({}, {}))
    assert (todo.samples_due, todo.seconds) == (None, None)
    assert amount([todo]) == "1 experiment: survey 1 experiment"


def test_time_is_estimated_by_step_from_what_it_took_before(study: Study) -> None:
    for experiment, seconds in {"A1": 10.0, "A2": 30.0, "A3": 80.0}.items():
        with study.lake.draft(QUANTIFY, experiment) as draft:
            draft.write_table(COSTS, [{"experiment": experiment, "samples": 2, "wall_seconds": 2 * seconds}])
            draft.commit(version="v", code_version="1")
        with study.lake.draft(experiment_record.ASSET, experiment) as draft:
            sample = {"experiment": experiment, "sample": "X", "technology": "RNA-SEQ"}
            organism = "MUS_MUSCULUS" if experiment == "A3" else "DANIO_RERIO"
            draft.write_table("samples", [sample | {"organism": organism}])
            draft.commit(version="v", code_version="1")
    durations = measured_durations(study.catalog)
    seconds = {name: durations.seconds(QUANTIFY, name, "DANIO_RERIO", "RNA-SEQ") for name in ("A1", "NEW")}
    assert seconds == {"A1": 10.0, "NEW": 20.0}
    assert durations.seconds(QUANTIFY, "NEW", "HOMO_SAPIENS", "RNA-SEQ") == 30.0
    assert durations.seconds(QUANTIFY, "NEW", "HOMO_SAPIENS", "MICROARRAY") is None
    todo = estimate("STUDY", work_due(study.lake, "STUDY"), durations)
    assert {step.step: step.seconds for step in todo.steps} == {
        "harmonize": None,
        "download": None,
        "quantify": 60.0,
        "summarize": None,
    }
    assert amount([todo, todo]) == (
        "2 experiments: harmonize metadata of 6 samples, download 6 samples, quantify 6 samples, summarize "
        "6 samples; about 2 minutes, as measured before; no measurement yet of: harmonize, download, "
        "summarize"
    )


def test_samples_that_were_timed_one_by_one_count_where_no_step_was(study: Study) -> None:
    with study.lake.draft(QUANTIFY, "OLD") as draft:
        row = {"experiment": "OLD", "verdict": "processed", "version": "v"}
        draft.write_table(
            "results", [row | {"sample": f"X{s}", "duration_seconds": float(s)} for s in (10, 20, 90)]
        )
        draft.commit(version="v", code_version="1")
    assert measured_durations(study.catalog).own == {(QUANTIFY, "OLD"): 20.0}
