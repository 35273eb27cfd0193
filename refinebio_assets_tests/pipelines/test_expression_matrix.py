"""Expression matrices as Parquet: parts of them, and what reading them loads."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from refinebio_assets.errors import FormatError
from refinebio_assets.pipelines.expression_matrix import SCAN, matrix_table, read_matrix, write_matrix

VALUES = np.array([[1.0, np.nan, 3.0], [4.0, 5.0, 6.0]])
WITHOUT_PANDAS = """
import sys
from pathlib import Path
from refinebio_assets.pipelines.expression_matrix import matrix_table, read_matrix, write_matrix
import numpy as np
path = Path(sys.argv[1])
write_matrix(path, matrix_table(["G1", "G2"], ["S1"], np.ones((2, 1)), "SCAN"))
read_matrix(path, ["S1"])
print("pandas" in sys.modules)
"""


@pytest.fixture
def matrix(tmp_path: Path) -> Path:
    path = tmp_path / "matrix.parquet"
    write_matrix(path, matrix_table(["G1", "G2"], ["S1", "S2", "S.3"], VALUES, SCAN))
    return path


def test_samples_are_read_in_the_order_in_which_they_are_asked_for(matrix: Path) -> None:
    read = read_matrix(matrix, ["S.3", "S1"])
    assert read.to_pydict() == {"Gene": ["G1", "G2"], "S.3": [3.0, 6.0], "S1": [1.0, 4.0]}


def test_a_whole_matrix_keeps_missing_values(matrix: Path) -> None:
    read = read_matrix(matrix)
    values = np.column_stack([read.column(name).to_numpy() for name in read.column_names[1:]])
    np.testing.assert_array_equal(values, VALUES)


def test_a_sample_that_is_not_there_is_an_error_that_names_the_file(matrix: Path) -> None:
    with pytest.raises(FormatError, match=r"matrix\.parquet"):
        read_matrix(matrix, ["S1", "S9"])


def test_a_matrix_is_written_and_read_without_pandas(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WITHOUT_PANDAS, str(tmp_path / "matrix.parquet")]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == "False"
