"""An experiment from its sample sheet to its matrix: what is done, what is done again, what is lost."""

from __future__ import annotations

import pytest

from refinebio_assets.errors import AllFailedError, NotFoundError, RequestError
from refinebio_assets.formats.gene_map import read_gene_map
from refinebio_assets.lake.rows import read_rows
from refinebio_assets.pipelines import gene_expression, read_quantification
from refinebio_assets.pipelines.due import due_step
from refinebio_assets.pipelines.experiment_record import record_experiment
from refinebio_assets.pipelines.export import newer_inputs
from refinebio_assets.pipelines.expression_checks import matrix_problems
from refinebio_assets.pipelines.gene_expression import summarize_expression
from refinebio_assets.pipelines.overview import experiment_details, experiment_states
from refinebio_assets.pipelines.transcript_summary import QuantFile, summarize_quant_files
from refinebio_assets_tests.pipelines.study import (
    MATRIX,
    TRANSCRIPTS,
    Study,
    matrix_of,
    quant_sf_text,
    results_of,
)


def test_the_matrix_is_tximports_of_the_files_given(study: Study) -> None:
    study.process()
    files = [QuantFile(name, study.folder / f"{name}.sf", name) for name in ("S1", "S2", "S3")]
    expected = summarize_quant_files(files, read_gene_map(study.folder / "genes.tsv"), threads=1)
    matrix = matrix_of(study)
    assert matrix.pop("Gene") == expected.genes
    assert list(matrix) == ["S1", "S2", "S3"]
    assert [list(row) for row in zip(*matrix.values(), strict=True)] == expected.values.tolist()


def test_asking_again_changes_nothing_and_writes_nothing(study: Study) -> None:
    study.process()
    commits = [entry.id for entry in study.lake.log()]
    outcomes = study.process()
    assert not any(outcome.changed for outcome in outcomes.values())
    assert [entry.id for entry in study.lake.log()] == commits
    assert due_step(study.lake, "STUDY") is None


def test_a_changed_sample_is_the_only_one_quantified_again(study: Study) -> None:
    study.process()
    before = matrix_of(study)
    study.write("S2.sf", quant_sf_text(99))
    due = due_step(study.lake, "STUDY")
    assert due is not None and due[0] == "raw_files" and "quant_sf of S2 changed" in due[1][0]
    outcomes = study.process()
    assert set(outcomes["sample_quantifications"].sample_reasons) == {"S2"}
    assert "quant_sf changed" in outcomes["sample_quantifications"].sample_reasons["S2"]
    assert matrix_of(study)["S2"] != before["S2"]


def test_an_added_sample_is_the_only_one_quantified(study: Study) -> None:
    study.process()
    study.add_sample("S4", 4)
    study.register()
    outcomes = study.process()
    assert outcomes["sample_quantifications"].sample_reasons == {"S4": "not quantified before"}
    assert list(matrix_of(study))[1:] == ["S1", "S2", "S3", "S4"]


def test_a_touched_file_with_the_same_content_redoes_no_sample(study: Study) -> None:
    study.process()
    study.write("S1.sf", (study.folder / "S1.sf").read_text(encoding="utf-8"))
    outcomes = study.process()
    assert outcomes["raw_files"].changed
    assert not outcomes["sample_quantifications"].changed
    assert not outcomes["gene_expression"].changed


def test_a_removed_sample_leaves_the_matrix_and_is_named(study: Study) -> None:
    study.process()
    study.rows.pop()
    (registration,) = study.register()
    assert registration.removed == ("S3",)
    study.process()
    assert list(matrix_of(study)) == ["Gene", "S1", "S2"]


def test_one_bad_sample_never_loses_the_others(study: Study) -> None:
    study.write("S2.sf", quant_sf_text(1)[:-20])
    outcomes = study.process()
    assert list(matrix_of(study)) == ["Gene", "S1", "S3"]
    result = results_of(study)["S2"]
    assert result["verdict"] == "failed"
    assert "S2.sf" in str(result["reason"])
    assert [item.item for item in outcomes["gene_expression"].dropped_samples] == ["S2"]
    assert matrix_problems(study.lake, "STUDY") == []


def test_a_failed_sample_is_tried_again_on_request_or_when_its_file_changes(study: Study) -> None:
    study.write("S2.sf", "nonsense\n")
    study.process()
    assert due_step(study.lake, "STUDY") is None
    again = study.process(retry_failed=True)["sample_quantifications"]
    assert "tried again after" in again.sample_reasons["S2"]
    study.write("S2.sf", quant_sf_text(1))
    study.process()
    assert list(matrix_of(study)) == ["Gene", "S1", "S2", "S3"]


def test_a_missing_file_fails_its_sample_until_it_appears(study: Study) -> None:
    text = (study.folder / "S3.sf").read_text(encoding="utf-8")
    (study.folder / "S3.sf").unlink()
    outcomes = study.process()
    assert "no file at" in outcomes["raw_files"].dropped_samples[0].reason
    study.write("S3.sf", text)
    study.process()
    assert list(matrix_of(study)) == ["Gene", "S1", "S2", "S3"]


