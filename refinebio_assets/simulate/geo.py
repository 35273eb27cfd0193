"""What GEO would answer about the simulated series: family files and records in SOFT, and their files.

SOFT as https://www.ncbi.nlm.nih.gov/geo/info/soft.html describes it, with the attributes that GEO adds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from refinebio_assets.simulate import organism
from refinebio_assets.simulate.arrays import (
    AFFYMETRIX,
    BEAD_ARRAY,
    STAND_IN,
    ArrayExperiment,
    Hybridizations,
    PlannedArray,
    simulate_beads,
)
from refinebio_assets.simulate.cel import cel_bytes
from refinebio_assets.simulate.chip import CHIP_TYPE, PROBES_OF_A_SET, Chip
from refinebio_assets.simulate.mirror import BINARY, GZIP, TAR, TEXT, MirrorDraft
from refinebio_assets.simulate.packing import gzip_bytes, tar_bytes
from refinebio_assets.simulate.scanner import read_out

FILES = "https://ftp.ncbi.nlm.nih.gov/geo"
RECORDS = "https://www.ncbi.nlm.nih.gov/geo/query/acc.cgi"
INSTITUTE, COUNTRY = "Institute of Simulated Biology", "Nowhere"
_SUBMITTED, _PUBLIC, _UPDATED = "Jan 05 2026", "Jan 15 2026", "Jan 20 2026"
_TABLE_ROWS = 20
"""Rows of the data tables; the archives' have one for each probe set, and none is needed for a survey."""

Lines = list[str]
Table = Sequence[tuple[str, ...]]

_PLATFORMS = {
    "GPL96": (
        "[HG-U133A] Affymetrix Human Genome U133A Array",
        "in situ oligonucleotide",
        "Affymetrix",
        f"{STAND_IN[:1].upper()}{STAND_IN[1:]}; its table is cut.",
    ),
    "GPL10558": (
        "Illumina HumanHT-12 V4.0 expression beadchip",
        "oligonucleotide beads",
        "Illumina Inc.",
        "Its table is cut: the record is part of a simulation.",
    ),
}
_AFFYMETRIX_PROTOCOLS = {
    "extract_protocol_ch1": "Total RNA was drawn from a random number generator.",
    "label_ch1": "biotin",
    "label_protocol_ch1": "Standard Affymetrix protocol.",
    "hyb_protocol": "Standard Affymetrix protocol.",
    "scan_protocol": "Affymetrix GeneChip scanner.",
    "data_processing": "MAS 5.0, scaled to 500.",
}
_BEAD_PROTOCOLS = {
    "extract_protocol_ch1": "Total RNA was drawn from a random number generator.",
    "label_ch1": "biotin",
    "label_protocol_ch1": "Illumina TotalPrep RNA amplification kit.",
    "hyb_protocol": "Standard Illumina protocol.",
    "scan_protocol": "Illumina BeadStation.",
    "data_processing": "Quantile normalized and log2 transformed.",
}


def answer_for_affymetrix(
    mirror: MirrorDraft, chip: Chip, arrays: Hybridizations, rng: np.random.Generator
) -> None:
    """Add a series whose samples have CEL files."""
    series = AFFYMETRIX
    cels: dict[str, bytes] = {}
    for sample, intensities in zip(series.samples, arrays.cells, strict=True):
        content = cel_bytes(read_out(sample.name, CHIP_TYPE, intensities, rng), sample.cel)
        name = f"{sample.accession}_{sample.name}_{CHIP_TYPE}.CEL{'.gz' if sample.packed else ''}"
        cels[name] = gzip_bytes(content) if sample.packed else content
        body = mirror.keep(f"geo/{name}", cels[name])
        mirror.answer(_file_of_sample(sample, name), body, GZIP if sample.packed else BINARY)
    archive = f"{series.accession}_RAW.tar"
    mirror.answer(_file_of_series(series, archive), mirror.keep(f"geo/{archive}", tar_bytes(cels)), TAR)
    samples = [
        _sample(series, sample, _AFFYMETRIX_PROTOCOLS, _ftp(_file_of_sample(sample, name)), table)
        for sample, name, table in zip(series.samples, cels, _mas5_tables(chip, arrays), strict=True)
    ]
    ids = [(name,) for name in chip.probe_sets[:_TABLE_ROWS]]
    _answer_for_series(mirror, series, _ftp(_file_of_series(series, archive)), ids, samples)


def answer_for_bead_array(mirror: MirrorDraft, rng: np.random.Generator) -> None:
    """Add a series with one table of non-normalized intensities for all its samples."""
    series = BEAD_ARRAY
    signals, detection = simulate_beads(series, rng)
    name = f"{series.accession}_non_normalized.txt.gz"
    table = gzip_bytes(_bead_table(series, signals, detection))
    mirror.answer(_file_of_series(series, name), mirror.keep(f"geo/{name}", table), GZIP)
    normalized = np.log2(signals[:, :_TABLE_ROWS])
    samples = [
        _sample(series, sample, _BEAD_PROTOCOLS, "NONE", _rows(_probe_ids(_TABLE_ROWS), values))
        for sample, values in zip(series.samples, normalized, strict=True)
    ]
    ids = [(probe,) for probe in _probe_ids(_TABLE_ROWS)]
    _answer_for_series(mirror, series, _ftp(_file_of_series(series, name)), ids, samples)


