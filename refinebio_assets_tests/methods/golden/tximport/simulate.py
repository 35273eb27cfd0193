"""Makes the simulated input of this golden case: five quant.sf files and a gene map.

Run from this folder: ``python simulate.py``. The same seed gives the same bytes.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
SEED = 20_117
SAMPLES = 5
TRANSCRIPTS = 300
GENES = 110
ODD_GENES = ("gene-1", "gene_1", "Gene1", "gene1", "GENE.1", "geneé")
"""Names whose order differs between locales; the golden order is that of bytes."""


def main() -> None:
    """Write ``genes_to_transcripts.txt`` and ``sample_1.quant.sf`` to ``sample_5.quant.sf``."""
    rng = np.random.default_rng(SEED)
    names = [f"TX{number:05d}.{number % 3 + 1}" for number in rng.permutation(TRANSCRIPTS)]
    genes = [*ODD_GENES, *(f"ENSG{number:06d}" for number in range(GENES - len(ODD_GENES)))]
    # Every gene once, the rest at random; the last twelve transcripts are in no gene.
    chosen = np.concatenate((np.arange(GENES), rng.integers(0, GENES, TRANSCRIPTS - 12 - GENES)))
    gene_of = {name: genes[place] for name, place in zip(names, chosen, strict=False)}
    write_gene_map(rng, gene_of)
    length = rng.integers(200, 8_000, TRANSCRIPTS)
    base = rng.gamma(0.6, 40.0, TRANSCRIPTS)
    for sample in range(SAMPLES):
        effective = np.maximum(length - rng.normal(180.0, 20.0) - rng.gamma(2.0, 5.0, TRANSCRIPTS), 5.0)
        abundance = base * rng.gamma(2.0, 0.5, TRANSCRIPTS) * (rng.random(TRANSCRIPTS) > 0.25)
        silent = silent_genes(genes, sample)
        abundance[[gene_of.get(name) in silent for name in names]] = 0.0
        reads = abundance * effective * rng.uniform(0.8, 1.5)
        tpm = abundance / abundance.sum() * 1e6
        write_quant_sf(HERE / f"sample_{sample + 1}.quant.sf", names, length, effective, tpm, reads)


def silent_genes(genes: list[str], sample: int) -> set[str]:
    """Three genes are silent in all samples, five in all but the first, five in the last two."""
    silent = set(genes[3:6])
    silent |= set(genes[20:25]) if sample > 0 else set()
    return silent | (set(genes[30:35]) if sample >= SAMPLES - 2 else set())


def write_gene_map(rng: np.random.Generator, gene_of: dict[str, str]) -> None:
    """Write the map in another order than the files, with repeated rows and unknown transcripts."""
    rows = [(gene, name) for name, gene in gene_of.items()]
    rng.shuffle(rows)
    again = [("ENSG_ONLY_IN_SECOND_ROWS", rows[0][1]), (rows[5][0], rows[7][1])]
    unknown = [("ENSG_NOT_QUANTIFIED", "TX99999.1"), (rows[2][0], "TX99998.1")]
    text = "".join(f"{gene}\t{name}\n" for gene, name in [*rows[:50], *unknown, *rows[50:], *again])
    (HERE / "genes_to_transcripts.txt").write_text(text, encoding="utf-8")


def write_quant_sf(path: Path, names: list[str], *columns: np.ndarray) -> None:
    """Write one file with the digits that Salmon writes."""
    lines = ["Name\tLength\tEffectiveLength\tTPM\tNumReads"]
    for name, length, effective, tpm, reads in zip(names, *columns, strict=True):
        lines.append(f"{name}\t{length}\t{effective:.3f}\t{tpm:.6f}\t{reads:.3f}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
