"""Affymetrix CEL files: the cell intensities of one scanned array, in every format of the archives.

Text (version 3), binary (version 4, also called XDA) and Command Console (the generic "Calvin" format,
version 1), plain or gzip, all told by content. Which cell is which probe is in ``formats.probe_tables``;
what the intensities mean is the work of ``methods``.
"""

from refinebio_assets.formats.cel.model import CelFile, CelFormat, CelHeader
from refinebio_assets.formats.cel.reading import read_cel, read_cel_header

__all__ = ["CelFile", "CelFormat", "CelHeader", "read_cel", "read_cel_header"]