def _answer_for_series(
    mirror: MirrorDraft,
    series: ArrayExperiment,
    file: str,
    ids: Table,
    samples: Sequence[tuple[Lines, Lines]],
) -> None:
    """Add the family file, and each record of it alone, without tables."""
    record = _series(series, file)
    platform, platform_table = _platform(series.platform, ids)
    family = [*_DATABASE, *record, *platform, *platform_table]
    for attributes, table in samples:
        family += [*attributes, *table]
    name = f"{series.accession}_family.soft.gz"
    body = mirror.keep(f"geo/{name}", gzip_bytes(_text(family)))
    mirror.answer(f"{_folder(series)}/soft/{name}", body, GZIP)
    records = {series.accession: record, series.platform: platform}
    records |= {
        sample.accession: attributes for sample, (attributes, _) in zip(series.samples, samples, strict=True)
    }
    for accession, lines in records.items():
        url = f"{RECORDS}?targ=self&acc={accession}&form=text&view=brief"
        mirror.answer(url, mirror.keep(f"geo/{accession}.txt", _text(lines)), TEXT)


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
        ("platform_id", series.platform),
        ("platform_taxid", "9606"),
        ("sample_taxid", str(organism.TAXON)),
    ]
    return _entity("SERIES", series.accession, attributes)


def _platform(accession: str, ids: Table) -> tuple[Lines, Lines]:
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
    table = _table("platform", ["ID"], ["#ID = probe"], ids)
    return _entity("PLATFORM", accession, attributes), table


def _sample(
    series: ArrayExperiment, sample: PlannedArray, protocols: dict[str, str], file: str, rows: Table
) -> tuple[Lines, Lines]:
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
        ("platform_id", series.platform),
        ("contact_institute", INSTITUTE),
        ("contact_country", COUNTRY),
        ("supplementary_file", file),
        ("series_id", series.accession),
        ("data_row_count", str(len(rows))),
    ]
    described = ["#ID_REF = ", "#VALUE = normalized signal"]
    return _entity("SAMPLE", sample.accession, attributes), _table(
        "sample", ["ID_REF", "VALUE"], described, rows
    )


def _entity(kind: str, name: str, attributes: Iterable[tuple[str, str]]) -> Lines:
    prefix = kind.capitalize()
    return [f"^{kind} = {name}", *(f"!{prefix}_{key} = {value}" for key, value in attributes)]


def _table(kind: str, columns: Sequence[str], described: Sequence[str], rows: Table) -> Lines:
    lines = ["\t".join(map(str, row)) for row in [tuple(columns), *rows]]
    return [*described, f"!{kind}_table_begin", *lines, f"!{kind}_table_end"]


def _mas5_tables(chip: Chip, arrays: Hybridizations) -> list[Table]:
    """Return a few values a sample that pass for MAS 5.0's: means of the probe sets."""
    ids, probes = chip.probe_sets[:_TABLE_ROWS], chip.cells[: _TABLE_ROWS * PROBES_OF_A_SET]
    shining = arrays.cells.reshape(len(arrays.cells), -1)[:, probes]
    return [_rows(ids, values) for values in shining.reshape(-1, _TABLE_ROWS, PROBES_OF_A_SET).mean(axis=2)]


def _rows(ids: Sequence[str], values: npt.NDArray[np.float64]) -> Table:
    return [(name, f"{value:.3f}") for name, value in zip(ids, values.tolist(), strict=True)]


def _probe_ids(number: int) -> list[str]:
    return [f"ILMN_{9_000_001 + probe}" for probe in range(number)]


def _bead_table(
    series: ArrayExperiment, signals: npt.NDArray[np.float64], detection: npt.NDArray[np.float64]
) -> bytes:
    """Write each sample's signals under its title, and their detection p-values beside them."""
    header = "\t".join(["ID_REF", *(f"{sample.name}\tDetection Pval" for sample in series.samples)])
    values = np.stack([signals, detection], axis=2)
    rows = [
        "\t".join([probe, *(f"{signal:.4f}\t{p:.5f}" for signal, p in values[:, number].tolist())])
        for number, probe in enumerate(_probe_ids(values.shape[1]))
    ]
    return _text([header, *rows])


def _text(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def _folder(series: ArrayExperiment) -> str:
    return f"{FILES}/series/{series.accession[:-3]}nnn/{series.accession}"


def _file_of_series(series: ArrayExperiment, name: str) -> str:
    return f"{_folder(series)}/suppl/{name}"


def _file_of_sample(sample: PlannedArray, name: str) -> str:
    return f"{FILES}/samples/{sample.accession[:-3]}nnn/{sample.accession}/suppl/{name}"


def _ftp(url: str) -> str:
    """Return an address as GEO's records have it."""
    return url.replace("https://", "ftp://")
