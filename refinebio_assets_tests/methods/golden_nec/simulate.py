"""Simulates the golden cases' input beside this file: see README.md. Run once; the file is committed."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
BEADS, CONTROLS, LENGTH = 2_000, 600, 50
EFFECTS = {"A": -0.1, "C": 0.1, "G": 0.07, "T": 0.0}
MISSING = 17


def main() -> None:
    """Write sequences, and signals with detection p-values of three samples; the third lacks some cells."""
    rng = np.random.default_rng(20_101_027)
    sequences = ["".join(rng.choice(list("ACGT"), LENGTH)) for _ in range(BEADS)]
    columns = [sequences]
    for sample in range(3):
        signals, p_values = simulate_sample(sequences, rng)
        lost = rng.choice(BEADS, MISSING, replace=False) if sample == 2 else []
        columns.append(["" if row in lost else f"{value:.1f}" for row, value in enumerate(signals)])
        columns.append([f"{value:.6g}" for value in p_values])
    header = "\t".join(["sequence", *(f"S{n}.{what}" for n in (1, 2, 3) for what in ("signal", "p"))])
    lines = [header, *("\t".join(row) for row in zip(*columns, strict=True))]
    with gzip.GzipFile(HERE / "beads.tsv.gz", "wb", mtime=0) as file:
        file.write(("\n".join(lines) + "\n").encode())


def simulate_sample(sequences: list[str], rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return signals of one decimal, and the share of negative controls that are brighter."""
    background = np.array([sum(EFFECTS[base] for base in one) for one in sequences])
    expressed = (rng.random(len(sequences)) < 0.5) * rng.gamma(8, 0.4, len(sequences))
    signals = np.round(2 ** (6.8 + background + expressed + rng.normal(0, 0.15, len(sequences))), 1)
    controls = np.sort(2 ** (6.8 + rng.normal(0, 0.6, CONTROLS)))
    brighter: np.ndarray = CONTROLS - np.searchsorted(controls, signals)
    return signals, brighter / CONTROLS


if __name__ == "__main__":
    main()
