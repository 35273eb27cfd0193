"""Experiments of public archives: surveyed, harmonized, corrected, and surveyed again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from refinebio_assets.domain import Experiment
from refinebio_assets.errors import NotFoundError, RequestError, TransientError
from refinebio_assets.lake.rows import read_rows
from refinebio_assets.pipelines.due import due_step
from refinebio_assets.pipelines.experiment_record import record_experiment, recorded_experiment
from refinebio_assets.pipelines.harmonized_metadata import harmonize_experiment
from refinebio_assets.pipelines.metadata_overlays import import_corrections
from refinebio_assets_tests.pipelines.surveyed import World


def test_an_archives_experiment_is_surveyed_once(world: World) -> None:
    due = due_step(world.lake, "SRP000001")
    assert due == ("experiment_record", ("not surveyed before",))
    world.record()
    world.record()
    assert world.asked == 1
    head = world.lake.head("experiment_record", "SRP000001")
    assert head is not None
    assert recorded_experiment(world.lake, head) == world.experiment


def test_the_same_answers_give_the_same_version_and_no_new_commit(world: World) -> None:
    world.record()
    before = [entry.id for entry in world.lake.log()]
    world.record(again=True)
    assert world.asked == 2
    assert [entry.id for entry in world.lake.log()] == before


def test_a_new_survey_says_what_has_changed(world: World) -> None:
    world.record()
    first, second = world.experiment.samples
    changed = replace(first, metadata=(("characteristics_age_0_text", "7"), *first.metadata[1:]))
    world.experiment = replace(world.experiment, title="Another title", samples=(changed,))
    outcome = record_experiment(world.lake, "SRP000001", survey=world.survey, survey_again=True)
    assert outcome.changed
    text = "\n".join(outcome.reasons)
    assert "title changed: A study -> Another title" in text
    assert f"sample {second.accession} removed" in text
    assert "sample SRR000001: characteristics_age_0_text changed: 0 -> 7" in text


def test_a_failed_survey_leaves_nothing_behind(world: World) -> None:
    def broken(accession: str) -> Experiment:
        raise TransientError("the archive answers 500")

    with pytest.raises(TransientError, match="500"):
        record_experiment(world.lake, "SRP000001", survey=broken)
    assert list(world.lake.log()) == []


def test_a_name_that_is_no_accession_is_not_surveyed(world: World) -> None:
    with pytest.raises(NotFoundError, match="not registered"):
        record_experiment(world.lake, "mystudy", survey=world.survey)
    assert world.asked == 0


def test_a_runs_accession_is_no_experiment(world: World) -> None:
    with pytest.raises(NotFoundError, match="SRR000001 belongs to SRP000001"):
        record_experiment(world.lake, "SRR000001", survey=world.survey)


def test_a_series_is_not_recorded_under_two_names(world: World) -> None:
    world.experiment = replace(world.experiment, accession="GSE1", source="GEO")
    world.record()
    with pytest.raises(RequestError, match="E-GEOD-1 is GSE1 under another name"):
        record_experiment(world.lake, "E-GEOD-1", survey=world.survey)


def test_metadata_are_harmonized_with_what_they_are_from(world: World) -> None:
    world.record()
    outcome = harmonize_experiment(world.lake, "SRP000001")
    rows = read_rows(world.lake, outcome.commit, "harmonized_metadata")
    assert [(row["age"], row["title"]) for row in rows] == [
        (0.0, "title of SRR000001"),
        (5.0, "title of SRR000002"),
    ]
    sources = read_rows(world.lake, outcome.commit, "harmonized_sources")
    (age,) = [row for row in sources if row["sample"] == "SRR000002" and row["field"] == "age"]
    assert (age["key"], age["text"]) == ("characteristics_age_0_text", "5 weeks")
    assert not harmonize_experiment(world.lake, "SRP000001").changed


def test_corrections_lie_over_the_submitters_words_and_survive_a_new_survey(world: World) -> None:
    world.record()
    harmonize_experiment(world.lake, "SRP000001")
    table = world.folder / "fixes.tsv"
    table.write_text("sample\tfield\tvalue\tsource\tnote\nSRR000001\tsex\tfemale\tlab book\tmisread\n")
    import_corrections(world.lake, table, "fixes")
    due = due_step(world.lake, "SRP000001")
    assert due is not None and due[0] == "harmonized_metadata"
    world.experiment = replace(world.experiment, title="Another title")
    world.record(again=True)
    rows = read_rows(world.lake, harmonize_experiment(world.lake, "SRP000001").commit, "harmonized_metadata")
    assert [row["sex"] for row in rows] == ["female", ""]


def test_of_two_corrections_of_one_field_the_one_imported_last_counts(world: World) -> None:
    world.record()
    for name, value in [("b-first", "male"), ("a-second", "female")]:
        table = world.folder / f"{name}.tsv"
        table.write_text(f"sample\tfield\tvalue\tsource\tnote\nSRR000001\tsex\t{value}\tlab\t\n")
        import_corrections(world.lake, table, name)
    outcome = harmonize_experiment(world.lake, "SRP000001")
    rows = read_rows(world.lake, outcome.commit, "harmonized_metadata")
    assert rows[0]["sex"] == "female"
    assert ("metadata_corrections", "a-second") in [
        (ref.asset, ref.partition) for ref in outcome.commit.inputs
    ]


def test_changed_rules_for_runs_ask_the_archive_again(world: World) -> None:
    world.record()
    assert due_step(world.lake, "SRP000001", rules="") != due_step(world.lake, "SRP000001", rules="other")
    record_experiment(world.lake, "SRP000001", survey=world.survey, rules="other")
    assert world.asked == 2
    record_experiment(world.lake, "SRP000001", survey=world.survey, rules="other")
    assert world.asked == 2


def test_another_spelling_of_an_accession_is_no_partition(world: World) -> None:
    with pytest.raises(RequestError, match="'srp000001' is written SRP000001"):
        record_experiment(world.lake, "srp000001", survey=world.survey)
    assert world.asked == 0


def test_a_survey_with_an_impossible_name_registers_nothing(world: World) -> None:
    first, second = world.experiment.samples
    world.experiment = replace(world.experiment, samples=(replace(first, accession="a/b"), second))
    with pytest.raises(RequestError, match="'a/b' contains /"):
        world.record()
    assert list(world.lake.log()) == []
