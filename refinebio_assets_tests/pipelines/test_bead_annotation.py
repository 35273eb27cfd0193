"""Annotations of BeadArrays in the lake: from their packages to probes with one gene each, and refusals."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from refinebio_assets.errors import FormatError, NotFoundError, RequestError
from refinebio_assets.lake.rows import read_rows
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.outcome import Outcome
from refinebio_assets.pipelines.references.bead_annotation import bead_platforms, missing_bead_platforms
from refinebio_assets.pipelines.references.bead_registry import (
    BeadInputs,
    published_bead_inputs,
    register_bead_platform,
    resolve_bead_platform,
)
from refinebio_assets.pipelines.references.platform_annotation import build_annotation, find_annotation
from refinebio_assets.simulate.packing import gzip_bytes, tar_bytes
from refinebio_assets_tests.pipelines.beads import ORGANISM, BeadFiles, simulate_bead_files


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> BeadFiles:
    return simulate_bead_files(tmp_path_factory.mktemp("beads") / "files")


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path / "lake"))


def built(lake: Lake, files: BeadFiles, **changes: str) -> Outcome:
    files.register(lake, **changes)
    return build_annotation(lake, files.array.platform)


def test_every_probe_has_its_sequence_quality_and_gene(lake: Lake, files: BeadFiles) -> None:
    built(lake, files)
    (platform,) = bead_platforms(lake, ORGANISM)
    assert (platform.name, platform.organism) == (files.array.platform, ORGANISM)
    probes = platform.annotation(lake)
    sequence_of = dict(zip(files.array.probe_ids, files.array.sequences(), strict=True))
    quality_of = dict(zip(files.array.probe_ids, files.array.qualities, strict=True))
    ids = probes.probe_ids.to_pylist()
    assert sorted(ids) == sorted(files.array.probe_ids)
    assert probes.sequences.to_pylist() == [sequence_of[probe] for probe in ids]
    assert probes.qualities.to_pylist() == [quality_of[probe] for probe in ids]
    for probe, gene in zip(ids, probes.genes.to_pylist(), strict=True):
        target = files.array.targets[files.array.probe_ids.index(probe)]
        assert gene is None or target >= 0


def test_the_one_gene_of_a_probe_is_the_chosen_one_and_all_its_genes_are_kept(
    lake: Lake, files: BeadFiles
) -> None:
    built(lake, files)
    probes = bead_platforms(lake, ORGANISM)[0].annotation(lake)
    chosen = dict(line.split("\t") for line in Path(files.gene_choices).read_text().splitlines()[1:])
    gene_of = dict(zip(probes.probe_ids.to_pylist(), probes.genes.to_pylist(), strict=True))
    stored = {probe: gene for probe, gene in chosen.items() if gene_of[probe] is not None}
    assert len(stored) > 50 and all(gene_of[probe] == gene for probe, gene in stored.items())
    pairs = list(
        zip(probes.gene_pairs.probe_ids.to_pylist(), probes.gene_pairs.genes.to_pylist(), strict=True)
    )
    assert len(pairs) > len({probe for probe, _ in pairs})


def test_without_a_choice_table_probes_of_several_genes_have_none_and_are_listed(
    lake: Lake, files: BeadFiles
) -> None:
    with_choices = built(lake, files)
    genes_with = read_rows(lake, with_choices.commit, "platform_annotations")[0]["genes"]
    without = built(lake, files, gene_choices="")
    assert any("registration" in reason or "gene choices" in reason for reason in without.reasons)
    genes_without = read_rows(lake, without.commit, "platform_annotations")[0]["genes"]
    assert genes_without < genes_with
    assert any("no gene was chosen" in item.reason for item in without.dropped)


def test_probes_are_counted_by_quality_and_by_how_their_gene_was_chosen(lake: Lake, files: BeadFiles) -> None:
    outcome = built(lake, files)
    counts = read_rows(lake, outcome.commit, "annotation_counts")
    for about in ("quality", "gene"):
        assert sum(row["probes"] for row in counts if row["about"] == about) == len(files.array)
    perfect = next(row["probes"] for row in counts if row["value"] == "Perfect")
    assert perfect == files.array.qualities.count("Perfect")
    sources = {row["role"] for row in read_rows(lake, outcome.commit, "annotation_sources")}
    assert sources == {"package", "organism_package", "gene_choices"}


def test_building_again_changes_nothing_and_it_is_no_annotation_of_an_affymetrix_array(
    lake: Lake, files: BeadFiles
) -> None:
    first = built(lake, files)
    again = build_annotation(lake, files.array.platform)
    assert not again.changed and again.commit.id == first.commit.id
    assert find_annotation(lake, files.array.platform) is None


def test_the_packages_of_an_organism_that_are_missing_are_named(lake: Lake) -> None:
    assert missing_bead_platforms(lake, "RATTUS_NORVEGICUS") == ("illuminaRatv1",)
    assert missing_bead_platforms(lake, "DANIO_RERIO") == ()


@pytest.mark.parametrize(
    "name", ["illuminaHumanv4", "ILLUMINAHUMANV4.db", "Illumina_HumanHT-12_V4.0", "GPL10558"]
)
def test_any_name_of_an_array_means_its_package(name: str) -> None:
    assert resolve_bead_platform(name) == ("illuminaHumanv4", "HOMO_SAPIENS")


def test_a_listed_array_has_published_packages_and_its_own_organism() -> None:
    inputs = published_bead_inputs(BeadInputs("illuminaMousev2", "MUS_MUSCULUS"))
    assert "illuminaMousev2.db" in inputs.package and "org.Mm.eg.db" in inputs.organism_package
    with pytest.raises(RequestError, match="Mus musculus, not of Homo sapiens"):
        resolve_bead_platform("illuminaMousev2", "Homo sapiens")


def test_everything_that_is_wrong_with_a_registration_is_named(lake: Lake) -> None:
    with pytest.raises(RequestError) as error:
        register_bead_platform(lake, BeadInputs("myArray", "", gtf="genes.gtf"))
    text = str(error.value)
    assert "--organism NAME" in text and "--package FILE" in text and "--brainarray FILE" in text


def refused(lake: Lake, files: BeadFiles, **changes: str) -> str:
    with pytest.raises((FormatError, NotFoundError)) as error:
        built(lake, files, **changes)
    assert bead_platforms(lake, ORGANISM) == []
    return str(error.value)


def test_a_cut_package_is_refused_with_its_name(lake: Lake, files: BeadFiles, tmp_path: Path) -> None:
    cut = tmp_path / "cut.tar.gz"
    cut.write_bytes(Path(files.package).read_bytes()[:-20_000])
    assert "cut.tar.gz" in refused(lake, files, package=str(cut))


def test_a_package_without_a_database_is_refused(lake: Lake, files: BeadFiles, tmp_path: Path) -> None:
    empty = tmp_path / "empty.tar.gz"
    empty.write_bytes(gzip_bytes(tar_bytes({"package/DESCRIPTION": b"Package: nothing\n"})))
    assert "empty.tar.gz" in refused(lake, files, package=str(empty))


def test_an_organism_package_that_is_none_is_refused(lake: Lake, files: BeadFiles) -> None:
    message = refused(lake, files, organism_package=files.package)
    assert "array.tar.gz" in message and "expected" in message


def test_a_choice_table_with_another_header_is_refused(lake: Lake, files: BeadFiles, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.tsv"
    wrong.write_text("a\tb\n1\t2\n")
    assert "wrong.tsv, line 1" in refused(lake, files, gene_choices=str(wrong))


def test_a_compressed_database_alone_is_as_good_as_a_package(
    lake: Lake, files: BeadFiles, tmp_path: Path
) -> None:
    import tarfile

    with tarfile.open(files.package) as archive:
        member = next(each for each in archive.getmembers() if each.name.endswith(".sqlite"))
        stream = archive.extractfile(member)
        assert stream is not None
        (tmp_path / "array.sqlite.gz").write_bytes(gzip.compress(stream.read(), mtime=0))
    version = built(lake, files).commit.version
    assert built(lake, files, package=str(tmp_path / "array.sqlite.gz")).commit.version == version
