"""What ENA's XML records of studies, runs, experiments, samples and submissions say, as flat text.

Two vocabularies come out: the keys under which refine.bio stored these records while ENA served nothing
else (``run_ena_first_public``, ``sample_cell_line``), and for the few facts that a survey needs those of
ENA's portal (``scientific_name``, ``instrument_model``). Nothing is fetched here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from refinebio_assets.errors import PermanentError
from refinebio_assets.sources.accessions import Kind, is_accession

Record = dict[str, str]
"""A flat record; what ENA leaves empty is an empty text."""

_RUN_ATTRIBUTES = ("alias", "center_name", "run_center", "run_date", "broker_name")
_RUN_LINKS = {
    "ENA-STUDY": "study_accession",
    "ENA-SAMPLE": "sample_accession",
    "ENA-SUBMISSION": "submission_accession",
}
_SUBMISSION_ATTRIBUTES_ELSEWHERE = ("accession", "alias")
_OF_PERSONS = re.compile(r"contact|mail|phone", re.IGNORECASE)
"""What a submission says of those who handed it in: personal data that nobody needs here."""
_RANGE = re.compile(r"([A-Z]+)(\d+)-\1(\d+)")
MAX_ACCESSIONS = 1_000_000
"""More in one study's ranges is a damaged record: the largest study of 2023 had 300,000 runs."""


def parse_record(content: bytes, tag: str | None, source: str) -> Element:
    """Return the first element named ``tag`` of an XML document, or with None its first record.

    ``source`` is the document's URL, for messages.

    A document with a type declaration is refused: ENA sends none, and entities are a way to do harm.
    Raises ValueError for half a document, which may come whole when it is asked for again, PermanentError
    for one without such an element.
    """
    builder = TreeBuilder()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data

    def refuse(*_: object) -> None:
        raise PermanentError(f"{source} answered XML with a document type declaration, which is refused")

    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise ValueError(f"the XML is damaged or cut short: {error}") from error
    root = builder.close()
    record = next(iter(root) if tag is None else root.iter(tag), None)
    if record is None:
        raise PermanentError(f"{source} answered XML without a {tag or 'single'} record")
    return record


def links(record: Element, database: str) -> list[str]:
    """Return the ids that a record's links into one database name (``ENA-RUN``), each once."""
    found = [
        _text(link, "ID")
        for link in record.iter("XREF_LINK")
        if _text(link, "DB").upper() == database.upper()
    ]
    return list(dict.fromkeys(found))


def linked_accessions(record: Element, database: str) -> list[str]:
    """Return the accessions that a record's links name, ranges written out.

    ENA writes ``DRS057265-DRS057267,DRS057269``: those four. Raises PermanentError for a range without end.
    """
    parts = [part.strip() for text in links(record, database) for part in text.split(",")]
    return list(dict.fromkeys(accession for part in parts if part for accession in _expand(part)))


def _expand(part: str) -> Iterator[str]:
    match = _RANGE.fullmatch(part)
    if match is None:
        yield part
        return
    prefix, first, last = match.groups()
    if not 0 <= int(last) - int(first) < MAX_ACCESSIONS:
        raise PermanentError(f"ENA's range of accessions {part} is not one")
    for number in range(int(first), int(last) + 1):
        yield f"{prefix}{number:0{len(first)}}"


def study_of(record: Element) -> str:
    """Return the accession of the study that a record is of or belongs to; empty when it names none."""
    candidates = [record.get("accession", "")]
    candidates += [reference.get("accession", "") for reference in record.iter("STUDY_REF")]
    candidates += links(record, "ENA-STUDY")
    candidates += [(element.text or "").strip() for element in record.iter("SECONDARY_ID")]
    return next((text for text in candidates if is_accession(text, Kind.SRA_STUDY)), "")


def run_record(run: Element) -> Record:
    """Return what a RUN record says, with the accessions of what it belongs to."""
    record = {key: run.attrib[key] for key in _RUN_ATTRIBUTES if key in run.attrib}
    record["run_accession"] = run.get("accession", "")
    experiment = run.find("EXPERIMENT_REF")
    if experiment is not None:
        record["experiment_accession"] = experiment.get("accession", "")
    for database, key in _RUN_LINKS.items():
        record |= _first(key, links(run, database))
    return record | _attributes(run, "RUN", "run_")


