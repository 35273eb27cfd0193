"""What GEO would answer about the simulated series: family files and records in SOFT, and their files.

SOFT as https://www.ncbi.nlm.nih.gov/geo/info/soft.html describes it, with the attributes that GEO adds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from refinebio_assets.simulate import organism
from refinebio_assets.simulate.arrays import STAND_IN, ArrayExperiment, Hybridizations, PlannedArray
from refinebio_assets.simulate.cel import cel_bytes
from refinebio_assets.simulate.chip import CHIP_TYPE, PROBES_OF_A_SET, Chip
from refinebio_assets.simulate.mirror import BINARY, GZIP, TAR, TEXT, MirrorDraft
from refinebio_assets.simulate.packing import gzip_bytes, tar_bytes
from refinebio_assets.simulate.scanner import read_out

FILES = "https://ftp.ncbi.nlm.nih.gov/geo"
RECORDS = "https://www.ncbi.nlm.nih.gov/geo/query/acc.cgi"
INSTITUTE, COUNTRY = "Institute of Simulated Biology", "Nowhere"
_SUBMITTED, _PUBLIC, _UPDATED = "Jan 05 2026", "Jan 15 2026", "Jan 20 2026"
TABLE_ROWS = 20
"""Rows of the data tables; the archives' have one for each probe set, and none is needed for a survey."""

Lines = list[str]
Table = Sequence[tuple[str, ...]]
Record = tuple[Lines, Lines]
"""The lines of an entity's attributes, and those of its table."""

_PLATFORMS = {
    "GPL96": (
        "[HG-U133A] Affymetrix Human Genome U133A Array",
        "in situ oligonucleotide",
        "Affymetrix",
        f"{STAND_IN[:1].upper()}{STAND_IN[1:]}; its table is cut.",
    ),
    "GPL570": (
        "[HG-U133_Plus_2] Affymetrix Human Genome U133 Plus 2.0 Array",
        "in situ oligonucleotide",
        "Affymetrix",
        "Its table is cut: the record is part of a simulation.",
    ),
    "GPL10558": (
        "Illumina HumanHT-12 V4.0 expression beadchip",
        "oligonucleotide beads",
        "Illumina Inc.",
        "Its table is cut: the record is part of a simulation.",
    ),
}
AFFYMETRIX_PROTOCOLS = {
    "extract_protocol_ch1": "Total RNA was drawn from a random number generator.",
    "label_ch1": "biotin",
    "label_protocol_ch1": "Standard Affymetrix protocol.",
    "hyb_protocol": "Standard Affymetrix protocol.",
    "scan_protocol": "Affymetrix GeneChip scanner.",
    "data_processing": "MAS 5.0, scaled to 500.",
}
VALUES = (("ID_REF", ""), ("VALUE", "normalized signal"))
"""Columns of a sample's table with what is said of each."""


def answer_for_affymetrix(
    mirror: MirrorDraft, chip: Chip, arrays: Hybridizations, rng: np.random.Generator
) -> None:
    """Add a series whose samples have CEL files."""
    series = arrays.experiment
    samples, cels = cel_samples(mirror, chip, arrays, rng)
    archive = f"{series.accession}_RAW.tar"
    mirror.answer(file_of_series(series, archive), mirror.keep(f"geo/{archive}", tar_bytes(cels)), TAR)
    ids = {series.platform: chip.probe_sets[:TABLE_ROWS]}
    answer_for_series(mirror, series, ftp(file_of_series(series, archive)), ids, samples)


def cel_samples(
    mirror: MirrorDraft, chip: Chip, arrays: Hybridizations, rng: np.random.Generator
) -> tuple[list[Record], dict[str, bytes]]:
    """Add the CEL files of the samples that are on the chip; return their records and the files by name."""
    series = arrays.experiment
    on_chip = [sample for sample in series.samples if not sample.platform]
    records, cels = [], {}
    for sample, intensities, table in zip(on_chip, arrays.cells, _mas5_tables(chip, arrays), strict=False):
        content = cel_bytes(read_out(sample.name, CHIP_TYPE, intensities, rng), sample.cel)
        name = f"{sample.accession}_{sample.name}_{CHIP_TYPE}.CEL{'.gz' if sample.packed else ''}"
        cels[name] = gzip_bytes(content) if sample.packed else content
        body = mirror.keep(f"geo/{name}", cels[name])
        mirror.answer(_file_of_sample(sample, name), body, GZIP if sample.packed else BINARY)
        file = ftp(_file_of_sample(sample, name))
        records.append(sample_record(series, sample, AFFYMETRIX_PROTOCOLS, file, VALUES, table))
    return records, cels


def answer_for_series(
    mirror: MirrorDraft,
    series: ArrayExperiment,
    file: str,
    ids: Mapping[str, Sequence[str]],
    samples: Sequence[Record],
) -> None:
    """Add the family file, and each record of it alone, without tables.

    ``file`` is the series' supplementary one, ``ids`` are some of each platform's, ``samples`` the records of
    all samples in their order.
    """
    record = _series(series, file)
    platforms = {accession: _platform(accession, ids[accession]) for accession in series.platforms}
    family = [*_DATABASE, *record]
    for attributes, table in [*platforms.values(), *samples]:
        family += [*attributes, *table]
    name = f"{series.accession}_family.soft.gz"
    body = mirror.keep(f"geo/{name}", gzip_bytes(text(family)))
    mirror.answer(f"{folder(series)}/soft/{name}", body, GZIP)
    records = {series.accession: record}
    records |= {accession: attributes for accession, (attributes, _) in platforms.items()}
    records |= {
        sample.accession: attributes for sample, (attributes, _) in zip(series.samples, samples, strict=True)
    }
    for accession, lines in records.items():
        url = f"{RECORDS}?targ=self&acc={accession}&form=text&view=brief"
        if not mirror.has_answer(url):  # another series has samples on the same platform
            mirror.answer(url, mirror.keep(f"geo/{accession}.txt", text(lines)), TEXT)


