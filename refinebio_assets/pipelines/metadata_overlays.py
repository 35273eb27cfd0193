"""What others than the submitter say about samples: corrections of fields, and attributed attributes.

Each import is a commit of its own under a name, so that it survives new surveys, is versioned, and can be
replaced or taken back by importing again under the same name.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict
from pathlib import Path
from shlex import quote
from typing import Any

from refinebio_assets.errors import NotFoundError
from refinebio_assets.lake.rows import read_rows
from refinebio_assets.lake.store import Commit, InputRef, Lake
from refinebio_assets.metadata.attributes import read_attributes
from refinebio_assets.metadata.corrections import Correction, read_corrections
from refinebio_assets.pipelines.freshness import content_hash
from refinebio_assets.pipelines.outcome import is_whole

CORRECTIONS = "metadata_corrections"
ATTRIBUTES = "sample_attributes"
CODE_VERSION = "1"


def import_corrections(lake: Lake, file: Path, name: str) -> tuple[Commit, bool]:
    """Import a table of corrections under a name, in place of the one that had it.

    Returns the commit and whether anything changed. Raises RequestError naming every problem of the file.
    """
    rows = [asdict(correction) for correction in read_corrections(file)]
    return _import(lake, CORRECTIONS, name, rows, str(file))


def import_attributes(lake: Lake, file: Path, source: str, methods_url: str) -> tuple[Commit, bool]:
    """Import attributes of samples that ``source`` found out, in place of its earlier ones.

    Returns the commit and whether anything changed. Raises RequestError naming every problem of the file.
    """
    rows = [asdict(item) for item in read_attributes(file, source=source, methods_url=methods_url)]
    return _import(lake, ATTRIBUTES, source, rows, str(file))


def corrections_of(
    lake: Lake, samples: Collection[str]
) -> tuple[dict[str, list[Correction]], list[InputRef]]:
    """Return the corrections of these samples, and the imports that they are from.

    One a field: where several imports correct the same field of a sample, the one imported last counts.
    Samples without corrections have no entry.
    """
    wanted = set(samples)
    chosen: dict[tuple[str, str], tuple[Correction, InputRef]] = {}
    heads = [head for name in lake.partitions(CORRECTIONS) if (head := lake.head(CORRECTIONS, name))]
    for head in sorted(heads, key=lambda head: (head.created_at, head.partition)):
        if not is_whole(lake, head):
            raise NotFoundError(_lost_import(head))
        for row in read_rows(lake, head, CORRECTIONS):
            if row["sample"] in wanted:
                fields = ("sample", "field", "value", "source", "note")
                correction = Correction(**{field: row[field] or "" for field in fields})
                used = InputRef(CORRECTIONS, head.partition, head.version)
                chosen[correction.sample, correction.field] = (correction, used)
    found: dict[str, list[Correction]] = {}
    for correction, _ in chosen.values():
        found.setdefault(correction.sample, []).append(correction)
    return found, list(dict.fromkeys(used for _, used in chosen.values()))


def _lost_import(head: Commit) -> str:
    command = f"metadata import-corrections {quote(head.info['origin'])} --name {quote(head.partition)}"
    return (
        f"the corrections {head.partition} are no longer whole in the lake; import them again: "
        f"`refinebio-assets {command}`"
    )


def _newest(lake: Lake, asset: str) -> Commit | None:
    heads = [head for name in lake.partitions(asset) if (head := lake.head(asset, name))]
    return max(heads, key=lambda head: (head.created_at, head.partition), default=None)


def _import(
    lake: Lake, asset: str, name: str, rows: Sequence[dict[str, Any]], origin: str
) -> tuple[Commit, bool]:
    version = content_hash(rows)
    head = lake.head(asset, name)
    if head is not None and head.version == version and head == _newest(lake, asset) and is_whole(lake, head):
        return head, False
    with lake.draft(asset, name) as draft:
        draft.write_table(asset, rows)
        return draft.commit(version=version, code_version=CODE_VERSION, info={"origin": origin}), True
