"""What is in the lake, as people ask for it: experiments by state, one experiment, one sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from refinebio_assets.errors import NotFoundError
from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.rows import query_rows
from refinebio_assets.metadata.harmonized import HARMONIZED_FIELDS
from refinebio_assets.pipelines.harmonized_metadata import filled_fields
from refinebio_assets.sources.accessions import spellings

_STATES = """
    WITH registered AS (
        SELECT experiment, count(*) AS samples FROM registered_samples GROUP BY ALL
    ), lost AS (
        SELECT d.partition AS experiment, count(DISTINCT d.item) AS failed
        FROM dropped d JOIN registered_samples r ON r.experiment = d.partition AND r.sample = d.item
        WHERE d.is_current AND d.kind = 'sample' GROUP BY ALL
    ), made AS (
        SELECT experiment, sum(samples) AS processed,
               sum(samples) FILTER (processing = 'submitter-processed')::BIGINT AS submitter_processed,
               string_agg(
                   genes || ' genes x ' || samples
                   || CASE WHEN processing = 'submitter-processed' THEN ' (submitter-processed)' ELSE '' END,
                   ', ' ORDER BY matrix
               ) AS matrices
        FROM matrices GROUP BY ALL
    ), unsupported AS (
        SELECT experiment, count(DISTINCT sample) AS unsupported FROM results
        WHERE is_current AND verdict = 'not supported' GROUP BY ALL
    ), finished AS (
        SELECT partition AS experiment, max(created_at) AS finished FROM commits
        WHERE is_current AND asset = 'gene_expression' GROUP BY ALL
    ), changed AS (
        SELECT experiment, max(noticed_at) AS at FROM record_changes GROUP BY ALL
    ), at_source AS (
        SELECT experiment,
               CASE WHEN w.state = 'gone' THEN 'gone, noticed ' || strftime(w.noticed_at, '%Y-%m-%d')
                    WHEN changed.at IS NOT NULL THEN 'changed, noticed ' || strftime(changed.at, '%Y-%m-%d')
               END AS at_source, w.reason AS at_source_reason
        FROM changed FULL JOIN source_states w USING (experiment)
    )
    SELECT experiment, source, title, organisms, technologies, url, alternates, published, updated,
           institution, pubmed_id, publication_title, registered.samples,
           least(coalesce(processed, 0), registered.samples - coalesce(failed, 0))::BIGINT AS processed,
           coalesce(failed, 0) AS failed, coalesce(submitter_processed, 0) AS submitter_processed,
           matrices, finished, at_source, at_source_reason,
           CASE WHEN unsupported = registered.samples THEN 'not supported'
                WHEN coalesce(failed, 0) >= registered.samples THEN 'failed'
                WHEN processed = registered.samples AND coalesce(failed, 0) = 0 THEN 'complete'
                WHEN processed > 0 THEN 'partial'
                ELSE 'registered' END AS state
    FROM registered
    LEFT JOIN experiments USING (experiment) LEFT JOIN lost USING (experiment)
    LEFT JOIN made USING (experiment) LEFT JOIN finished USING (experiment)
    LEFT JOIN unsupported USING (experiment) LEFT JOIN at_source USING (experiment)
