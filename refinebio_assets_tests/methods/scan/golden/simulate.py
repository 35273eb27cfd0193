"""Simulates the golden cases' input beside this file: see README.md. Run once; the files are committed."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
PROBES, BEADS, SPOTS = 5_203, 1_200, 90
EFFECTS = {"A": -0.3, "C": 0.35, "G": 0.2, "T": 0.0, "N": 0.0}


def main() -> None:
    rng = np.random.default_rng(20_120_812)
    write_probes(rng)
    write_beads(rng)
    write_spots(rng)


def write_probes(rng: np.random.Generator) -> None:
    """Write 25-mers; the last 200 repeat earlier cells, 40 have a base that was not read."""
    sequences = ["".join(rng.choice(list("ACGT"), 25)) for _ in range(PROBES - 200)]
    for row in rng.choice(len(sequences), 40, replace=False).tolist():
        sequences[row] = sequences[row][:7] + "N" + sequences[row][8:]
    logs = simulate_logs(sequences, rng)
    repeated = rng.choice(len(sequences), 200, replace=False).tolist()
    rows = [*range(len(sequences)), *repeated]
    order = np.argsort(rows, kind="stable")
    plain = np.round(2.0**logs, 1)
    zeros = np.where(rng.random(len(plain)) < 0.004, 0.0, plain)
    ties = np.round(2.0 ** np.round(logs * 2) / 2, 1)
    lines = ["sequence\tplain\tzeros\tties\tset"]
    for place in order.tolist():
        row = rows[place]
        probe_set = f"set_{int(rng.integers(1, 400)) ** 2 // 500}_at"
        lines.append(f"{sequences[row]}\t{plain[row]:g}\t{zeros[row]:g}\t{ties[row]:g}\t{probe_set}")
    write("probes.tsv.gz", lines)


def write_beads(rng: np.random.Generator) -> None:
    """Write 50-mers with log2 intensities that were rounded before, so that many are the same."""
    sequences = ["".join(rng.choice(list("ACGT"), 50)) for _ in range(BEADS)]
    logs = np.log2(np.round(2.0 ** (simulate_logs(sequences, rng) * 0.5), 0) + 60) + 10
    write(
        "beads.tsv.gz", ["sequence\tlog2", *(f"{s}\t{v:.17g}" for s, v in zip(sequences, logs, strict=True))]
    )


def write_spots(rng: np.random.Generator) -> None:
    """Write both channels of a two-channel array; some names occur two or three times."""
    shared = rng.normal(8, 2, SPOTS)
    red, green = (np.round(2 ** (shared + rng.normal(0, 0.7, SPOTS)), 1) for _ in range(2))
    names = [f"A_{int(number)}" for number in rng.integers(0, 120, SPOTS)]
    write(
        "spots.tsv.gz",
        ["name\tred\tgreen", *(f"{n}\t{r}\t{g}" for n, r, g in zip(names, red, green, strict=True))],
    )


def simulate_logs(sequences: list[str], rng: np.random.Generator) -> np.ndarray:
    """Return background by sequence, strongest in the middle of a probe, and signal in four of ten."""
    length = len(sequences[0])
    weight = np.sin(np.linspace(0.2, np.pi - 0.2, length))
    background = np.array(
        [sum(w * EFFECTS[base] for w, base in zip(weight, one, strict=True)) for one in sequences]
    )
    signal = (rng.random(len(sequences)) < 0.4) * rng.gamma(2, 1.2, len(sequences))
    noise: np.ndarray = 6 + background + signal + rng.normal(0, 0.45, len(sequences))
    return noise


def write(name: str, lines: list[str]) -> None:
    with gzip.GzipFile(HERE / name, "wb", mtime=0) as file:
        file.write(("\n".join(lines) + "\n").encode())


if __name__ == "__main__":
    main()
