"""Makes ``normalized_compendium``: all samples of an organism, and of its genus, in one store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from refinebio_assets.domain import DropKind, Dropped
from refinebio_assets.errors import PermanentError
from refinebio_assets.formats.compendium_store import CompendiumStore, add_to_manifest, layout
from refinebio_assets.lake.content import hash_file
from refinebio_assets.lake.storage import make_scratch, remove_tree
from refinebio_assets.lake.store import Commit, Draft, InputRef, Lake
from refinebio_assets.pipelines import target_quantiles
from refinebio_assets.pipelines.compendia.building import CompendiumFacts, build_compendium
from refinebio_assets.pipelines.compendia.findings import write_findings
from refinebio_assets.pipelines.compendia.kinds import CompendiumKind, require_version
from refinebio_assets.pipelines.compendia.lake_matrices import LakeMatrices, lake_matrices
from refinebio_assets.pipelines.compendia.lock import NAME as LOCK
from refinebio_assets.pipelines.compendia.lock import lock_bytes, make_lock
from refinebio_assets.pipelines.compendia.model import CompendiumSettings, Imputation
from refinebio_assets.pipelines.compendia.structure import structure_of
from refinebio_assets.pipelines.failed_builds import remembered
from refinebio_assets.pipelines.freshness import content_hash
from refinebio_assets.pipelines.outcome import (
    MEANWHILE,
    Outcome,
    Situation,
    dropped_before,
    dropped_rows,
    made_meanwhile,
    situation_of,
)
from refinebio_assets.pipelines.progress import SILENT, Progress
from refinebio_assets.pipelines.targets.target import Target, require_target
from refinebio_assets.pipelines.version_numbers import version_number
from refinebio_assets.platforms.compendium_organisms import organisms_of_compendium

ASSET = "normalized_compendium"
CODE_VERSION = "2"
FOLDER = "store"


@dataclass(frozen=True, slots=True)
class Assessment:
    """How an organism's compendium stands, and what it would be made of and how."""

    situation: Situation
    settings: CompendiumSettings
    organisms: tuple[str, ...]
    sources: LakeMatrices
    target: Target


def assess_compendium(
    lake: Lake, organism: str, *, imputation: Imputation | None = None, memory_limit: int | None = None
) -> Assessment:
    """Return how an organism's compendium stands against the lake's matrices and the organism's target.

    ``imputation`` None stays what it was for the newest version. Raises NotFoundError without a target,
    PermanentError when no matrix could take part.
    """
    organisms = organisms_of_compendium(organism)
    sources, head = lake_matrices(lake, organisms), lake.head(ASSET, organism)
    if not sources.matrices:
        others = f" ({len(sources.dropped):,} samples do not qualify)" if sources.dropped else ""
        raise PermanentError(
            f"the lake has no samples of {', '.join(organisms)} that were processed from raw data to genes"
            f"{others}: there is nothing to make a compendium of"
        )
    settings = CompendiumSettings(imputation=imputation or _imputation_of(head))
    if memory_limit is not None:
        settings = replace(settings, memory_limit=memory_limit)
    target = require_target(lake, organism)
    basis = _basis(sources, target, settings)
    return Assessment(situation_of(lake, head, basis), settings, organisms, sources, target)


def build_normalized_compendium(
    lake: Lake,
    organism: str,
    *,
    imputation: Imputation | None = None,
    memory_limit: int | None = None,
    progress: Progress = SILENT,
    run_id: str = "",
) -> Outcome:
    """Make an organism's compendium, or return the commit that is already right.

    Genes and samples that are not in it are listed as dropped. Between the steps values lie in files beside
    the lake's drafts: three times 4 bytes a gene and sample. ``memory_limit`` is in bytes (default 4 GiB).
    """
    assessed = assess_compendium(lake, organism, imputation=imputation, memory_limit=memory_limit)
    current = assessed.situation.current
    if current is not None:
        return Outcome(current, changed=False, dropped=dropped_before(lake, current))
    scratch = make_scratch(lake.storage.scratch, "compendium")
    try:
        with (
            remembered(lake, ASSET, organism, assessed.situation.basis, run_id),
            lake.draft(ASSET, organism) as draft,
        ):
            facts = _write(draft, assessed, assessed.target.values(lake), scratch, progress)
            dropped = (*assessed.sources.dropped, *facts.dropped)
            other = made_meanwhile(lake, ASSET, organism, assessed.situation)
            if other is not None:
                return Outcome(other, False, MEANWHILE, dropped)
            # Taken at the end, numbers count versions in the order in which they come.
            with version_number(lake, ASSET, organism) as number:
                commit = _commit(draft, assessed, number, facts, dropped, run_id)
    finally:
        remove_tree(scratch)
    return Outcome(commit, True, assessed.situation.reasons, dropped)


