"""Where microarrays' tables are published: the table is whole, and says only what it can support."""

from __future__ import annotations

import re

from refinebio_assets.domain import Manufacturer
from refinebio_assets.platforms.annotation_sources import (
    annotation_source,
    annotation_sources,
    published_md5,
)
from refinebio_assets.platforms.microarrays import find_microarray
from refinebio_assets.platforms.tables_on_disk import table_lines


def test_every_row_is_an_affymetrix_array_under_its_own_name() -> None:
    assert len({line.count("\t") for line in table_lines("annotation_sources.tsv")}) == 1
    assert len(annotation_sources()) == len(table_lines("annotation_sources.tsv")) - 1
    for source in annotation_sources():
        array = find_microarray(source.accession)
        assert array is not None and array.accession == source.accession
        assert array.manufacturer is Manufacturer.AFFYMETRIX
        assert f"/{source.accession}probe_" in source.probe_tab
        assert not source.brainarray or f"/{source.accession}" in source.brainarray


def test_addresses_and_checksums_are_complete() -> None:
    without = [source.accession for source in annotation_sources() if not source.probe_tab_md5]
    assert without == ["hgu95b"]
    for source in annotation_sources():
        assert re.fullmatch(r"[0-9a-f]{32}|", source.probe_tab_md5)
        assert re.fullmatch(r"https://bioconductor\.org/\S+_2\.18\.0\.tar\.gz", source.probe_tab)
        assert re.fullmatch(
            r"http://mbni\.org/customcdf/22\.0\.0/ensg\.download/\w+ensgprobe_22\.0\.0\.tar\.gz|",
            source.brainarray,
        )
        assert source.brainarray_version == ("22.0.0" if source.brainarray else "")


def test_an_array_is_found_in_any_case_and_others_are_not() -> None:
    source = annotation_source("HGU133A")
    assert source is not None and source.accession == "hgu133a"
    assert published_md5(source.probe_tab) == source.probe_tab_md5 != ""
    assert annotation_source("hugene10st") is None
    assert published_md5("https://example.org/hgu133aprobe_2.18.0.tar.gz") == ""
