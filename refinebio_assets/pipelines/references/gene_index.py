"""Makes ``gene_index``: which Ensembl genes each id of one microarray has, for submitter-processed values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow.compute as pc

from refinebio_assets.domain import accession_problem
from refinebio_assets.errors import NotFoundError, RequestError
from refinebio_assets.formats.annotation_table import AnnotationTable, read_annotation_table
from refinebio_assets.formats.gene_index import GENE_COLUMN, GeneIndex, read_gene_index, write_gene_index
from refinebio_assets.lake.content import hash_file
from refinebio_assets.lake.store import Commit, Draft, InputRef, Lake
from refinebio_assets.pipelines.arriving_file import FetchedFile
from refinebio_assets.pipelines.fetch_file import WebSource, no_web
from refinebio_assets.pipelines.freshness import Basis
from refinebio_assets.pipelines.outcome import Outcome, Situation
from refinebio_assets.pipelines.progress import SILENT, Progress
from refinebio_assets.pipelines.references.files import (
    assess_reference,
    fetch_source,
    source_rows,
)
from refinebio_assets.pipelines.references.platform_registry import resolve_platform
from refinebio_assets.pipelines.references.registry import ReferenceRegistry

ASSET = "gene_index"
CODE_VERSION = "1"
GENE_INDEX_REGISTRATION = "gene_index_registration"
INDEX_FILE = "gene_index.tsv.gz"
_TASK = "index genes"


@dataclass(frozen=True, slots=True)
class GeneIndexInputs:
    """The table of one microarray's index: an annotation table or a gene index, path or URL.

    ``platform`` is refine.bio's name of the array; ``source`` says who provides the table, and may be empty.
    """

    platform: str
    table: str
    source: str = ""

    def locations(self) -> dict[str, str]:
        """Return the table's location under its role."""
        return {"table": self.table}


_REGISTRY = ReferenceRegistry(GENE_INDEX_REGISTRATION, lambda info: GeneIndexInputs(**info["inputs"]))


@dataclass(frozen=True, slots=True)
class StoredGeneIndex:
    """What a commit of ``gene_index`` offers to those who convert ids to genes."""

    platform: str
    version: str
    commit: Commit

    def read(self, lake: Lake) -> GeneIndex:
        """Return the index."""
        path = lake.local(self.commit.file(INDEX_FILE))
        return read_gene_index(path, label=f"gene index of {self.platform}")


def find_gene_index(lake: Lake, platform: str) -> StoredGeneIndex | None:
    """Return the newest index of a microarray (``hgu133a``), or None."""
    head = lake.head(ASSET, platform)
    return StoredGeneIndex(platform, head.version, head) if head else None


def register_gene_index(lake: Lake, inputs: GeneIndexInputs) -> str:
    """Register a microarray's table and return the version; RequestError for a wrong one."""
    problem = accession_problem(inputs.platform)
    if problem:
        raise RequestError(f"the platform's name {problem}")
    known = resolve_platform(inputs.platform)
    if known.accession != inputs.platform:
        raise RequestError(
            f"an index is registered under refine.bio's name of the array: {known.accession}, "
            f"not {inputs.platform}"
        )
    if not inputs.table:
        raise RequestError("a table of probes and genes is missing", about=f"gene index of {inputs.platform}")
    return _REGISTRY.register(lake, inputs.platform, asdict(inputs))


def registered_gene_index(lake: Lake, platform: str) -> tuple[GeneIndexInputs, str]:
    """Return a microarray's table as last registered, with the registration's version."""
    found = _REGISTRY.find(lake, platform)
    if found is None:
        raise NotFoundError(
            f"no gene index is registered for {platform}. Register one with `refinebio-assets reference "
            f"add-gene-index --platform {platform} FILE`"
        )
    return found


def assess_gene_index(lake: Lake, platform: str, web: WebSource = no_web) -> Situation:
    """Return how an index stands against its registered table and the code."""
    inputs, registration = registered_gene_index(lake, platform)
    basis = {"code version": CODE_VERSION, "registration": registration}
    return assess_reference(lake, ASSET, platform, basis=basis, locations=inputs.locations(), web=web)


def build_gene_index(
    lake: Lake, platform: str, *, web: WebSource = no_web, progress: Progress = SILENT, run_id: str = ""
) -> Outcome:
    """Make the index of a registered microarray, or return the commit that is already right.

    Raises NotFoundError for a microarray that is not registered or a table that is not there, and
    FormatError as ``read_annotation_table``.
    """
    situation = assess_gene_index(lake, platform, web)
    if situation.current is not None:
        return Outcome(situation.current, changed=False)
    inputs, registration = registered_gene_index(lake, platform)
    progress.start(_TASK, 2, "stages")
    file = fetch_source(lake, inputs.table, web)
    progress.advance(_TASK, "table stored")
    table = read_annotation_table(lake.local(file.stored), label=inputs.table)
    progress.advance(_TASK, f"{table.index.rows:,} rows")
    made_from = InputRef(GENE_INDEX_REGISTRATION, platform, registration)
    with lake.draft(ASSET, platform) as draft:
        commit = _commit(draft, _Built(inputs, made_from, file, table, situation.basis), run_id)
    return Outcome(commit, True, situation.reasons)


@dataclass(frozen=True, slots=True)
class _Built:
    """Everything about an index that is about to be committed."""

    inputs: GeneIndexInputs
    made_from: InputRef
    file: FetchedFile
    table: AnnotationTable
    basis: Basis


def _commit(draft: Draft, built: _Built, run_id: str) -> Commit:
    platform = {"platform": built.inputs.platform}
    path = draft.folder / INDEX_FILE
    write_gene_index(path, built.table.index)
    version = hash_file(path)[0]
    draft.write_table("gene_indexes", [{**platform, "version": version, **_facts(built)}])
    draft.write_table("gene_index_columns", [{**platform, **row} for row in _column_rows(built.table.index)])
    draft.write_table("annotation_sources", source_rows(platform, {"table": built.file}))
    draft.attach(built.file.stored)
    return draft.commit(
        version=version,
        code_version=CODE_VERSION,
        inputs=[built.made_from],
        info={"basis": built.basis, "columns left out": list(built.table.left_out)},
        run_id=run_id,
    )


def _facts(built: _Built) -> dict[str, Any]:
    genes = built.table.index.columns[GENE_COLUMN]
    return {
        "name": resolve_platform(built.inputs.platform).name,
        "rows": len(genes),
        "genes": _distinct(genes),
        "without_gene": genes.null_count,
        "columns": list(built.table.index.columns),
        "columns_left_out": list(built.table.left_out),
        "source": built.inputs.source or "local files",
    }


def _column_rows(index: GeneIndex) -> list[dict[str, Any]]:
    """Return a row a column: how many ids it has, how many of them have a gene, and the first ones."""
    has_gene = index.columns[GENE_COLUMN].is_valid()
    return [
        {
            "id_kind": name,
            "ids": _distinct(ids),
            "with_gene": _distinct(ids.filter(has_gene)),
            "examples": _examples(ids),
        }
        for name, ids in index.columns.items()
    ]


def _distinct(ids: Any) -> int:
    return int(pc.count_distinct(ids.indices, mode="only_valid").as_py())


def _examples(ids: Any) -> Sequence[str]:
    return [str(name) for name in ids.dictionary.slice(0, 3).to_pylist()]
