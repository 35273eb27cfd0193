-- Samples with all that one row of /v1/samples/ says, in the order of that list; then experiments.

CREATE TEMP TABLE sample_files AS
SELECT sample, list_sort(list(DISTINCT id)) AS ids FROM (SELECT id, unnest(samples) AS sample FROM original_files)
GROUP BY sample;

CREATE TEMP TABLE sample_results AS
SELECT sample,
       list_transform(list_sort(list({place: place, created_at: created_at, id: id, processor_id: processor_id,
                                      index_id: index_id})),
                      lambda r: {id: r.id, processor_id: r.processor_id, index_id: r.index_id}) AS results
FROM (SELECT 0 AS place, sample, id, processor_id, index_id, created_at
      FROM computational_results WHERE sample IS NOT NULL
      UNION ALL
      SELECT 1, m.sample, r.id, r.processor_id, r.index_id, r.created_at
      FROM memberships m JOIN computational_results r USING (experiment)
      WHERE m.is_processed AND m.technology = 'RNA-SEQ')
GROUP BY sample;

CREATE TEMP TABLE sample_outputs AS
SELECT sample, list_sort(list(id)) AS ids,
       max_by({id: id, filename: filename, size_in_bytes: size_in_bytes, is_smashable: is_smashable, is_qc: is_qc,
               created_at: created_at, last_modified: last_modified}, created_at)
           FILTER (is_smashable) AS smashable_file,
       max_by({id: id, filename: filename, size_in_bytes: size_in_bytes, is_smashable: is_smashable, is_qc: is_qc,
               created_at: created_at, last_modified: last_modified}, created_at)
           FILTER (is_quant_sf) AS quant_file
FROM (SELECT *, unnest(samples) AS sample FROM computed_files) GROUP BY sample;

-- What was said once is a text, what was said again a list. Ordered lists are dear, and few keys need one.
CREATE TEMP TABLE repeated AS
SELECT experiment, sample, key FROM source.sample_metadata GROUP BY ALL HAVING count(*) > 1;

CREATE TEMP TABLE said AS
SELECT experiment, sample, json_group_object(key, value) AS data FROM (
    SELECT experiment, sample, key, to_json(value) AS value
    FROM source.sample_metadata ANTI JOIN repeated USING (experiment, sample, key)
    UNION ALL
    SELECT experiment, sample, key, to_json(list(value ORDER BY position))
    FROM source.sample_metadata SEMI JOIN repeated USING (experiment, sample, key) GROUP BY ALL)
GROUP BY ALL;

CREATE TEMP TABLE sample_protocols AS
SELECT experiment, sample, list({type: kind, description: text, reference: reference, accession: accession})
       AS protocols
FROM source.protocols WHERE sample <> '' GROUP BY ALL;

CREATE TEMP TABLE contributed AS
SELECT sample, json_group_object(source, said) AS data FROM (
    SELECT sample, source, json_group_object(name, {value: coalesce(ontology_term, value), unit: unit,
           confidence: probability, methods_url: methods_url}) AS said
    FROM (SELECT DISTINCT ON (sample, source, name) * FROM source.sample_attributes ORDER BY ALL)
    GROUP BY ALL)
GROUP BY sample;

-- Of several experiments that have processed the sample, the smallest speaks for it: others are series of series.
CREATE TEMP TABLE speaking AS
SELECT sample, list_sort(list(experiment)) AS experiments, bool_or(is_processed) AS is_processed,
       bool_and(is_unable) AS is_unable, min_by(experiment, (NOT is_processed, size, experiment)) AS experiment
FROM (SELECT *, count(*) OVER (PARTITION BY experiment) AS size FROM memberships) GROUP BY sample;

