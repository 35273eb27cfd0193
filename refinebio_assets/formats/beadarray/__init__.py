"""Tables of non-normalized Illumina BeadArray intensities, as submitters attach them to their series.

One text table holds the probes of all samples of a series: for each sample a column of bead-averaged
intensities and mostly one of detection p-values. Which platform the probes belong to, and what is done
with the values, is decided elsewhere.
"""

from refinebio_assets.formats.beadarray.model import (
    BeadArrayTable,
    ColumnRole,
    Role,
    SampleNames,
    UnmatchedSample,
)
from refinebio_assets.formats.beadarray.reading import read_beadarray

__all__ = ["BeadArrayTable", "ColumnRole", "Role", "SampleNames", "UnmatchedSample", "read_beadarray"]
