"""The simulated chip: its tables, what is true of its arrays, and whether SCAN finds that."""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from scipy.stats import spearmanr

from refinebio_assets.errors import FormatError
from refinebio_assets.formats.cel import CelFile, CelFormat, read_cel
from refinebio_assets.formats.probe_tables import ProbeTable, cell_indices, only_25mers, read_probe_tab
from refinebio_assets.methods.scan.design import prepare_design
from refinebio_assets.methods.scan.kernel import scan
from refinebio_assets.methods.scan.settings import SCAN_FAST
from refinebio_assets.methods.scan.summary import group_probes, match_cells, summarize
from refinebio_assets.platforms.microarrays import find_microarray
from refinebio_assets.simulate.annotation import letters
from refinebio_assets.simulate.arrays import AFFYMETRIX, ARRAY_EXPRESS, PlannedArray
from refinebio_assets.simulate.chip import SIDE
from refinebio_assets.simulate.genome import simulate_genome
from refinebio_assets.simulate.hybridization import log2_background
from refinebio_assets.simulate.world import World

EXPERIMENTS = (AFFYMETRIX, ARRAY_EXPRESS)
SAMPLES = [sample for experiment in EXPERIMENTS for sample in experiment.samples]


@pytest.fixture(scope="module")
def probes(world: World) -> ProbeTable:
    return read_probe_tab(world.probe_tab, columns=SIDE)


@pytest.fixture(scope="module")
def genes(world: World) -> ProbeTable:
    return read_probe_tab(world.brainarray, columns=SIDE)


@pytest.fixture(scope="module")
def cels(world: World) -> dict[str, CelFile]:
    """Every CEL file by its sample."""
    files = {path.name: path for path in (world.folder / "mirror").rglob("*.CEL*")}
    return {
        sample.accession: read_cel(next(files[name] for name in files if sample.name in name))
        for sample in SAMPLES
    }


def lines(file: Path) -> list[list[str]]:
    return [line.split("\t") for line in gzip.decompress(file.read_bytes()).decode().splitlines()]


def sequences(table: ProbeTable) -> list[str]:
    text = table.sequences.tobytes().decode()
    return [text[start : start + 25] for start in range(0, len(text), 25)]


def test_the_chip_has_more_than_5000_probes_of_25_bases_in_cells_of_their_own(probes: ProbeTable) -> None:
    assert len(probes) == 12_100
    assert only_25mers(probes)[1] == 0
    assert len(set(sequences(probes))) == len(set(cell_indices(probes, SIDE, SIDE).tolist())) == len(probes)
    assert set(Counter(probes.probe_sets.texts()).values()) == {11}
    assert set("".join(sequences(probes))) == set("ACGT")


def test_tables_have_the_columns_of_the_manufacturer_and_of_brainarray(world: World) -> None:
    tables = [lines(path) for path in (world.probe_tab, world.brainarray)]
    assert [header for header, *_ in tables] == [
        [
            *("Probe Set Name", "Probe X", "Probe Y", "Probe Interrogation Position"),
            *("Probe Sequence", "Target Strandedness"),
        ],
        ["sequence", "x", "y", "Probe.Set.Name", "Probe.Interrogation.Position", "Target.Strandedness"],
    ]
    assert {row[-1] for _, *rows in tables for row in rows} == {"Antisense"}


def test_probes_lie_in_the_transcripts_of_all_their_genes_at_the_position_said(world: World) -> None:
    genome = simulate_genome(np.random.default_rng([20, 0]))
    transcripts = {
        gene.accession: letters(genome.spliced(gene, gene.transcripts[0])).decode() for gene in genome.genes
    }
    rows = [
        line.split("\t") for line in gzip.decompress(world.brainarray.read_bytes()).decode().splitlines()[1:]
    ]
    named: dict[str, set[str]] = {}
    for sequence, _, _, name, position, _ in rows:
        gene = name.removesuffix("_at")
        assert transcripts[gene][int(position) - 13 :][:25] == sequence
        named.setdefault(sequence, set()).add(gene)
    for sequence in list(named)[::100]:
        assert named[sequence] == {gene for gene, bases in transcripts.items() if sequence in bases}
    assert len({gene for found in named.values() for gene in found}) == 140


def test_few_cells_serve_two_genes_and_controls_serve_none(probes: ProbeTable, genes: ProbeTable) -> None:
    counts = Counter(cell_indices(genes, SIDE).tolist())
    assert 40 <= sum(count == 2 for count in counts.values()) <= 200
    by_set: dict[str, list[int]] = {}
    for name, cell in zip(probes.probe_sets.texts(), cell_indices(probes, SIDE).tolist(), strict=True):
        by_set.setdefault(name, []).append(counts[cell])
    controls = [name for name in by_set if name.startswith("AFFX-")]
    assert 100 <= len(controls) <= 250
    for name, served in by_set.items():
        assert (name in controls) == (max(served) == 0)
        assert name.endswith("_s_at") == (min(served) > 1)
        assert name.endswith("_x_at") == (min(served) == 1 < max(served))


