"""Which probe lies in which cell of an Affymetrix array: probe tables and array layouts.

The manufacturer's probe tables, Brainarray's (flat or an R package), CDF files (text and binary), and for
ST arrays PGF, CLF and MPS files. Intensities are in ``formats.cel``; which table serves which platform is
decided elsewhere.
"""

from refinebio_assets.formats.probe_tables.cdf import CdfLayout, read_cdf
from refinebio_assets.formats.probe_tables.clf import CellLayout, read_clf
from refinebio_assets.formats.probe_tables.model import (
    PROBE_LENGTH,
    Labels,
    ProbeTable,
    cell_indices,
    in_cell_order,
    only_25mers,
)
from refinebio_assets.formats.probe_tables.mps import MetaProbeSets, read_mps
from refinebio_assets.formats.probe_tables.pgf import ProbeGroups, read_pgf
from refinebio_assets.formats.probe_tables.probe_tab import read_probe_tab
from refinebio_assets.formats.probe_tables.r_package import read_r_probe_package
from refinebio_assets.formats.probe_tables.st_array import core_probes, perfect_match_probes

__all__ = [
    "PROBE_LENGTH",
    "CdfLayout",
    "CellLayout",
    "Labels",
    "MetaProbeSets",
    "ProbeGroups",
    "ProbeTable",
    "cell_indices",
    "core_probes",
    "in_cell_order",
    "only_25mers",
    "perfect_match_probes",
    "read_cdf",
    "read_clf",
    "read_mps",
    "read_pgf",
    "read_probe_tab",
    "read_r_probe_package",
]
