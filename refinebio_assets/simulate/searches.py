"""What the archives' searches would find of the simulated world, and the rules of discovery that ask for it.

Answers have the fields that the searches are read for, in the shapes of ENA's portal, NCBI's E-utilities and
BioStudies. Like the real searches they know nothing of files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlencode

from refinebio_assets.simulate import ena, organism
from refinebio_assets.simulate.arrays import ArrayExperiment
from refinebio_assets.simulate.design import PlannedExperiment
from refinebio_assets.simulate.mirror import MirrorDraft

RULES = "discovery.yaml"
ENA_SEARCH = "https://www.ebi.ac.uk/ena/portal/api/search"
ESEARCH = "https://eutils.ncbi.nlm.nih.gov/entrez/eutils/esearch.fcgi"
ARRAY_EXPRESS = "https://www.ebi.ac.uk/biostudies/api/v1/arrayexpress/search"
_FIELDS = "secondary_study_accession,experiment_accession,study_title,scientific_name,first_public"
_PAGE = "200"
_GEO_IDS = 200_000_000
"""NCBI's number of a series is its accession's number beyond this."""


def answer_searches(
    mirror: MirrorDraft, sequenced: Sequence[PlannedExperiment], on_arrays: Sequence[ArrayExperiment]
) -> None:
    """Add the answers to the searches of ``write_rules``."""
    query = f'tax_eq({organism.TAXON}) AND library_strategy="RNA-Seq"'
    asked = {"result": "read_run", "query": query, "fields": _FIELDS, "format": "json", "limit": "0"}
    runs = [run for experiment in sequenced for run in _runs(experiment)]
    mirror.say(f"{ENA_SEARCH}?{urlencode(asked)}", "searches/ena.json", runs)
    series = [experiment for experiment in on_arrays if experiment.accession.startswith("GSE")]
    _answer_entrez(mirror, series)
    facets = {"facet.organism": organism.NAME.lower(), "page": "1", "pageSize": "100"}
    newest_first = {"sortBy": "release_date", "sortOrder": "descending"}
    hits = [
        {"accession": each.accession, "type": "study", "title": each.title, "release_date": ena.PUBLIC}
        for each in on_arrays
        if each.accession.startswith("E-")
    ]
    answer = {"page": 1, "pageSize": 100, "totalHits": len(hits), "isTotalHitsExact": True, "hits": hits}
    mirror.say(f"{ARRAY_EXPRESS}?{urlencode(facets | newest_first)}", "searches/arrayexpress.json", answer)


def write_rules(root: Path) -> None:
    """Write rules of discovery that find every experiment of the world."""
    name = organism.NAME
    text = f"""# Which experiments are looked for in the archives; see docs/archives.md.
daily_budget: 20
searches:
  RNA-seq:
    archive: SRA
    organism: {name}
    taxonomy_id: {organism.TAXON}
  arrays at GEO:
    archive: GEO
    organism: {name}
  arrays at ArrayExpress:
    archive: ARRAY_EXPRESS
    organism: {name}
"""
    (root / RULES).write_text(text, encoding="utf-8")


def _runs(experiment: PlannedExperiment) -> list[dict[str, str]]:
    return [
        {
            "run_accession": sample.accession,
            "secondary_study_accession": experiment.accession,
            "experiment_accession": f"SRX{90_000_000 + sample.number}",
            "study_title": experiment.title,
            "scientific_name": organism.NAME,
            "first_public": ena.PUBLIC,
        }
        for sample in experiment.samples
    ]


def _answer_entrez(mirror: MirrorDraft, series: Sequence[ArrayExperiment]) -> None:
    term = f'"{organism.NAME}"[ORGN] AND gse[ETYP]'
    asked = {"db": "gds", "term": term, "retmode": "json", "retstart": "0", "retmax": _PAGE}
    ids = [str(_GEO_IDS + int(each.accession.removeprefix("GSE"))) for each in series]
    found = {"count": str(len(ids)), "retmax": _PAGE, "retstart": "0", "idlist": ids}
    header = {"type": "esearch", "version": "0.3"}
    mirror.say(
        f"{ESEARCH}?{urlencode(asked)}", "searches/geo.json", {"header": header, "esearchresult": found}
    )
    summaries: Mapping[str, object] = {
        number: {
            "uid": number,
            "accession": each.accession,
            "title": each.title,
            "taxon": organism.NAME,
            "entrytype": "GSE",
            "pdat": ena.PUBLIC.replace("-", "/"),
            "n_samples": len(each.samples),
        }
        for number, each in zip(ids, series, strict=True)
    }
    asked = {"db": "gds", "id": ",".join(ids), "retmode": "json"}
    answer = {"header": {"type": "esummary", "version": "0.3"}, "result": {"uids": ids, **summaries}}
    mirror.say(f"{ena.ESUMMARY}?{urlencode(asked)}", "searches/geo_summaries.json", answer)
