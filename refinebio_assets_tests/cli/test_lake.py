"""``lake verify``: from damage to a whole lake by the commands that it prints; what ``status`` says of it."""

from __future__ import annotations

import shlex

from refinebio_assets_tests.cli.conftest import Run
from refinebio_assets_tests.pipelines.study import Study, matrix_of
from refinebio_assets_tests.pipelines.test_damage_of_results import damage_in_place, head_of


def commands_of(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.startswith("  refinebio-assets ")]


def test_the_printed_commands_make_a_damaged_lake_whole(study: Study, refinebio: Run) -> None:
    study.register()
    study.process()
    before, lake = matrix_of(study), study.lake
    assert refinebio("lake", "verify").returncode == 0
    raw = next(file for file in head_of(lake, "raw_files").files if file.path.startswith("objects/"))
    matrix = head_of(lake, "gene_expression").files[0]
    damage_in_place(lake, raw)
    damage_in_place(lake, matrix)
    found = refinebio("lake", "verify")
    assert found.returncode == 1
    for file in (raw, matrix):
        (line,) = (line for line in found.stdout.splitlines() if file.path in line)
        assert f"expected sha256 {file.sha256}" in line
    assert "it is of the newest version of gene_expression of STUDY" in found.stdout
    commands = commands_of(found.stdout)
    assert commands == ["refinebio-assets lake verify --set-aside", "refinebio-assets process STUDY"]
    assert refinebio("lake", "verify").stdout == found.stdout, "it only reads"
    aside, processed = (refinebio(*shlex.split(command)[1:]) for command in commands)
    assert aside.returncode == 1
    assert f"Set aside: {raw.path} is now damaged/" in aside.stdout
    assert processed.returncode == 0, processed.stdout
    assert "is no longer in the lake" in processed.stdout
    assert matrix_of(study) == before
    again = refinebio("lake", "verify")
    assert (again.returncode, commands_of(again.stdout)) == (0, [])
    assert "of earlier versions known to be lost" in again.stdout


def test_status_says_which_commits_cannot_be_read(study: Study, refinebio: Run) -> None:
    study.register()
    study.process()
    lake = study.lake
    lake.storage.put_bytes(b'{"format": 1', head_of(lake, "gene_expression").entry.path)
    status = refinebio("status")
    assert status.returncode == 0
    assert "Left out: gene_expression of STUDY: log/gene_expression/STUDY/" in status.stderr
    assert "`refinebio-assets lake verify` says what makes them whole again" in status.stderr
    verify = refinebio("lake", "verify")
    assert verify.returncode == 1
    assert "expected a commit record in JSON" in verify.stdout
    assert commands_of(verify.stdout)[-1] == "refinebio-assets process STUDY"
    refinebio("lake", "verify", "--set-aside")
    study.process()
    assert refinebio("status").stderr == ""


def test_a_record_of_newer_software_asks_for_an_upgrade_and_stays(study: Study, refinebio: Run) -> None:
    study.register()
    entry = head_of(study.lake, "experiment_registration").entry
    study.lake.storage.put_bytes(b'{"format": 99}', entry.path)
    done = refinebio("lake", "verify", "--set-aside")
    assert done.returncode == 1
    assert "upgrade refinebio-assets" in done.stdout
    assert study.lake.storage.size(entry.path) == len(b'{"format": 99}')
