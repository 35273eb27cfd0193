"""R probe packages: what R saved is read, and damage is told."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from refinebio_assets.errors import FormatError
from refinebio_assets.formats.probe_tables import read_r_probe_package
from refinebio_assets_tests.formats.probe_tables.test_probe_tab import FIRST, SECOND, letters, tar_of

needs_r = pytest.mark.skipif(shutil.which("Rscript") is None, reason="Rscript is not installed")
PROBES = f"""
probes <- data.frame(sequence = c("{FIRST}", "{SECOND}"), x = c(610L, 564L), y = c(87, 175),
    Probe.Set.Name = c("ENSG00000000003_at", "ENSG00000000419_at"),
    Probe.Interrogation.Position = c(1790L, NA), Target.Strandedness = factor(c("Sense", "Antisense")))
class(probes) <- c("probetable", "data.frame")
date <- "other objects are passed over"
"""


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the same probes saved in R in every way."""
    folder = tmp_path_factory.mktemp("saved")
    saves = [
        f'save(date, probes, file = "{folder}/{kind}.rda", {how})'
        for kind, how in {
            "gzip": 'compress = "gzip"',
            "xz": 'compress = "xz"',
            "bzip2": 'compress = "bzip2"',
            "version2": "version = 2",
            "ascii": "ascii = TRUE",
            "plain": "compress = FALSE",
        }.items()
    ]
    others = [
        f'probes$x[2] <- NA; save(probes, file = "{folder}/missing.rda")',
        f'save(date, file = "{folder}/no_frame.rda")',
    ]
    subprocess.run(["Rscript", "-e", "\n".join([PROBES, *saves, *others])], check=True, capture_output=True)
    return folder


@needs_r
@pytest.mark.parametrize("kind", ["gzip", "xz", "bzip2", "version2", "ascii", "plain"])
def test_probes_that_r_saved_are_read(saved: Path, kind: str) -> None:
    table = read_r_probe_package(saved / f"{kind}.rda")
    assert (table.x.tolist(), table.y.tolist(), letters(table)) == ([610, 564], [87, 175], [FIRST, SECOND])
    assert table.probe_sets.texts() == ["ENSG00000000003_at", "ENSG00000000419_at"]
    assert table.strands is not None
    assert table.strands.texts() == ["Sense", "Antisense"]


@needs_r
def test_a_source_package_is_read_by_the_data_in_it(saved: Path, tmp_path: Path) -> None:
    package = tmp_path / "tinyprobe_22.0.0.tar.gz"
    package.write_bytes(tar_of("tinyprobe/data/tinyprobe.rda", (saved / "gzip.rda").read_bytes()))
    assert read_r_probe_package(package, columns=640).x.tolist() == [610, 564]
    package.write_bytes(tar_of("tinyprobe/R/tinyprobe.R", b"1"))
    with pytest.raises(FormatError, match="found 0 among 1"):
        read_r_probe_package(package)


@needs_r
def test_a_missing_coordinate_and_a_file_without_probes_are_told(saved: Path) -> None:
    with pytest.raises(FormatError, match="a coordinate that is missing"):
        read_r_probe_package(saved / "missing.rda")
    with pytest.raises(FormatError, match="expected a data frame"):
        read_r_probe_package(saved / "no_frame.rda")


def test_what_r_did_not_save_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.rda"
    for content in (b"", b"sequence\tx\ty\n", b"RDX3\n", b"RDX3\nX\n\0\0\0\3"):
        path.write_bytes(content)
        with pytest.raises(FormatError):
            read_r_probe_package(path)


@needs_r
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_damage_does_worse_than_a_format_error(saved: Path, tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray((saved / "plain.rda").read_bytes())
    start = data.draw(st.integers(0, len(content)))
    content[start : start + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    path = tmp_path / "a.rda"
    path.write_bytes(content)
    try:
        read_r_probe_package(path)
    except FormatError as error:
        assert str(error)


def test_pandas_is_not_imported_before_a_package_is_read() -> None:
    code = "import sys, refinebio_assets.formats.probe_tables; sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
