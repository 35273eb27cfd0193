"""What should hold of a microarray's references before samples are measured against them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from refinebio_assets.formats.gene_index import GENE_COLUMN
from refinebio_assets.lake.rows import read_rows
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.outcome import require_head
from refinebio_assets.pipelines.references import gene_index, platform_annotation
from refinebio_assets.pipelines.references.bead_annotation import find_bead_platform

FEWEST_WITH_GENE = 0.5
"""Below it, more of an experiment is lost than kept. Two of refine.bio's indexes have 1.0 of their probes."""
_RELIABLE = re.compile("Good|Perfect")


@dataclass(frozen=True, slots=True)
class Judgment:
    """Whether something holds, and what was found, in words."""

    passed: bool
    description: str


def judge_annotation(lake: Lake, platform: str) -> Judgment:
    """Tell whether an array's probes have genes; of a BeadArray, at least half of the reliable ones."""
    head = require_head(lake, platform_annotation.ASSET, platform)
    beads = find_bead_platform(lake, platform)
    if beads is None:
        (facts,) = read_rows(lake, head, "platform_annotations")
        if facts["genes"] is None:
            return Judgment(False, "there is no table of genes: arrays are summarized by probe sets")
        return Judgment(facts["genes"] > 0, f"{facts['genes']:,} genes have a probe in the model")
    probes = beads.annotation(lake)
    qualities = zip(probes.qualities.to_pylist(), probes.genes.to_pylist(), strict=True)
    genes = [gene for quality, gene in qualities if quality and _RELIABLE.search(quality)]
    return _judge_share(sum(gene is not None for gene in genes), len(genes), "reliable probes")


def judge_gene_index(lake: Lake, platform: str) -> Judgment:
    """Tell whether at least half of an index's ids, of the first kind that it has, have a gene."""
    head = require_head(lake, gene_index.ASSET, platform)
    rows = read_rows(lake, head, "gene_index_columns")
    first = next(row for row in rows if row["id_kind"] != GENE_COLUMN)
    return _judge_share(first["with_gene"], first["ids"], f"ids in {first['id_kind']}")


def _judge_share(with_gene: int, total: int, what: str) -> Judgment:
    share = with_gene / total if total else 0.0
    return Judgment(share >= FEWEST_WITH_GENE, f"{with_gene:,} of {total:,} {what} have a gene ({share:.1%})")