CREATE TABLE samples AS
SELECT stable_id('sample', sample) AS id, s.sample AS accession_code,
       coalesce(nullif(h.title, ''), s.title, '') AS title,
       coalesce(e.source, '') AS source_database, s.organism,
       coalesce(o.taxonomy_id, s.taxonomy_id) AS taxonomy_id,
       coalesce(s.platform_accession, '') AS platform_accession_code, coalesce(s.platform, '') AS platform_name,
       pretty_platform(s.platform, s.platform_accession) AS pretty_platform, s.technology,
       coalesce(s.manufacturer, '') AS manufacturer, coalesce(e.url, '') AS source_archive_url,
       coalesce(s.has_raw, false) AS has_raw,
       coalesce(h.sex, '') AS sex, h.age AS age,
       coalesce(h.specimen_part, '') AS specimen_part,
       coalesce(h.genetic_information, '') AS genetic_information,
       coalesce(h.developmental_stage, '') AS developmental_stage, coalesce(h.disease, '') AS disease,
       coalesce(h.disease_stage, '') AS disease_stage, coalesce(h.cell_line, '') AS cell_line,
       coalesce(h.treatment, '') AS treatment, coalesce(h.race, '') AS race, coalesce(h.subject, '') AS subject,
       coalesce(h.compound, '') AS compound, coalesce(h."time", '') AS "time",
       p.is_processed, p.is_unable AND NOT p.is_processed AS is_unable_to_be_processed,
       p.is_processed AND coalesce(o.has_target, false) AS is_downloadable,
       q.quant_file IS NOT NULL AS has_quant_sf,
       utc_text(d.created_at) AS created_at, utc_text(d.last_modified) AS last_modified,
       coalesce(f.ids, []) AS original_files, coalesce(q.ids, []) AS computed_files,
       q.smashable_file AS most_recent_smashable_file, q.quant_file AS most_recent_quant_file,
       coalesce(r.results, []) AS results, p.experiments AS experiment_accession_codes,
       m.data AS annotations, coalesce(t.protocols, []) AS protocol_info, c.data AS contributed_metadata
FROM speaking p
JOIN (SELECT DISTINCT ON (experiment, sample) * FROM source.samples) s USING (experiment, sample)
LEFT JOIN source.experiments e USING (experiment)
LEFT JOIN (SELECT DISTINCT ON (experiment, sample) * FROM source.harmonized_metadata) h USING (experiment, sample)
LEFT JOIN organisms o ON o.name = s.organism
LEFT JOIN dates d USING (experiment)
LEFT JOIN sample_files f USING (sample)
LEFT JOIN sample_outputs q USING (sample)
LEFT JOIN sample_results r USING (sample)
LEFT JOIN said m USING (experiment, sample)
LEFT JOIN sample_protocols t USING (experiment, sample)
LEFT JOIN contributed c USING (sample)
ORDER BY p.is_processed DESC, s.sample;

-- The samples of each experiment, with what an experiment's page says of them; `sample_row` is the row in `samples`.
CREATE TABLE members AS
SELECT m.experiment, s.rowid AS sample_row, s.accession_code, s.platform_name, s.pretty_platform, s.technology,
       s.is_processed, s.is_unable_to_be_processed, s.is_downloadable, s.has_quant_sf
FROM memberships m JOIN samples s ON s.accession_code = m.sample
ORDER BY experiment, accession_code;

CREATE TEMP TABLE filled AS
SELECT m.experiment, list_sort(list(DISTINCT field)) AS fields
FROM memberships m JOIN (
    UNPIVOT (SELECT accession_code AS sample, title, sex, age::VARCHAR AS age, specimen_part, genetic_information,
                    developmental_stage, disease, disease_stage, cell_line, treatment, race, subject, compound,
                    "time" FROM samples)
    ON title, sex, age, specimen_part, genetic_information, developmental_stage, disease, disease_stage, cell_line,
       treatment, race, subject, compound, "time"
    INTO NAME field VALUE text) u USING (sample)
WHERE u.text <> '' AND field <> 'title'
GROUP BY m.experiment;

CREATE TEMP TABLE experiment_samples AS
SELECT m.experiment, count(*) AS num_total_samples,
       count(*) FILTER (s.is_processed) AS num_processed_samples,
       count(*) FILTER (s.is_downloadable) AS num_downloadable_samples,
       list_sort(list(DISTINCT s.organism)) AS organism_names,
       coalesce(list_sort(list(DISTINCT s.organism) FILTER (s.is_downloadable)), []) AS downloadable_organism_names,
       coalesce(list_sort(list(DISTINCT s.platform_name) FILTER (s.platform_name <> '')), []) AS platform_names,
       coalesce(list_sort(list(DISTINCT s.platform_accession_code) FILTER (s.platform_accession_code <> '')), [])
           AS platform_accession_codes,
       coalesce(list_sort(list(DISTINCT s.pretty_platform) FILTER (s.pretty_platform <> '')), [])
           AS pretty_platforms,
       list_sort(list(DISTINCT s.technology)) AS technologies, mode(s.technology ORDER BY s.technology) AS technology,
       coalesce(list_sort(list(s.accession_code) FILTER (s.is_processed)), []) AS processed_samples
