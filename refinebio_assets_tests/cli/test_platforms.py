"""Microarrays' annotations on the command line: local files, published ones on a mirror, and refusals."""

from __future__ import annotations

from pathlib import Path

import pytest

from refinebio_assets.cli.exit_codes import DONE, FAILED, USAGE
from refinebio_assets_tests.cli.conftest import Run, rows_of
from refinebio_assets_tests.pipelines import chip

ADD = ("reference", "add-platform", "--platform")


@pytest.fixture
def local(tmp_path: Path) -> tuple[str, ...]:
    """Arguments that give a small array's probes and genes."""
    probes, genes = chip.probe_tab(tmp_path / "a.tab"), chip.brainarray(tmp_path / "b.tab")
    return ("--probe-tab", probes, "--brainarray", genes, "--brainarray-version", "22.0.0")


def test_local_files_become_an_annotation_under_refine_bios_name(
    refinebio: Run, local: tuple[str, ...]
) -> None:
    run = refinebio(*ADD, "HG_U95Av2", *local)
    assert run.returncode == DONE, run.stdout + run.stderr
    assert "hgu95av2: 5 probes on 4 cells, 4 probe sets, 2 genes" in run.stdout
    (row,) = rows_of(refinebio("reference", "list-platforms", "--format", "json"))
    assert (row["platform"], row["genes"], row["brainarray_version"]) == ("hgu95av2", 2, "22.0.0")
    shown = refinebio("reference", "list-platforms")
    assert "Affymetrix Human Genome U95 Version 2 Array" in shown.stdout
    assert "Platform annotations" in refinebio("status").stdout
    again = refinebio(*ADD, "GPL8300", *local)
    assert again.returncode == DONE and "up to date, nothing to do" in again.stdout


def test_an_array_without_genes_or_of_unknown_name_is_told(refinebio: Run, tmp_path: Path) -> None:
    rows = (*chip.PROBES, ("1003_at", 3, 1, "ACGT"))
    run = refinebio(*ADD, "My-Chip", "--probe-tab", chip.probe_tab(tmp_path / "a.tab", rows))
    assert run.returncode == DONE, run.stdout + run.stderr
    assert "mychip is not among the microarrays that are listed" in run.stdout
    assert "no table of genes" in run.stdout and "without --brainarray" in run.stdout
    assert "1 probes are not in the model" in run.stdout


def test_a_file_that_is_no_probe_table_fails_with_its_place(refinebio: Run, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.tab"
    wrong.write_text("a\tb\n1\t2\n", encoding="ascii")
    run = refinebio(*ADD, "hgu133a", "--probe-tab", wrong)
    assert run.returncode == FAILED
    assert "no annotation was built" in run.stdout and "wrong.tab, line 1" in run.stdout
    assert "Traceback" not in run.stdout + run.stderr


def test_published_files_are_used_when_none_are_given(refinebio: Run, tmp_path: Path) -> None:
    mirror = tmp_path / "no-archives"
    folder = mirror / "bioconductor.org/packages/3.6/data/annotation/src/contrib"
    chip.r_package(folder / "hgu95bprobe_2.18.0.tar.gz", chip.PROBES)
    run = refinebio(*ADD, "hgu95b")
    assert run.returncode == FAILED
    assert "ensgprobe_22.0.0.tar.gz" in run.stderr and "can be given with --brainarray FILE" in run.stderr
    genes = chip.brainarray(tmp_path / "genes.tab")
    run = refinebio(*ADD, "hgu95b", "--brainarray", genes)
    assert run.returncode == DONE, run.stdout + run.stderr
    assert "2 genes" in run.stdout


def test_an_array_that_is_not_published_and_wrong_usage_are_explained(refinebio: Run, tmp_path: Path) -> None:
    run = refinebio(*ADD, "clariomsmouse")
    assert run.returncode == FAILED and "give local files" in run.stderr
    tab = chip.probe_tab(tmp_path / "a.tab")
    run = refinebio(*ADD, "hgu133a", "--probe-tab", tab, "--mps", tab, "--clf", tab)
    assert run.returncode == FAILED and "3 problems" in run.stderr
    assert not (tmp_path / "lake").exists()
    assert refinebio("reference", "add-platform").returncode == USAGE
    (tmp_path / "lake").mkdir()
    assert "No platforms yet" in refinebio("reference", "list-platforms").stdout


def test_arrays_with_published_tables_are_listed(refinebio: Run) -> None:
    rows = rows_of(refinebio("reference", "list-platforms", "--available", "--format", "json"))
    addresses = {row["platform"]: row["genes"] for row in rows}
    assert addresses["hgu95av2"].endswith("/hgu95av2hsensgprobe_22.0.0.tar.gz")
    assert "clariomsmouse" not in addresses
