"""A tiny microarray on disk: a probe_tab, a Brainarray table, a CDF file, and PGF, CLF and MPS files."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable, Sequence
from pathlib import Path

Row = tuple[str, int, int, str]
"""Probe set or gene, x, y, sequence."""

PROBE_TAB_HEADER = (
    "Probe Set Name\tProbe X\tProbe Y\tProbe Interrogation Position\tProbe Sequence\tTarget Strandedness\n"
)
BRAINARRAY_HEADER = "sequence\tx\ty\tProbe.Set.Name\tProbe.Interrogation.Position\tTarget.Strandedness\n"
CELL_HEADER = "X\tY\tPROBE\tFEAT\tQUAL\tEXPOS\tPOS\tCBASE\tPBASE\tTBASE\tATOM\tINDEX"


def sequence(number: int) -> str:
    """Return 25 bases that differ for numbers below 4^12."""
    return "A" * 13 + "".join("ACGT"[number >> shift & 3] for shift in range(0, 24, 2))


PROBES: tuple[Row, ...] = (
    ("1001_at", 2, 0, sequence(1)),
    ("1001_at", 0, 1, sequence(2)),
    ("1000_at", 3, 0, sequence(3)),
    ("1002_s_at", 2, 0, sequence(1)),
    ("AFFX-1_at", 1, 1, sequence(4)),
)
"""Not in the model's order; the cell (2, 0) is in two probe sets."""
GENES: tuple[Row, ...] = (
    ("ENSG2_at", 0, 1, sequence(2)),
    ("ENSG1_at", 2, 0, sequence(1)),
    ("ENSG2_at", 2, 0, sequence(1)),
    ("ENSG2_at", 0, 1, sequence(2)),
)
"""The cell (2, 0) counts for two genes, the cell (0, 1) twice for one."""


def probe_tab(path: Path, rows: Iterable[Row] = PROBES) -> str:
    """Write a manufacturer's probe_tab, and return its path as text."""
    lines = [f"{name}\t{x}\t{y}\t7\t{letters}\tAntisense\n" for name, x, y, letters in rows]
    path.write_text(PROBE_TAB_HEADER + "".join(lines), encoding="ascii")
    return str(path)


def brainarray(path: Path, rows: Iterable[Row] = GENES) -> str:
    """Write a table as Brainarray does, and return its path as text."""
    lines = [f"{letters}\t{x}\t{y}\t{name}\t7\tAntisense\n" for name, x, y, letters in rows]
    path.write_text(BRAINARRAY_HEADER + "".join(lines), encoding="ascii")
    return str(path)


def r_package(path: Path, rows: Sequence[Row]) -> str:
    """Write an R source package with the probes as a data frame, and return its path as text."""
    import pandas as pd
    import rdata

    names = ["Probe.Set.Name", "x", "y", "sequence"]
    frame = pd.DataFrame(rows, columns=names)
    path.parent.mkdir(parents=True, exist_ok=True)
    data = path.with_name("probes.rda")
    rdata.write_rda(data, {"probes": frame.astype({"x": "int32", "y": "int32"})})
    package = path.name.partition("_")[0]
    with tarfile.open(path, "w:gz") as archive:
        for name, content in ((f"data/{package}.rda", data.read_bytes()), ("DESCRIPTION", b"Package: x\n")):
            entry = tarfile.TarInfo(f"{package}/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    data.unlink()
    return str(path)


def cdf(path: Path, rows: Sequence[Row] = PROBES, chip_type: str = "HG_U95Av2") -> str:
    """Write a text CDF file of 4 x 4 cells whose perfect matches are these rows, each with a mismatch."""
    sets: dict[str, list[tuple[int, int]]] = {}
    for name, x, y, _ in rows:
        sets.setdefault(name, []).append((x, y))
    lines = ["[CDF]", "Version=GC3.0", "", "[Chip]", f"Name={chip_type}", "Rows=4", "Cols=4"]
    lines += [f"NumberOfUnits={len(sets)}", "NumQCUnits=0", ""]
    for number, (name, cells) in enumerate(sets.items(), start=1):
        lines += [f"[Unit{number}]", "Name=NONE", f"NumCells={2 * len(cells)}", "NumberBlocks=1", ""]
        lines += [f"[Unit{number}_Block1]", f"Name={name}", f"NumCells={2 * len(cells)}"]
        lines.append(f"CellHeader={CELL_HEADER}")
        pairs = [(x, y + shift, base) for x, y in cells for shift, base in ((0, "T"), (2, "A"))]
        lines += [
            f"Cell{row}={x}\t{y}\tN\tcontrol\t{name}\t0\t13\tA\t{base}\tA\t0\t{y * 4 + x}"
            for row, (x, y, base) in enumerate(pairs, start=1)
        ]
        lines.append("")
    path.write_text("\r\n".join(lines), encoding="ascii")
    return str(path)


PGF = f"""#%chip_type=HuGene-1_0-st-v1
#%pgf_format_version=1.0
#%header0=probeset_id\ttype\tprobeset_name
#%header1=\tatom_id
#%header2=\t\tprobe_id\ttype\tprobe_sequence
101\tmain\tPS101
\t1
\t\t3\tpm:st\t{sequence(3)[::-1]}
\t\t2\tpm:st\t{sequence(2)[::-1]}
102\tmain\tPS102
\t2
\t\t1\tpm:st\t{sequence(1)[::-1]}
103\tcontrol->bgp\tPS103
\t3
\t\t4\tpm:st\t{sequence(4)[::-1]}
"""
CLF = """#%chip_type=HuGene-1_0-st-v1
#%rows=2
#%cols=2
#%header0=probe_id\tx\ty
1\t0\t0
2\t1\t0
3\t0\t1
4\t1\t1
"""
MPS = """#%chip_type=HuGene-1_0-st-v1
probeset_id\ttranscript_cluster_id\tprobeset_list\tprobe_count
9001\t9001\t101 102\t3
8999\t8999\t102\t1
"""


def st_files(folder: Path) -> dict[str, str]:
    """Write the library files of an ST array of four probes, and return their paths by role."""
    for name, text in (("a.pgf", PGF), ("a.clf", CLF), ("a.mps", MPS)):
        (folder / name).write_text(text, encoding="ascii")
    return {role: str(folder / f"a.{role}") for role in ("pgf", "clf", "mps")}
