-- What became of each sample, and samples and organisms as /v1 shows them. `source` is the catalog.

CREATE TEMP TABLE lost AS
SELECT DISTINCT "partition" AS experiment, item AS sample
FROM source.dropped WHERE is_current AND kind = 'sample' AND asset = 'gene_expression';

CREATE TEMP TABLE summarized AS
SELECT "partition" AS experiment, id AS commit_id, version, code_version, created_at
FROM source.commits WHERE is_current AND asset = 'gene_expression';

CREATE TEMP TABLE targets AS
SELECT "partition" AS organism, version, id AS commit_id, created_at
FROM source.commits WHERE is_current AND asset = 'target_quantiles';

CREATE TEMP TABLE dates AS
SELECT "partition" AS experiment, min(created_at) AS created_at, max(created_at) AS last_modified
FROM source.commits
WHERE asset IN ('experiment_record', 'harmonized_metadata', 'raw_files', 'sample_quantifications', 'gene_expression')
GROUP BY ALL;

-- A sample may be in several experiments: each has its own verdict of it.
CREATE TEMP TABLE memberships AS
SELECT s.experiment, s.sample, s.organism, s.technology,
       coalesce(r.verdict = 'processed' AND m.experiment IS NOT NULL AND l.sample IS NULL, false) AS is_processed,
       coalesce(r.verdict = 'not supported' OR s.pipeline = 'none', false) AS is_unable
FROM source.samples s
LEFT JOIN (SELECT experiment, sample, max_by(verdict, commit_id) AS verdict FROM source.results
           WHERE is_current GROUP BY ALL) r USING (experiment, sample)
LEFT JOIN summarized m USING (experiment)
LEFT JOIN lost l USING (experiment, sample);

CREATE TABLE organisms AS
SELECT o.organism AS name, max(o.taxonomy_id) AS taxonomy_id,
       bool_or(t.organism IS NOT NULL) AS has_target,
       bool_or(o.organism IN (SELECT "partition" FROM source.commits WHERE asset = 'compendium_bundle'))
           AS has_compendia,
       bool_or(o.organism IN (SELECT "partition" FROM source.commits WHERE asset = 'rnaseq_sample_compendium'))
           AS has_quantfile_compendia
FROM (SELECT organism, taxonomy_id FROM source.samples
      UNION ALL SELECT organism, NULL FROM source.transcriptomes
      UNION ALL SELECT organism, NULL FROM targets) o
LEFT JOIN targets t USING (organism)
GROUP BY o.organism ORDER BY name;

-- Quantifications: one a sample and content, whichever experiments share it.
CREATE TEMP TABLE quantifications AS
SELECT sample, processor AS our_name,
       delivered_name(processor) AS processor,
       coalesce(processor_version, '') AS processor_version, version,
       any_value(command) AS command, any_value(file_path) AS file_path, any_value(file_size) AS file_size,
       any_value(file_sha256) AS file_sha256, min(started_at) AS started_at,
       any_value(duration_seconds) AS duration_seconds, any_value(mapping_rate) AS mapping_rate,
       any_value(library_type) AS library_type, any_value(reads_processed) AS reads_processed,
       any_value(reads_mapped) AS reads_mapped, any_value(warnings) AS warnings,
       min(strptime(left(commit_id, 22), '%Y%m%dT%H%M%S.%f')) AS created_at,
       max(strptime(left(commit_id, 22), '%Y%m%dT%H%M%S.%f')) AS last_modified
FROM source.results
WHERE is_current AND verdict = 'processed' AND processor IS NOT NULL
GROUP BY ALL;

CREATE TABLE processors AS
SELECT stable_id('processor', name || ' ' || version) AS id, name, version FROM (
    SELECT DISTINCT processor AS name, processor_version AS version FROM quantifications
    UNION SELECT DISTINCT 'Tximport', code_version FROM summarized
          WHERE experiment IN (SELECT experiment FROM memberships WHERE technology = 'RNA-SEQ' AND is_processed)
    UNION SELECT 'Transcriptome Index', coalesce(salmon_version, '') FROM source.transcriptomes
) ORDER BY name, version;

