"""What a BeadArray's files say together: which gene is chosen by what, and files that do not fit."""

from __future__ import annotations

from pathlib import Path

import pytest

from refinebio_assets.errors import FormatError, PermanentError
from refinebio_assets.lake.rows import read_rows
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.outcome import Outcome
from refinebio_assets.pipelines.references.bead_annotation import (
    bead_platforms,
    find_bead_platform,
    missing_bead_platforms,
)
from refinebio_assets.pipelines.references.bead_probes import BeadProbes
from refinebio_assets.pipelines.references.bead_registry import (
    BeadInputs,
    register_bead_platform,
)
from refinebio_assets.pipelines.references.platform_annotation import (
    build_annotation,
    find_annotation,
)
from refinebio_assets.pipelines.references.platform_registry import PlatformInputs, register_platform
from refinebio_assets.pipelines.references.registered_platforms import (
    registered_platform,
    registered_platforms,
)
from refinebio_assets_tests.formats.illumina_making import chip_file, organism_file, package
from refinebio_assets_tests.pipelines.chip import brainarray, probe_tab, sequence

FIRST, SECOND, THIRD = "ACGTA" * 10, "TTGCA" * 10, "GGGCC" * 10
PROBES = [
    ("I1", "101", 0),
    ("I2", "102", 0),
    ("I3", "101", 1),
    ("I3", "103", 1),
    ("I4", None, 0),
    ("I0", "9", 0),
]
DESCRIBED = [
    ("I2", "Perfect****", SECOND, "ENSG02"),
    ("I1", "Good", FIRST, "ENSG01"),
    ("I3", "Bad", THIRD, None),
    ("I4", None, None, None),
]
GENES = [(1, "101"), (2, "102"), (3, "103")]
ENSEMBL = [(1, "ENSG11"), (2, "ENSG22"), (2, "ENSG21"), (3, "ENSG33")]
NAME, ORGANISM = "myBeads", "MUS_MUSCULUS"


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path / "lake"))


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    chip = chip_file(tmp_path / "chip.sqlite", probes=PROBES, described=DESCRIBED)
    organism = organism_file(tmp_path / "org.sqlite", GENES, ENSEMBL, "2020-May01")
    return {
        "package": str(package(tmp_path / "my.db_1.tar.gz", chip, "my.db/inst/extdata/my.sqlite")),
        "organism_package": str(
            package(tmp_path / "org.db_1.tar.gz", organism, "org.db/inst/extdata/org.sqlite")
        ),
    }


def build(lake: Lake, files: dict[str, str], **more: str | tuple[str, ...]) -> Outcome:
    register_bead_platform(lake, BeadInputs(NAME, ORGANISM, **files, **more))  # type: ignore[arg-type]
    return build_annotation(lake, NAME)


def built(lake: Lake) -> BeadProbes:
    platform = find_bead_platform(lake, NAME)
    assert platform is not None
    return platform.annotation(lake)


def table(folder: Path, name: str, content: str) -> str:
    (folder / name).write_text(content, encoding="utf-8")
    return str(folder / name)


def test_every_probe_is_kept_with_sequence_quality_its_one_gene_and_all_of_its_genes(
    lake: Lake, files: dict[str, str]
) -> None:
    build(lake, files)
    probes = built(lake)
    assert probes.probe_ids.to_pylist() == ["I2", "I1", "I3", "I4", "I0"]
    assert probes.sequences.to_pylist() == [SECOND, FIRST, THIRD, None, None]
    assert probes.qualities.to_pylist() == ["Perfect****", "Good", "Bad", None, None]
    assert probes.genes.to_pylist() == [None, "ENSG11", None, None, None]
    pairs = zip(probes.gene_pairs.probe_ids.to_pylist(), probes.gene_pairs.genes.to_pylist(), strict=True)
    assert list(pairs) == [("I2", "ENSG21"), ("I2", "ENSG22"), ("I1", "ENSG11")]
    assert sorted(probes.listed_ids().to_pylist()) == ["I0", "I1", "I2", "I3", "I4"]
    assert probes.gene_index().columns["ENSEMBL"].to_pylist() == ["ENSG21", "ENSG22", "ENSG11"]


