"""The simulated BeadArrays and what is published about them, read as real packages are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from refinebio_assets.formats.annotation_table import read_annotation_table
from refinebio_assets.formats.illumina_annotation import BeadAnnotation, string_array
from refinebio_assets.formats.illumina_genes import ChoiceReason, read_gene_choices, resolve_genes
from refinebio_assets.formats.illumina_package import read_bead_package
from refinebio_assets.methods.platform_detection import detect_platform
from refinebio_assets.simulate.bead_packages import index_probe_sets, write_bead_package
from refinebio_assets.simulate.beads import BeadArray, gene_ids, simulate_bead_arrays
from refinebio_assets.simulate.genome import Genome, simulate_genome
from refinebio_assets.simulate.world import World


@pytest.fixture(scope="module")
def genome() -> Genome:
    return simulate_genome(np.random.default_rng(5))


@pytest.fixture(scope="module")
def arrays(genome: Genome) -> tuple[BeadArray, BeadArray]:
    return simulate_bead_arrays(genome, np.random.default_rng(6))


def annotations(world: World) -> dict[str, BeadAnnotation]:
    packages = {
        world.bead_platform: world.bead_package,
        world.older_bead_platform: world.older_bead_package,
    }
    return {name: read_bead_package(file, world.bead_organism_package) for name, file in packages.items()}


def test_scan_finds_enough_reliable_probes_with_different_sequences(
    arrays: tuple[BeadArray, BeadArray],
) -> None:
    array, _ = arrays
    reliable = [
        quality.startswith(("Good", "Perfect")) and target >= 0
        for quality, target in zip(array.qualities, array.targets, strict=True)
    ]
    assert sum(reliable) >= 1_500
    assert len(set(array.sequences())) == len(array)
    assert all(
        (quality == "No match") == (target < 0)
        for quality, target in zip(array.qualities, array.targets, strict=True)
    )


def test_probes_lie_in_the_genes_that_they_bind(genome: Genome, arrays: tuple[BeadArray, BeadArray]) -> None:
    array, _ = arrays
    for row in range(0, len(array), 50):
        if (target := int(array.targets[row])) >= 0:
            gene = genome.genes[target]
            assert array.bases[row].tobytes() in genome.spliced(gene, gene.transcripts[0]).tobytes()


def test_a_package_has_the_same_bytes_each_time(
    tmp_path: Path, genome: Genome, arrays: tuple[BeadArray, BeadArray]
) -> None:
    files = [tmp_path / "a.tar.gz", tmp_path / "b.tar.gz"]
    for file in files:
        write_bead_package(file, arrays[1], gene_ids(genome))
    assert files[0].read_bytes() == files[1].read_bytes()


def test_detection_has_a_choice_and_takes_the_array_that_a_file_is_of(world: World) -> None:
    candidates = {name: each.listed_ids() for name, each in annotations(world).items()}
    for name, ids in candidates.items():
        found = detect_platform(ids, candidates)
        assert found.platform == name and found.passed
        assert all(each.found > 500 for each in found.candidates)


def test_most_probes_have_one_gene_and_the_choice_table_decides_nearly_all_others(world: World) -> None:
    annotation = annotations(world)[world.bead_platform]
    assert annotation.gene_pairs is not None and annotation.gene_pairs.release == "2026-Jan05"
    choices = read_gene_choices(world.bead_gene_choices)
    counts = resolve_genes(annotation.gene_pairs, annotation.probe_ids, choices=choices).counts()
    assert counts[ChoiceReason.ONLY] > 1_500 and counts[ChoiceReason.STORED] > 50
    assert 0 < counts[ChoiceReason.UNDECIDED] < 10 and annotation.several_entrez.sum() > 10


def test_the_gene_index_has_ids_that_are_no_probes_of_any_array_here(world: World) -> None:
    table = read_annotation_table(world.gene_index)
    ids = {name: set(column.drop_null().to_pylist()) for name, column in table.index.columns.items()}
    assert list(ids) == ["PROBEID", "ENSEMBL", "SYMBOL", "ENTREZID", "REFSEQ"]
    assert ids["PROBEID"] == set(index_probe_sets(len(ids["SYMBOL"])))
    assert all(entrez.isdigit() for entrez in ids["ENTREZID"])
    probes: pa.StringArray = string_array(sorted(ids["PROBEID"]))
    candidates = {name: each.listed_ids() for name, each in annotations(world).items()}
    assert detect_platform(probes, candidates).platform is None
