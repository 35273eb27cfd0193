"""What an Affymetrix array's annotation holds, from its files: to be committed by ``platform_annotation``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from refinebio_assets.pipelines.references.annotation_content import AnnotationContent
from refinebio_assets.pipelines.references.files import LocalFile
from refinebio_assets.pipelines.references.platform_probes import (
    cell_count,
    cell_keys,
    content_version,
    name_count,
    write_genes,
    write_probes,
)
from refinebio_assets.pipelines.references.platform_registry import PlatformInputs, resolve_platform
from refinebio_assets.pipelines.references.platform_tables import PlatformTables, read_platform_tables
from refinebio_assets.platforms.readable import readable

KIND = "Affymetrix"
PROBES_FILE = "probes.parquet"
GENES_FILE = "genes.parquet"


def affymetrix_content(inputs: PlatformInputs, files: Mapping[str, LocalFile]) -> AnnotationContent:
    """Read an array's files; errors are those of ``read_platform_tables``."""
    tables = read_platform_tables(inputs.platform, files)
    probes, genes = tables.probes, _genes_with_probe(tables)
    without = name_count(tables.genes.genes) - genes if tables.genes and genes is not None else 0
    platform = resolve_platform(inputs.platform)

    def write(folder: Path) -> None:
        write_probes(folder / PROBES_FILE, probes)
        if tables.genes is not None:
            write_genes(folder / GENES_FILE, tables.genes)

    return AnnotationContent(
        version=content_version(probes, tables.genes),
        facts={
            "kind": KIND,
            "manufacturer": str(platform.manufacturer),
            "name": readable(platform).removesuffix(f" ({platform.accession})"),
            "probes": len(probes),
            "cells": cell_count(probes),
            "probe_sets": name_count(probes.probe_sets),
            "genes": genes,
            "left_out": tables.left_out,
            "source": inputs.source or "local files",
            "brainarray_version": inputs.brainarray_version or None,
        },
        info={"genes without probe": without},
        dropped=tables.dropped,
        write=write,
        remark=f"{without:,} genes have no probe in the model" if without else "",
    )


def _genes_with_probe(tables: PlatformTables) -> int | None:
    """Return how many genes have a probe in the model; None without a table of genes."""
    genes = tables.genes
    if genes is None:
        return None
    known = np.isin(cell_keys(genes), cell_keys(tables.probes))
    return len(np.unique(genes.genes.codes[known]))
