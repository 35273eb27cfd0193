"""Questions that people ask about a sample's values: reference, software, and whether a gene was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from refinebio_assets.errors import NotFoundError
from refinebio_assets.formats.gene_index import GENE_COLUMN, GeneIndex
from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.rows import query_rows
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.outcome import commit_of_version
from refinebio_assets.pipelines.references import gene_index, transcriptome_index
from refinebio_assets.pipelines.references.bead_annotation import BeadPlatform
from refinebio_assets.pipelines.references.bead_registry import KIND as BEADS
from refinebio_assets.pipelines.references.gene_index import StoredGeneIndex
from refinebio_assets.pipelines.references.platform_annotation import Annotation
from refinebio_assets.pipelines.references.transcriptome_index import Transcriptome
from refinebio_assets.sources.accessions import spellings


@dataclass(frozen=True, slots=True)
class SampleAnswers:
    """What one sample is measured against, and all software that touched it; a row an experiment and step."""

    sample: str
    references: Sequence[Mapping[str, Any]]
    software: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class GeneAnswer:
    """Whether a gene is in a sample's reference, and how many transcripts, probes or ids it has there."""

    experiment: str
    reference: str
    reference_version: str
    gene: str
    parts: int
    part: str


def sample_answers(catalog: Catalog, accession: str) -> SampleAnswers:
    """Return the catalog's answers on a sample; NotFoundError when it has no result."""
    for name in spellings(accession):
        references = query_rows(
            catalog,
            "SELECT * FROM sample_references WHERE sample = $name ORDER BY experiment, reference",
            {"name": name},
        )
        if references:
            software = query_rows(
                catalog,
                "SELECT * FROM sample_software WHERE sample = $name ORDER BY experiment, step, software",
                {"name": name},
            )
            return SampleAnswers(name, references, software)
    raise NotFoundError(f"there is no result of a sample {accession} in the lake")


def find_gene(lake: Lake, answers: SampleAnswers, gene: str) -> list[GeneAnswer]:
    """Look for a gene's Ensembl id in what the sample is measured against, in the very version that was used.

    Case and the version after a dot do not count. A sample without a reference of ours (a quant.sf with
    its own gene map) has no answer.
    """
    found = []
    for row in answers.references:
        if row["reference"] is None:
            continue
        parts, part = _parts(lake, row, _plain(gene))
        found.append(
            GeneAnswer(row["experiment"], row["reference"], row["reference_version"], gene, parts, part)
        )
    return found


def _parts(lake: Lake, row: Mapping[str, Any], gene: str) -> tuple[int, str]:
    commit = commit_of_version(lake, row["reference_asset"], row["reference"], row["reference_version"])
    if commit is None:
        raise NotFoundError(
            f"version {row['reference_version']} of {row['reference_asset']}[{row['reference']}] is no "
            "longer in the lake"
        )
    if commit.asset == transcriptome_index.ASSET:
        index = Transcriptome(commit.partition, commit.version, commit)
        return sum(_plain(name) == gene for name in index.gene_map(lake).genes), "transcripts"
    if commit.asset == gene_index.ASSET:
        return _ids_of(StoredGeneIndex(commit.partition, commit.version, commit).read(lake), gene), "ids"
    if commit.info.get("kind") == BEADS:
        array = BeadPlatform(commit.partition, commit.info["organism"], commit.version, commit)
        return _ids_of(array.annotation(lake).gene_index(), gene), "probes"
    genes = Annotation(commit.partition, commit.version, commit).gene_probes(lake)
    if genes is None:
        return 0, "probes (no genes are registered for the array)"
    matching = [code for code, name in enumerate(genes.genes.names) if _plain(name) == gene]
    return sum(int((genes.genes.codes == code).sum()) for code in matching), "probes"


def _ids_of(index: GeneIndex, gene: str) -> int:
    """Return how many rows of ids an index has for a gene."""
    column = index.columns[GENE_COLUMN]
    codes = [code for code, name in enumerate(column.dictionary.to_pylist()) if _plain(str(name)) == gene]
    return sum(int(code in codes) for code in column.indices.to_pylist())


def _plain(gene: str) -> str:
    return gene.strip().upper().partition(".")[0]