def open_compendium(lake: Lake, organism: str, number: int | None = None) -> CompendiumStore:
    """Return the store of an organism's newest compendium, or of the version with this number.

    Raises NotFoundError that says which there are.
    """
    commit = require_compendium(lake, organism, number)
    return CompendiumStore(lake.local_folder(commit, FOLDER))


def require_compendium(lake: Lake, organism: str, number: int | None = None) -> Commit:
    """Return the commit of a compendium as ``open_compendium``."""
    return require_version(lake, CompendiumKind.NORMALIZED, organism, number)


def _imputation_of(head: Commit | None) -> Imputation:
    return Imputation.FACTORS if head is None else Imputation(head.info["basis"]["imputation"])


def _basis(sources: LakeMatrices, target: Target, settings: CompendiumSettings) -> dict[str, Any]:
    basis: dict[str, Any] = {
        "code version": CODE_VERSION,
        "target": target.version,
        "imputation": str(settings.imputation),
        "seed": settings.seed,
    }
    for matrix in sources.matrices:
        basis[f"{matrix.name} of {matrix.experiment}"] = [matrix.version, len(matrix.samples)]
    return basis


def _write(
    draft: Draft, assessed: Assessment, target: npt.NDArray[np.float64], scratch: Path, progress: Progress
) -> CompendiumFacts:
    """Write all of a compendium that does not tell its number."""
    folder = draft.folder / FOLDER
    folder.mkdir()
    facts = build_compendium(
        assessed.sources.matrices,
        target,
        folder,
        scratch,
        settings=assessed.settings,
        about={
            "organism": draft.partition,
            "organisms": list(assessed.organisms),
            "target": assessed.target.version,
        },
        progress=progress,
    )
    progress.say("look at what samples differ by")
    structure = structure_of(CompendiumStore(folder), scratch, assessed.settings.seed)
    write_findings(draft.folder, facts, structure)
    return facts


def _write_number(draft: Draft, assessed: Assessment, number: int) -> None:
    """Write what tells the compendium's number: the lock, and a line of the store's manifest."""
    add_to_manifest(draft.folder / FOLDER, compendium_version=number)
    lock = make_lock(
        organism=draft.partition,
        number=number,
        organisms=assessed.organisms,
        code_version=CODE_VERSION,
        settings=assessed.settings,
        target=assessed.target.version,
        sources=assessed.sources,
    )
    (draft.folder / LOCK).write_bytes(lock_bytes(lock))


def _commit(
    draft: Draft,
    assessed: Assessment,
    number: int,
    facts: CompendiumFacts,
    dropped: Sequence[Dropped],
    run_id: str,
) -> Commit:
    _write_number(draft, assessed, number)
    names = (layout.GENES, layout.SAMPLES, layout.BY_SAMPLE)
    version = content_hash([hash_file(draft.folder / FOLDER / name)[0] for name in names])
    row = _row(draft.partition, version, assessed, facts, dropped) | {"number": number}
    draft.write_table("compendia", [row])
    draft.write_table("dropped", dropped_rows(dropped))
    commits = {matrix.commit.id: matrix.commit for matrix in assessed.sources.matrices}
    inputs = [InputRef(commit.asset, commit.partition, commit.version) for commit in commits.values()]
    inputs.append(InputRef(target_quantiles.ASSET, draft.partition, assessed.target.version))
    kept = ("number", "genes", "samples", "share_missing")
    return draft.commit(
        version=version,
        code_version=CODE_VERSION,
        inputs=inputs,
        info={"basis": assessed.situation.basis, **{name: row[name] for name in kept}},
        run_id=run_id,
        needs=[*commits.values(), assessed.target.commit],
    )


def _row(
    organism: str, version: str, assessed: Assessment, facts: CompendiumFacts, dropped: Sequence[Dropped]
) -> dict[str, Any]:
    held_out, check = facts.held_out, facts.normalized
    samples = sum(item.kind == DropKind.SAMPLE for item in dropped)
    return {
        "kind": str(CompendiumKind.NORMALIZED),
        "organism": organism,
        "version": version,
        "organisms": list(assessed.organisms),
        "genes": len(facts.genes),
        "samples": len(facts.samples),
        "experiments": len({sample.experiment for sample in facts.samples}),
        "dropped_genes": len(dropped) - samples,
        "dropped_samples": samples,
        "share_missing": facts.share_missing,
        "imputation": facts.imputation,
        "rank": facts.rank,
        "settled": facts.settled,
        "random_error": held_out.random if held_out else None,
        "block_error": held_out.block if held_out else None,
        "gene_mean_random_error": held_out.gene_mean_random if held_out else None,
        "gene_mean_block_error": held_out.gene_mean_block if held_out else None,
        "target": assessed.target.version,
        "ks_statistic": check.statistic if check else None,
        "ks_pvalue": check.p_value if check else None,
    }
