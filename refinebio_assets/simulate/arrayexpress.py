"""What BioStudies would answer about the simulated ArrayExpress experiment: study, IDF, SDRF and CEL files.

The study is in BioStudies' page-tab JSON; IDF and SDRF as MAGE-TAB 1.1 describes them.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from refinebio_assets.simulate import organism
from refinebio_assets.simulate.arrays import ARRAY_EXPRESS, ArrayExperiment, Hybridizations
from refinebio_assets.simulate.cel import cel_bytes
from refinebio_assets.simulate.chip import CHIP_TYPE
from refinebio_assets.simulate.mirror import BINARY, TEXT, ZIP, Body, MirrorDraft
from refinebio_assets.simulate.packing import zip_bytes
from refinebio_assets.simulate.scanner import read_out

STUDIES = "https://www.ebi.ac.uk/biostudies/api/v1/studies"
FILES = "https://www.ebi.ac.uk/biostudies/files"
OLD_FILES = "https://www.ebi.ac.uk/arrayexpress/files"
"""Where the files were before 2022, and still can be asked for."""
FTP = "ftp://ftp.ebi.ac.uk/pub/databases/microarray/data/experiment/MTAB"
RELEASED = "2026-01-15"
RELEASED_MS, MODIFIED_MS = 1_768_435_200_000, 1_768_867_200_000
"""Milliseconds since 1970, as BioStudies dates a record: 2026-01-15 and 2026-01-20."""
INSTITUTION = "Institute of Simulated Biology"
STUDY_TYPE = "transcription profiling by array"

_PROTOCOLS = (
    ("P-MTAB-900001", "nucleic acid extraction protocol", "Total RNA came from a random number generator."),
    ("P-MTAB-900002", "nucleic acid labeling protocol", "Standard Affymetrix protocol."),
    ("P-MTAB-900003", "hybridization", "Standard Affymetrix protocol."),
    ("P-MTAB-900004", "array scanning protocol", "Affymetrix GeneChip scanner."),
)


def answer_for_experiment(mirror: MirrorDraft, arrays: Hybridizations, rng: np.random.Generator) -> None:
    """Add all answers about the experiment; its CEL files are there one by one and in one zip."""
    experiment = ARRAY_EXPRESS
    accession = experiment.accession
    cels = {
        f"{sample.name}.CEL": cel_bytes(read_out(sample.name, CHIP_TYPE, intensities, rng), sample.cel)
        for sample, intensities in zip(experiment.samples, arrays.cells, strict=True)
    }
    tables = {f"{accession}.idf.txt": _idf(experiment), f"{accession}.sdrf.txt": _sdrf(experiment)}
    bodies = {name: mirror.keep(f"arrayexpress/{name}", content) for name, content in (tables | cels).items()}
    for name, body in bodies.items():
        for root in (FILES, OLD_FILES):
            mirror.answer(f"{root}/{accession}/{name}", body, BINARY if name in cels else TEXT)
    archive = f"{accession}.raw.1.zip"
    packed = mirror.keep(f"arrayexpress/{archive}", zip_bytes(cels))
    for url in (
        f"{FTP}/{accession}/{archive}".replace("ftp://", "https://"),
        f"{FILES}/{accession}/{archive}",
    ):
        mirror.answer(url, packed, ZIP)
    mirror.say(f"{STUDIES}/{accession}", f"arrayexpress/{accession}.json", _study(experiment, bodies))
    info = {
        "files": len(bodies),
        "isPublic": True,
        "relPath": f"E-MTAB-/{accession[-3:]}/{accession}",
        "released": RELEASED_MS,
        "modified": MODIFIED_MS,
    }
    mirror.say(f"{STUDIES}/{accession}/info", f"arrayexpress/{accession}.info.json", info)


def _study(experiment: ArrayExperiment, bodies: Mapping[str, Body]) -> dict[str, object]:
    accession = experiment.accession
    tables = [_file(name, body) for name, body in bodies.items() if name.endswith(".txt")]
    cels = [_file(name, body) for name, body in bodies.items() if name.endswith(".CEL")]
    data = {
        "type": "Assays and Data",
        "attributes": _named(
            ("Assay count", str(len(experiment.samples))),
            ("Technology", "array assay"),
            ("Assay by Molecule", "RNA assay"),
        ),
        "subsections": [
            {"type": "MAGE-TAB Files", "files": tables},
            {"type": "Raw Data", "files": cels},
            {"type": "Array Designs", "attributes": _named(("Array Design", experiment.platform))},
        ],
    }
    protocols = [
        {
            "accno": name,
            "type": "Protocols",
            "attributes": _named(("Name", name), ("Type", kind), ("Description", text)),
        }
        for name, kind, text in _PROTOCOLS
    ]
    section = {
        "accno": f"s-{accession}",
        "type": "Study",
        "attributes": _named(
            ("Title", experiment.title),
            ("Study type", STUDY_TYPE),
            ("Organism", organism.NAME),
            ("Description", experiment.description),
        ),
        "subsections": [
            {"accno": "o1", "type": "Organization", "attributes": _named(("Name", INSTITUTION))},
            protocols,
            data,
        ],
    }
    return {
        "accno": accession,
        "attributes": _named(
            ("Title", experiment.title), ("ReleaseDate", RELEASED), ("AttachTo", "ArrayExpress")
        ),
        "section": section,
        "type": "submission",
    }


def _file(name: str, body: Body) -> dict[str, object]:
    kinds = {".idf.txt": "IDF File", ".sdrf.txt": "SDRF File", ".CEL": "Raw Data"}
    kind = next(kind for end, kind in kinds.items() if name.endswith(end))
    return {"path": name, "size": body.size, "attributes": _named(("Type", kind)), "type": "file"}


def _named(*pairs: tuple[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in pairs]


def _idf(experiment: ArrayExperiment) -> bytes:
    names, kinds, texts = zip(*_PROTOCOLS, strict=True)
    rows = [
        ("Comment[ArrayExpressAccession]", experiment.accession),
        ("MAGE-TAB Version", "1.1"),
        ("Investigation Title", experiment.title),
        ("Experiment Description", experiment.description),
        ("Experimental Design", "time series design"),
        ("Comment[AEExperimentType]", STUDY_TYPE),
        ("Experimental Factor Name", "time"),
        ("Experimental Factor Type", "time"),
        ("Public Release Date", RELEASED),
        ("Person Affiliation", INSTITUTION),
        ("Person Roles", "submitter"),
        ("Publication Title", "Muscles of simulated animals"),
        ("Publication DOI", "10.5555/simulated.e-mtab-900001"),
        ("Protocol Name", *names),
        ("Protocol Type", *kinds),
        ("Protocol Description", *texts),
        ("Term Source Name", "EFO", "ArrayExpress"),
        ("Term Source File", "http://www.ebi.ac.uk/efo", "http://www.ebi.ac.uk/arrayexpress"),
        ("SDRF File", f"{experiment.accession}.sdrf.txt"),
    ]
    return _lines(rows)


def _sdrf(experiment: ArrayExperiment) -> bytes:
    """Write a row a sample; the unit of the age follows it, and one header comes several times."""
    header = ["Source Name", "Characteristics[organism]"]
    for key, _ in experiment.samples[0].attributes:
        header += [f"Characteristics[{key}]", *(["Unit[time unit]"] if key == "age" else [])]
    header += [
        "Material Type",
        "Protocol REF",
        "Extract Name",
        "Protocol REF",
        "Labeled Extract Name",
        "Label",
    ]
    header += ["Protocol REF", "Assay Name", "Technology Type", "Array Design REF", "Term Source REF"]
    header += ["Protocol REF", "Array Data File", "Comment [ArrayExpress FTP file]", "Factor Value[time]"]
    archive = f"{FTP}/{experiment.accession}/{experiment.accession}.raw.1.zip"
    extraction, labeling, hybridization, scanning = (name for name, _, _ in _PROTOCOLS)
    rows = [tuple(header)]
    for sample in experiment.samples:
        name = sample.name
        row = [name, organism.NAME]
        for key, value in sample.attributes:
            row += [value, *(["year"] if key == "age" else [])]
        row += ["RNA", extraction, f"{name} RNA", labeling, f"{name}:biotin", "biotin"]
        row += [hybridization, name, "array assay", experiment.platform, "ArrayExpress"]
        row += [scanning, f"{name}.CEL", archive, "8 weeks" if sample.altered else "0 weeks"]
        rows.append(tuple(row))
    return _lines(rows)


def _lines(rows: list[tuple[str, ...]]) -> bytes:
    return "".join("\t".join(row) + "\n" for row in rows).encode()
