"""What is known of the things on a lineage's way: who made them, when, with which programs, from where."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.rows import query_rows
from refinebio_assets.pipelines.lineage import FILE, QUANTIFICATION, Thing

Facts = Mapping[str, Any]

_COMMITS = """
    SELECT asset, partition, version, max(created_at) AS made, max_by(software, id) AS software,
           max_by(code_version, id) AS code_version, max_by(run_id, id) AS run_id,
           bool_or(is_current) AS is_current
    FROM commits WHERE list_contains($partitions, partition) GROUP BY ALL
"""

_COMPENDIUM = """
    SELECT DISTINCT ON (organism, version) organism AS partition, version, genes, samples, experiments
    FROM compendia WHERE list_contains($partitions, organism) ORDER BY commit_id DESC
"""

# What tables say of an asset's things: `partition` and, where a table keeps history, `version` say of which.
_TABLES: Mapping[str, Sequence[str]] = {
    QUANTIFICATION: (
        """SELECT sample AS partition, version, max_by(experiment, commit_id) AS experiment,
                  max_by(processor, commit_id) AS processor,
                  max_by(processor_version, commit_id) AS processor_version,
                  max_by(command, commit_id) AS command, max_by(mapping_rate, commit_id) AS mapping_rate,
                  max_by(started_at, commit_id) AS made, bool_or(is_current) AS is_current
           FROM results WHERE list_contains($partitions, sample) GROUP BY ALL""",
    ),
    FILE: (
        # A file may have come from several places: that of an experiment on the way counts, else the first.
        """SELECT sha256 AS partition, min_by(name, place) AS name, min_by(origin, place) AS origin,
                  min_by(member, place) AS member, any_value(size) AS size, any_value(md5) AS md5,
                  any_value(reads) AS reads, min_by(role, place) AS role,
                  count(DISTINCT origin) - 1 AS other_places
           FROM (SELECT *, (NOT list_contains($near, experiment))::INT || commit_id AS place FROM files)
           WHERE list_contains($partitions, sha256) GROUP BY ALL""",
        """SELECT sha256 AS partition, any_value(origin) AS origin, any_value(size) AS size,
                  any_value(md5) AS md5, any_value(role) AS role
           FROM (SELECT sha256, origin, size, md5, role FROM sources
                 UNION ALL SELECT sha256, origin, size, md5, role FROM annotation_sources)
           WHERE list_contains($partitions, sha256) GROUP BY ALL""",
    ),
    "transcriptome_index": (
        """SELECT DISTINCT ON (organism, version) organism AS partition, version, assembly, release,
                  division, source, salmon_version, transcripts, genes
           FROM transcriptomes WHERE list_contains($partitions, organism)
           ORDER BY commit_id DESC""",
    ),
    "platform_annotation": (
        """SELECT DISTINCT ON (platform, version) platform AS partition, version, name, manufacturer,
                  probes, genes, source, brainarray_version
           FROM platform_annotations WHERE list_contains($partitions, platform)
           ORDER BY commit_id DESC""",
    ),
    "gene_index": (
        """SELECT DISTINCT ON (platform, version) platform AS partition, version, name, rows, genes, source
           FROM gene_indexes WHERE list_contains($partitions, platform)
           ORDER BY commit_id DESC""",
    ),
    "experiment_record": (
        """SELECT experiment AS partition, title, source, url, sample_count AS samples
           FROM experiments WHERE list_contains($partitions, experiment)""",
    ),
    "gene_expression": (
        """SELECT m.experiment AS partition, c.version, string_agg(
                      genes || ' genes x ' || samples || ' samples', ', ' ORDER BY matrix) AS matrices
           FROM matrices m JOIN commits c ON c.id = m.commit_id
           WHERE list_contains($partitions, m.experiment) GROUP BY ALL""",
    ),
    "sample_quantifications": (
        """SELECT r.partition, c.version, count(*) FILTER (verdict = 'processed') AS processed,
                  count(*) FILTER (verdict <> 'processed') AS not_processed
           FROM results r JOIN commits c ON c.id = r.commit_id
           WHERE list_contains($partitions, r.partition) GROUP BY r.partition, c.version, c.id""",
    ),
    "target_quantiles": (
        """SELECT DISTINCT ON (organism, version) organism AS partition, version, technology, platform,
                  transformation, genes, samples, origin
           FROM targets WHERE list_contains($partitions, organism) ORDER BY commit_id DESC""",
    ),
    "dataset_matrices": (
        """SELECT DISTINCT ON (dataset, version) dataset AS partition, version, number, matrices, samples,
                  filtered
           FROM datasets WHERE list_contains($partitions, dataset) ORDER BY commit_id DESC""",
    ),
    "normalized_compendium": (_COMPENDIUM,),
    "rnaseq_sample_compendium": (_COMPENDIUM,),
    "dataset_request": (
        """SELECT dataset AS partition, aggregate_by, scale_by, quantile_normalize, experiments, samples
           FROM dataset_requests WHERE list_contains($partitions, dataset)""",
    ),
}


def describe(catalog: Catalog, things: Iterable[Thing]) -> dict[Thing, Facts]:
    """Return what the catalog knows of each thing; missing values are left out.

    ``made``, ``software``, ``code_version``, ``run_id`` and ``is_current`` are of its commit; the others
    depend on the asset.
    """
    listed = list(things)
    facts: dict[Thing, dict[str, Any]] = {thing: {} for thing in listed}
    by_asset: dict[str, list[Thing]] = defaultdict(list)
    for thing in listed:
        by_asset[thing.asset].append(thing)
    _add(facts, None, _rows(catalog, _COMMITS, listed))
    near = [*by_asset["experiment_record"], *by_asset["raw_files"], *by_asset["sample_quantifications"]]
    for asset, group in by_asset.items():
        for query in _TABLES.get(asset, ()):
            _add(facts, asset, _rows(catalog, query, group, near))
    return dict(facts)


def _rows(
    catalog: Catalog, query: str, things: Sequence[Thing], near: Sequence[Thing] = ()
) -> list[dict[str, Any]]:
    """Return a query's rows about things; ``near`` are the experiments on the way."""
    parameters = {"partitions": sorted({thing.partition for thing in things})}
    if "$near" in query:
        parameters["near"] = sorted({thing.partition for thing in near})
    return query_rows(catalog, query, parameters)


def _add(facts: Mapping[Thing, dict[str, Any]], asset: str | None, rows: Iterable[dict[str, Any]]) -> None:
    """Add what rows say to the things they are about; a row without a version is about all versions."""
    of_partition: dict[tuple[str, str], list[Thing]] = defaultdict(list)
    for thing in facts:
        of_partition[thing.asset, thing.partition].append(thing)
    for row in rows:
        said = {key: value for key, value in row.items() if value not in (None, "")}
        about = asset or said.pop("asset")
        partition, version = said.pop("partition"), said.pop("version", None)
        for thing in of_partition[about, partition]:
            if version in (None, thing.version):
                facts[thing].update(said)
