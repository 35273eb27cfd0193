-- What search/ looks at: words by field for text, orders as ranks, and samples by facet.

-- Word fields are split into lower-case words; `boost` is the ancestor's.
CREATE TEMP TABLE fields(field VARCHAR, number TINYINT, boost FLOAT);
INSERT INTO fields VALUES ('title', 0, 10), ('publication_authors', 1, 8), ('publication_title', 2, 5),
    ('submitter_institution', 3, 3), ('description', 4, 2), ('publication_doi', 5, 1), ('pubmed_id', 6, 1),
    ('sample_metadata_fields', 7, 1);

CREATE TEMP TABLE occurrences AS
SELECT experiment, field, word, count(*)::FLOAT AS times FROM (
    SELECT position::INTEGER AS experiment, field,
           unnest(regexp_extract_all(lower(text), '[\p{L}\p{N}]+')) AS word
    FROM (UNPIVOT (SELECT position, title, array_to_string(publication_authors, ' ') AS publication_authors,
                          publication_title, submitter_institution, description, publication_doi, pubmed_id,
                          array_to_string(sample_metadata_fields, ' ') AS sample_metadata_fields
                   FROM experiments)
          ON title, publication_authors, publication_title, submitter_institution, description, publication_doi,
             pubmed_id, sample_metadata_fields
          INTO NAME field VALUE text))
WHERE length(word) <= 100
GROUP BY ALL;

CREATE TABLE words AS
SELECT row_number() OVER (ORDER BY word)::INTEGER AS id, word FROM (SELECT DISTINCT word FROM occurrences)
ORDER BY word;

-- BM25 without its idf, which depends on how many words are taken for alike: see `text.py`.
CREATE TABLE postings AS
SELECT w.id AS word_id, f.number AS field, o.experiment,
       (f.boost * o.times * 2.2 / (o.times + 1.2 * (0.25 + 0.75 * l.words / a.words)))::FLOAT AS weight
FROM occurrences o
JOIN words w USING (word)
JOIN fields f USING (field)
JOIN (SELECT experiment, field, sum(times) AS words FROM occurrences GROUP BY ALL) l USING (experiment, field)
JOIN (SELECT field, sum(times) / count(DISTINCT experiment) AS words FROM occurrences GROUP BY ALL) a USING (field)
ORDER BY word_id, field;

-- Equal values have equal ranks; the last, `default`, is the order of equal scores and has no ties.
CREATE TABLE ranks AS
SELECT position,
       dense_rank() OVER (ORDER BY id)::INTEGER AS id, dense_rank() OVER (ORDER BY title)::INTEGER AS title,
       dense_rank() OVER (ORDER BY description)::INTEGER AS description,
       dense_rank() OVER (ORDER BY num_total_samples)::INTEGER AS num_total_samples,
       dense_rank() OVER (ORDER BY num_downloadable_samples)::INTEGER AS num_downloadable_samples,
       dense_rank() OVER (ORDER BY coalesce(source_first_published, ''))::INTEGER AS source_first_published,
       row_number() OVER (ORDER BY num_total_samples DESC, id)::INTEGER AS "default"
FROM experiments ORDER BY position;

CREATE TEMP TABLE faceted AS
SELECT position, accession_code, unnest([
    {facet: 'technology', value: lower(technology)},
    {facet: 'has_publication', value: CASE WHEN has_publication THEN 'true' ELSE 'false' END}]
    || list_transform(downloadable_organism_names, lambda x: {facet: 'downloadable_organism_names', value: x})
    || list_transform(platform_accession_codes, lambda x: {facet: 'platform_accession_codes', value: x}),
    recursive := true)
FROM experiments;

CREATE TABLE facets AS
SELECT (row_number() OVER (ORDER BY facet, value) - 1)::INTEGER AS code, facet, value
FROM (SELECT DISTINCT facet, value FROM faceted) ORDER BY code;

CREATE TEMP TABLE shared AS
SELECT accession_code AS sample FROM members WHERE is_downloadable GROUP BY sample HAVING count(*) > 1;

-- Downloadable samples that no other experiment has: those of a set of experiments can be added up.
CREATE TABLE own_samples AS
SELECT v.position::INTEGER AS experiment, f.code, coalesce(n.samples, 0)::INTEGER AS samples
FROM faceted v JOIN facets f USING (facet, value)
LEFT JOIN (SELECT experiment, count(*) AS samples FROM members
           WHERE is_downloadable AND accession_code NOT IN (SELECT sample FROM shared) GROUP BY ALL) n
  ON n.experiment = v.accession_code
ORDER BY ALL;

-- The others are counted once a facet: `pair` numbers sample and facet.
CREATE TABLE shared_samples AS
SELECT v.position::INTEGER AS experiment, f.code,
       (dense_rank() OVER (ORDER BY f.code, m.accession_code) - 1)::INTEGER AS pair
FROM faceted v JOIN facets f USING (facet, value)
JOIN members m ON m.experiment = v.accession_code
WHERE m.is_downloadable AND m.accession_code IN (SELECT sample FROM shared)
ORDER BY ALL;
