"""Whole BeadArrays: R's values where R has any, and what is done where R stops."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from refinebio_assets.errors import PermanentError
from refinebio_assets.methods.beadarray import (
    BeadDesign,
    Treatment,
    choose_treatment,
    match_probes,
    prepare_beads,
    reported_probes,
    scan_beads,
)
from refinebio_assets_tests.methods.scan.arrays import (
    TOLERANCE,
    column,
    read_json,
    read_table,
    simulate_letters,
    texts,
)

GOLDEN = Path(__file__).parent / "golden_nec"
AS_IN_R = Treatment(take_log2=True, correct_background=True, turn_p_values=True)
Vector = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float64]
Beads = tuple[BeadDesign, Matrix, Matrix]


def strings(*values: str | None) -> pa.StringArray:
    return pa.array(values, pa.string())


def iterations_in_r(case: str) -> int:
    table = read_table(GOLDEN / "iterations.tsv")
    return int(dict(zip(table["case"].to_pylist(), table["iterations"].to_pylist(), strict=True))[case])


def assert_as_in_r(values: Vector, expected: Vector) -> None:
    np.testing.assert_array_equal(np.isnan(values), np.isnan(expected))
    np.testing.assert_array_equal(values == 0, expected == 0)
    np.testing.assert_allclose(values, expected, rtol=0, atol=TOLERANCE)


@pytest.fixture(scope="module")
def golden() -> Beads:
    beads = read_table(GOLDEN / "beads.tsv.gz")
    signals, p_values = (
        np.column_stack([column(beads, f"S{n}.{what}") for n in (1, 2, 3)]) for what in ("signal", "p")
    )
    return prepare_beads(texts(beads, "sequence")), signals, p_values


@pytest.fixture(scope="module")
def simulated() -> Beads:
    """Two samples, and a model whose fit is ended soon."""
    rng = np.random.default_rng(501)
    letters = simulate_letters(1_500, 50, rng)
    base = 6 + 0.05 * np.isin(letters, list(b"GC")).sum(axis=1)
    signal = (rng.random(1_500) < 0.5) * rng.gamma(8, 0.5, 1_500)
    signals = np.round(2 ** (base + signal + rng.normal(0, 0.4, (2, 1_500))), 1).T
    controls = np.sort(2 ** (7.2 + rng.normal(0, 0.5, 500)))
    design = prepare_beads(pa.array([row.tobytes().decode() for row in letters]))
    hasty = replace(design.complete, settings=replace(design.complete.settings, max_iterations=3))
    return replace(design, complete=hasty), signals, 1 - np.searchsorted(controls, signals) / 500


@pytest.mark.parametrize("sample", [0, 1, 2], ids=["whole", "other", "with-missing-cells"])
def test_a_sample_has_rs_values_after_as_many_iterations(golden: Beads, sample: int) -> None:
    design, signals, p_values = golden
    treatment = choose_treatment(signals, p_values)
    assert treatment == AS_IN_R
    result = scan_beads(signals[:, sample], p_values[:, sample], treatment, design)
    assert result.scan.iterations == iterations_in_r(f"S{sample + 1}")
    assert_as_in_r(result.values, column(read_table(GOLDEN / "expected.tsv.gz"), f"S{sample + 1}.value"))


def test_log_values_that_were_corrected_before_are_used_as_they_are(golden: Beads) -> None:
    design, signals, p_values = golden
    logs = np.log2(signals) - 7
    treatment = choose_treatment(logs, p_values)
    assert treatment == Treatment(take_log2=False, correct_background=False, turn_p_values=True)
    result = scan_beads(logs[:, 0], p_values[:, 0], treatment, design)
    assert result.scan.iterations == iterations_in_r("before")
    assert result.measured.all()
    assert_as_in_r(result.values, column(read_table(GOLDEN / "expected.tsv.gz"), "before.value"))


REAL = [
    ("barnes.illumina", "lumi_barnes_8000_nonnormalized.txt.gz", "ilmn_humanv1_8000_sequences.tsv"),
    ("ilmn_synth_30k", "ilmn_synth_30k.txt.gz", "ilmn_synth_30k.seq.tsv.gz"),
]


@pytest.mark.parametrize(("stem", "file", "sequences"), REAL, ids=["barnes", "synthetic"])
def test_real_and_synthetic_files_have_rs_values_in_every_sample(
    shared_data: Path, stem: str, file: str, sequences: str
) -> None:
    folder = shared_data / "illumina"
    rows, platform = read_table(folder / file), read_table(folder / sequences)
    file_rows, platform_rows = match_probes(texts(rows, "ID_REF"), texts(platform, "probe_id"))
    design = prepare_beads(texts(platform, "sequence").take(pa.array(platform_rows)))
    expected = read_table(folder / f"{stem}.probes.tsv.gz")
    noted = read_json(folder / f"{stem}.params.json")["samples"]
    signals, p_values = real_matrices(rows, list(noted), file_rows)
    treatment = choose_treatment(signals, p_values)
    assert treatment == AS_IN_R
    for number, (sample, of_sample) in enumerate(noted.items()):
        result = scan_beads(signals[:, number], p_values[:, number], treatment, design)
        assert result.scan.iterations == of_sample["iterations"]
        assert_as_in_r(result.values, column(expected, f"{sample}|y_norm"))


def real_matrices(
    rows: pa.Table, samples: list[str], file_rows: npt.NDArray[np.intp]
) -> tuple[Matrix, Matrix]:
    names = [sample.removesuffix(".AVG_Signal") for sample in samples]
    signals, p_values = (
        np.column_stack([column(rows, f"{name}.{what}") for name in names])
        for what in ("AVG_Signal", "Detection Pval")
    )
    return signals[file_rows], p_values[file_rows]


def test_the_probes_of_a_real_file_are_reported_under_rs_genes(shared_data: Path) -> None:
    folder = shared_data / "illumina"
    annotation = read_table(folder / "ilmn_humanv1_8000_annotation.tsv")
    values = read_table(folder / "barnes.illumina.probes.tsv.gz")
    assert values["id"].to_pylist() == annotation["probe_id"].to_pylist()
    genes = strings(*map(golden_gene, annotation["ensembl_ids"].to_pylist()))
    reported = reported_probes(texts(annotation, "quality"), genes)
    in_r = read_table(folder / "barnes.illuminaR.genes.tsv.gz")
    samples = in_r.column_names[1:]
    ours = [column(values, f"{sample}|y_norm")[reported.rows] for sample in samples]
    rows = Counter(zip(reported.genes, *map(np.ndarray.tolist, ours), strict=True))
    assert rows == Counter(zip(*(in_r[name].to_pylist() for name in in_r.column_names), strict=True))
    assert len(reported.rows) + reported.unreliable + reported.without_gene == len(annotation)


def golden_gene(ids: str) -> str | None:
    """Choose as the golden run's table did: the only id, or of several the one that is not synthetic."""
    several = ids.split(";") if ids else []
    chosen = [one for one in several if not one.startswith("ENSGSYN")] if len(several) > 1 else several
    return chosen[0] if len(chosen) == 1 else None


