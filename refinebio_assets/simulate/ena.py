"""What ENA, BioSamples and PubMed would answer about the simulated RNA-seq experiments.

Field names, and which of them are usually empty, are those of the portal's ``read_run`` and ``study``
results and of BioSamples' JSON. Accessions are well-formed, and beyond what the archives have given out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from refinebio_assets.simulate import organism
from refinebio_assets.simulate.design import PlannedExperiment, PlannedSample
from refinebio_assets.simulate.mirror import GZIP, Body, MirrorDraft

PORTAL = "https://www.ebi.ac.uk/ena/portal/api/search/"
CROSS_REFERENCES = "https://www.ebi.ac.uk/ena/xref/rest/json/search"
BIOSAMPLES = "https://www.ebi.ac.uk/biosamples/samples"
ESUMMARY = "https://eutils.ncbi.nlm.nih.gov/entrez/eutils/esummary.fcgi"
FILES = "ftp.sra.ebi.ac.uk/vol1/fastq"
INSTITUTION = "Institute of Simulated Biology"
PUBLIC, UPDATED = "2026-01-15", "2026-01-20"

_USUALLY_EMPTY = (
    *("age", "bam_ftp", "broker_name", "cell_line", "cell_type", "checklist", "collection_date", "country"),
    *("cultivar", "dev_stage", "ecotype", "host", "isolate", "isolation_source", "library_name", "sex"),
    *("strain", "sub_species", "submitted_ftp", "tissue_type", "variety"),
)
"""Columns of the portal that hold submitters' attributes now and then; BioSamples is where to look."""


def answer_for_study(
    mirror: MirrorDraft, experiment: PlannedExperiment, reads: Mapping[str, Sequence[Body]]
) -> None:
    """Add all answers about one experiment; ``reads`` are its FASTQ files by run accession."""
    study = _study_record(experiment)
    runs = {
        sample.accession: _run_record(experiment, sample, reads[sample.accession])
        for sample in experiment.samples
    }
    for name in (experiment.accession, experiment.project):
        mirror.say(_search("study", name), f"ena/{name}.study.json", [study])
        mirror.say(_search("read_run", name), f"ena/{name}.read_run.json", list(runs.values()))
    for run, record in runs.items():
        mirror.say(_search("read_run", run), f"ena/{run}.read_run.json", [record])
    for sample in experiment.samples:
        _answer_for_sample(mirror, sample)
        for url, body in zip(_urls(experiment, sample.accession), reads[sample.accession], strict=True):
            mirror.answer(f"https://{url}", body, GZIP)
    _answer_for_paper(mirror, experiment)


def _search(result: str, accession: str) -> str:
    return f"{PORTAL}?result={result}&fields=all&format=json&includeAccessions={accession}"


def _urls(experiment: PlannedExperiment, run: str) -> list[str]:
    """Return where ENA keeps a run: below its first six characters and three digits for what follows nine."""
    ends = ("_1", "_2") if experiment.paired else ("",)
    return [f"{FILES}/{run[:6]}/{run[9:].zfill(3)}/{run}/{run}{end}.fastq.gz" for end in ends]


def _study_record(experiment: PlannedExperiment) -> dict[str, str]:
    return {
        "accession": experiment.project,
        "study_accession": experiment.project,
        "secondary_study_accession": experiment.accession,
        "study_title": experiment.title,
        "study_description": experiment.description,
        "description": experiment.description,
        "study_name": organism.NAME,
        "study_alias": experiment.accession,
        "geo_accession": "",
        "center_name": INSTITUTION,
        "scientific_name": organism.NAME,
        "tax_id": str(organism.TAXON),
        "first_public": PUBLIC,
        "last_updated": UPDATED,
        "broker_name": "",
        "keywords": "",
        "status": "public",
        "tag": "ena",
    }


