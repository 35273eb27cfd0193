"""Makes ``discovery``: experiments that searches of the archives, or lists of accessions, name.

Finding is not processing: what was found waits here until it is its turn.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from refinebio_assets.domain import counted
from refinebio_assets.errors import NotFoundError, RequestError
from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.rows import query_rows, read_rows
from refinebio_assets.lake.store import Commit, Lake
from refinebio_assets.pipelines.discovery_rules import Rule
from refinebio_assets.pipelines.freshness import content_hash
from refinebio_assets.pipelines.outcome import is_whole
from refinebio_assets.sources.accessions import KINDS, Names, recognize
from refinebio_assets.sources.discovery import Hit, search
from refinebio_assets.sources.web.client import Web

ASSET = "discovery"
CODE_VERSION = "1"


@dataclass(frozen=True, slots=True)
class Discovered:
    """What one search or list gave: its commit (None after a dry run), how many it names, and the new."""

    name: str
    commit: Commit | None
    found: int
    new: tuple[dict[str, Any], ...]


def discover(
    lake: Lake,
    web: Web,
    rule: Rule,
    *,
    exclude: Collection[str] = (),
    dry_run: bool = False,
    run_id: str = "",
) -> Discovered:
    """Make a rule's search and keep what it finds; experiments that were found before stay as they were.

    What the rule does not take is kept with the reason. Raises what ``search`` raises.
    """
    rows = [_row(rule, hit, exclude) for hit in search(web, rule.search)]
    return _keep(lake, rule.name, rows, dry_run=dry_run, run_id=run_id)


def import_accessions(lake: Lake, path: Path, *, name: str = "", dry_run: bool = False) -> Discovered:
    """Keep the experiments of a list: one accession a line; what follows a blank, comma or ``#`` is ignored.

    Raises NotFoundError, and RequestError naming every line that is no experiment's accession.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise NotFoundError(f"the list {path} cannot be read: {error.strerror}") from error
    problems = []
    rows: dict[str, dict[str, Any]] = {}
    for number, line in enumerate(lines, start=1):
        word = line.split("#", 1)[0].replace(",", " ").replace("\t", " ").strip().split(" ", 1)[0]
        if not word:
            continue
        accession = recognize(word)
        if accession is None or accession.names is not Names.EXPERIMENT:
            problems.append(f"line {number:,}: {word} is no accession of an experiment ({KINDS})")
            continue
        rows[accession.text] = {"accession": accession.text, "archive": str(accession.archive), "taken": True}
    if problems:
        raise RequestError(problems, about=f"list of accessions {path}")
    return _keep(lake, name or path.name, list(rows.values()), dry_run=dry_run, run_id="")


def waiting_experiments(catalog: Catalog) -> list[dict[str, Any]]:
    """Return experiments that were found and taken, and were never surveyed here: first found, first."""
    return query_rows(
        catalog,
        """SELECT d.accession, min(d.first_found) AS first_found, any_value(d.title) AS title,
                  any_value(d.organism) AS organism, any_value(d.samples) AS samples,
                  string_agg(DISTINCT d.rule, ', ' ORDER BY d.rule) AS rules
           FROM discovered d
           WHERE d.taken AND d.accession NOT IN (
               SELECT "partition" FROM commits
               WHERE asset IN ('experiment_record', 'experiment_registration'))
             AND replace(d.accession, 'E-GEOD-', 'GSE') NOT IN (
               SELECT "partition" FROM commits WHERE asset = 'experiment_record')
           GROUP BY d.accession ORDER BY first_found, len(d.accession), d.accession""",
    )


def _row(rule: Rule, hit: Hit, exclude: Collection[str]) -> dict[str, Any]:
    reason = ""
    if hit.accession in exclude:
        reason = "it is excluded by the rules"
    elif hit.samples is not None and hit.samples < rule.minimum_samples:
        reason = f"it has {counted(hit.samples, 'sample')}, fewer than {rule.minimum_samples:,}"
    elif hit.samples is not None and hit.samples > rule.maximum_samples:
        reason = f"it has {counted(hit.samples, 'sample')}, more than {rule.maximum_samples:,}"
    return {
        "accession": hit.accession,
        "archive": str(rule.search.archive),
        "title": hit.title,
        "organism": hit.organism,
        "samples": hit.samples,
        "published": hit.published,
        "taken": not reason,
        "reason": reason,
    }


def _keep(lake: Lake, name: str, rows: Sequence[dict[str, Any]], *, dry_run: bool, run_id: str) -> Discovered:
    head = lake.head(ASSET, name)
    whole = is_whole(lake, head)
    before = {row["accession"]: row for row in read_rows(lake, head, "discovered")} if head and whole else {}
    now = lake.now()
    merged = []
    for row in rows:
        known = before.get(row["accession"])
        merged.append(row | {"rule": name, "first_found": known["first_found"] if known else now})
    new = tuple(row for row in merged if row["accession"] not in before)
    # What a search no longer finds stays listed: it was found, and may be waiting.
    listed = {row["accession"] for row in merged}
    everything = [*merged, *(row for accession, row in before.items() if accession not in listed)]
    if dry_run:
        return Discovered(name, None, len(rows), new)
    version = content_hash(
        sorted([row["accession"], row["taken"], row.get("reason") or ""] for row in everything)
    )
    if head is not None and head.version == version and whole:
        return Discovered(name, head, len(rows), new)
    with lake.draft(ASSET, name) as draft:
        draft.write_table("discovered", sorted(everything, key=lambda row: row["accession"]))
        commit = draft.commit(version=version, code_version=CODE_VERSION, run_id=run_id)
    return Discovered(name, commit, len(rows), new)