def test_a_missing_cell_loses_that_probe_of_that_sample_only(simulated: Beads) -> None:
    design, signals, p_values = simulated
    holed = signals.copy()
    holed[[3, 700], 0] = np.nan
    treatment = choose_treatment(holed, p_values)
    assert treatment == choose_treatment(signals, p_values) == AS_IN_R
    first = scan_beads(holed[:, 0], p_values[:, 0], treatment, design)
    assert np.flatnonzero(np.isnan(first.values)).tolist() == [3, 700]
    assert np.flatnonzero(~first.measured).tolist() == [3, 700]
    second = scan_beads(holed[:, 1], p_values[:, 1], treatment, design)
    assert second.measured.all()
    assert not np.isnan(second.values).any()


def test_a_sample_with_missing_cells_has_the_values_of_a_file_without_these_rows(simulated: Beads) -> None:
    design, signals, p_values = simulated
    keep = np.ones(len(signals), bool)
    keep[[0, 41, 42, 1_499]] = False
    holed = np.where(keep, signals[:, 0], np.nan)
    result = scan_beads(holed, p_values[:, 0], AS_IN_R, design)
    shorter = BeadDesign(design.letters[keep], design.for_measured(keep))
    alone = scan_beads(signals[keep, 0], p_values[keep, 0], AS_IN_R, shorter)
    np.testing.assert_array_equal(result.values[keep], alone.values)
    assert result.scan.iterations == alone.scan.iterations


