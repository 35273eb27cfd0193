"""The catalog's views: answers that people ask for often, under documented names.

Each is one SELECT on the declared tables; those of the ledger are in `ledger_views.py`. Which tables there
are is in `schema.py`.
"""

from __future__ import annotations

from collections.abc import Mapping

from refinebio_assets.lake.ledger_views import LEDGER_VIEWS
from refinebio_assets.lake.view import View

_SAMPLE = {"experiment": "Accession of the experiment.", "sample": "Accession of the sample."}

EDGE_SOURCES: Mapping[str, str] = {
    "commits": """
        SELECT output_asset, output_partition, output_version, input_asset, input_partition,
               input_version, commit_id, is_current
        FROM lineage
        """,
    "samples": """
        SELECT r.asset AS output_asset, r.partition AS output_partition, c.version AS output_version,
               'sample_quantification' AS input_asset, r.sample AS input_partition,
               r.version AS input_version, r.commit_id, r.is_current
        FROM results r JOIN commits c ON c.id = r.commit_id WHERE r.version IS NOT NULL
        """,
    "files": """
        SELECT f.asset AS output_asset, f.partition AS output_partition, c.version AS output_version,
               'file' AS input_asset, f.sha256 AS input_partition, f.sha256 AS input_version,
               f.commit_id, f.is_current
        FROM files f JOIN commits c ON c.id = f.commit_id WHERE f.sha256 <> ''
        """,
    "references": """
        SELECT s.asset AS output_asset, s.partition AS output_partition, c.version AS output_version,
               'file' AS input_asset, s.sha256 AS input_partition, s.sha256 AS input_version,
               s.commit_id, s.is_current
        FROM (SELECT commit_id, asset, partition, sha256, is_current FROM sources
              UNION ALL
              SELECT commit_id, asset, partition, sha256, is_current FROM annotation_sources) s
        JOIN commits c ON c.id = s.commit_id WHERE s.sha256 <> ''
        """,
}
"""Where pairs of output and input are found: named by commits, samples of an experiment's quantifications,
files of an experiment, files of a reference."""

