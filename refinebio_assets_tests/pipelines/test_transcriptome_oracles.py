"""The ancestor's processing of transcriptomes: GTF filter, gene map, and names parsed from files.

Where the ancestor parses names from paths we carry them from the survey, so its parsing is compared with
what the survey says. By design ours differs in two cases: ``Canis_lupus_familiaris`` is not cut to
``CANIS_LUPUS``, and an assembly does not keep the ``_`` that only its file's name has.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from refinebio_assets.domain import organism_name
from refinebio_assets.formats.gene_map import write_gene_map
from refinebio_assets.formats.gtf import read_gtf
from refinebio_assets.pipelines.references.transcriptome_survey import find_genome, transcriptome_of
from refinebio_assets.sources.web.settings import open_web


@pytest.fixture(scope="module")
def cases(shared_data: Path) -> list[dict[str, Any]]:
    path = shared_data / "metadata_oracles" / "transcriptome_processing.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def of_function(cases: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    found = [case for case in cases if case["function"] == name]
    assert found
    return found


def test_lines_and_genes_of_a_gtf_are_the_ancestors(
    cases: list[dict[str, Any]], shared_data: Path, tmp_path: Path
) -> None:
    for case in of_function(cases, "process_gtf"):
        found = read_gtf(shared_data / "metadata_oracles" / "files" / case["input"])
        assert found.lines == case["lines_in"]
        assert found.lines - found.pseudogene_lines == case["lines_kept"]
        assert len(found.gene_map.genes) == case["pairs"]
        write_gene_map(tmp_path / "map", found.gene_map)
        assert hashlib.sha1((tmp_path / "map").read_bytes()).hexdigest() == case["g2t_sha1"]


def test_organisms_are_named_as_by_the_ancestor_but_for_subspecies(cases: list[dict[str, Any]]) -> None:
    differing = {}
    for case in of_function(cases, "get_organism_name_from_path"):
        name = organism_name(Path(case["input"]).name.removesuffix("_long").removesuffix("_short"))
        if name != case["expected"]:
            differing[name] = case["expected"]
    assert differing == {"CANIS_LUPUS_FAMILIARIS": "CANIS_LUPUS"}


@pytest.mark.parametrize(
    ("organism", "gtf"),
    [
        ("Danio rerio", "Danio_rerio.GRCz11.110.gtf.gz"),
        ("Candida albicans", "Candida_albicans_sc5314_gca_000784635.Cand_albi_SC5314_V4.57.gtf.gz"),
    ],
)
def test_division_release_and_assembly_are_those_that_the_ancestor_reads_from_the_gtfs_url(
    organism: str, gtf: str, cases: list[dict[str, Any]], shared_data: Path
) -> None:
    (case,) = (
        case
        for case in of_function(cases, "extract_assembly_information")
        if case["input"].endswith(f"/{gtf}")
    )
    with open_web({"REFINEBIO_MIRROR": str(shared_data / "recorded_responses")}) as web:
        inputs = transcriptome_of(find_genome(web, organism))
    assert inputs.gtf.endswith(f"/{gtf}")
    assert {
        "assembly_name": inputs.assembly,
        "assembly_version": inputs.release,
        "database_name": inputs.division,
    } == case["expected"]
