"""Where a lineage starts: which things a person means by ``sample:SRR1`` or ``file:3f2a91bc``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from refinebio_assets.errors import NotFoundError, RequestError
from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.removals import removal_sentence
from refinebio_assets.lake.rows import query_rows
from refinebio_assets.pipelines.lineage import FILE, QUANTIFICATION, Thing
from refinebio_assets.sources.accessions import spellings

# What is made last comes first: its lineage holds that of the others.
KINDS: Mapping[str, Sequence[str]] = {
    "dataset": ("dataset_bundle", "dataset_matrices", "dataset_request"),
    "experiment": (
        *("gene_expression", "sample_quantifications", "raw_files", "harmonized_metadata"),
        *("experiment_record", "experiment_registration"),
    ),
    "target": ("target_quantiles",),
    "compendium": ("normalized_compendium", "rnaseq_sample_compendium"),
}
_LEAST_OF_A_CHECKSUM = 8
_HEX = re.compile(r"[0-9a-f]+")
_USAGE = (
    "name it as experiment:GSE1, sample:GSM1, dataset:NAME, target:ORGANISM, file:SHA256 or ASSET:PARTITION"
)


def starting_things(catalog: Catalog, text: str) -> list[Thing]:
    """Return the things that ``KIND:NAME`` or ``KIND:NAME@VERSION`` means; without a version the newest.

    KIND is one of KINDS, ``sample``, ``file`` or an asset; VERSION may be the start of one. Raises
    RequestError for a text of another form, NotFoundError that says what there is.
    """
    kind, colon, name = text.partition(":")
    if not colon or not kind or not name:
        raise RequestError(f"{text!r} does not say of what: {_USAGE}")
    if kind == FILE:
        return _files(catalog, name)
    name, _, version = name.partition("@")
    if kind in ("sample", QUANTIFICATION):
        return _samples(catalog, name, version)
    assets = KINDS.get(kind, (kind,))
    rows = _versions(catalog, assets, name)
    if not rows:
        raise NotFoundError(_unknown(catalog, kind, assets, name) + _removed(catalog, assets, name, version))
    if version:
        rows = [row for row in rows if row["version"].startswith(version)]
    if not rows:
        gone = _removed(catalog, assets, name, version)
        raise NotFoundError(f"{kind} {name} has no version that starts with {version}{gone}")
    newest = {asset: next((row for row in rows if row["asset"] == asset), None) for asset in assets}
    found = [_thing(row) for row in newest.values() if row is not None]
    return found if kind == "compendium" else found[:1]


def _versions(catalog: Catalog, assets: Sequence[str], name: str) -> list[dict[str, Any]]:
    """Return the commits of these assets' partition, newest first."""
    for spelling in (name, *spellings(name), name.upper().replace(" ", "_")):
        rows = query_rows(
            catalog,
            """SELECT asset, partition, version FROM commits
               WHERE partition = $name AND list_contains($assets, asset) ORDER BY id DESC""",
            {"name": spelling, "assets": list(assets)},
        )
        if rows:
            return rows
    return []


def _removed(catalog: Catalog, assets: Sequence[str], name: str, version: str) -> str:
    """Say that such a version was removed on purpose, as the end of a message; or nothing."""
    rows = query_rows(
        catalog,
        """SELECT * FROM removed_versions
           WHERE list_contains($assets, removed_asset) AND removed_partition = $name
             AND starts_with(removed_version, $version) ORDER BY made_at DESC LIMIT 1""",
        {"assets": list(assets), "name": name, "version": version},
    )
    return "".join(f"; {removal_sentence(row)}" for row in rows)


def _unknown(catalog: Catalog, kind: str, assets: Sequence[str], name: str) -> str:
    if kind not in KINDS:
        listed = query_rows(catalog, "SELECT DISTINCT asset FROM commits ORDER BY asset")
        known = [row["asset"] for row in listed]
        if kind not in known:
            return f"there is no asset {kind} in the lake; {_USAGE}. Assets: {', '.join(known) or 'none'}"
    near = query_rows(
        catalog,
        """SELECT partition, max(jaro_winkler_similarity(lower(partition), lower($name))) AS likeness
           FROM commits WHERE list_contains($assets, asset) GROUP BY partition
           HAVING likeness > 0.85 ORDER BY likeness DESC, partition LIMIT 3""",
        {"assets": list(assets), "name": name},
    )
    hint = f" Did you mean {', '.join(row['partition'] for row in near)}?" if near else ""
    return f"there is no {kind} {name} in the lake.{hint}"


def _samples(catalog: Catalog, name: str, version: str) -> list[Thing]:
    for spelling in spellings(name):
        rows = query_rows(
            catalog,
            """SELECT sample AS partition, version, bool_or(is_current) AS is_current,
                      max_by(reason, commit_id) AS reason
               FROM results WHERE sample = $name GROUP BY ALL ORDER BY max(commit_id) DESC""",
            {"name": spelling},
        )
        if not rows:
            continue
        made = [row for row in rows if row["version"]]
        wanted = [
            row for row in made if (row["version"].startswith(version) if version else row["is_current"])
        ]
        if wanted:
            return [Thing(QUANTIFICATION, row["partition"], row["version"]) for row in wanted]
        if version:
            gone = _removed(catalog, (QUANTIFICATION,), spelling, version)
            raise NotFoundError(f"sample {spelling} has no version that starts with {version}{gone}")
        raise NotFoundError(f"sample {spelling} was not processed: {rows[0]['reason']}")
    raise NotFoundError(
        f"there is no result of a sample {name} in the lake; see `refinebio-assets show {name}`"
    )


def _files(catalog: Catalog, name: str) -> list[Thing]:
    """Return the source files with this SHA-256, start of one, or name: replaced ones where all are."""
    is_checksum = len(name) >= _LEAST_OF_A_CHECKSUM and _HEX.fullmatch(name.lower()) is not None
    rows = query_rows(
        catalog,
        """SELECT sha256, bool_or(is_current) AS is_current
           FROM (SELECT sha256, name, is_current FROM files
                 UNION ALL SELECT sha256, '', is_current FROM sources
                 UNION ALL SELECT sha256, '', is_current FROM annotation_sources)
           WHERE sha256 <> '' AND ($checksum <> '' AND starts_with(sha256, $checksum) OR name = $name)
           GROUP BY sha256 ORDER BY sha256""",
        {"checksum": name.lower() if is_checksum else "", "name": name},
    )
    if not rows:
        raise NotFoundError(
            f"no source file has the name, or a SHA-256 that starts with, {name} "
            f"(at least {_LEAST_OF_A_CHECKSUM} digits)"
        )
    current = [row for row in rows if row["is_current"]] or rows
    return [Thing(FILE, row["sha256"], row["sha256"]) for row in current]


def _thing(row: Mapping[str, Any]) -> Thing:
    return Thing(row["asset"], row["partition"], row["version"])
