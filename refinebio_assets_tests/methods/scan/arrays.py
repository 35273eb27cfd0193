"""Reads the committed and the real arrays that the tests compare with; nothing is asserted here."""

from __future__ import annotations

import gzip
import json
import lzma
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv

from refinebio_assets.methods.scan.design import Design, letters_of, prepare_design
from refinebio_assets.methods.scan.settings import ScanSettings

GOLDEN = Path(__file__).parent / "golden"
TOLERANCE = 2e-8
"""Two units of the last of 8 decimals: R and we round numbers that differ by 1e-11 to 1e-9."""

Vector = npt.NDArray[np.float64]


def read_table(path: Path, **types: pa.DataType) -> pa.Table:
    """Read a tab-separated table, packed or not."""
    return pyarrow.csv.read_csv(
        pa.py_buffer(read_bytes(path)),
        parse_options=pyarrow.csv.ParseOptions(delimiter="\t"),
        convert_options=pyarrow.csv.ConvertOptions(column_types=types),
    )


def read_bytes(path: Path) -> bytes:
    """Read a file, packed or not."""
    unpack = {".gz": gzip.decompress, ".xz": lzma.decompress}
    data = path.read_bytes()
    return unpack[path.suffix](data) if path.suffix in unpack else data


def column(table: pa.Table, name: str) -> Vector:
    """Return a column of numbers."""
    return np.asarray(table[name].to_numpy(), dtype=np.float64)


def texts(table: pa.Table, name: str) -> pa.StringArray:
    """Return a column of texts in one piece."""
    return table[name].combine_chunks()


def read_json(path: Path) -> Any:
    """Read what was noted when R ran."""
    return json.loads(path.read_text(encoding="utf-8"))


def design_of(sequences: pa.StringArray, settings: ScanSettings) -> Design:
    """Prepare a design from texts."""
    return prepare_design(letters_of(sequences, settings.probe_length), settings)


def read_pcl(path: Path) -> dict[str, float]:
    """Read SCAN.UPC's output: a header that is one field short, then names and values."""
    rows = [line.split("\t") for line in read_bytes(path).decode().splitlines()[1:]]
    return {name: float(value) for name, value in rows}


def simulate_letters(
    probes: int, length: int, rng: np.random.Generator, alphabet: bytes = b"ACGT"
) -> npt.NDArray[np.uint8]:
    """Return random sequences as ASCII codes."""
    return np.frombuffer(alphabet, np.uint8)[rng.integers(0, len(alphabet), (probes, length))]


def simulate_intensities(letters: npt.NDArray[np.uint8], rng: np.random.Generator) -> Vector:
    """Return intensities with a background by GC content, and signal in a third of the probes."""
    gc = np.isin(letters, list(b"GC")).sum(axis=1)
    signal = (rng.random(len(letters)) < 0.35) * rng.gamma(2, 1.5, len(letters))
    return np.asarray(2 ** (4.5 + 0.15 * gc + signal + rng.normal(0, 0.5, len(letters))))