@pytest.mark.parametrize("cell", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_a_missing_cell(simulated: Beads, cell: float) -> None:
    design, signals, p_values = simulated
    holed = signals.copy()
    holed[9, 0] = cell
    treatment = choose_treatment(holed, p_values)
    assert treatment == AS_IN_R
    result = scan_beads(holed[:, 0], p_values[:, 0], treatment, design)
    assert np.flatnonzero(np.isnan(result.values)).tolist() == [9]


def test_a_missing_p_value_matters_only_where_the_background_is_corrected(simulated: Beads) -> None:
    design, signals, p_values = simulated
    holed = p_values[:, 0].copy()
    holed[5] = np.nan
    corrected = scan_beads(signals[:, 0], holed, AS_IN_R, design)
    assert np.flatnonzero(np.isnan(corrected.values)).tolist() == [5]
    as_is = replace(AS_IN_R, correct_background=False)
    assert scan_beads(signals[:, 0], holed, as_is, design).measured.all()


@pytest.mark.parametrize("low", [0.0, -12.5])
def test_one_signal_that_is_not_positive_means_that_no_sample_is_corrected(
    simulated: Beads, low: float
) -> None:
    design, signals, p_values = simulated
    subtracted = signals.copy()
    subtracted[8, 1] = low
    treatment = choose_treatment(subtracted, p_values)
    assert treatment == replace(AS_IN_R, correct_background=False)
    first, second = (scan_beads(subtracted[:, n], p_values[:, n], treatment, design) for n in range(2))
    assert first.measured.all()
    assert np.flatnonzero(np.isnan(second.values)).tolist() == [8]  # it has no logarithm


def test_p_values_that_are_one_minus_p_give_the_same(simulated: Beads) -> None:
    design, signals, p_values = simulated
    turned = 1 - p_values
    treatment = choose_treatment(signals, turned)
    assert treatment == replace(AS_IN_R, turn_p_values=False)
    ours = scan_beads(signals[:, 0], turned[:, 0], treatment, design).values
    assert_as_in_r(ours, scan_beads(signals[:, 0], p_values[:, 0], AS_IN_R, design).values)


def test_the_highest_value_of_all_samples_tells_whether_a_logarithm_is_taken(simulated: Beads) -> None:
    _, signals, p_values = simulated
    logs = np.log2(signals)
    assert not choose_treatment(logs, p_values).take_log2
    logs[4, 1] = 100
    assert not choose_treatment(logs, p_values).take_log2
    logs[4, 1] = 100.5
    assert choose_treatment(logs, p_values).take_log2


def test_the_first_sample_tells_for_all_how_p_values_are_given(simulated: Beads) -> None:
    _, signals, p_values = simulated
    mixed = np.column_stack((p_values[:, 0], 1 - p_values[:, 1]))
    assert choose_treatment(signals, mixed).turn_p_values
    assert not choose_treatment(signals, mixed[:, ::-1]).turn_p_values
    empty = signals.copy()
    empty[:, 0] = np.nan
    assert not choose_treatment(empty, mixed).turn_p_values


def test_a_matrix_without_any_number_leaves_every_sample_to_fail_for_its_own_reason(simulated: Beads) -> None:
    design, signals, p_values = simulated
    nothing = np.full_like(signals, np.nan)
    treatment = choose_treatment(nothing, p_values)
    with pytest.raises(PermanentError, match="0 of 1,500 probes of the sample have a usable signal"):
        scan_beads(nothing[:, 0], p_values[:, 0], treatment, design)


def test_a_sample_with_too_few_measurements_is_refused(simulated: Beads) -> None:
    design, signals, p_values = simulated
    few = np.where(np.arange(1_500) < 999, signals[:, 0], np.nan)
    with pytest.raises(PermanentError, match=r"999 of 1,500 probes .* at least 1,000"):
        scan_beads(few, p_values[:, 0], AS_IN_R, design)


def test_the_input_is_left_as_it_was(simulated: Beads) -> None:
    design, signals, p_values = simulated
    column_of_signals, column_of_p = signals[:, 0].copy(), p_values[:, 0].copy()
    scan_beads(column_of_signals, column_of_p, choose_treatment(signals, p_values), design)
    np.testing.assert_array_equal(column_of_signals, signals[:, 0])
    np.testing.assert_array_equal(column_of_p, p_values[:, 0])


def test_probes_are_matched_in_the_order_of_the_file_and_repeated_rows_once() -> None:
    platform = [f"ILMN_{n}" for n in range(1_200)]
    file = ["ILMN_7", None, "control", "ILMN_3", "ILMN_7", *platform[100:1_100]]
    file_rows, platform_rows = match_probes(strings(*file), strings(*platform, None))
    assert file_rows[:3].tolist() == [0, 3, 5]
    assert platform_rows[:3].tolist() == [7, 3, 100]
    assert len(file_rows) == 1_002


def test_a_file_that_shares_few_probes_with_the_platform_is_refused() -> None:
    platform = strings(*(f"ILMN_{n}" for n in range(1_200)))
    with pytest.raises(PermanentError, match=r"999 of the file's 999 rows .* at least 1,000"):
        match_probes(platform[:999], platform)
    assert len(match_probes(platform[:1_000], platform)[0]) == 1_000


def test_reliable_probes_with_a_gene_are_reported_good_ones_first() -> None:
    reported = reported_probes(
        strings("Perfect", "Bad", "Good***", "Perfect****", "No match", None, "Good", "Perfect"),
        strings("A", "B", "C", None, "D", "E", "A", "A"),
    )
    assert reported.rows.tolist() == [2, 6, 0, 7]
    assert reported.genes == ("C", "A", "A", "A")
    assert (reported.unreliable, reported.without_gene) == (3, 1)


def test_arrays_of_unequal_size_are_a_mistake_of_the_caller(simulated: Beads) -> None:
    design, signals, p_values = simulated
    with pytest.raises(ValueError, match="have the shape"):
        choose_treatment(signals, p_values[:, :1])
    with pytest.raises(ValueError, match="10 probes, its design 1,500"):
        scan_beads(signals[:10, 0], p_values[:10, 0], AS_IN_R, design)
    with pytest.raises(ValueError, match="1 probes have a quality, 2 a gene"):
        reported_probes(strings("Good"), strings("A", "B"))
