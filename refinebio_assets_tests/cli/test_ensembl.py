"""References from Ensembl on the command line, on a mirror that stands in for Ensembl's servers."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from refinebio_assets.cli.exit_codes import DONE, FAILED, USAGE
from refinebio_assets_tests.cli.conftest import Run, rows_of
from refinebio_assets_tests.conftest import REPOSITORY

GENOME = REPOSITORY / "refinebio_assets_tests" / "pipelines" / "golden" / "rsem"
NAME = "octopus_vulgaris"
FOLDER = "ftp.ensemblgenomes.org/pub/release-57/metazoa"
OTHERS = ["EnsemblPlants", "EnsemblProtists"]


@pytest.fixture
def mirror(tmp_path: Path) -> dict[str, str]:
    """Environment in which a folder answers for Ensembl: one organism, in the third division."""
    root = tmp_path / "mirror"

    def put(path: str, content: bytes) -> None:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)

    def put_json(path: str, value: Any) -> None:
        put(f"rest.ensembl.org/info/{path}?content-type=application%2Fjson", json.dumps(value).encode())

    listed = {"name": NAME, "assembly_name": "Oct 1", "species_taxonomy_id": 6645, "display_name": "Octopus"}
    put_json("species", {"species": [{"name": "homo_sapiens", "assembly": "GRCh38", "taxon_id": "9606"}]})
    put_json("eg_version", {"version": 57})
    put_json("genomes/division/EnsemblMetazoa", [listed])
    for division in OTHERS:
        put_json(f"genomes/division/{division}", [{"name": "another", "assembly_name": "B2"}])
    put(
        f"{FOLDER}/fasta/{NAME}/dna/{NAME.capitalize()}.Oct_1.dna.toplevel.fa.gz",
        gzip.compress((GENOME / "genome.fa").read_bytes()),
    )
    put(
        f"{FOLDER}/gtf/{NAME}/{NAME.capitalize()}.Oct_1.57.gtf.gz",
        gzip.compress((GENOME / "annotation.gtf").read_bytes()),
    )
    return {"REFINEBIO_MIRROR": str(root)}


def test_an_organism_of_ensembl_becomes_an_index(refinebio: Run, mirror: dict[str, str]) -> None:
    run = refinebio("reference", "add-ensembl", "--organism", "Octopus vulgaris", env=mirror)
    assert run.returncode == DONE, run.stdout + run.stderr
    assert "EnsemblMetazoa" in run.stdout and "Oct_1.dna.toplevel.fa.gz" in run.stdout
    listed = refinebio("reference", "list")
    assert all(text in listed.stdout for text in ("OCTOPUS_VULGARIS", "EnsemblMetazoa", "57", "Oct_1"))
    again = refinebio("reference", "add-ensembl", "--organism", "octopus_vulgaris", env=mirror)
    assert again.returncode == DONE and "up to date, nothing to do" in again.stdout


def test_a_dry_run_says_what_it_found_and_registers_nothing(
    refinebio: Run, mirror: dict[str, str], tmp_path: Path
) -> None:
    run = refinebio(
        "reference", "add-ensembl", "--organism", NAME, "--for-samples-of", "Poulpe", "--dry-run", env=mirror
    )
    assert run.returncode == DONE, run.stdout + run.stderr
    assert "POULPE" in run.stdout and "6645" in run.stdout and "nothing was registered" in run.stdout
    assert not (tmp_path / "lake").exists()


def test_an_unknown_organism_is_explained(refinebio: Run, mirror: dict[str, str]) -> None:
    run = refinebio("reference", "add-ensembl", "--organism", "Octopus vulgari", env=mirror)
    assert run.returncode == FAILED
    assert "did you mean octopus_vulgaris?" in run.stderr and "Traceback" not in run.stderr


def test_a_division_is_listed(refinebio: Run, mirror: dict[str, str]) -> None:
    asked = ("reference", "list-ensembl", "--division", "metazoa")
    assert rows_of(refinebio(*asked, "--format", "json", env=mirror)) == [
        {"organism": NAME, "assembly": "Oct 1", "taxonomy_id": "6645", "name": "Octopus"}
    ]
    shown = refinebio(*asked, env=mirror)
    assert NAME in shown.stdout and "6645" in shown.stdout


def test_a_division_that_does_not_exist_is_refused(refinebio: Run, mirror: dict[str, str]) -> None:
    run = refinebio("reference", "list-ensembl", "--division", "EnsemblViruses", env=mirror)
    assert run.returncode == FAILED and "EnsemblMetazoa" in run.stderr
    assert refinebio("reference", "add-ensembl", env=mirror).returncode == USAGE