def experiment_record(experiment: Element) -> Record:
    """Return what an EXPERIMENT record says: its design, library, spots and platform."""
    record = {"experiment_title": _text(experiment, "TITLE")}
    record["experiment_design_description"] = _text(experiment, "DESIGN/DESIGN_DESCRIPTION")
    library = experiment.find("DESIGN/LIBRARY_DESCRIPTOR")
    record |= {} if library is None else _library(library)
    spots = experiment.find("DESIGN/SPOT_DESCRIPTOR/SPOT_DECODE_SPEC")
    record |= {} if spots is None else _spots(spots)
    for platform in experiment.iterfind("PLATFORM/*"):
        model = _text(platform, "INSTRUMENT_MODEL")
        record |= {"platform_instrument_model": model, "instrument_model": model}
        record["instrument_platform"] = platform.tag
    return record


def _library(library: Element) -> Record:
    record: Record = {}
    for child in library:
        layout = child.tag == "LIBRARY_LAYOUT" and len(child) > 0
        record[child.tag.lower()] = child[0].tag if layout else _content(child)
    return record


def _spots(spots: Element) -> Record:
    record = {"spot_length": _text(spots, "SPOT_LENGTH")} if spots.find("SPOT_LENGTH") is not None else {}
    for index, read in enumerate(spots.iterfind("READ_SPEC")):
        for child in read:
            name = child.tag.lower().removeprefix("read_")
            record[f"read_spec_{index}_{name}"] = _content(child)
    return record


def sample_record(sample: Element) -> Record:
    """Return what a SAMPLE record says; the submitter's own attributes begin with ``sample_``."""
    name = _text(sample, "SAMPLE_NAME/SCIENTIFIC_NAME")
    taxon = _text(sample, "SAMPLE_NAME/TAXON_ID")
    record = {"sample_title": _text(sample, "TITLE"), "organism_id": taxon, "organism_name": name.upper()}
    record |= {"tax_id": taxon, "scientific_name": name}
    if "center_name" in sample.attrib:
        record["sample_center_name"] = sample.attrib["center_name"]
    return record | _attributes(sample, "SAMPLE", "sample_")


def study_record(study: Element) -> Record:
    """Return what a STUDY record says of itself, its title, and its paper (``pubmed_id``)."""
    record: Record = {}
    for child in study.iterfind("DESCRIPTOR/*"):
        record[child.tag.lower()] = child.get("existing_study_type") or _content(child)
    identifiers = [_content(element) for element in study.iterfind("IDENTIFIERS/*")]
    record |= _first(
        "external_id",
        [text for text in identifiers if is_accession(text, Kind.GEO_SERIES, Kind.ARRAY_EXPRESS)],
    )
    record |= _first("pubmed_id", links(study, "pubmed"))
    return record | _attributes(study, "STUDY", "study_")


def submission_record(submission: Element) -> Record:
    """Return what a SUBMISSION record says: which center handed it in, through whom, and when; no persons."""
    record = {
        key: value for key, value in submission.attrib.items() if key not in _SUBMISSION_ATTRIBUTES_ELSEWHERE
    }
    record["submission_title"] = _text(submission, "TITLE")
    for tag, value in _tags(submission, "SUBMISSION"):
        record[tag.lower()] = value
    return {key: value for key, value in record.items() if not _OF_PERSONS.search(key)}


def _attributes(record: Element, kind: str, prefix: str) -> Record:
    return {prefix + re.sub(r"[- ]", "_", tag.lower()): value for tag, value in _tags(record, kind)}


def _tags(record: Element, kind: str) -> Iterator[tuple[str, str]]:
    for attribute in record.iterfind(f"{kind}_ATTRIBUTES/{kind}_ATTRIBUTE"):
        yield _text(attribute, "TAG"), _text(attribute, "VALUE")


def _first(key: str, values: list[str]) -> Record:
    return {key: values[0]} if values else {}


def _text(parent: Element, path: str) -> str:
    return (parent.findtext(path) or "").strip()


def _content(element: Element) -> str:
    return (element.text or "").strip()


def overlay(*records: Mapping[str, str]) -> Record:
    """Return the records as one: a later one's value takes the place of an earlier one's."""
    return {key: value for record in records for key, value in record.items()}