def _run_record(
    experiment: PlannedExperiment, sample: PlannedSample, reads: Sequence[Body]
) -> dict[str, str]:
    number = sample.number
    mates = len(reads)
    urls = ";".join(_urls(experiment, sample.accession))
    return dict.fromkeys(_USUALLY_EMPTY, "") | {
        "run_accession": sample.accession,
        "accession": sample.accession,
        "experiment_accession": f"SRX{90_000_000 + number}",
        "sample_accession": sample.biosample,
        "secondary_sample_accession": f"SRS{90_000_000 + number}",
        "study_accession": experiment.project,
        "secondary_study_accession": experiment.accession,
        "submission_accession": "SRA90000001",
        "run_alias": sample.accession,
        "sample_alias": f"sample {number}",
        "sample_title": sample.metadata["title"],
        "sample_description": "",
        "experiment_title": f"{experiment.platform} sequencing: {sample.metadata['title']}",
        "study_title": experiment.title,
        "study_alias": experiment.accession,
        "center_name": INSTITUTION,
        "instrument_platform": "ILLUMINA",
        "instrument_model": experiment.platform,
        "library_strategy": "RNA-Seq",
        "library_source": "TRANSCRIPTOMIC",
        "library_selection": "cDNA",
        "library_layout": "PAIRED" if experiment.paired else "SINGLE",
        "extraction_protocol": "Total RNA was drawn from a random number generator.",
        "scientific_name": organism.NAME,
        "tax_id": str(organism.TAXON),
        "read_count": str(experiment.fragments),
        "base_count": str(experiment.fragments * experiment.read_length * mates),
        "fastq_ftp": urls,
        "fastq_aspera": urls.replace("ftp.sra.ebi.ac.uk/", "fasp.sra.ebi.ac.uk:/"),
        "fastq_galaxy": urls,
        "fastq_bytes": ";".join(str(body.size) for body in reads),
        "fastq_md5": ";".join(body.md5 for body in reads),
        "sra_ftp": "",
        "first_public": PUBLIC,
        "first_created": PUBLIC,
        "last_updated": UPDATED,
        "status": "public",
        "tag": "ena",
    }


def _answer_for_sample(mirror: MirrorDraft, sample: PlannedSample) -> None:
    accession = sample.biosample
    attributes = {key: value for key, value in sample.metadata.items() if value}
    characteristics: dict[str, list[dict[str, object]]] = {
        "External Id": [{"text": accession, "tag": "Namespace:BioSample"}],
        "INSDC center name": [{"text": INSTITUTION}],
        "INSDC status": [{"text": "live"}],
        "organism": [{"text": organism.NAME}],
        "title": [{"text": attributes.pop("title")}],
    }
    characteristics |= {key: [{"text": value, "tag": "attribute"}] for key, value in attributes.items()}
    url = f"{BIOSAMPLES}/{accession}"
    record = {
        "name": accession,
        "accession": accession,
        "domain": "self.BiosampleImportNCBI",
        "taxId": organism.TAXON,
        "status": "PUBLIC",
        "release": f"{PUBLIC}T00:00:00Z",
        "update": f"{UPDATED}T00:00:00Z",
        "characteristics": characteristics,
        "externalReferences": [{"url": f"https://www.ebi.ac.uk/ena/data/view/{accession}", "duo": None}],
        "submittedVia": "JSON_API",
        "_links": {"self": {"href": url}},
    }
    mirror.say(f"{url}?format=json", f"biosamples/{accession}.json", record)


def _answer_for_paper(mirror: MirrorDraft, experiment: PlannedExperiment) -> None:
    pubmed_id = experiment.pubmed_id
    links = [{"Source": "PubMed", "Source Primary Accession": pubmed_id, "Target": "study"}]
    url = f"{CROSS_REFERENCES}?accession={experiment.project}&expanded=true&source=PubMed"
    mirror.say(url, f"ena/{experiment.project}.xref.json", links if pubmed_id else [])
    if pubmed_id:
        doi = f"10.5555/simulated.{pubmed_id}"
        summary = {
            "uid": pubmed_id,
            "pubdate": "2026 Jan",
            "source": "J Simulated Biol",
            "authors": [{"name": name, "authtype": "Author"} for name in ("Muster M", "Doe J")],
            "title": f"{experiment.title}: a simulation.",
            "articleids": [{"idtype": "pubmed", "value": pubmed_id}, {"idtype": "doi", "value": doi}],
        }
        answer = {
            "header": {"type": "esummary", "version": "0.3"},
            "result": {"uids": [pubmed_id], pubmed_id: summary},
        }
        query = f"db=pubmed&id={pubmed_id}&retmode=json&tool=refinebio&email=hello@refine.bio"
        mirror.say(f"{ESUMMARY}?{query}", f"pubmed/{pubmed_id}.json", answer)