CREATE TABLE transcriptome_indices AS
SELECT stable_id('transcriptome_index', organism || ' ' || version || ' ' || length) AS id,
       coalesce(assembly, '') AS assembly_name, organism AS organism_name,
       coalesce(division, source, '') AS database_name, coalesce(release, '') AS release_version,
       'TRANSCRIPTOME_' || upper(length) AS index_type,
       CASE WHEN salmon_version IS NULL THEN '' ELSE 'salmon ' || salmon_version END AS salmon_version,
       stable_id('result', 'transcriptome_index ' || organism || ' ' || version || ' ' || length) AS result_id,
       utc_text(c.created_at) AS last_modified, length, version, coalesce(salmon_version, '') AS salmon,
       t.commit_id
FROM source.transcriptomes t
JOIN (SELECT id, created_at FROM source.commits) c ON c.id = t.commit_id
CROSS JOIN (VALUES ('short'), ('long')) lengths(length)
ORDER BY organism_name, length;

-- Salmon takes the index of 31-mers for reads longer than 75 bases on average, as `pipelines` does.
CREATE TEMP TABLE index_used AS
SELECT sample, used.version, any_value(i.id) AS index_id
FROM (SELECT output_partition AS sample, output_version AS version, input_partition AS organism_name,
             input_version AS index_version
      FROM source.lineage
      WHERE is_current AND output_asset = 'sample_quantification' AND input_asset = 'transcriptome_index') used
JOIN (SELECT sample, CASE WHEN sum(reads * mean_read_length) / sum(reads) > 75 THEN 'long' ELSE 'short' END
             AS length
      FROM source.files WHERE is_current AND role IN ('fastq_1', 'fastq_2') AND reads > 0 GROUP BY sample) reads USING (sample)
JOIN transcriptome_indices i
  ON i.organism_name = used.organism_name AND i.version = used.index_version AND i.length = reads.length
GROUP BY ALL;

CREATE TABLE computed_files AS
SELECT stable_id('computed_file', file_path) AS id, regexp_extract(file_path, '[^/]*$') AS filename,
       [sample] AS samples, file_size AS size_in_bytes, false AS is_qn_target,
       our_name IN ('SCAN', 'Affymetrix SCAN', 'Illumina SCAN', 'Submitter-processed') AS is_smashable,
       false AS is_qc, false AS is_compendia, false AS quant_sf_only,
       NULL::BIGINT AS compendium_version, file_sha256 AS sha256, file_path AS path,
       utc_text(created_at) AS created_at, utc_text(last_modified) AS last_modified,
       stable_id('result', sample || ' ' || processor || ' ' || processor_version || ' ' || version) AS result_id,
       our_name IN ('Salmon', 'submitted') AS is_quant_sf
FROM quantifications WHERE file_path IS NOT NULL ORDER BY id;

CREATE TABLE computational_results AS
SELECT stable_id('result', sample || ' ' || processor || ' ' || processor_version || ' ' || version) AS id,
       CASE WHEN command IS NULL THEN [] ELSE [command] END AS commands,
       stable_id('processor', processor || ' ' || processor_version) AS processor_id,
       index_id, utc_text(started_at::TIMESTAMPTZ) AS time_start,
       utc_text(started_at + to_microseconds((duration_seconds * 1e6)::BIGINT)) AS time_end,
       utc_text(created_at) AS created_at, utc_text(last_modified) AS last_modified,
       {sample: sample, version: version, mapping_rate: mapping_rate, library_type: library_type,
        reads_processed: reads_processed, reads_mapped: reads_mapped, warnings: warnings} AS facts,
       sample, NULL::VARCHAR AS experiment
FROM quantifications LEFT JOIN index_used USING (sample, version)
UNION ALL BY NAME
SELECT stable_id('result', 'gene_expression ' || experiment || ' ' || version) AS id, [] AS commands,
       stable_id('processor', 'Tximport ' || code_version) AS processor_id, NULL AS index_id,
       NULL AS time_start, utc_text(created_at) AS time_end, utc_text(created_at) AS created_at,
       utc_text(created_at) AS last_modified, experiment