def test_without_a_choice_brainarray_decides_and_then_the_primary_assembly(
    lake: Lake, files: dict[str, str], tmp_path: Path
) -> None:
    one = brainarray(
        tmp_path / "one.tab", [("ENSG22_at", 0, 0, sequence(1)), ("ENSG21_at", 1, 0, sequence(2))]
    )
    two = brainarray(tmp_path / "two.tab", [("ENSG22_at", 0, 0, sequence(1))])
    line = 'x\thavana\tgene\t1\t9\t.\t+\t.\tgene_id "{}";\n'
    gtf = table(tmp_path, "genes.gtf", line.format("ENSG22") + line.format("ENSG21").replace("x", "7", 1))
    build(lake, files, brainarray=(one, two))
    assert built(lake).genes.to_pylist()[0] == "ENSG22"
    build(lake, files, brainarray=(one,), gtf=gtf)
    assert built(lake).genes.to_pylist()[0] == "ENSG21"
    build(lake, files, brainarray=(one,))
    assert built(lake).gene_reasons.to_pylist()[0] == "the lowest id of equals"


def test_without_an_organisms_package_the_packages_own_genes_are_taken_and_named(
    lake: Lake, files: dict[str, str]
) -> None:
    outcome = build(lake, {"package": files["package"]})
    assert built(lake).genes.to_pylist()[:2] == ["ENSG02", "ENSG01"]
    assert "re-annotation" in read_rows(lake, outcome.commit, "platform_annotations")[0]["gene_source"]


def test_detection_is_offered_the_organisms_arrays_the_listed_ones_first(
    lake: Lake, files: dict[str, str], tmp_path: Path
) -> None:
    for name, organism in (("aOwn", ORGANISM), ("illuminaMousev2", ORGANISM), ("illuminaMousev1", ORGANISM),
                           ("illuminaHumanv4", "HOMO_SAPIENS")):  # fmt: skip
        register_bead_platform(lake, BeadInputs(name, organism, **files))
        build_annotation(lake, name)
    register_platform(lake, PlatformInputs("hgu95av2", probe_tab=probe_tab(tmp_path / "a.tab")))
    build_annotation(lake, "hgu95av2")
    names = [platform.name for platform in bead_platforms(lake, ORGANISM)]
    assert names == ["illuminaMousev1", "illuminaMousev2", "aOwn"]
    assert missing_bead_platforms(lake, ORGANISM) == ("illuminaMousev1p1",)
    assert missing_bead_platforms(lake, "SIMULATUM_DEMONSTRANS") == ()
    assert find_annotation(lake, "aOwn") is None and find_bead_platform(lake, "hgu95av2") is None
    assert len(registered_platforms(lake)) == 5
    assert isinstance(registered_platform(lake, "aOwn")[0], BeadInputs)


def test_files_that_do_not_belong_together_are_refused(
    lake: Lake, files: dict[str, str], tmp_path: Path
) -> None:
    other = organism_file(tmp_path / "other.sqlite", [(1, "7777")], [(1, "ENSRNOG1")])
    with pytest.raises(PermanentError, match="are they of the same organism"):
        build(lake, {**files, "organism_package": str(other)})
    choices = table(tmp_path, "choices.tsv", "probe_id\tensembl_id\nX9\tENSG21\n")
    with pytest.raises(PermanentError, match=r"none of the 1 probes of .*choices.tsv is in"):
        build(lake, files, gene_choices=choices)
    assert find_bead_platform(lake, NAME) is None


def test_a_probe_that_is_described_twice_in_different_ways_is_an_error(
    lake: Lake, files: dict[str, str], tmp_path: Path
) -> None:
    twice = [*DESCRIBED, ("I1", "Bad", SECOND, None)]
    damaged = chip_file(tmp_path / "twice.sqlite", probes=PROBES, described=twice)
    with pytest.raises(FormatError, match="probe I1: expected one row in ExtraInfo"):
        build(lake, {**files, "package": str(damaged)})
