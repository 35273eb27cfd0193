"""Parity with refine.bio's GEO surveyor, as run on 74 series with 1,104 samples (``survey_geo``).

Birth certificate: refine.bio HEAD 288d43ca, Python 3.8, GEOparse 2.0.3. The platform is compared with that
of the sample's own GPL, which the record of the run gives beside the one that refine.bio took.
"""

from __future__ import annotations

import gzip
import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from refinebio_assets.domain import Experiment, FileRole, Sample
from refinebio_assets.sources.geo.survey import survey_geo
from refinebio_assets.sources.web.settings import open_web
from refinebio_assets_tests.sources.geo.replay import Replay, family_text

Fields = dict[str, object]

# Files that refine.bio records and no pipeline can read: they are not listed, as no role is theirs.
UNREAD = (".exp.gz", ".dat.gz", ".bgx.gz")
ADDED_PROTOCOLS = ("Growth protocol", "Treatment protocol")

EXPERIMENT_DEVIATIONS = {
    ("GSE781", "description"): "the whole summary, not its first line",
    ("GSE39842", "institution"): "no blank at its end",
    ("SYN-two-institutes", "institution"): "in the order of the record, not that of a set",
}
SAMPLE_DEVIATIONS = {
    ("GSE781", "files"): "the old name of GEO's server, which has no https, became the new one",
    ("SYN-none-stops-loop", "files"): "NONE is skipped and does not hide the CEL file behind it",
    ("SYN-none-stops-loop", "has_raw"): "NONE is skipped and does not hide the CEL file behind it",
    ("SYN-superseries-array-first", "files"): "the sequenced sample is known as such by its own platform",
    ("SYN-rnaseq-no-jobs", "files"): "a sequenced sample's reads are at SRA: it has no files here",
    ("", "files"): f"files that no pipeline reads are not listed: {', '.join(UNREAD)}",
}
"""By case and field; the empty case is any case with such files."""


@pytest.fixture
def surveyed(tmp_path, shared_data) -> Iterator[tuple[dict[str, Any], Experiment]]:
    """Every case of the oracle, with the experiment that a survey of the same records gives."""
    path = shared_data / "metadata_oracles" / "survey_geo.jsonl.gz"
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        cases = [json.loads(line) for line in lines]
    return _surveys(cases, tmp_path, shared_data / "recorded_responses")


def _surveys(cases: list[dict[str, Any]], folder: Path, recorded: Path):
    """Survey the cases; those that describe the same series once more wait for the next round."""
    this_round = {case["series"]: case for case in reversed(cases)}
    replay = Replay(folder / str(len(cases)))
    for series, case in this_round.items():
        given = case["input"]
        records = given["series_metadata"], given["samples"], given["gpl_titles"]
        replay.add_family(series, family_text(series, *records))
    with open_web({"REFINEBIO_MIRROR": os.pathsep.join(map(str, (replay.folder, recorded)))}) as web:
        for series, case in this_round.items():
            yield case, survey_geo(web, series)
    left = [case for case in cases if this_round[case["series"]] is not case]
    if left:
        yield from _surveys(left, folder, recorded)


def test_every_series_and_sample_agrees_but_where_we_mean_to_differ(surveyed):
    cases = samples = exact_cases = exact_samples = 0
    seen: Counter[tuple[str, str]] = Counter()
    for case, found in surveyed:
        expected = case["expected_head"]
        assert [one.accession for one in found.samples] == list(case["input"]["samples"])
        assert len(found.samples) == expected["experiment"]["num_total_samples"]
        wrong = _differing(_expected_experiment(expected["experiment"]), _experiment(found))
        seen.update((case["id"], field) for field in wrong)
        assert {(case["id"], field) for field in wrong} <= set(EXPERIMENT_DEVIATIONS), found.accession
        cases, exact_cases = cases + 1, exact_cases + (not wrong)
        for one in found.samples:
            wrong = _differing(_expected_sample(expected["samples"][one.accession], one), _sample(one))
            samples, exact_samples = samples + 1, exact_samples + (not wrong)
            reasons = {_reason(case, one, field) for field in wrong}
            seen.update(reasons)
            assert reasons <= set(SAMPLE_DEVIATIONS), (one.accession, wrong)
    assert (exact_cases, cases) == (71, 74)
    assert (exact_samples, samples) == (1_013, 1_104)
    assert set(seen) == set(EXPERIMENT_DEVIATIONS) | set(SAMPLE_DEVIATIONS)


