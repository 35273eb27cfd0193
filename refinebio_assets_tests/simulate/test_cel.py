"""Simulated CEL files, against the formats' own rules and against the project's readers."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from refinebio_assets.formats.cel import CelFile, CelFormat, read_cel
from refinebio_assets.simulate.cel import cel_bytes
from refinebio_assets.simulate.packing import gzip_bytes
from refinebio_assets.simulate.scanner import Scan, read_out

ROWS, COLUMNS = 7, 9


@pytest.fixture
def scan() -> Scan:
    rng = np.random.default_rng(3)
    return read_out("liver 1", "HG-U133A", rng.uniform(1, 65_534, size=(ROWS, COLUMNS)).round(1), rng)


def read(scan: Scan, cel_format: CelFormat, folder: Path, *, packed: bool = False) -> CelFile:
    content = cel_bytes(scan, cel_format)
    path = folder / f"{cel_format}.CEL"
    path.write_bytes(gzip_bytes(content) if packed else content)
    return read_cel(path)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("cel_format", list(CelFormat))
def test_what_is_read_is_what_was_scanned(
    cel_format: CelFormat, packed: bool, scan: Scan, tmp_path: Path
) -> None:
    cel = read(scan, cel_format, tmp_path, packed=packed)
    assert cel.format == cel_format
    assert (cel.chip_type, cel.rows, cel.columns) == ("HG-U133A", ROWS, COLUMNS)
    assert cel.scan_date.removesuffix("Z") == "2026-01-15T12:00:00"
    assert cel.algorithm == "Percentile"
    assert cel.intensities == pytest.approx(scan.means.ravel(), rel=1e-7)
    assert cel.outliers.tolist() == scan.outliers.tolist()
    assert cel.masked.tolist() == []


def test_every_format_has_the_same_intensities(scan: Scan, tmp_path: Path) -> None:
    text, binary, console = (read(scan, each, tmp_path) for each in CelFormat)
    assert text.intensities.tolist() == scan.means.ravel().tolist()
    assert binary.intensities.tolist() == console.intensities.tolist()
    assert binary.intensities.tolist() == text.intensities.astype(np.float32).tolist()


def test_a_text_file_is_laid_out_as_the_manufacturer_does(scan: Scan) -> None:
    text = cel_bytes(scan, CelFormat.TEXT).decode("latin-1")
    assert text.startswith("[CEL]\r\nVersion=3\r\n\r\n[HEADER]\r\nCols=9\r\nRows=7\r\n")
    assert re.search(r"^DatHeader=.*\bHG-U133A\.1sq", text, re.MULTILINE)
    assert [part.split("]")[0] for part in text.split("\n[")[1:]] == [
        *("HEADER", "INTENSITY", "MASKS", "OUTLIERS", "MODIFIED")
    ]
    lines = text.split("[INTENSITY]\r\n")[1].split("\r\n\r\n")[0].split("\r\n")
    assert lines[:2] == ["NumberCells=63", "CellHeader=X\tY\tMEAN\tSTDV\tNPIXELS"]
    cells = [[int(number) for number in line.split("\t")[:2]] for line in lines[2:]]
    assert cells == [[x, y] for y in range(ROWS) for x in range(COLUMNS)]
    assert "\n" not in text.replace("\r\n", "")


def test_a_binary_file_keeps_deviations_and_pixels_in_ten_bytes_a_cell(scan: Scan) -> None:
    content = cel_bytes(scan, CelFormat.BINARY)
    behind_cells = 4 * len(scan.outliers) + 56
    cells = np.frombuffer(content[-behind_cells - 10 * ROWS * COLUMNS : -behind_cells], "<f4,<f4,<i2")
    assert cells["f0"] == pytest.approx(scan.means.ravel(), rel=1e-7)
    assert cells["f1"] == pytest.approx(scan.deviations.ravel(), rel=1e-7)
    assert cells["f2"].tolist() == scan.pixels.ravel().tolist()
    assert np.frombuffer(content[:20], "<i4").tolist() == [64, 4, COLUMNS, ROWS, ROWS * COLUMNS]
