"""What references are in the lake, and which could be: for lists and summaries."""

from __future__ import annotations

from typing import Any

from refinebio_assets.domain import Manufacturer
from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.rows import query_rows
from refinebio_assets.platforms.annotation_sources import annotation_sources
from refinebio_assets.platforms.illumina_arrays import PACKAGE_VERSION, illumina_packages


def transcriptomes(catalog: Catalog) -> list[dict[str, Any]]:
    """Return a row for each organism that has an index."""
    return query_rows(catalog, "SELECT * FROM transcriptomes WHERE is_current ORDER BY organism")


def platforms(catalog: Catalog) -> list[dict[str, Any]]:
    """Return a row for each microarray that has an annotation."""
    return query_rows(catalog, "SELECT * FROM platform_annotations WHERE is_current ORDER BY platform")


def annotation_counts(catalog: Catalog, platform: str) -> list[dict[str, Any]]:
    """Return how many probes of a BeadArray are of which quality, and have their gene for which reason."""
    return query_rows(
        catalog,
        """SELECT about, value, probes FROM annotation_counts
           WHERE is_current AND platform = $platform
           ORDER BY about DESC, probes DESC, value""",
        {"platform": platform},
    )


def gene_indexes(catalog: Catalog) -> list[dict[str, Any]]:
    """Return a row for each microarray that has a gene index."""
    return query_rows(catalog, "SELECT * FROM gene_indexes WHERE is_current ORDER BY platform")


def gene_index_columns(catalog: Catalog, platform: str) -> list[dict[str, Any]]:
    """Return what each column of a microarray's gene index holds."""
    return query_rows(
        catalog,
        "SELECT * FROM gene_index_columns WHERE is_current AND platform = $platform ORDER BY id_kind",
        {"platform": platform},
    )


def available_platforms() -> list[dict[str, Any]]:
    """Return a row for each microarray whose probe tables are published, with their addresses."""
    affymetrix = [
        {
            "platform": source.accession,
            "kind": str(Manufacturer.AFFYMETRIX),
            "probes": source.probe_tab,
            "genes": source.brainarray,
            "version": source.brainarray_version,
        }
        for source in annotation_sources()
    ]
    beads = [
        {
            "platform": package.name,
            "kind": str(Manufacturer.ILLUMINA),
            "probes": package.location,
            "genes": package.organism_location,
            "version": PACKAGE_VERSION,
        }
        for package in illumina_packages()
    ]
    return affymetrix + beads
