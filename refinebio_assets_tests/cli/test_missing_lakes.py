"""A lake that is not there is no empty lake: commands that read say so and make nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.presence import lake_near
from refinebio_assets_tests.cli.conftest import Run
from refinebio_assets_tests.lake.making import commit_record
from refinebio_assets_tests.pipelines.study import Study

READING = [
    ["status"],
    ["status", "--ledger", "experiment"],
    ["show", "GSE1"],
    ["export", "GSE1", "--output", "out.tsv"],
    ["lineage", "experiment:GSE1", "--as-is"],
    ["gc"],
    ["lake", "verify"],
    ["catalog", "sync"],
    ["dataset", "list"],
    ["dataset", "build", "--all"],
    ["target", "build", "Danio rerio"],
    ["discover", "waiting"],
    ["api"],
]


@pytest.mark.parametrize("arguments", READING, ids=" ".join)
def test_a_lake_that_is_not_there_is_said_and_not_made(
    refinebio: Run, tmp_path: Path, arguments: list[str]
) -> None:
    done = refinebio(*arguments)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert f"there is no lake at {tmp_path / 'lake'}" in line
    assert ". `refinebio-assets process" in line
    assert "--home or REFINEBIO_HOME" in line
    assert done.stdout == ""
    assert not (tmp_path / "lake").exists()


def test_a_misspelled_lake_is_guessed(refinebio: Run, study: Study, tmp_path: Path) -> None:
    study.register()
    done = refinebio("--home", tmp_path / "laek", "status")
    assert (
        f"there is no lake at {tmp_path / 'laek'}; did you mean --home {tmp_path / 'lake'}? `" in done.stderr
    )
    (tmp_path / "parent").mkdir()
    shutil.move(tmp_path / "lake", tmp_path / "parent" / "refinebio_home")
    meant = tmp_path / "parent" / "refinebio_home"
    for given in ("parent", "paretn/refinebio_home"):
        assert f"did you mean --home {meant}?" in refinebio("--home", tmp_path / given, "status").stderr


@pytest.mark.parametrize("home", ["s3:/bucket/lake", "s3://"])
def test_a_misspelled_url_is_not_taken_for_a_folder(refinebio: Run, tmp_path: Path, home: str) -> None:
    for arguments in (["status"], ["process", "GSE1"]):
        done = refinebio("--home", home, *arguments)
        assert done.returncode == 1
        assert f"{home} names no lake: one in a bucket is s3://BUCKET/FOLDER" in done.stderr
    assert not (tmp_path / "s3:").exists()


@pytest.fixture
def of_another_user() -> Iterator[Path]:
    """A folder with a lake that this process may not look into, next to which it may look around."""
    with TemporaryDirectory() as folder:
        lake = Path(folder) / "alice" / "lake"
        (lake / "log").mkdir(parents=True)
        Path(folder).chmod(0o755)
        lake.parent.chmod(0)
        user = os.geteuid()
        # Root may look into every folder.
        with suppress(PermissionError):
            os.seteuid(65534)
        try:
            yield lake
        finally:
            os.seteuid(user)
            lake.parent.chmod(0o700)


def test_a_lake_that_may_not_be_looked_at_is_not_guessed(of_another_user: Path) -> None:
    near = of_another_user.parents[1] / "alic" / "lake"
    assert lake_near(near) is None
    assert lake_near(of_another_user) is None
    assert lake_near(of_another_user.parent) is None


def test_a_file_is_no_lake(refinebio: Run, tmp_path: Path) -> None:
    (tmp_path / "lake").write_text("a file")
    for arguments in (["status"], ["process", "--sample-sheet", str(Study.of_three(tmp_path).sheet)]):
        done = refinebio(*arguments)
        assert done.returncode == 1, "a file does not become a folder by waiting"
        assert str(tmp_path / "lake") in done.stderr


def test_an_empty_folder_is_said_to_be_empty_and_stays_so(refinebio: Run, tmp_path: Path) -> None:
    (tmp_path / "lake").mkdir()
    done = refinebio("status")
    assert done.returncode == 0, done.stderr
    assert f"Nothing was committed to a lake at {tmp_path / 'lake'} yet" in done.stderr
    assert "No experiments yet" in done.stdout
    assert refinebio("lake", "verify").stdout.startswith("0 commits")
    assert "Nothing was committed" in refinebio("show", "GSE1").stderr
    assert refinebio("catalog", "rebuild").stdout.startswith("Catalog rebuilt: 0 commits")
    assert "X_Y has no samples" in refinebio("target", "build", "X_Y").stderr
    assert refinebio("compendium", "build", "X_Y").returncode == 1
    assert list((tmp_path / "lake").iterdir()) == []


def test_a_dry_run_makes_no_lake(refinebio: Run, tmp_path: Path) -> None:
    study = Study.of_three(tmp_path)
    done = refinebio("process", "--sample-sheet", study.sheet, "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "What would be done" in done.stdout
    assert not (tmp_path / "lake").exists()


def test_a_bucket_without_a_lake_is_told_by_one_listing(refinebio: Run) -> None:
    done = refinebio("--home", "memory://nowhere/lake", "status")
    assert (done.returncode, done.stdout) == (1, "")
    assert "there is no lake at memory://nowhere/lake" in done.stderr


@pytest.fixture
def read_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run ``refinebio-assets`` where the lake is mounted read-only."""
    if os.geteuid() != 0 or not shutil.which("unshare"):
        pytest.skip("mounting a disk needs root")
    if subprocess.run(["unshare", "--mount", "true"], check=False, capture_output=True).returncode:
        pytest.skip("this machine allows no private mounts")
    monkeypatch.setenv("REFINEBIO_HOME", str(tmp_path / "lake"))
    inside = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && shift && exec "$@"'

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "refinebio_assets.cli.main", *arguments]
        mounted = ["unshare", "--mount", "sh", "-c", inside, "sh", str(tmp_path / "lake"), *command]
        return subprocess.run(mounted, check=False, capture_output=True, text=True)

    return run


def test_a_lake_on_a_read_only_disk_is_read_with_and_without_its_catalog(
    read_only: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    study = Study.of_three(tmp_path)
    study.register()
    shutil.rmtree(tmp_path / "lake" / "catalog")
    without = read_only("status", "--format", "tsv")
    assert without.returncode == 0, without.stderr
    assert without.stdout.splitlines()[1].startswith("STUDY\t")
    assert "The catalog is made for this command only" in without.stderr
    Catalog(study.lake).sync()
    assert read_only("status", "--format", "tsv").stderr == ""
    commit_record(study.lake, "E2")
    assert "The catalog is shown as it was last" in read_only("status").stderr


def test_what_a_read_only_disk_refuses_is_not_for_later(
    read_only: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    study = Study.of_three(tmp_path)
    study.register()
    study.process()
    (tmp_path / "lake" / "dagster").mkdir()
    (tmp_path / "lake" / "dagster" / "dagster.yaml").touch()
    for arguments in (
        ["dataset", "create", "--experiment", "STUDY", "--no-quantile-normalize", "--name", "mine"],
        ["process", "STUDY", "--sample", "S1"],
        ["target", "build", "Danio rerio", "--minimum", "1"],
        ["api"],
    ):
        done = read_only(*arguments)
        assert done.returncode == 1, done.stderr
        assert "read-only" in done.stderr.lower()
        assert "Traceback" not in done.stderr and "Errno" not in done.stderr
