"""Under which names a table of several samples may know each of them, from what their source says."""

from __future__ import annotations

import re

from refinebio_assets.domain import Sample, distinct
from refinebio_assets.formats.beadarray import SampleNames
from refinebio_assets.sources.sample_sheet import TABLE_COLUMN

_BLANKS = re.compile(r"\s+")
_GEO = ("description", "source_name_ch1")
_MAGE_TAB = (
    *("assayname", "hybridizationname", "scanname", "labeledextractname", "extractname", "samplename"),
    *("sourcename", "normalizationname", "comment[sample_title]", "comment[sample_description]"),
    *("derivedarraydatafile", "arraydatafile"),
)
_DESCRIBING = (TABLE_COLUMN, *_GEO, *_MAGE_TAB)
"""Keys of metadata whose values may head a column, as ``_plain`` spells them: the surest first."""


def names_in_tables(sample: Sample) -> SampleNames:
    """Return a sample's accession, its title, and what else may name it: the first is the surest.

    What a sample sheet gives as ``table_column``; GEO's description; the names of source, extract, assay and
    scan of ArrayExpress. A name that several samples share names none of them.
    """
    values: dict[str, list[str]] = {}
    for key, value in sample.metadata:
        values.setdefault(_plain(key), []).append(value.strip())
    told = [value for key in _DESCRIBING for value in values.get(key, ()) if value]
    known = (sample.accession, sample.title)
    return SampleNames(
        sample.accession, sample.title, tuple(each for each in distinct(told) if each not in known)
    )


def _plain(key: str) -> str:
    return _BLANKS.sub("", key).lower()