_DATABASE = (
    "^DATABASE = GeoMiame",
    "!Database_name = Gene Expression Omnibus (GEO)",
    "!Database_institute = NCBI NLM NIH",
    "!Database_web_link = http://www.ncbi.nlm.nih.gov/geo",
    "!Database_email = geo@ncbi.nlm.nih.gov",
)


def _series(series: ArrayExperiment, file: str) -> Lines:
    attributes = [
        ("title", series.title),
        ("geo_accession", series.accession),
        ("status", f"Public on {_PUBLIC}"),
        ("submission_date", _SUBMITTED),
        ("last_update_date", _UPDATED),
        ("summary", series.description),
        ("summary", "All values are simulated."),
        ("overall_design", f"{len(series.samples)} samples."),
        ("type", "Expression profiling by array"),
        *(("sample_id", sample.accession) for sample in series.samples),
        ("contact_institute", INSTITUTE),
        ("contact_country", COUNTRY),
        ("supplementary_file", file),
        *(("platform_id", platform) for platform in series.platforms),
        ("platform_taxid", "9606"),
        ("sample_taxid", str(organism.TAXON)),
    ]
    return _entity("SERIES", series.accession, attributes)


def _platform(accession: str, ids: Sequence[str]) -> Record:
    title, technology, manufacturer, description = _PLATFORMS[accession]
    attributes = [
        ("title", title),
        ("geo_accession", accession),
        ("status", f"Public on {_PUBLIC}"),
        ("technology", technology),
        ("distribution", "commercial"),
        ("organism", "Homo sapiens"),
        ("taxid", "9606"),
        ("manufacturer", manufacturer),
        ("description", description),
        ("data_row_count", str(len(ids))),
    ]
    table = _table("platform", [("ID", "probe")], [(name,) for name in ids])
    return _entity("PLATFORM", accession, attributes), table


def sample_record(
    series: ArrayExperiment,
    sample: PlannedArray,
    protocols: Mapping[str, str],
    file: str,
    columns: Sequence[tuple[str, str]],
    rows: Table,
) -> Record:
    """Return a sample's record: ``file`` is its supplementary one, ``columns`` and ``rows`` are its table."""
    attributes = [
        ("title", sample.name),
        ("geo_accession", sample.accession),
        ("status", f"Public on {_PUBLIC}"),
        ("submission_date", _SUBMITTED),
        ("last_update_date", _UPDATED),
        ("type", "RNA"),
        ("channel_count", "1"),
        ("source_name_ch1", sample.name.split("_")[0]),
        ("organism_ch1", organism.NAME),
        ("taxid_ch1", str(organism.TAXON)),
        *(("characteristics_ch1", f"{key}: {value}") for key, value in sample.attributes),
        ("molecule_ch1", "total RNA"),
        *protocols.items(),
        ("platform_id", sample.platform or series.platform),
        ("contact_institute", INSTITUTE),
        ("contact_country", COUNTRY),
        ("supplementary_file", file),
        ("series_id", series.accession),
        ("data_row_count", str(len(rows))),
    ]
    return _entity("SAMPLE", sample.accession, attributes), _table("sample", columns, rows)


def _entity(kind: str, name: str, attributes: Iterable[tuple[str, str]]) -> Lines:
    prefix = kind.capitalize()
    return [f"^{kind} = {name}", *(f"!{prefix}_{key} = {value}" for key, value in attributes)]


def _table(kind: str, columns: Sequence[tuple[str, str]], rows: Table) -> Lines:
    described = [f"#{name} = {about}" for name, about in columns]
    lines = ["\t".join(map(str, row)) for row in [tuple(name for name, _ in columns), *rows]]
    return [*described, f"!{kind}_table_begin", *lines, f"!{kind}_table_end"]


def _mas5_tables(chip: Chip, arrays: Hybridizations) -> list[Table]:
    """Return a few values a sample that pass for MAS 5.0's: means of the probe sets."""
    ids, probes = chip.probe_sets[:TABLE_ROWS], chip.cells[: TABLE_ROWS * PROBES_OF_A_SET]
    shining = arrays.cells.reshape(len(arrays.cells), -1)[:, probes]
    return [
        value_rows(ids, values) for values in shining.reshape(-1, TABLE_ROWS, PROBES_OF_A_SET).mean(axis=2)
    ]


def value_rows(ids: Sequence[str], values: npt.NDArray[np.float64]) -> Table:
    """Return the rows of a table of ids and values."""
    return [(name, f"{value:.3f}") for name, value in zip(ids, values.tolist(), strict=True)]


def text(lines: Iterable[str]) -> bytes:
    """Return lines as a text file."""
    return "".join(f"{line}\n" for line in lines).encode()


def folder(series: ArrayExperiment) -> str:
    """Return where a series' files are."""
    return f"{FILES}/series/{series.accession[:-3]}nnn/{series.accession}"


def file_of_series(series: ArrayExperiment, name: str) -> str:
    """Return the address of a supplementary file of a series."""
    return f"{folder(series)}/suppl/{name}"


def _file_of_sample(sample: PlannedArray, name: str) -> str:
    return f"{FILES}/samples/{sample.accession[:-3]}nnn/{sample.accession}/suppl/{name}"


def ftp(url: str) -> str:
    """Return an address as GEO's records have it."""
    return url.replace("https://", "ftp://")
