"""Where the probe tables of microarrays are published: Bioconductor's probe packages, Brainarray's genes.

``tables/annotation_sources.tsv`` has one array a line, and only arrays whose packages' names a public
reference gives: Bioconda's recipes for Bioconductor's packages, with their checksums, and scripts of others
for Brainarray's, whose names are the array's, its species' and ``ensgprobe``. Brainarray publishes no
checksums. The full probe list of a 3' array is in its probe package; ST, exon and Clariom arrays have none.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from refinebio_assets.platforms.tables_on_disk import table_rows

BIOCONDUCTOR = "https://bioconductor.org/packages/3.6/data/annotation/src/contrib"
"""The release that refine.bio's R is of. The probe packages have not changed since 2013."""
BRAINARRAY = "http://mbni.org/customcdf/{version}/ensg.download"
SOURCE = "Bioconductor 3.6"


@dataclass(frozen=True, slots=True)
class AnnotationSource:
    """The public addresses of one array's tables.

    ``probe_tab`` is an R source package with the manufacturer's probes, ``probe_tab_md5`` its published
    checksum, empty where none is known. ``brainarray`` is an R source package with Ensembl genes of the
    release ``brainarray_version``; both are empty for an array that Brainarray does not serve.
    """

    accession: str
    probe_tab: str
    probe_tab_md5: str
    brainarray: str
    brainarray_version: str


def annotation_source(platform: str) -> AnnotationSource | None:
    """Return where the tables of an array are published (``hgu95av2``, in any case), or None."""
    return _by_accession().get(platform.lower())


def annotation_sources() -> tuple[AnnotationSource, ...]:
    """Return every array whose tables are published, in the table's order."""
    return tuple(_by_accession().values())


def published_md5(location: str) -> str:
    """Return the published checksum of what is at an address, empty where there is none."""
    return next((each.probe_tab_md5 for each in annotation_sources() if each.probe_tab == location), "")


@cache
def _by_accession() -> dict[str, AnnotationSource]:
    sources = (_source(row) for row in table_rows("annotation_sources.tsv"))
    return {source.accession: source for source in sources}


def _source(row: dict[str, str]) -> AnnotationSource:
    genes = row["brainarray_package"]
    version = genes.rpartition("_")[2]
    return AnnotationSource(
        accession=row["accession"],
        probe_tab=f"{BIOCONDUCTOR}/{row['probe_package']}.tar.gz",
        probe_tab_md5=row["probe_package_md5"],
        brainarray=f"{BRAINARRAY.format(version=version)}/{genes}.tar.gz" if genes else "",
        brainarray_version=version,
    )
