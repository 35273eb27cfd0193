"""What a BeadArray's annotation holds, from its files: to be committed by ``platform_annotation``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from refinebio_assets.domain import Manufacturer
from refinebio_assets.pipelines.references.annotation_content import AnnotationContent
from refinebio_assets.pipelines.references.bead_annotation import PAIRS_FILE, PROBES_FILE
from refinebio_assets.pipelines.references.bead_registry import KIND, BeadInputs
from refinebio_assets.pipelines.references.bead_tables import BeadTables, read_bead_tables
from refinebio_assets.pipelines.references.files import LocalFile
from refinebio_assets.platforms.illumina_arrays import illumina_package


def bead_content(inputs: BeadInputs, files: Mapping[str, LocalFile]) -> AnnotationContent:
    """Read a BeadArray's files; errors are those of ``read_bead_tables``."""
    tables = read_bead_tables(files)
    probes = tables.probes
    package = illumina_package(inputs.platform)
    several = len(probes.gene_pairs) - len(set(probes.gene_pairs.probe_ids.to_pylist()))

    def write(folder: Path) -> None:
        probes.write(folder / PROBES_FILE, folder / PAIRS_FILE)

    return AnnotationContent(
        version=probes.content_version(),
        facts={
            "kind": KIND,
            "organism": inputs.organism,
            "manufacturer": str(Manufacturer.ILLUMINA),
            "name": ", ".join(package.platforms) if package else inputs.platform,
            "probes": len(probes),
            "genes": probes.gene_count(),
            "left_out": tables.without_sequence,
            "source": inputs.source or "local files",
            "gene_source": tables.gene_source,
        },
        info={"kind": KIND, "organism": inputs.organism, "further genes of probes": several},
        dropped=tables.dropped,
        write=write,
        counts=_counts(tables),
    )


def _counts(tables: BeadTables) -> list[Mapping[str, Any]]:
    counted = (("quality", tables.qualities), ("gene", tables.reasons))
    return [
        {"about": about, "value": value, "probes": probes}
        for about, counts in counted
        for value, probes in counts.items()
    ]
