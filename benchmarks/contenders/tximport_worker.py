"""Runs one contender of bench_tximport again and again, on request, and says how long each run took.

``python tximport_worker.py CONTENDER FOLDER THREADS``, then lines on standard input: ``run`` (prints
seconds) and ``write FILE`` (genes x samples of the last run, 17 digits). Imports and the gene map come first
and are not timed. Runs in our environment or in the peers', so each contender imports only its own.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

Table = tuple[list[str], Any]
"""Genes, and values of genes x samples."""


def ours(files: list[Path], gene_map: Path, threads: int) -> Callable[[], Table]:
    from refinebio_assets.formats.gene_map import read_gene_map
    from refinebio_assets.pipelines.transcript_summary import QuantFile, summarize_quant_files

    genes = read_gene_map(gene_map)
    quant_files = [QuantFile(path.stem, path, path.name) for path in files]

    def run() -> Table:
        summary = summarize_quant_files(quant_files, genes, threads=threads)
        return summary.genes, summary.values  # noqa: PD011 - no pandas here

    return run


def arrow_pool(files: list[Path], gene_map: Path, threads: int) -> Callable[[], None]:
    """Read whole files in a pool of threads, each file in one thread."""
    import pyarrow as pa
    from pyarrow import csv

    tabs = csv.ParseOptions(delimiter="\t")
    pa.set_cpu_count(threads)

    def run() -> None:
        with ThreadPoolExecutor(threads) as pool:
            read = csv.ReadOptions(use_threads=False)
            list(pool.map(lambda path: csv.read_csv(path, parse_options=tabs, read_options=read), files))

    return run


def arrow_default(files: list[Path], gene_map: Path, threads: int) -> Callable[[], None]:
    """Read one file after the other, each with Arrow's own threads."""
    import pyarrow as pa
    from pyarrow import csv

    tabs = csv.ParseOptions(delimiter="\t")
    pa.set_cpu_count(threads)

    def run() -> None:
        for path in files:
            csv.read_csv(path, parse_options=tabs)

    return run


def pytximport(files: list[Path], gene_map: Path, threads: int) -> Callable[[], Table]:
    import pandas as pd
    from pytximport import tximport

    logging.disable(logging.CRITICAL)
    rows = pd.read_csv(gene_map, sep="\t", header=None, names=["gene_id", "transcript_id"])

    def run() -> Table:
        result = tximport(
            [str(path) for path in files],
            data_type="salmon",
            transcript_gene_map=rows,
            counts_from_abundance="length_scaled_tpm",
            ignore_transcript_version=False,
            ignore_after_bar=False,
        )
        return list(result.var_names), result.X.T

    return run


CONTENDERS = {one.__name__: one for one in (ours, arrow_pool, arrow_default, pytximport)}


def main() -> None:
    name, folder, threads = sys.argv[1:]
    files = sorted(Path(folder).glob("*.sf"))
    run = CONTENDERS[name](files, Path(folder) / "genes_to_transcripts.txt", int(threads))
    print("ready", flush=True)
    result: Table | None = None
    for line in sys.stdin:
        command, _, path = line.rstrip("\n").partition(" ")
        if command == "run":
            begin = time.perf_counter()
            result = run()
            print(time.perf_counter() - begin, flush=True)
        elif result is not None:
            genes, values = result
            pairs = zip(genes, values.tolist(), strict=True)
            rows = (f"{gene}\t" + "\t".join(map(repr, row)) for gene, row in pairs)
            Path(path).write_text("\n".join(rows) + "\n")
            print("written", flush=True)


if __name__ == "__main__":
    main()
