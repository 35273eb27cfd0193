"""The model's matrix, which is never made: what replaces it gives the same as the matrix by the book."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refinebio_assets.errors import PermanentError
from refinebio_assets.methods.scan.design import letters_of, prepare_design
from refinebio_assets.methods.scan.settings import SCAN_FAST, SCAN_ILLUMINA
from refinebio_assets_tests.methods.scan.arrays import simulate_letters

SMALL = replace(SCAN_FAST, block=50)


def matrix_by_the_book(letters: npt.NDArray[np.uint8], count_base: int) -> npt.NDArray[np.float64]:
    indicators = [(letters == ord(base)).astype(np.float64) for base in "ACG"]
    counts = [one.sum(axis=1) for one in indicators]
    t = count_base - sum(counts)
    return np.column_stack([t, *indicators, *(count**2 for count in counts), t**2])


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    length=st.integers(4, 31),
    count_base=st.integers(0, 60),
    alphabet=st.sampled_from([b"ACGT", b"ACGTN", b"AACGTTacgt"]),
)
def test_predictions_and_normal_equations_are_those_of_the_matrix(
    seed: int, length: int, count_base: int, alphabet: bytes
) -> None:
    rng = np.random.default_rng(seed)
    letters = simulate_letters(601, length, rng, alphabet)
    design = prepare_design(
        letters, replace(SMALL, probe_length=length, count_base=length + count_base, sample_goal=300)
    )
    matrix = matrix_by_the_book(letters, length + count_base)
    coefficients = rng.normal(size=matrix.shape[1])
    np.testing.assert_allclose(design.predictor.predict(coefficients), matrix @ coefficients, atol=1e-8)
    sampled, weights = matrix[::2], rng.random(301)
    np.testing.assert_allclose(design.equations.gram(weights), sampled.T * weights @ sampled, atol=1e-8)
    np.testing.assert_allclose(design.equations.moments(weights), sampled.T @ weights, atol=1e-8)
    fitted = design.equations.solve(weights, sampled @ coefficients)
    np.testing.assert_allclose(sampled @ fitted, sampled @ coefficients, atol=1e-5)
    np.testing.assert_array_equal(
        design.sample_predictor.predict(coefficients), design.predictor.predict(coefficients)[::2]
    )


def test_the_same_sequence_has_the_same_prediction_to_the_last_bit() -> None:
    rng = np.random.default_rng(5)
    letters = np.tile(simulate_letters(1_500, 50, rng), (2, 1))
    predicted = prepare_design(letters, SCAN_ILLUMINA).predictor.predict(rng.normal(size=155))
    assert (predicted[:1_500] == predicted[1_500:]).all()


def test_texts_become_letters_wherever_their_array_starts() -> None:
    sequences = pa.array(["ACG", "TTN", "GGA"])
    assert letters_of(sequences, 3).tobytes() == b"ACGTTNGGA"
    assert letters_of(sequences.slice(1), 3).tobytes() == b"TTNGGA"
    assert letters_of(pa.array([], pa.string()), 3).shape == (0, 3)


def test_a_sequence_of_another_length_is_named() -> None:
    with pytest.raises(PermanentError, match=r"probes of 3 bases; 2 of 4 differ, the first in row 2: 'AC'"):
        letters_of(pa.array(["ACG", "AC", "ACG", "ACGT"]), 3)


def test_a_missing_sequence_is_counted() -> None:
    with pytest.raises(PermanentError, match="1 of 2 probes have no sequence"):
        letters_of(pa.array(["ACG", None]), 3)


def test_probes_of_another_length_are_refused() -> None:
    with pytest.raises(PermanentError, match="probes of 25 bases, not 50"):
        prepare_design(simulate_letters(6_000, 50, np.random.default_rng(0)), SCAN_FAST)


def test_fewer_probes_than_a_block_are_refused() -> None:
    with pytest.raises(PermanentError, match=r"at least 5,000 probes; there are 4,999"):
        prepare_design(simulate_letters(4_999, 25, np.random.default_rng(0)), SCAN_FAST)


@pytest.mark.parametrize("alphabet", [b"A", b"ACT"])
def test_sequences_that_cannot_tell_the_bases_apart_are_refused(alphabet: bytes) -> None:
    with pytest.raises(PermanentError, match="too much alike"):
        prepare_design(simulate_letters(5_000, 25, np.random.default_rng(0), alphabet), SCAN_FAST)
