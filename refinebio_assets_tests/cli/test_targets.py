"""Targets from the command line: made, listed, shown, exported, imported, and a matrix normalized to one."""

from __future__ import annotations

from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest

from refinebio_assets.lake.store import Lake
from refinebio_assets.methods.quantile import apply_target
from refinebio_assets.pipelines.target_quantiles import build_target
from refinebio_assets.pipelines.targets.settings import TARGET_REGISTRATION, import_target
from refinebio_assets_tests.cli.conftest import Run, rows_of
from refinebio_assets_tests.pipelines.expression_making import HGU95, MadeMatrix, put_expression

GENES = [f"ENSG{number:03d}" for number in range(40)]


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """A lake with one experiment of three arrays, one of which lacks a value."""
    made = Lake(str(tmp_path / "lake"))
    values = np.random.default_rng(1).normal(0.3, 0.8, (40, 3))
    values[0, 2] = np.nan
    put_expression(made, "GSE1", MadeMatrix(["GSM1", "GSM2", "GSM3"], GENES, values))
    return made


def test_a_target_is_built_listed_shown_and_exported(lake: Lake, refinebio: Run, tmp_path: Path) -> None:
    refused = refinebio("target", "build", "Homo sapiens")
    assert refused.returncode == 1
    assert "needs 100 samples, and 2 of 3 samples" in refused.stderr
    assert "target build HOMO_SAPIENS --minimum 2" in refused.stderr
    assert not (tmp_path / "lake" / "dagster").exists(), "a run was started"
    built = refinebio("target", "build", "Homo sapiens", "--minimum", "2")
    assert built.returncode == 0, built.stderr + built.stdout
    assert f"target of 40 quantiles, 2 samples of {HGU95}" in built.stdout
    assert "nothing to do" in refinebio("target", "build", "Homo sapiens").stdout
    (row,) = rows_of(refinebio("target", "list", "--format", "json"))
    assert (row["organism"], row["samples"], row["genes"]) == ("HOMO_SAPIENS", 2, 40)
    shown = refinebio("target", "show", "Homo sapiens").stdout
    assert "GSE1" in shown and "1 of its 40 genes have no finite value" in shown
    file = tmp_path / "target.tsv"
    assert refinebio("target", "export", "HOMO_SAPIENS", "--output", file).returncode == 0
    exported = np.loadtxt(file)
    assert len(exported) == 40 and (np.diff(exported) >= 0).all()
    whole = ("target", "import", file, "--organism", "Mus musculus")
    assert refinebio(*whole).returncode == 2, "nobody said what it is made of"
    assert "found 40 numbers" in refinebio(*whole, "--technology", "RNA-SEQ").stderr
    imported = refinebio(*whole, "--technology", "RNA-SEQ", "--least", "40")
    assert "imported from" in imported.stdout and "of RNA-SEQ" in imported.stdout
    rows = rows_of(refinebio("target", "list", "--format", "json"))
    assert [row["organism"] for row in rows] == ["HOMO_SAPIENS", "MUS_MUSCULUS"]


def test_a_misspelled_organism_is_guessed_and_nothing_is_decided_about_it(lake: Lake, refinebio: Run) -> None:
    done = refinebio("target", "build", "Homo sapeins", "--minimum", "2")
    assert done.returncode == 1
    assert "HOMO_SAPEINS has no samples" in done.stderr and "did you mean HOMO_SAPIENS?" in done.stderr
    assert lake.partitions(TARGET_REGISTRATION) == []


def test_a_matrix_of_ones_own_is_normalized(lake: Lake, refinebio: Run, tmp_path: Path) -> None:
    target = tmp_path / "target.tsv"
    target.write_text("1\n2\n3\n4\n", encoding="ascii")
    import_target(lake, "HOMO_SAPIENS", target, least=1)
    build_target(lake, "HOMO_SAPIENS")
    frame = pd.DataFrame([[5.0, 1], [3, 2], [4, 9]], index=["A.1", "B.2", "AFFX-1"], columns=["x", "y"])
    frame.to_csv(tmp_path / "mine.csv")
    done = refinebio("normalize", "mine.csv", "--organism", "Homo sapiens", "--output", "out.tsv")
    assert done.returncode == 0, done.stderr
    assert "1 row of control probes" in done.stdout
    assert "Normalized to the target of HOMO_SAPIENS, version " in done.stdout
    assert (tmp_path / "out.tsv").read_text(encoding="ascii") == "Gene\tx\ty\nA\t4.0\t1.0\nB\t1.0\t4.0\n"
    assert refinebio("normalize", "mine.csv", "--target", target, "--output", "out.csv").returncode == 0
    assert pd.read_csv(tmp_path / "out.csv", index_col="Gene").to_numpy().tolist() == [[4.0, 1.0], [1.0, 4.0]]
    frame.T.to_csv(tmp_path / "turned.tsv", sep="\t")
    done = refinebio("normalize", "turned.tsv", "--target", target, "--transpose", "-o", "out.parquet")
    assert done.returncode == 0, done.stderr
    assert pd.read_parquet(tmp_path / "out.parquet")["y"].tolist() == [1.0, 4.0]


def test_an_h5ad_keeps_its_observations(refinebio: Run, tmp_path: Path) -> None:
    (tmp_path / "target.tsv").write_text("1\n2\n", encoding="ascii")
    values = np.random.default_rng(1).normal(size=(3, 4))
    obs = pd.DataFrame({"tissue": ["a", "b", "c"]}, index=["x", "y", "z"])
    anndata.AnnData(X=values, obs=obs, var=pd.DataFrame(index=list("ABCD"))).write_h5ad(tmp_path / "in.h5ad")
    done = refinebio("normalize", "in.h5ad", "--target", "target.tsv", "--output", "out.h5ad")
    assert done.returncode == 0, done.stderr
    made = anndata.read_h5ad(tmp_path / "out.h5ad")
    assert made.obs["tissue"].tolist() == ["a", "b", "c"]
    np.testing.assert_array_equal(made.X.T, apply_target(values.T.astype(np.float32), [1, 2]))


def test_mistakes_are_told_before_anything_is_written(lake: Lake, refinebio: Run, tmp_path: Path) -> None:
    (tmp_path / "m.tsv").write_text("Gene\ta\nA\tone\n", encoding="ascii")
    (tmp_path / "t.tsv").write_text("1\n2\n", encoding="ascii")
    cases = {
        ("m.tsv", "--target", "t.tsv", "-o", "m.tsv"): "m.tsv is what is read; --output must be another file",
        ("m.tsv", "--target", "t.tsv", "-o", "out/x.tsv"): "out does not exist; make it first",
        ("m.tsv", "--target", "t.tsv", "-o", "out.tsv"): "line 2, column a: expected a number, found 'one'",
        (
            "m.tsv",
            "--organism",
            "Homo sapiens",
            "-o",
            "out.tsv",
        ): "no quantile target of HOMO_SAPIENS",
        ("m.tsv", "--target", "t.tsv", "-o", "out.xlsx"): "cannot tell the format from out.xlsx",
        ("m.tsv", "--target", "abcdef", "-o", "out.tsv"): "give --organism",
    }
    for arguments, problem in cases.items():
        done = refinebio("normalize", *arguments)
        assert done.returncode != 0
        assert problem in done.stderr + done.stdout
    assert not list(tmp_path.glob("out*"))