"""


@dataclass(frozen=True, slots=True)
class SurveySummary:
    """What a survey found: the experiment, its samples by pipeline, the fields that are filled."""

    experiment: Mapping[str, Any]
    pipelines: Sequence[Mapping[str, Any]]
    fields: Sequence[Mapping[str, Any]]
    left_out: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class ExperimentDetails:
    """One experiment: its state, its samples with their results, its matrices, its history, what changed."""

    state: Mapping[str, Any]
    samples: Sequence[Mapping[str, Any]]
    matrices: Sequence[Mapping[str, Any]]
    commits: Sequence[Mapping[str, Any]]
    changes: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class SampleDetails:
    """One sample in one experiment: what the submitter said, its files, and every result so far.

    ``harmonized`` are the harmonized values with what each is from, ``attributes`` what others say of it.
    ``columns`` are the columns of a submitter's table that its values are from, ``detection`` the platforms
    that the table may be of, ``submitted`` how its submitter's values were understood.
    """

    sample: Mapping[str, Any]
    metadata: Sequence[Mapping[str, Any]]
    harmonized: Sequence[Mapping[str, Any]]
    attributes: Sequence[Mapping[str, Any]]
    files: Sequence[Mapping[str, Any]]
    results: Sequence[Mapping[str, Any]]
    columns: Sequence[Mapping[str, Any]]
    detection: Sequence[Mapping[str, Any]]
    submitted: Sequence[Mapping[str, Any]]


def experiment_states(catalog: Catalog) -> list[dict[str, Any]]:
    """Return a row for each registered experiment, sorted by accession."""
    return _rows(catalog, f"{_STATES} ORDER BY experiment")


def experiment_details(catalog: Catalog, accession: str) -> ExperimentDetails | None:
    """Return what is known of an experiment, or None when there is no such experiment."""
    state = _rows(catalog, f"{_STATES} WHERE experiment = $name", accession)
    if not state:
        return None
    samples = _rows(
        catalog,
        """SELECT s.sample, s.title, s.organism, s.technology, s.platform, s.pipeline, s.pipeline_reason,
                  CASE WHEN r.verdict = 'processed' AND d.reason IS NOT NULL THEN 'not in the matrix'
                       ELSE coalesce(r.verdict, 'registered') END AS verdict,
                  coalesce(d.reason, r.reason) AS reason, r.processor, r.processor_version,
                  r.processing, r.processing_reason, r.platform AS processed_as,
                  r.mapping_rate, r.library_type, r.reads_processed, r.warnings, r.version
           FROM samples s LEFT JOIN results r
             ON r.experiment = s.experiment AND r.sample = s.sample AND r.is_current
           LEFT JOIN (SELECT item, arg_max(reason, commit_id) AS reason FROM dropped
                      WHERE is_current AND kind = 'sample' AND partition = $name GROUP BY item) d
             ON d.item = s.sample
           WHERE s.experiment = $name ORDER BY s.sample""",
        accession,
    )
    matrices = _rows(catalog, "SELECT * FROM matrices WHERE experiment = $name ORDER BY matrix", accession)
    commits = _rows(
        catalog,
        """SELECT asset, id, version, code_version, created_at, is_current FROM commits
           WHERE partition = $name
             AND asset NOT IN ('transcriptome_index', 'platform_annotation', 'gene_index')
           ORDER BY created_at, id""",
        accession,
    )
    changes = _rows(
        catalog,
        "SELECT noticed_at, change FROM record_changes WHERE experiment = $name ORDER BY noticed_at, change",
        accession,
    )
    return ExperimentDetails(state[0], samples, matrices, commits, changes)


def survey_summary(catalog: Catalog, accession: str) -> SurveySummary:
    """Return what is recorded of an experiment; NotFoundError when it has no record."""
    experiments = _rows(catalog, "SELECT * FROM experiments WHERE experiment = $name", accession)
    if not experiments:
        raise NotFoundError(f"{accession} has no experiment_record yet")
    pipelines = _rows(
        catalog,
        """SELECT pipeline, platform, count(*) AS samples, pipeline_reason AS reason FROM samples
           WHERE experiment = $name GROUP BY ALL ORDER BY samples DESC, pipeline, platform, reason""",
        accession,
    )
    left_out = _rows(
        catalog,
        """SELECT item, reason FROM dropped
           WHERE is_current AND asset = 'experiment_record' AND partition = $name ORDER BY item""",
        accession,
    )
    fields = filled_fields(harmonized_rows(catalog, accession))
    return SurveySummary(experiments[0], pipelines, fields, left_out)


def harmonized_rows(catalog: Catalog, accession: str) -> list[dict[str, Any]]:
    """Return the harmonized metadata of an experiment, or of one sample, a row a sample, sorted."""
    columns = ", ".join(["experiment", "sample", *HARMONIZED_FIELDS])
    return _rows(
        catalog,
        f"SELECT {columns} FROM harmonized_metadata WHERE experiment = $name OR sample = $name ORDER BY ALL",
        accession,
    )


def unknown_samples(catalog: Catalog, table: str, name: str) -> list[str]:
    """Return the samples of an imported overlay that no experiment here has, sorted."""
    rows = _rows(
        catalog,
        f"""SELECT DISTINCT sample FROM {table} WHERE partition = $name
            AND sample NOT IN (SELECT sample FROM samples) ORDER BY sample""",
        name,
    )
    return [row["sample"] for row in rows]


def overlay_counts(catalog: Catalog, table: str, name: str) -> dict[str, int]:
    """Return how many rows and samples an imported overlay has, and how many of the samples are known."""
    (counts,) = _rows(
        catalog,
        f"""SELECT count(*) AS rows, count(DISTINCT sample) AS samples,
                   count(DISTINCT sample) FILTER (sample IN (SELECT sample FROM samples)) AS known
            FROM {table} WHERE partition = $name""",
        name,
    )
    return counts


def lost_samples(catalog: Catalog, accessions: Sequence[str]) -> list[dict[str, Any]]:
    """Return a row for each sample of these experiments that is in no matrix, with step and reason."""
    return query_rows(
        catalog,
        """SELECT partition AS experiment, item AS sample, arg_max(step, commit_id) AS step,
                  arg_max(reason, commit_id) AS reason
           FROM dropped
           WHERE is_current AND kind = 'sample' AND list_contains($accessions, partition)
           GROUP BY ALL ORDER BY ALL""",
        {"accessions": list(accessions)},
    )


def sample_warnings(catalog: Catalog, accessions: Sequence[str]) -> list[dict[str, Any]]:
    """Return a row for each sample of these experiments that was processed with a warning."""
    return query_rows(
        catalog,
        """SELECT experiment, sample, warnings FROM results
           WHERE is_current AND len(warnings) > 0 AND list_contains($accessions, experiment)
           ORDER BY experiment, sample""",
        {"accessions": list(accessions)},
    )


def submitted_samples(catalog: Catalog, accessions: Sequence[str]) -> list[dict[str, Any]]:
    """Return how many samples of these experiments are submitter-processed, a row a platform and reason."""
    return query_rows(
        catalog,
        """SELECT experiment, platform, count(*) AS samples, processing_reason AS reason FROM results
           WHERE is_current AND processing = 'submitter-processed' AND list_contains($accessions, experiment)
           GROUP BY ALL ORDER BY ALL""",
        {"accessions": list(accessions)},
    )


def sample_details(catalog: Catalog, accession: str) -> list[SampleDetails]:
    """Return what is known of a sample, once for each experiment that lists it."""
    samples = _rows(catalog, "SELECT * FROM samples WHERE sample = $name ORDER BY experiment", accession)
    return [
        SampleDetails(
            sample,
            _of_sample(catalog, "sample_metadata", sample, "position, key"),
            _of_sample(catalog, "harmonized_sources", sample, "field, value"),
            _rows(catalog, "SELECT * FROM sample_attributes WHERE sample = $name ORDER BY ALL", accession),
            _of_sample(catalog, "(FROM files WHERE is_current)", sample, "role"),
            _of_sample(catalog, "results", sample, "commit_id"),
            _of_sample(catalog, "table_columns", sample, "position"),
            _of_sample(catalog, "platform_detection", sample, "detection_percentage DESC"),
            _of_sample(catalog, "submitted_values", sample, "sample"),
        )
        for sample in samples
    ]


def require_known(catalog: Catalog, accession: str) -> ExperimentDetails | list[SampleDetails]:
    """Return an experiment's details, or a sample's; NotFoundError, with near names, for neither.

    An archive's accession may be in any case, and a series may be named as the other archive names it.
    """
    for name in spellings(accession):
        found = _known(catalog, name)
        if found:
            return found
    near = _rows(
        catalog,
        """SELECT name FROM (SELECT DISTINCT unnest([experiment, sample]) AS name FROM registered_samples)
           WHERE jaro_winkler_similarity(lower(name), lower($name)) > 0.85
           ORDER BY jaro_winkler_similarity(lower(name), lower($name)) DESC, name LIMIT 3""",
        accession,
    )
    hint = f" Did you mean {', '.join(row['name'] for row in near)}?" if near else ""
    raise NotFoundError(f"there is no experiment or sample {accession} in the catalog.{hint}")


def _known(catalog: Catalog, name: str) -> ExperimentDetails | list[SampleDetails] | None:
    return experiment_details(catalog, name) or sample_details(catalog, name) or None


def _of_sample(catalog: Catalog, table: str, sample: Mapping[str, Any], order: str) -> list[dict[str, Any]]:
    query = f"SELECT * FROM {table} WHERE experiment = $experiment AND sample = $sample ORDER BY {order}"
    return query_rows(catalog, query, {"experiment": sample["experiment"], "sample": sample["sample"]})


def _rows(catalog: Catalog, sql: str, name: str | None = None) -> list[dict[str, Any]]:
    return query_rows(catalog, sql, {} if name is None else {"name": name})
