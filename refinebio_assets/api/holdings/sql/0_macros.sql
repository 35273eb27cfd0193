-- An id follows from a name alone, so that it is the same in every copy and after every rebuild: 52 bits of its
-- MD5, which JavaScript and R keep exact as a number.
CREATE MACRO stable_id(kind, name) AS (md5_number_lower(kind || ' ' || name) >> 12)::BIGINT;
CREATE MACRO utc_text(moment) AS strftime(moment::TIMESTAMP, '%Y-%m-%dT%H:%M:%S.%fZ');
CREATE MACRO pretty_platform(name, accession) AS
    CASE WHEN coalesce(name, '') = '' AND coalesce(accession, '') = '' THEN ''
         ELSE trim(regexp_replace(coalesce(name, ''), '^\[.*\]', '')) || ' (' || coalesce(accession, '') || ')' END;
CREATE MACRO geo_twin(accession) AS
    CASE WHEN regexp_full_match(accession, 'GSE\d+') THEN 'E-GEOD-' || substr(accession, 4)
         WHEN regexp_full_match(accession, 'E-GEOD-\d+') THEN 'GSE' || substr(accession, 8) ELSE '' END;