def test_the_worlds_arrays_come_in_all_formats_and_name_the_platform(
    world: World, cels: dict[str, CelFile]
) -> None:
    assert [cel.format for cel in cels.values()] == [
        *(CelFormat.TEXT, CelFormat.BINARY, CelFormat.COMMAND_CONSOLE, CelFormat.BINARY),
        *(CelFormat.TEXT, CelFormat.COMMAND_CONSOLE),
    ]
    assert {(cel.chip_type, cel.rows, cel.columns) for cel in cels.values()} == {("HG-U133A", SIDE, SIDE)}
    assert {"GSE900001", "E-MTAB-900001"} <= set(world.array_experiments)
    for experiment in EXPERIMENTS:
        platform = find_microarray(experiment.platform)
        assert platform is not None
        assert platform.accession == world.array_platform == "hgu133a"
        assert "simulated stand-in" in experiment.description


def test_truth_is_of_every_array_and_of_genes_with_probes(world: World, genes: ProbeTable) -> None:
    truth = world.array_expression()
    assert {sample.accession for sample in SAMPLES} <= set(truth)
    names = {name.removesuffix("_at") for name in genes.probe_sets.names}
    for expression in (truth[sample.accession] for sample in SAMPLES):
        assert set(expression) == names
        values = np.array(list(expression.values()))
        assert (values >= 0).all()
        assert 0.3 < np.mean(values == 0) < 0.6


def test_the_designed_genes_differ_between_the_groups(world: World) -> None:
    truth = world.array_expression()
    rows = [line.split("\t") for line in world.differential_genes.read_text().splitlines()[1:]]
    for experiment in EXPERIMENTS:
        changes = {
            gene: float(change) for accession, gene, change in rows if accession == experiment.accession
        }
        assert 8 <= len(changes) <= 40
        assert all(1 <= abs(change) <= 2.5 for change in changes.values())
        first = truth[experiment.samples[0].accession]
        seen = {gene: group_difference(truth, experiment.samples, gene) for gene in first}
        strong = [gene for gene in changes if first[gene] > 5]
        assert len(strong) >= 5
        assert np.corrcoef([changes[gene] for gene in strong], [seen[gene] for gene in strong])[0, 1] > 0.95
        assert np.quantile([abs(value) for gene, value in seen.items() if gene not in changes], 0.95) < 0.6


def group_difference(truth: dict[str, dict[str, float]], samples: Sequence[PlannedArray], gene: str) -> float:
    groups: dict[bool, list[float]] = {True: [], False: []}
    for sample in samples:
        groups[sample.altered].append(truth[sample.accession][gene])
    return float(np.mean(groups[True]) - np.mean(groups[False]))


def test_background_grows_with_c_and_shrinks_with_a_most_in_the_middle() -> None:
    def background(text: str) -> float:
        return float(log2_background(np.array([["ACGT".index(base) for base in text]], np.uint8))[0])

    t = "T" * 25
    assert background("A" * 25) < background(t) < background("G" * 25) < background("C" * 25)
    middle, end = (background(t[:place] + "C" + t[place + 1 :]) for place in (12, 0))
    assert middle > end


@pytest.fixture(scope="module")
def values(
    probes: ProbeTable, genes: ProbeTable, cels: dict[str, CelFile]
) -> tuple[list[str], dict[str, npt.NDArray[np.float64]]]:
    """SCAN's values: the genes, and one vector a sample."""
    design = prepare_design(probes.sequences, SCAN_FAST)
    cells = cell_indices(probes, SIDE)
    matched, rows = match_cells(cells.astype(np.intp), cell_indices(genes, SIDE).astype(np.intp))
    names = pa.array(genes.probe_sets.take(rows).texts())
    sets = group_probes(names, matched, len(probes))
    found = {
        accession: summarize(scan(cel.intensities[cells], design).values, sets)
        for accession, cel in cels.items()
    }
    return [name.removesuffix("_at") for name in sets.names], found


def test_scan_finds_the_true_expression(
    world: World, values: tuple[list[str], dict[str, npt.NDArray[np.float64]]]
) -> None:
    names, found = values
    truth = world.array_expression()
    for accession, made in found.items():
        assert spearmanr([truth[accession][gene] for gene in names], made)[0] > 0.85


def test_scan_finds_the_changes_between_the_groups(
    world: World, values: tuple[list[str], dict[str, npt.NDArray[np.float64]]]
) -> None:
    names, found = values
    truth = world.array_expression()
    groups = [[found[f"GSM9000000{number}"] for number in group] for group in ((1, 2), (3, 4))]
    normal, tumor = (np.mean(group, axis=0) for group in groups)
    designed = [group_difference(truth, AFFYMETRIX.samples, gene) for gene in names]
    assert np.corrcoef(designed, tumor - normal)[0, 1] > 0.8


def test_something_else_is_not_taken_for_the_truth_of_arrays(world: World, tmp_path: Path) -> None:
    other = World(tmp_path, world.organism, world.experiments)
    other.array_truth.write_text("a\tb\n")
    with pytest.raises(FormatError, match="expected sample, gene, log2_expression"):
        other.array_expression()
