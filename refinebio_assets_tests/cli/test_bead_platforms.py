"""BeadArrays' annotations and gene indexes on the command line."""

from __future__ import annotations

from pathlib import Path

from refinebio_assets.cli.exit_codes import DONE, FAILED
from refinebio_assets_tests.cli.conftest import Run, rows_of
from refinebio_assets_tests.pipelines.beads import ORGANISM, simulate_bead_files


def test_packages_become_an_annotation_and_a_table_an_index(refinebio: Run, tmp_path: Path) -> None:
    files = simulate_bead_files(tmp_path / "files")
    add = ("reference", "add-platform", "--platform", files.array.platform, "--package", files.package)
    without = refinebio(*add, "--organism-package", files.organism_package)
    assert without.returncode == FAILED and "give --organism NAME" in without.stderr
    run = refinebio(
        *add, "--organism-package", files.organism_package, "--gene-choices", files.gene_choices,
        "--organism", "Simulatum demonstrans",
    )  # fmt: skip
    assert run.returncode == DONE, run.stdout + run.stderr
    assert f"{len(files.array):,} probes" in run.stdout and "quality: " in run.stdout
    (row,) = rows_of(refinebio("reference", "list-platforms", "--format", "json"))
    assert (row["platform"], row["kind"], row["organism"]) == (files.array.platform, "BeadArray", ORGANISM)
    index = refinebio("reference", "add-gene-index", "--platform", "GPL96", files.index_table)
    assert index.returncode == DONE, index.stdout + index.stderr
    assert "hgu133a: gene index" in index.stdout and "PROBEID" in index.stdout
    (row,) = rows_of(refinebio("reference", "list-gene-indexes", "--format", "json"))
    assert row["platform"] == "hgu133a"


def test_options_of_the_other_kind_of_array_are_refused(refinebio: Run, tmp_path: Path) -> None:
    tab = tmp_path / "a.tab"
    tab.touch()
    run = refinebio("reference", "add-platform", "--platform", "illuminaHumanv4", "--probe-tab", tab)
    assert run.returncode == FAILED and "--probe-tab do not belong" in run.stderr
    run = refinebio("reference", "add-platform", "--platform", "hgu133a", "--organism-package", tab)
    assert run.returncode == FAILED and "--organism-package do not belong" in run.stderr
    run = refinebio("reference", "add-platform", "--platform", "illuminaHumanv4")
    assert run.returncode == FAILED and "can be given with --package FILE" in run.stderr
