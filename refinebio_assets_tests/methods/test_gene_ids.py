"""Gene ids made comparable, and rows of equal ids made one."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinebio_assets.methods.gene_ids import mean_of_duplicates, sanitize_gene_ids

NAN = float("nan")


@pytest.mark.parametrize(
    ("given_id", "clean"),
    [
        ("ENSG00000000003.14", "ENSG00000000003"),
        (" ENSG00000000003_at\t", "ENSG00000000003"),
        ("ENSG00000000003.7_at", "ENSG00000000003"),
        ("my_atoll_at", "my_atoll"),
        ("x_at_", "x_at_"),
        ("NM_1.2.3", "NM_1.2"),
        ("fgenesh2_kg.7__3016__AT5G35080.1", "fgenesh2_kg.7__3016__AT5G35080"),
        ("YAL001C", "YAL001C"),
    ],
)
def test_an_id_loses_white_space_the_probe_set_suffix_and_the_version(given_id: str, clean: str) -> None:
    assert sanitize_gene_ids([given_id]).ids.to_pylist() == [clean]


def test_control_probes_and_rows_without_an_id_are_dropped_and_told_apart() -> None:
    result = sanitize_gene_ids(
        pa.array(["a", "AFFX-BioB-5_at", None, "", "  ", ".1", "_at", "r2_AFFX-x", "b"])
    )
    assert result.ids.to_pylist() == ["a", "b"]
    assert result.controls.tolist() == [False, True, False, False, False, False, False, True, False]
    assert result.nameless.tolist() == [False, False, True, True, True, True, True, False, False]
    assert np.flatnonzero(result.kept).tolist() == [0, 8]
    assert not result.all_kept


def test_ids_may_be_a_slice_or_chunks_of_an_array() -> None:
    ids = pa.array(["x", "AFFX-1", "b.1", None, "c_at"])
    assert sanitize_gene_ids(ids.slice(1)).ids.to_pylist() == ["b", "c"]
    assert sanitize_gene_ids(ids.slice(1)).controls.tolist() == [True, False, False, False]
    assert sanitize_gene_ids(pa.chunked_array([ids, ids])).ids.to_pylist() == ["x", "b", "c"] * 2
    assert sanitize_gene_ids([]).ids.to_pylist() == []


@given(
    st.lists(st.tuples(st.sampled_from("abcde"), st.floats(-1e3, 1e3) | st.just(NAN), st.floats(-1e3, 1e3))),
    st.sampled_from([np.float32, np.float64]),
)
def test_equal_ids_become_their_mean_as_pandas_has_it(
    rows: list[tuple[str, float, float]], dtype: type[np.floating]
) -> None:
    values = np.array([row[1:] for row in rows], dtype).reshape(-1, 2)
    ids, means = mean_of_duplicates(pa.array([row[0] for row in rows], pa.string()), values)
    frame = pd.DataFrame(values.astype(np.float64)).groupby([row[0] for row in rows], sort=False).mean()
    assert ids.to_pylist() == frame.index.tolist()
    assert means.dtype == dtype
    np.testing.assert_allclose(
        means, frame.to_numpy(), rtol=1e-6 if dtype == np.float32 else 1e-12, atol=1e-4
    )


def test_values_without_equal_ids_are_returned_as_they_are() -> None:
    values = np.ones((2, 3))
    assert mean_of_duplicates(pa.array(["b", "a"]), values)[1] is values


def test_a_vector_of_values_is_averaged_too_and_infinities_cause_no_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ids, means = mean_of_duplicates(pa.array(["b", "a", "b", "a"]), np.array([1.0, np.inf, 3.0, -np.inf]))
    assert ids.to_pylist() == ["b", "a"]
    np.testing.assert_array_equal(means, [2.0, NAN])