def test_a_file_with_other_transcripts_is_left_out_with_the_first_difference(study: Study) -> None:
    study.write("S1.sf", quant_sf_text(0, [*TRANSCRIPTS[:10], "OTHER", *TRANSCRIPTS[11:]]))
    study.process()
    assert list(matrix_of(study)) == ["Gene", "S2", "S3"]
    commit = study.lake.head("gene_expression", "STUDY")
    assert commit is not None
    dropped = [row for row in study.lake.read_table(commit, "dropped").to_pylist() if row["kind"] == "sample"]
    assert [row["item"] for row in dropped] == ["S1"]
    assert "T010" in dropped[0]["reason"] and "OTHER" in dropped[0]["reason"]


def test_transcripts_without_a_gene_are_counted_and_listed(study: Study) -> None:
    commit = study.process()["gene_expression"].commit
    assert commit.info["warnings"] == [
        f"{MATRIX}: 39 of 40 transcripts have a gene; reads of the others count for no gene"
    ]
    dropped = study.lake.read_table(commit, "dropped").to_pylist()
    assert [(row["kind"], row["item"]) for row in dropped] == [("transcript", "T039")]


def test_a_changed_code_version_redoes_the_step_and_says_why(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    study.process()
    reasons = (f"code version changed: {gene_expression.CODE_VERSION} -> next",)
    monkeypatch.setattr(gene_expression, "CODE_VERSION", "next")
    assert due_step(study.lake, "STUDY") == ("gene_expression", reasons)
    outcomes = study.process()
    assert outcomes["gene_expression"].reasons == reasons
    assert not outcomes["sample_quantifications"].changed


def test_a_changed_sample_code_version_redoes_every_sample(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    study.process()
    monkeypatch.setattr(read_quantification, "CODE_VERSION", "2")
    reasons = study.process()["sample_quantifications"].sample_reasons
    assert reasons == dict.fromkeys(["S1", "S2", "S3"], "code version changed: 1 -> 2")


def test_when_every_sample_fails_it_is_an_error_and_the_reasons_are_kept(study: Study) -> None:
    for name in ("S1", "S2", "S3"):
        study.write(f"{name}.sf", "nonsense\n")
    with pytest.raises(AllFailedError, match=r"S1: .*S1\.sf"):
        study.process()
    assert {row["verdict"] for row in results_of(study).values()} == {"failed"}


def test_a_sample_in_two_experiments_is_quantified_once(study: Study) -> None:
    study.process()
    study.rows.append(study.rows[0] | {"experiment": "SECOND"})
    study.register()
    outcome = study.process("SECOND")["sample_quantifications"]
    assert outcome.sample_reasons == {}
    assert len(study.lake.history("sample_quantification", "S1")) == 1
    assert results_of(study, "SECOND")["S1"]["version"] == results_of(study)["S1"]["version"]


def test_a_name_that_another_experiment_uses_for_other_files_is_refused(study: Study) -> None:
    study.write("other.sf", quant_sf_text(7))
    study.rows = [study.rows[0] | {"experiment": "SECOND", "quant_sf": "other.sf"}]
    with pytest.raises(
        RequestError, match="S1 of experiment SECOND is already registered in experiment STUDY"
    ):
        study.register()
    study.register(qualify_samples=True)
    study.process("SECOND")
    assert list(matrix_of(study, "SECOND")) == ["Gene", "SECOND-S1"]


def test_a_damaged_array_is_named_and_the_reads_go_on(study: Study) -> None:
    study.write("array.CEL", "[CEL]")
    study.rows.append({"experiment": "STUDY", "sample": "A1", "organism": "Danio rerio", "cel": "array.CEL"})
    study.register()
    study.process()
    result = results_of(study)["A1"]
    assert result["verdict"] == "failed"
    assert "array.CEL" in str(result["reason"])
    assert list(matrix_of(study)) == ["Gene", "S1", "S2", "S3"]


def test_reads_without_an_index_say_how_to_make_one(study: Study) -> None:
    study.write("reads.fastq", "@r\nACGT\n+\nIIII\n")
    row = {"experiment": "READS", "sample": "R1", "organism": "Mus musculus", "fastq_1": "reads.fastq"}
    study.rows = [row]
    study.register()
    with pytest.raises(AllFailedError, match="reference add-ensembl --organism MUS_MUSCULUS"):
        study.process("READS")


def test_mates_of_unequal_number_fail_the_sample_before_salmon_sees_them(study: Study) -> None:
    study.write("r_1.fastq", "@r\nACGT\n+\nIIII\n" * 2)
    study.write("r_2.fastq", "@r\nACGT\n+\nIIII\n")
    study.rows.append(
        {
            "experiment": "STUDY",
            "sample": "R1",
            "organism": "Danio rerio",
            "fastq_1": "r_1.fastq",
            "fastq_2": "r_2.fastq",
        }
    )
    study.register()
    dropped = study.process()["raw_files"].dropped_samples
    assert [item.item for item in dropped] == ["R1"]
    assert "2 reads" in dropped[0].reason and "has 1" in dropped[0].reason


def test_two_gene_maps_of_one_organism_make_two_matrices(study: Study) -> None:
    study.write(
        "genes2.tsv", "".join(f"H{number // 2:02d}\t{name}\n" for number, name in enumerate(TRANSCRIPTS))
    )
    study.rows[2]["gene_map"] = "genes2.tsv"
    study.register()
    commit = study.process()["gene_expression"].commit
    rows = study.lake.read_table(commit, "matrices").to_pylist()
    assert [(row["samples"], row["genes"]) for row in rows] == [(2, 10), (1, 20)]
    assert len({row["matrix"] for row in rows}) == 2


def test_a_changed_gene_map_remakes_the_matrix_but_no_sample(study: Study) -> None:
    study.process()
    study.write(
        "genes.tsv", "".join(f"H{number // 2:02d}\t{name}\n" for number, name in enumerate(TRANSCRIPTS))
    )
    outcomes = study.process()
    assert not outcomes["sample_quantifications"].sample_reasons
    assert len(matrix_of(study)["Gene"]) == 20


def test_an_unregistered_experiment_is_a_clear_error(study: Study) -> None:
    with pytest.raises(NotFoundError, match="NOWHERE is not registered"):
        study.process("NOWHERE")


def test_a_sample_that_moves_to_another_gene_map_remakes_the_matrices(study: Study) -> None:
    study.write("genes2.tsv", "".join(f"H{n // 2:02d}\t{name}\n" for n, name in enumerate(TRANSCRIPTS)))
    study.rows[2]["gene_map"] = "genes2.tsv"
    study.register()
    study.process()
    study.rows[1]["gene_map"] = "genes2.tsv"
    study.register()
    outcomes = study.process()
    rows = read_rows(study.lake, outcomes["gene_expression"].commit, "matrices")
    assert [(row["samples"], row["genes"]) for row in rows] == [(1, 10), (2, 20)]


def test_a_file_whose_source_is_gone_stays_in_the_experiment(study: Study) -> None:
    study.process()
    (study.folder / "S1.sf").unlink()
    assert due_step(study.lake, "STUDY") is None
    study.add_sample("S4", 4)
    study.register()
    study.process()
    assert list(matrix_of(study)) == ["Gene", "S1", "S2", "S3", "S4"]


def test_a_shared_sample_can_get_another_file_in_both_experiments_at_once(study: Study) -> None:
    study.rows.append(study.rows[0] | {"experiment": "SECOND"})
    study.register()
    study.write("better.sf", quant_sf_text(50))
    for row in study.rows:
        if row["sample"] == "S1":
            row["quant_sf"] = "better.sf"
    study.register()
    study.process()
    study.process("SECOND")
    assert results_of(study, "SECOND")["S1"]["version"] == results_of(study)["S1"]["version"]


def test_states_count_what_is_in_a_matrix(study: Study) -> None:
    study.process()
    assert [row["state"] for row in experiment_states(study.catalog)] == ["complete"]
    study.write("S1.sf", quant_sf_text(0, [*TRANSCRIPTS[:10], "OTHER", *TRANSCRIPTS[11:]]))
    study.process()
    (row,) = experiment_states(study.catalog)
    assert (row["state"], row["processed"], row["failed"]) == ("partial", 2, 1)
    details = experiment_details(study.catalog, "STUDY")
    assert details is not None
    assert [sample["verdict"] for sample in details.samples] == [
        "not in the matrix",
        "processed",
        "processed",
    ]
    assert "OTHER" in details.samples[0]["reason"]
    for name in ("S1", "S2", "S3"):
        study.write(f"{name}.sf", "nonsense\n")
    with pytest.raises(AllFailedError):
        study.process()
    (row,) = experiment_states(study.catalog)
    assert (row["state"], row["failed"]) == ("failed", 3)
    assert newer_inputs(study.lake, "STUDY") == ["raw_files", "sample_quantifications"]


def test_a_sample_may_be_called_code_version(study: Study) -> None:
    study.rows[0]["sample"] = "code version"
    study.register()
    study.process()
    assert list(matrix_of(study)) == ["Gene", "code version", "S2", "S3"]
    assert due_step(study.lake, "STUDY") is None


def test_results_of_an_earlier_registration_are_not_mixed_with_a_newer_one(study: Study) -> None:
    study.process()
    study.rows.pop()
    study.register()
    record_experiment(study.lake, "STUDY")
    with pytest.raises(NotFoundError, match="materialize sample_quantifications first"):
        summarize_expression(study.lake, "STUDY")


def test_a_changed_registration_names_the_samples_that_changed(study: Study) -> None:
    study.process()
    study.rows.pop(0)
    study.rows[0]["tissue"] = "heart"
    study.add_sample("S4", 4)
    study.register()
    due = due_step(study.lake, "STUDY")
    assert due is not None
    assert due[1][1:] == (
        "sample S4 added",
        "sample S1 removed",
        "sample S2: tissue changed: tissue 1 -> heart",
    )
