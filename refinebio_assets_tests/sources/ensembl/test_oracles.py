"""The ancestor's survey of 101 species, replayed on the recorded answers of Ensembl's servers.

Ours differs by design in three ways: a species whose URLs do not exist is skipped where the ancestor
registered them unchecked (12 of 101); Ensembl proper is asked by https; a strain that stands for a species
bears the species' name, as samples do.
"""

from __future__ import annotations

import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from refinebio_assets.sources.ensembl.survey import EnsemblGenome, EnsemblSurvey, survey_ensembl
from refinebio_assets.sources.web.settings import open_web

STRAINS_OF = {"CANDIDA_ALBICANS_SC5314": "CANDIDA_ALBICANS"}


@cache
def survey(folder: Path, division: str, organism: str | None) -> EnsemblSurvey:
    with open_web({"REFINEBIO_MIRROR": str(folder / "recorded_responses")}) as web:
        return survey_ensembl(web, division, organism)


@pytest.fixture(scope="module")
def cases(shared_data: Path) -> list[dict[str, Any]]:
    with gzip.open(shared_data / "metadata_oracles" / "survey_transcriptome.jsonl.gz", "rt") as lines:
        return [json.loads(line) for line in lines]


def bare(url: str) -> str:
    return url.removeprefix("https://").removeprefix("http://")


def as_the_ancestor(found: EnsemblGenome) -> dict[str, Any]:
    name = found.directory.capitalize()
    return {
        "assembly": found.assembly,
        "assembly_version": found.release,
        "filename_species": name,
        "scientific_name": found.organism,
        "species_sub_dir": found.directory,
        "taxonomy_id": found.taxonomy_id,
        "files": [(f"{name}.fa.gz", bare(found.genome_url)), (f"{name}.gtf.gz", bare(found.gtf_url))],
    }


def expected(case: dict[str, Any]) -> dict[str, Any]:
    builder = {key: value for key, value in case["builder"].items() if key not in {"class_", "collection"}}
    organism = builder["scientific_name"].replace(" ", "_").upper()
    return builder | {
        "scientific_name": STRAINS_OF.get(organism, organism),
        "taxonomy_id": int(builder["taxonomy_id"]),
        "files": [(file["source_filename"], bare(file["source_url"])) for file in case["files"]],
    }


def test_species_whose_files_exist_are_surveyed_as_by_the_ancestor(
    cases: list[dict[str, Any]], shared_data: Path
) -> None:
    agreeing = 0
    for case in (case for case in cases if case.get("final_urls_exist")):
        result = survey(shared_data, case["division"], case["organism"])
        directory = case["builder"]["species_sub_dir"]
        (found,) = (found for found in result.found if found.directory == directory)
        assert as_the_ancestor(found) == expected(case), case["id"]
        agreeing += 1
    assert agreeing == 86


def test_species_whose_files_do_not_exist_are_skipped_with_all_that_was_tried(
    cases: list[dict[str, Any]], shared_data: Path
) -> None:
    missing = [case for case in cases if case.get("final_urls_exist") is False]
    assert len(missing) == 12
    for case in missing:
        result = survey(shared_data, case["division"], case["organism"])
        name = case["species_json"]["name"]
        assert name not in {found.directory for found in result.found}
        (skipped,) = (skipped for skipped in result.skipped if skipped.name == name)
        fastas = {bare(url) for url in case["head_status"] if "/fasta/" in url}
        assert fastas < {bare(url) for url in skipped.tried}, case["id"]


def test_where_the_ancestor_surveys_nothing_nothing_is_found(
    cases: list[dict[str, Any]], shared_data: Path
) -> None:
    empty = [case for case in cases if "files" not in case]
    assert len(empty) == 3
    for case in empty:
        result = survey(shared_data, case["division"], case["organism"])
        assert result.found == () and result.skipped[0].reason


def test_every_url_that_is_handed_out_was_answered_with_200(shared_data: Path) -> None:
    with (shared_data / "recorded_responses" / "index.jsonl").open(encoding="utf-8") as lines:
        answers = [json.loads(line) for line in lines]
    exist = {
        bare(answer["url"]) for answer in answers if answer["method"] == "HEAD" and answer["status"] == 200
    }
    found = survey(shared_data, "EnsemblPlants", None).found
    assert len(found) == 133
    assert {bare(url) for genome in found for url in (genome.genome_url, genome.gtf_url)} <= exist