FROM memberships m JOIN samples s ON s.accession_code = m.sample GROUP BY m.experiment;

CREATE TEMP TABLE experiment_protocols AS
SELECT experiment, list({type: kind, description: text, reference: reference, accession: accession}) AS protocols
FROM source.protocols WHERE coalesce(sample, '') = '' GROUP BY ALL;

CREATE TEMP TABLE experiment_said AS
SELECT experiment, json_group_object(key, value) AS data FROM (
    SELECT experiment, key,
           CASE WHEN count(*) = 1 THEN to_json(any_value(value)) ELSE to_json(list(value ORDER BY position)) END
           AS value
    FROM source.experiment_metadata GROUP BY ALL)
GROUP BY ALL;

CREATE TEMP TABLE keywords AS
SELECT m.experiment, list_sort(list(DISTINCT word)) AS words
FROM memberships m JOIN (SELECT sample, unnest([value, ontology_term]) AS word FROM source.sample_attributes) a
  USING (sample)
WHERE word <> '' GROUP BY m.experiment;

CREATE TABLE experiments AS
SELECT row_number() OVER (ORDER BY e.experiment) - 1 AS position, stable_id('experiment', e.experiment) AS id, e.experiment AS accession_code,
       coalesce(e.title, '') AS title, coalesce(e.description, '') AS description,
       e.source AS source_database, coalesce(e.url, '') AS source_url,
       coalesce(nullif(list_filter(e.alternates, lambda a: a = geo_twin(e.experiment))[1], ''), e.alternates[1])
           AS alternate_accession_code,
       coalesce(e.pubmed_id, '') <> '' OR coalesce(e.doi, '') <> '' OR coalesce(e.publication_title, '') <> ''
           AS has_publication,
       coalesce(e.publication_title, '') AS publication_title, coalesce(e.doi, '') AS publication_doi,
       coalesce(e.authors, []) AS publication_authors, coalesce(e.pubmed_id, '') AS pubmed_id,
       utc_text(try_cast(nullif(e.published, '') AS TIMESTAMP)) AS source_first_published,
       utc_text(try_cast(nullif(e.updated, '') AS TIMESTAMP)) AS source_last_modified,
       coalesce(e.institution, '') AS submitter_institution,
       utc_text(d.created_at) AS created_at, utc_text(d.last_modified) AS last_modified,
       coalesce(f.fields, []) AS sample_metadata_fields, coalesce(p.protocols, []) AS protocol_description,
       a.data AS annotations, coalesce(k.words, []) AS sample_keywords,
       coalesce(c.num_total_samples, 0) AS num_total_samples,
       coalesce(c.num_processed_samples, 0) AS num_processed_samples,
       coalesce(c.num_downloadable_samples, 0) AS num_downloadable_samples,
       coalesce(c.organism_names, []) AS organism_names,
       coalesce(c.downloadable_organism_names, []) AS downloadable_organism_names,
       coalesce(c.platform_names, []) AS platform_names,
       coalesce(c.platform_accession_codes, []) AS platform_accession_codes,
       coalesce(c.pretty_platforms, []) AS pretty_platforms, coalesce(c.technologies, []) AS technologies,
       coalesce(c.technology, '') AS technology, coalesce(c.processed_samples, []) AS processed_samples
FROM source.experiments e
LEFT JOIN experiment_samples c USING (experiment)
LEFT JOIN dates d USING (experiment)
LEFT JOIN filled f USING (experiment)
LEFT JOIN experiment_protocols p USING (experiment)
LEFT JOIN experiment_said a USING (experiment)
LEFT JOIN keywords k USING (experiment)
ORDER BY accession_code;
