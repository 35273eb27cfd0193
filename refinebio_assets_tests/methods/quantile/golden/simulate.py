"""Simulates the golden cases' input beside this file: see README.md. Run once; the files are committed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

HERE = Path(__file__).parent
GENES = 64
Vector = npt.NDArray[np.float64]


def main() -> None:
    rng = np.random.default_rng(20_030_119)
    write("samples.tsv", simulate_samples(rng))
    write("targets.tsv", simulate_targets(rng))
    few = rng.normal(5, 2, 4)
    write("few_samples.tsv", {f"of_{genes}": few[:genes] for genes in (1, 2, 3)})


def simulate_samples(rng: np.random.Generator) -> dict[str, Vector]:
    plain = rng.normal(7, 2, GENES)
    counts = rng.negative_binomial(1, 0.2, GENES).astype(float)
    wild = rng.normal(0, 1, GENES)
    wild[[3, 9, 11, 20, 21, 40]] = np.inf, -np.inf, np.inf, -0.0, 0.0, -0.0
    close = 1.0 + rng.permutation(GENES) // 2 * np.finfo(float).eps  # pairs, one last bit apart
    samples = {
        "plain": plain,
        "counts": counts,
        "zeros": np.where(rng.random(GENES) < 0.4, 0.0, rng.gamma(2, 2, GENES)),
        "constant": np.full(GENES, 3.25),
        "float32": np.float32(rng.normal(7, 2, GENES)).astype(float),
        "wild": wild,
        "close": close,
        "negative": -np.exp(rng.normal(0, 3, GENES)),
        "tiny": rng.permutation(GENES) * 5e-324,
    }
    for share, of in ((0.05, "plain"), (0.3, "counts"), (0.6, "zeros"), (0.2, "wild"), (0.2, "close")):
        samples[f"{of}_missing"] = np.where(rng.random(GENES) < share, np.nan, samples[of])
    samples["one_value"] = np.where(np.arange(GENES) == 17, 4.5, np.nan)
    samples["two_values"] = np.where(np.isin(np.arange(GENES), (5, 50)), plain, np.nan)
    samples["none"] = np.full(GENES, np.nan)
    return samples


def simulate_targets(rng: np.random.Generator) -> dict[str, Vector]:
    as_many = rng.normal(6, 3, GENES)
    wild = rng.normal(0, 1, 64)
    wild[:5] = np.inf, np.inf, -np.inf, -0.0, 0.0
    missing = rng.normal(6, 3, 70)
    missing[10:16] = np.nan
    return {
        "as_many": as_many,
        "half": rng.normal(6, 3, 32),
        "shorter": rng.normal(6, 3, 51),
        "longer": rng.normal(6, 3, 97),
        "double": rng.normal(6, 3, 127),
        "missing": missing,
        "ties": np.round(rng.gamma(1, 2, 60)),
        "wild": wild,
        "wild_longer": np.concatenate((wild, rng.normal(0, 1, 9))),
        "one": np.array([2.5]),
        "two": np.array([8.0, -1.0]),
    }


def write(name: str, columns: dict[str, Vector]) -> None:
    """Write one line a column, as columns have different lengths: its name, then its values."""
    lines = ["\t".join([column, *map(text, values.tolist())]) for column, values in columns.items()]
    (HERE / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def text(value: float) -> str:
    return "NA" if np.isnan(value) else {np.inf: "Inf", -np.inf: "-Inf"}.get(value, repr(value))


if __name__ == "__main__":
    main()
