"""Results that were lost or damaged in the lake: what is made again, and what stands."""

from __future__ import annotations

from refinebio_assets.lake.rows import read_rows
from refinebio_assets.pipelines.due import due_step
from refinebio_assets.pipelines.gene_expression import summarize_expression
from refinebio_assets.pipelines.sample_quantifications import quantify_samples
from refinebio_assets_tests.pipelines.study import Study, matrix_of, results_of


def test_a_redo_that_fails_keeps_the_earlier_result(study: Study) -> None:
    study.process()
    before = matrix_of(study)
    stored = study.lake.head("raw_files", "STUDY")
    assert stored is not None
    damaged = study.folder / "lake" / next(row["path"] for row in read_rows(study.lake, stored, "files"))
    damaged.chmod(0o644)
    damaged.write_bytes(b"damaged".ljust(damaged.stat().st_size))
    quantify_samples(study.lake, "STUDY", samples=["S1"])
    result = results_of(study)["S1"]
    assert result["verdict"] == "processed"
    assert "the earlier result stands" in str(result["reason"])
    summarize_expression(study.lake, "STUDY")
    assert matrix_of(study) == before


def test_a_matrix_that_was_cut_is_made_again(study: Study) -> None:
    study.process()
    before = matrix_of(study)
    commit = study.lake.head("gene_expression", "STUDY")
    assert commit is not None
    stored = next(file for file in commit.files if file.name.endswith(".parquet") and "/" not in file.name)
    path = study.folder / "lake" / stored.path
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:300])
    assert summarize_expression(study.lake, "STUDY").reasons == ("its files are no longer whole in the lake",)
    assert matrix_of(study) == before


def test_a_quantification_lost_from_the_lake_is_made_again(study: Study) -> None:
    study.process()
    commit = study.lake.head("sample_quantification", "S2")
    assert commit is not None
    (study.folder / "lake" / commit.files[0].path).unlink()
    study.add_sample("S4", 4)
    study.register()
    reasons = study.process()["sample_quantifications"].sample_reasons
    assert reasons == {"S4": "not quantified before", "S2": "its quantification is no longer in the lake"}


def test_whatever_of_a_quantification_is_lost_the_sample_is_named_where_there_is_work(study: Study) -> None:
    study.process()
    lake = study.folder / "lake"
    (result,) = (lake / "assets" / "sample_quantification" / "S2").rglob("*.gz")
    result.unlink()
    (record,) = (lake / "log" / "sample_quantification" / "S1").rglob("*.json")
    record.unlink()
    why = [f"{name}: its quantification is no longer in the lake" for name in ("S1", "S2")]
    assert due_step(study.lake, "STUDY") == ("sample_quantifications", tuple(why))


def test_what_is_lost_from_the_lake_is_made_again_on_request(study: Study) -> None:
    study.process()
    before = matrix_of(study)
    lake = study.folder / "lake"
    for asset in ("gene_expression/STUDY", "sample_quantification/S2"):
        for file in (lake / "assets" / asset).rglob("*.parquet" if "gene" in asset else "*.gz"):
            file.unlink()
    assert due_step(study.lake, "STUDY", retry_failed=True) is not None
    study.process(retry_failed=True)
    assert matrix_of(study) == before
    assert due_step(study.lake, "STUDY", retry_failed=True) is None
