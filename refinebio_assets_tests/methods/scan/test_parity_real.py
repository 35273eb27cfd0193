"""Parity with the R package SCAN.UPC on real arrays, which are not distributed: skipped where absent."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from refinebio_assets.methods.scan.kernel import ScanResult, scan, scan_log2, upc
from refinebio_assets.methods.scan.settings import SCAN_FAST, SCAN_ILLUMINA
from refinebio_assets.methods.scan.summary import group_probes, match_cells, summarize
from refinebio_assets.methods.scan.two_color import scan_two_color, unique_probe_names
from refinebio_assets_tests.methods.scan.arrays import (
    TOLERANCE,
    Vector,
    column,
    design_of,
    read_json,
    read_pcl,
    read_table,
    texts,
)

COLUMNS = {"C30057": 640, "MN_2_3": 1_190}


def assert_as_in_r(result: ScanResult, noted: dict[str, object], expected: Vector) -> None:
    assert result.iterations == noted["iterations"]
    assert result.converged
    np.testing.assert_allclose(result.fit.changes, np.array(noted["conv_trace"]), rtol=1e-5, atol=5e-5)
    assert ((result.values == 0) == (expected == 0)).all()
    np.testing.assert_allclose(result.values, expected, rtol=0, atol=TOLERANCE)


def assert_sets_as_in_r(
    values: Vector, names: pa.StringArray, rows: npt.NDArray[np.intp], expected: dict[str, float]
) -> None:
    sets = group_probes(names, rows, len(values))
    assert set(sets.names) == set(expected)
    in_r = np.array([expected[name] for name in sets.names])
    np.testing.assert_allclose(summarize(values, sets), in_r, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("case", ["u95", "clariom", "zero"])
def test_30_000_real_probes_are_as_in_r(shared_data: Path, case: str) -> None:
    stem = str(shared_data / "affymetrix" / "fixtures" / f"affy_{case}_30k")
    probes, expected = read_table(Path(f"{stem}.in.tsv.gz")), read_table(Path(f"{stem}.probes.tsv.gz"))
    intensities = column(probes, "intensity")
    design = design_of(texts(probes, "sequence"), SCAN_FAST)
    result = scan(intensities, design)
    assert_as_in_r(result, read_json(Path(f"{stem}.params.json")), column(expected, "y_norm"))
    probability = upc(column(expected, "my"), design, result.fit)
    np.testing.assert_allclose(probability, column(expected, "gam"), rtol=0, atol=TOLERANCE)
    rows = np.arange(len(probes))
    assert_sets_as_in_r(result.values, texts(probes, "probeset"), rows, read_pcl(Path(f"{stem}.sets.tsv")))


def test_a_whole_expression_array_is_as_in_r_by_probe_probe_set_and_gene(shared_data: Path) -> None:
    folder = shared_data / "affymetrix"
    golden = np.load(folder / "golden" / "C30057.probes.npz")
    cells = cell_numbers(golden["xy"], COLUMNS["C30057"])
    table = read_table(folder / "HG-U95Av2_probe_tab.gz")
    table_cells = column(table, "Probe Y").astype(np.intp) * COLUMNS["C30057"]
    table_cells += column(table, "Probe X").astype(np.intp)
    rows, table_rows = match_cells(cells, table_cells)
    assert len(rows) == len(cells)
    of_cell = table_rows[np.argsort(rows)]
    design = design_of(texts(table, "Probe Sequence").take(pa.array(of_cell)), SCAN_FAST)
    result = scan(golden["intensity"], design)
    assert_as_in_r(result, read_json(folder / "golden" / "C30057.params.json"), golden["y_norm"])
    names = texts(table, "Probe Set Name").take(pa.array(of_cell))
    in_r = read_pcl(folder / "golden" / "C30057.SCANfast.probesets.PCL.gz")
    assert_sets_as_in_r(result.values, names, np.arange(len(cells)), in_r)
    genes = read_table(folder / "hgu95av2hsensg_brainarray_format.tsv.xz")
    gene_cells = column(genes, "y").astype(np.intp) * COLUMNS["C30057"] + column(genes, "x").astype(np.intp)
    rows, gene_rows = match_cells(cells, gene_cells)
    names = texts(genes, "Probe.Set.Name").take(pa.array(gene_rows))
    in_r = read_pcl(folder / "golden" / "C30057.SCANfast.hgu95av2hsensg.PCL.gz")
    assert_sets_as_in_r(result.values, names, rows, in_r)


def test_a_whole_array_with_cells_in_several_sets_is_as_in_r(shared_data: Path) -> None:
    folder = shared_data / "affymetrix"
    golden = np.load(folder / "golden" / "MN_2_3.probes.npz")
    table = read_table(folder / "clariom_s_mouse_probes.tsv.xz")
    table_cells = column(table, "y").astype(np.intp) * COLUMNS["MN_2_3"] + column(table, "x").astype(np.intp)
    order = np.lexsort((np.array(table["probeset"].to_pylist()), table_cells))
    assert (table_cells[order] == cell_numbers(golden["xy"], COLUMNS["MN_2_3"])).all()
    design = design_of(texts(table, "sequence").take(pa.array(order)), SCAN_FAST)
    result = scan(golden["intensity"], design)
    assert_as_in_r(result, read_json(folder / "golden" / "MN_2_3.params.json"), golden["y_norm"])
    in_r = read_pcl(folder / "golden" / "MN_2_3.SCANfast.probesets.PCL.gz")
    names = texts(table, "probeset").take(pa.array(order))
    assert_sets_as_in_r(result.values, names, np.arange(len(order)), in_r)


@pytest.mark.parametrize(
    ("stem", "sequences"),
    [
        ("barnes.illumina", "ilmn_humanv1_8000_sequences.tsv"),
        ("ilmn_synth_30k", "ilmn_synth_30k.seq.tsv.gz"),
    ],
)
def test_beads_of_real_and_simulated_arrays_are_as_in_r(shared_data: Path, stem: str, sequences: str) -> None:
    folder = shared_data / "illumina"
    probes, expected = read_table(folder / sequences), read_table(folder / f"{stem}.probes.tsv.gz")
    assert probes["probe_id"].to_pylist() == expected["id"].to_pylist()
    design = design_of(texts(probes, "sequence"), SCAN_ILLUMINA)
    for sample, noted in read_json(folder / f"{stem}.params.json")["samples"].items():
        values = column(expected, f"{sample}|nec")
        result = scan_log2(values, design)
        assert_as_in_r(result, noted, column(expected, f"{sample}|y_norm"))
        probability = upc(values, design, result.fit)
        np.testing.assert_allclose(probability, column(expected, f"{sample}|gam"), rtol=0, atol=TOLERANCE)


def test_a_two_channel_array_is_as_in_r(shared_data: Path) -> None:
    folder = shared_data / "twocolor"
    lines = [line.split("\t") for line in (folder / "twocolor_synth.txt").read_text().splitlines()]
    header, spots = lines[9], lines[10:]
    names = [spot[header.index("ProbeName")] for spot in spots]
    signals = [[float(spot[header.index(f"{color}MedianSignal")]) for spot in spots] for color in "rg"]
    red, green = scan_two_color(np.array(signals[0]), np.array(signals[1]))
    rows = [line.split("\t") for line in (folder / "twocolor_synth.PCL").read_text().splitlines()[1:]]
    assert unique_probe_names(names) == [row[0] for row in rows]
    np.testing.assert_allclose(red, [float(row[1]) for row in rows], rtol=0, atol=1e-12)
    np.testing.assert_allclose(green, [float(row[2]) for row in rows], rtol=0, atol=1e-12)


def cell_numbers(xy: npt.NDArray[np.int16], columns: int) -> npt.NDArray[np.intp]:
    return xy[:, 1].astype(np.intp) * columns + xy[:, 0]