FROM summarized
WHERE experiment IN (SELECT experiment FROM memberships WHERE technology = 'RNA-SEQ' AND is_processed)
UNION ALL BY NAME
SELECT result_id AS id, [] AS commands,
       stable_id('processor', 'Transcriptome Index ' || salmon) AS processor_id, id AS index_id,
       NULL AS time_start, last_modified AS time_end, last_modified AS created_at, last_modified
FROM transcriptome_indices
ORDER BY id;

CREATE TABLE original_files AS
SELECT stable_id('original_file', origin || ' ' || coalesce(member, '')) AS id, any_value(name) AS filename,
       max(size) AS size_in_bytes, list_sort(list(DISTINCT sample)) AS samples,
       list_sort(list(DISTINCT experiment)) AS experiments,
       any_value(CASE WHEN origin LIKE '%://%' THEN origin ELSE regexp_extract(origin, '[^/]*$') END) AS source_url,
       any_value(CASE WHEN coalesce(member, '') <> '' THEN member ELSE name END) AS source_filename,
       bool_or(path IS NOT NULL) AS is_downloaded, bool_or(role = 'archive') AS is_archive,
       bool_or(role IN ('fastq_1', 'fastq_2', 'cel', 'sra', 'beadarray')) AS has_raw,
       utc_text(min(created)) AS created_at, utc_text(max(created)) AS last_modified,
       any_value(sha256) AS sha256
FROM (SELECT *, strptime(left(commit_id, 22), '%Y%m%dT%H%M%S.%f') AS created FROM source.files WHERE is_current)
GROUP BY origin, coalesce(member, '') ORDER BY id;

CREATE TABLE experiment_files AS
SELECT unnest(experiments) AS experiment, id FROM original_files ORDER BY ALL;

-- Files of commits that the catalog has no rows of: what they are is read from their commit when it is asked for.
CREATE TABLE published AS
SELECT stable_id('published', asset || ' ' || "partition" || ' ' || id) AS id,
       stable_id('computed_file', asset || ' ' || "partition" || ' ' || id) AS file_id,
       stable_id('result', asset || ' ' || "partition" || ' ' || id) AS result_id,
       asset, "partition" AS organism, id AS commit_id, is_current, utc_text(created_at) AS created_at,
       coalesce(numbered.number, row_number() OVER (PARTITION BY asset, "partition" ORDER BY id)) AS version
FROM source.commits LEFT JOIN (
    SELECT commit_id, number FROM source.compendium_bundles
    UNION ALL SELECT commit_id, number FROM source.compendia
) numbered ON numbered.commit_id = id
WHERE asset IN ('compendium_bundle', 'rnaseq_sample_compendium', 'target_quantiles')
ORDER BY asset, organism, id;

-- A zip that was made again of the same version, with newer metadata, replaces the one before.
CREATE TABLE compendia AS
SELECT p.id, p.file_id, p.result_id, p.organism AS primary_organism_name, p.quant_sf_only,
       p.version AS compendium_version, p.is_current, p.asset, p.organism, p.commit_id, p.created_at,
       coalesce(c.organisms, [p.organism]) AS organism_names,
       CASE WHEN coalesce(c.imputation, 'none') = 'none' THEN 'NONE' ELSE 'ARPACK' END AS svd_algorithm
FROM (SELECT *, asset = 'rnaseq_sample_compendium' AS quant_sf_only FROM published
      QUALIFY row_number() OVER (PARTITION BY asset, organism, version ORDER BY commit_id DESC) = 1) p
LEFT JOIN (SELECT organism, number, kind = 'rnaseq-sample' AS quant_sf_only,
                  any_value(organisms) AS organisms, any_value(imputation) AS imputation
           FROM source.compendia GROUP BY ALL) c
  ON c.organism = p.organism AND c.number = p.version AND c.quant_sf_only = p.quant_sf_only
WHERE p.asset <> 'target_quantiles';
