"""Times our CEL readers beside Biopython's on an array of 1164 x 1164 cells (HG-U133 Plus 2.0), made up.

All run in turn, round by round, in this process; Biopython, which knows two of the three formats, only
where it is installed. Then the intensities are compared.
"""

from __future__ import annotations

import argparse
import gzip
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from refinebio_assets.formats.cel import CelFormat, read_cel

HERE = Path(__file__).resolve().parent
# The writers are those of the tests, which are not installed.
sys.path.append(str(HERE.parent))
from refinebio_assets_tests.formats.cel.writing import cel_bytes, make_array  # noqa: E402

SIDE = 1164
PEERS = HERE / ".peers" / "lib"
Reader = Callable[[Path], np.ndarray]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="counted rounds (default 5)")
    parser.add_argument("--threads", type=int, help="not used: a file is read by one thread")
    parser.add_argument("--simulated", action="store_true", help="always so; as for the other benchmarks")
    rounds = parser.parse_args().rounds
    # One decimal, as the maker's software writes text.
    values = np.round(np.random.default_rng(1164).lognormal(6, 1.2, SIDE * SIDE), 1)
    with tempfile.TemporaryDirectory(prefix="bench_cel_") as name:
        files = write_all(Path(name), values)
        readers = available_readers()
        seconds = take_rounds(files, readers, rounds)
        agree = report(files, readers, seconds, values)
    sys.exit(0 if agree else 1)


def write_all(folder: Path, values: np.ndarray) -> dict[str, Path]:
    """Write the array in each format, plain and gzip."""
    files = {}
    for format_ in CelFormat:
        content = cel_bytes(make_array(format_, values, SIDE))
        for title, data in ((format_.value, content), (f"{format_.value}, gzip", gzip.compress(content, 6))):
            files[title] = folder / title.replace(", ", ".")
            files[title].write_bytes(data)
    return files


def available_readers() -> dict[str, Reader]:
    readers: dict[str, Reader] = {"refinebio-assets": lambda path: read_cel(path).intensities}
    # At the end, so that only what we do not have ourselves comes from there.
    sys.path.extend(str(path) for path in PEERS.glob("python*/site-packages"))
    try:
        from Bio.Affy import CelFile  # a peer that need not be there
    except ImportError:
        print("Skipped: Biopython (it is not installed; see benchmarks/README.md)")
        return readers

    def biopython(path: Path) -> np.ndarray:
        mode = "rt" if "text" in path.name else "rb"
        opened = gzip.open if path.suffix == ".gzip" else open
        with opened(path, mode, encoding="latin-1" if mode == "rt" else None) as stream:
            return CelFile.read(stream).intensities.ravel()

    readers["Biopython"] = biopython
    return readers


def take_rounds(
    files: dict[str, Path], readers: dict[str, Reader], rounds: int
) -> dict[tuple[str, str], list[float]]:
    """Run all in turn; the first round warms up and is not counted."""
    seconds: dict[tuple[str, str], list[float]] = {}
    for turn in range(rounds + 1):
        for title, path in files.items():
            for name, read in readers.items():
                started = time.perf_counter()
                try:
                    read(path)
                except Exception as error:  # a peer may fail in any way
                    if name == "refinebio-assets":
                        raise
                    seconds.setdefault((title, name), [float("nan")])
                    if turn == 0:
                        print(f"{name} cannot read {title}: {error}")
                    continue
                if turn:
                    seconds.setdefault((title, name), []).append(time.perf_counter() - started)
    return seconds


def report(
    files: dict[str, Path],
    readers: dict[str, Reader],
    seconds: dict[tuple[str, str], list[float]],
    values: np.ndarray,
) -> bool:
    agree = True
    for title, path in files.items():
        size = path.stat().st_size / 1e6
        for name, read in readers.items():
            median = statistics.median(seconds[title, name])
            if np.isnan(median):
                continue
            exact = "text" in title
            same = np.array_equal(read(path).astype(float), values if exact else values.astype(np.float32))
            agree &= same or name != "refinebio-assets"
            verdict = "equal to what was written" if same else "NOT EQUAL to what was written"
            print(f"{title:24}{size:7.1f} MB  {name:18}{median:8.3f} s  {verdict}")
    return agree


if __name__ == "__main__":
    main()
