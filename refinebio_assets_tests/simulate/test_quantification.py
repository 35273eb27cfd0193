from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from refinebio_assets.simulate.quantification import simulate_lengths, write_quant_sf


def write(file: Path, seed: int) -> list[list[str]]:
    lengths = simulate_lengths(500, np.random.default_rng(1))
    names = [f"ENST{number:011d}" for number in range(500)]
    write_quant_sf(file, names, lengths, rng=np.random.default_rng(seed), reads=1_000_000)
    return [line.split("\t") for line in file.read_text().splitlines()]


def test_a_simulated_quantification_looks_like_salmons(tmp_path: Path) -> None:
    header, *rows = write(tmp_path / "quant.sf", 2)
    assert header == ["Name", "Length", "EffectiveLength", "TPM", "NumReads"]
    effective, tpm, reads = np.array([row[2:] for row in rows], dtype=float).T
    assert tpm.sum() == pytest.approx(1e6, rel=1e-6)
    assert reads.sum() == pytest.approx(1e6, rel=1e-6)
    assert 0.3 < np.mean(tpm == 0) < 0.7
    expected = 1e6 * (reads / effective) / (reads / effective).sum()
    assert tpm == pytest.approx(expected, rel=1e-2, abs=0.01)


def test_the_same_generator_gives_the_same_file(tmp_path: Path) -> None:
    assert write(tmp_path / "a", 2) == write(tmp_path / "b", 2) != write(tmp_path / "c", 3)