_VIEWS = (
    View(
        "processors",
        "Programs that processed the current samples, with their versions.",
        {
            "processor": "Name of the processor.",
            "version": "Its version.",
            "samples": "Samples that it processed.",
        },
        """
        SELECT processor, processor_version AS version, count(DISTINCT sample) AS samples
        FROM results WHERE is_current AND processor IS NOT NULL
        GROUP BY processor, processor_version
        """,
    ),
    View(
        "organisms",
        "Organisms, with how many experiments and samples there are of each.",
        {
            "organism": "Organism, as in `HOMO_SAPIENS`.",
            "experiments": "Experiments with samples of it.",
            "samples": "Samples of it.",
            "has_transcriptome": "Whether reads of it can be quantified.",
        },
        """
        SELECT organism,
               count(DISTINCT experiment) AS experiments,
               count(DISTINCT sample) AS samples,
               bool_or(has_transcriptome) AS has_transcriptome
        FROM (SELECT organism, experiment, sample, false AS has_transcriptome FROM samples
              UNION ALL SELECT organism, NULL, NULL, true FROM transcriptomes WHERE is_current)
        GROUP BY organism
        """,
    ),
    View(
        "lineage_edges",
        "Everything that is known to be made from something: `lineage`, and what tables say of samples and "
        "files. One row a pair; the same pair is repeated by each commit that says so.",
        {
            "output_asset": "Asset that was made; `sample_quantification` is one sample's.",
            "output_partition": "Its partition.",
            "output_version": "Its version.",
            "input_asset": "Asset that it was made from; `file` is a source file, by its SHA-256.",
            "input_partition": "Its partition.",
            "input_version": "Its version.",
            "commit_id": "The commit that says so.",
            "is_current": "Whether that commit is its partition's newest.",
        },
        " UNION ALL ".join(EDGE_SOURCES.values()),
    ),
    View(
        "removed_versions",
        "Versions and raw files that `gc` or `dataset delete --files` removed.",
        {
            "removed_asset": "Asset of the version; `file` is a raw file.",
            "removed_partition": "Its partition; the SHA-256 of a raw file.",
            "removed_version": "The version.",
            "code_version": "Version of the code's meaning that made it.",
            "made_at": "When it was committed; missing for a raw file.",
            "size": "Bytes that it had to itself.",
            "why": "Why it was removed.",
            "removed_at": "When it was removed.",
        },
        """
        SELECT removed_asset, removed_partition, removed_version,
               max_by(code_version, removed_at) AS code_version, max(made_at) AS made_at,
               max_by(size, removed_at) AS size, max_by(why, removed_at) AS why,
               max(removed_at) AS removed_at
        FROM removals
        WHERE NOT EXISTS (FROM commits WHERE asset = removed_asset AND partition = removed_partition
                          AND version = removed_version)
          AND NOT EXISTS (FROM files WHERE removed_asset = 'file' AND sha256 = removed_partition)
        GROUP BY removed_asset, removed_partition, removed_version
        """,
    ),
    View(
        "sample_references",
        "What each sample is measured against: genome build and Ensembl release of its index, or the "
        "annotation or gene index of its array: the one that its values are of, where several were compared "
        "to tell the array. One row a sample and experiment, of the newest results.",
        {
            **_SAMPLE,
            "reference_asset": "`transcriptome_index`, `platform_annotation`, `gene_index`, or missing.",
            "reference": "Organism of the index, or accession of the array.",
            "reference_version": "Version of the index or annotation.",
            "genome_build": "Genome assembly of the index.",
            "ensembl_release": "Ensembl release of the index.",
            "ensembl_division": "Ensembl division of the index.",
            "provider": "Who provides genome and genes, or probes.",
            "brainarray_version": "Release of Brainarray's genes, for arrays.",
            "is_current_reference": "Whether it is the newest index or annotation here.",
        },
        """
        SELECT r.experiment, r.sample, l.input_asset AS reference_asset, l.input_partition AS reference,
               l.input_version AS reference_version, t.assembly AS genome_build,
               t.release AS ensembl_release, t.division AS ensembl_division,
               coalesce(t.source, p.source, g.source) AS provider, p.brainarray_version,
               coalesce(t.is_current, p.is_current, g.is_current) AS is_current_reference
        FROM (SELECT experiment, sample, commit_id, reference_asset, reference
              FROM results WHERE is_current) r
        LEFT JOIN (SELECT * FROM lineage
                   WHERE output_asset = 'sample_quantification'
                     AND input_asset IN ('transcriptome_index', 'platform_annotation', 'gene_index')) l
          ON l.commit_id = r.commit_id AND l.output_partition = r.sample
             AND (r.reference_asset IS NULL
                  OR (l.input_asset = r.reference_asset AND l.input_version = r.reference))
        LEFT JOIN (SELECT organism, version, max_by(assembly, commit_id) AS assembly,
                          max_by(release, commit_id) AS release, max_by(division, commit_id) AS division,
                          max_by(source, commit_id) AS source, bool_or(is_current) AS is_current
                   FROM transcriptomes GROUP BY organism, version) t
          ON l.input_asset = 'transcriptome_index' AND t.organism = l.input_partition
             AND t.version = l.input_version
        LEFT JOIN (SELECT platform, version, max_by(source, commit_id) AS source,
                          max_by(brainarray_version, commit_id) AS brainarray_version,
                          bool_or(is_current) AS is_current
                   FROM platform_annotations GROUP BY platform, version) p
          ON l.input_asset = 'platform_annotation' AND p.platform = l.input_partition
             AND p.version = l.input_version
        LEFT JOIN (SELECT platform, version, max_by(source, commit_id) AS source,
                          bool_or(is_current) AS is_current
                   FROM gene_indexes GROUP BY platform, version) g
          ON l.input_asset = 'gene_index' AND g.platform = l.input_partition
             AND g.version = l.input_version
        """,
    ),
    View(
        "sample_software",
        "All software that touched each sample on its way to its current values: one row a step.",
        {
            **_SAMPLE,
            "step": "Asset that the software was used for; `transcriptome_index` built the sample's index.",
            "software": "Name of the program.",
            "version": "Its version.",
            "code_version": "Version of the meaning of our own code in that step, set by hand.",
            "command": "Command line, where a program was run for the sample.",
        },
        """
        SELECT experiment, sample, 'sample_quantification' AS step, processor AS software,
               processor_version AS version, NULL::VARCHAR AS code_version, command
        FROM results WHERE is_current AND processor IS NOT NULL
        UNION ALL
        SELECT r.experiment, r.sample, 'transcriptome_index', 'Salmon', t.salmon_version, NULL, NULL
        FROM (SELECT experiment, sample, commit_id FROM results WHERE is_current) r
        JOIN (SELECT DISTINCT commit_id, output_partition, input_partition, input_version FROM lineage
              WHERE output_asset = 'sample_quantification' AND input_asset = 'transcriptome_index') l
          ON l.commit_id = r.commit_id AND l.output_partition = r.sample
        JOIN (SELECT DISTINCT organism, version, salmon_version FROM transcriptomes) t
          ON t.organism = l.input_partition AND t.version = l.input_version
        UNION ALL
        SELECT r.experiment, r.sample, c.asset, 'refinebio-assets',
               nullif(replace(c.software, 'refinebio-assets ', ''), ''), c.code_version, NULL
        FROM (SELECT experiment, sample FROM results WHERE is_current) r
        JOIN (SELECT * FROM commits
              WHERE is_current AND asset IN ('experiment_record', 'harmonized_metadata', 'raw_files',
                                             'sample_quantifications', 'gene_expression')) c
          ON c.partition = r.experiment
        """,
    ),
)
VIEWS: Mapping[str, View] = {view.name: view for view in (*_VIEWS, *LEDGER_VIEWS)}