def _experiment(found: Experiment) -> Fields:
    return {
        "title": found.title,
        "description": found.description,
        "url": found.url,
        "published": found.published,
        "institution": found.institution,
        "publication": (
            found.publication.pubmed_id,
            found.publication.title,
            list(found.publication.authors),
        ),
    }


def _expected_experiment(head: dict[str, Any]) -> Fields:
    return {
        "title": head["title"],
        "description": head["description"],
        "url": head["source_url"],
        "published": head["source_first_published"][:10],
        "institution": head["submitter_institution"],
        "publication": (head["pubmed_id"], head["publication_title"], head["publication_authors"]),
    }


def _sample(found: Sample) -> Fields:
    return {
        "title": found.title,
        "organism": found.organism,
        "has_raw": found.has_raw,
        "platform": (found.platform.accession, found.platform.name, found.platform.manufacturer.value),
        "technology": found.technology.value,
        "files": [file.location for file in found.files],
        "protocols": {one.kind: one.text for one in found.protocols if one.kind not in ADDED_PROTOCOLS},
    }


def _expected_sample(head: dict[str, Any], found: Sample) -> Fields:
    """A CEL file makes any sample a microarray of Affymetrix; the oracle's platform is that before it."""
    platform = head["platform_if_sample_level_gpl_used"]
    cel = found.file(FileRole.CEL) is not None
    protocols = {kind: texts for kind, texts in head["protocol_info"].items() if kind != "Reference"}
    return {
        "title": head["title"],
        "organism": head["organism"],
        "has_raw": head["has_raw"],
        "platform": (
            platform["platform_accession_code"],
            platform["platform_name"],
            "AFFYMETRIX" if cel else platform["manufacturer"],
        ),
        "technology": "MICROARRAY" if cel else platform["technology"],
        "files": [file["source_url"].replace("ftp://", "https://") for file in head["original_files"]],
        "protocols": {kind: "\n".join(texts).strip() for kind, texts in protocols.items()},
    }


def _differing(expected: Fields, found: Fields) -> list[str]:
    assert expected.keys() == found.keys()
    return [field for field, value in expected.items() if found[field] != value]


def _reason(case: dict[str, Any], found: Sample, field: str) -> tuple[str, str]:
    if (case["id"], field) in SAMPLE_DEVIATIONS:
        return case["id"], field
    files = case["expected_head"]["samples"][found.accession]["original_files"]
    read = [file["source_url"] for file in files if not file["source_url"].lower().endswith(UNREAD)]
    agrees = [url.replace("ftp://", "https://") for url in read] == [file.location for file in found.files]
    return ("", field) if field == "files" and agrees else (case["id"], field)


def test_the_real_family_of_gse781_gives_each_sample_its_own_platform(replay, connect, shared_data):
    path = shared_data / "geo_soft" / "GSE781_family.tables_cut_to_3_rows.soft.gz"
    replay.add_family("GSE781", gzip.decompress(path.read_bytes()))
    with connect(shared_data / "recorded_responses") as web:
        found = survey_geo(web, "GSE781")
    assert Counter(one.platform.accession for one in found.samples) == {"hgu133a": 17, "hgu133b": 17}
    assert all(one.title.endswith(("U133A", "U133B")) for one in found.samples)
    assert all(("133A" in one.title) == (one.platform.accession == "hgu133a") for one in found.samples)
    assert all(one.has_raw and one.file(FileRole.CEL) for one in found.samples)
    assert found.description.count("\n") == 10
    assert (found.published, found.updated) == ("2003-10-24", "2005-05-29")
    assert found.publication.pubmed_id == "14641932"
    assert found.left_out == ()


def test_a_family_of_small_rna_reads_without_sample_records_is_refused(replay, connect, shared_data):
    path = shared_data / "geo_soft" / "geoparse_GSE105845_family.soft.gz"
    replay.add_family("GSE105845", gzip.decompress(path.read_bytes()))
    with connect() as web, pytest.raises(Exception, match="GSE105845 has no samples at GEO"):
        survey_geo(web, "GSE105845")


@pytest.mark.parametrize(("gpl", "accession"), [("GPL1319", "zebrafish"), ("GPL6480", "GPL6480")])
def test_the_recorded_record_of_a_platform_gives_its_title(replay, connect, shared_data, gpl, accession):
    sample = {"organism_ch1": ["Danio rerio"], "platform_id": [gpl], "data_processing": ["RMA"]}
    replay.add_family("GSE1", family_text("GSE1", {"title": ["x"]}, {"GSM1": sample}, {}))
    with connect(shared_data / "recorded_responses") as web:
        (found,) = survey_geo(web, "GSE1").samples
    assert found.platform.accession == accession
    assert found.platform.name
