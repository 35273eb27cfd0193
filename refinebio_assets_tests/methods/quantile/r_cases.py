"""Reads vectors written by R: the golden cases beside this file and the shared acceptance cases."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]
GOLDEN = Path(__file__).parent / "golden"


def number(text: str) -> float:
    if text in {"NA", "NaN"}:
        return float("nan")
    return float.fromhex(text) if "x" in text else float(text)


def read_golden(name: str) -> dict[str, Vector]:
    """Return the vectors of a golden file, one a line, by name."""
    packed = (GOLDEN / name).read_bytes()
    text = (gzip.decompress(packed) if name.endswith(".gz") else packed).decode()
    lines = [line.split("\t") for line in text.splitlines()]
    return {line[0]: np.array([number(value) for value in line[1:]]) for line in lines}


def read_table(path: Path) -> Vector:
    """Return a shared case's matrix: a line of names, then rows."""
    lines = path.read_text(encoding="utf-8").splitlines()[1:]
    return np.array([[number(value) for value in line.split("\t")] for line in lines])


def read_column(path: Path) -> Vector:
    """Return a shared case's vector: one value a line, no header."""
    return np.array([number(line) for line in path.read_text(encoding="utf-8").split()])


def assert_same_bits(ours: npt.NDArray[np.floating], expected: Vector) -> None:
    """Fail unless missing values are the same, and all others equal; -0 is not 0 here."""
    assert ours.dtype == np.float64 and ours.shape == expected.shape
    missing = np.isnan(expected)
    assert np.array_equal(np.isnan(ours), missing)
    differing = np.flatnonzero(ours[~missing].view(np.int64) != expected[~missing].view(np.int64))
    assert not len(differing), (differing, ours[~missing][differing], expected[~missing][differing])
