"""A small table of intensities in the usual form, which tests change in one respect, and its reading."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from refinebio_assets.errors import FormatError
from refinebio_assets.formats.beadarray import BeadArrayTable, SampleNames, read_beadarray

A, B = SampleNames("GSM1", "Liver 1"), SampleNames("GSM2", "Liver 2")
PROBES = ("ILMN_1", "ILMN_2", "ILMN_3", "ILMN_4")
VALUES = np.array([[110.5, 84.25], [1699.0, 1255.5], [-5.75, 90.0], [300.0, 2e3]])
P_VALUES = np.array([[0.25, 0.5], [0.0, 0.0], [0.875, 0.375], [0.03125, 0.0]])
NAMES = ["ID_REF", "Liver 1", "Detection Pval", "Liver 2", "Detection Pval"]
ROWS = [
    [probe, *(str(each) for pair in zip(values, p_values, strict=True) for each in pair)]
    for probe, values, p_values in zip(PROBES, VALUES, P_VALUES, strict=True)
]


def text(names: list[str], rows: list[list[str]] = ROWS, delimiter: str = "\t") -> str:
    return "".join(delimiter.join(line) + "\n" for line in [names, *rows])


PLAIN = text(NAMES)


def read(
    folder: Path, content: str | bytes, samples: tuple[SampleNames, ...] = (A, B), name: str = "table"
) -> BeadArrayTable:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_beadarray(path, samples, label="table of GSE1")


def complaint(folder: Path, content: str | bytes, samples: tuple[SampleNames, ...] = (A, B)) -> str:
    with pytest.raises(FormatError) as caught:
        read(folder, content, samples)
    assert str(caught.value).startswith("table of GSE1")
    return str(caught.value)


def assert_whole(table: BeadArrayTable) -> None:
    assert table.samples == ("GSM1", "GSM2")
    assert table.probe_ids == PROBES
    assert table.values.tolist() == VALUES.tolist()
    assert [None if each is None else each.tolist() for each in table.detection] == P_VALUES.T.tolist()
    assert not table.unmatched


def headed(*names: str) -> str:
    return text(["ID_REF", *names])
