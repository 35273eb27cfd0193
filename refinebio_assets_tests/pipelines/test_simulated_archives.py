"""The simulated archives, asked by the real clients: what was designed is what is found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from refinebio_assets.domain import Experiment, FileRole, Pipeline, Sample
from refinebio_assets.errors import NotFoundError
from refinebio_assets.formats.archive import extract_member
from refinebio_assets.metadata.flatten import flat_metadata
from refinebio_assets.metadata.harmonize import harmonize
from refinebio_assets.platforms.pipeline_choice import choose_pipeline
from refinebio_assets.simulate import arrays
from refinebio_assets.simulate.design import EXPERIMENTS
from refinebio_assets.simulate.world import World, simulate_world
from refinebio_assets.sources.archives import Archives, open_archives
from refinebio_assets.sources.sample_sheet import read_sample_sheet

ARRAY_EXPERIMENTS = (
    *(arrays.AFFYMETRIX, arrays.BEAD_ARRAY, arrays.SUBMITTED, arrays.MIXED, arrays.ARRAY_EXPRESS),
)
SAMPLES = {
    each.accession: [sample.accession for sample in each.samples]
    for each in (*EXPERIMENTS, *ARRAY_EXPERIMENTS)
}
PIPELINES = {
    "SRP900001": Pipeline.SALMON,
    "SRP900002": Pipeline.SALMON,
    "GSE900001": Pipeline.AFFYMETRIX_SCAN,
    "GSE900002": Pipeline.ILLUMINA_SCAN,
    "GSE900003": Pipeline.SUBMITTER_PROCESSED,
    "E-MTAB-900001": Pipeline.AFFYMETRIX_SCAN,
}
MIXED = {
    "GSM90000031": Pipeline.AFFYMETRIX_SCAN,
    "GSM90000032": Pipeline.AFFYMETRIX_SCAN,
    "GSM90000033": Pipeline.SUBMITTER_PROCESSED,
    "GSM90000034": Pipeline.SUBMITTER_PROCESSED,
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return simulate_world(tmp_path_factory.mktemp("simulated") / "world")


@pytest.fixture(scope="module")
def archives(world: World) -> Iterator[Archives]:
    archives = open_archives({"REFINEBIO_MIRROR": str(world.mirror)})
    with archives.web:
        yield archives


@pytest.fixture(scope="module")
def surveyed(world: World, archives: Archives) -> dict[str, Experiment]:
    return {accession: archives.survey(accession) for accession in world.archive_accessions}


def harmonized(experiment: Experiment, sample: Sample) -> dict[str, object]:
    """Return the harmonized fields without where they came from."""
    fields = asdict(harmonize(flat_metadata(experiment.source, sample.metadata)))
    return {key: value for key, value in fields.items() if key != "sources"}


def test_every_experiment_is_surveyed_to_its_designed_samples(surveyed: dict[str, Experiment]) -> None:
    found = {accession: [sample.accession for sample in each.samples] for accession, each in surveyed.items()}
    assert found == SAMPLES
    for accession, experiment in surveyed.items():
        assert experiment.accession == accession
        assert experiment.left_out == ()
        assert experiment.organisms == ["SIMULATUM_DEMONSTRANS"]
        assert experiment.published.startswith("2026-01-")
        assert experiment.updated == "2026-01-20"
    titles = {each.accession: each.title for each in (*EXPERIMENTS, *ARRAY_EXPERIMENTS)}
    assert {accession: each.title for accession, each in surveyed.items()} == titles
    assert surveyed["SRP900001"].publication.doi == "10.5555/simulated.90000001"


def test_every_sample_has_the_pipeline_of_its_technology(surveyed: dict[str, Experiment]) -> None:
    for accession, experiment in surveyed.items():
        for sample in experiment.samples:
            choice = choose_pipeline(sample)
            expected = MIXED.get(sample.accession) or PIPELINES[accession]
            assert (choice.pipeline, bool(choice.files)) == (expected, True), choice.reason


def test_every_file_that_a_pipeline_reads_is_in_the_mirror_as_promised(
    archives: Archives, surveyed: dict[str, Experiment], tmp_path: Path
) -> None:
    wanted = {
        file
        for experiment in surveyed.values()
        for sample in experiment.samples
        for file in choose_pipeline(sample).files
    }
    assert {file.role for file in wanted} == {
        *(FileRole.FASTQ_1, FileRole.FASTQ_2, FileRole.CEL, FileRole.BEADARRAY, FileRole.PROCESSED)
    }
    for number, file in enumerate(sorted(wanted, key=lambda each: (each.location, each.member))):
        target = tmp_path / str(number)
        archives.web.download(file.location, target, size=file.size, md5=file.md5)
        if file.member:
            extract_member(target, file.member, tmp_path / f"{number} out")
            target = tmp_path / f"{number} out"
        assert target.stat().st_size > 1000


def test_the_archive_and_the_sample_sheet_give_the_same_harmonized_metadata(
    world: World, surveyed: dict[str, Experiment]
) -> None:
    for from_sheet in read_sample_sheet(world.sample_sheet):
        from_archive = surveyed[from_sheet.accession]
        assert [sample.accession for sample in from_sheet.samples] == SAMPLES[from_sheet.accession]
        for one, other in zip(from_sheet.samples, from_archive.samples, strict=True):
            assert harmonized(from_sheet, one) == harmonized(from_archive, other)


@pytest.mark.parametrize(
    ("accession", "number", "expected"),
    [
        ("GSE900001", 2, {"sex": "female", "age": 54.0, "age_unit": "year", "specimen_part": "kidney"}),
        ("GSE900001", 3, {"sex": "male", "age": 61.0, "disease_stage": "carcinoma;iii"}),
        ("GSE900002", 0, {"age": 0.0, "age_unit": "day", "subject": "newborn a", "title": "blood_1"}),
        ("E-MTAB-900001", 1, {"sex": "male", "age": 26.0, "specimen_part": "skeletal muscle"}),
        ("SRP900002", 3, {"age": 9.0, "age_unit": "week", "genetic_information": "homozygous mutant;sim/j"}),
    ],
)
def test_metadata_are_harmonized_from_what_the_archives_say(
    accession: str, number: int, expected: dict[str, object], surveyed: dict[str, Experiment]
) -> None:
    experiment = surveyed[accession]
    fields = harmonized(experiment, experiment.samples[number])
    assert {key: fields[key] for key in expected} == expected


def test_accessions_of_samples_runs_and_projects_lead_to_their_experiment(archives: Archives) -> None:
    assert archives.resolve("GSM90000012") == ["GSE900002"]
    assert archives.resolve("SRR90000003") == ["SRP900001"]
    assert archives.resolve("PRJNA90000002") == ["SRP900002"]
    with pytest.raises(NotFoundError):
        archives.survey("GSE900009")
