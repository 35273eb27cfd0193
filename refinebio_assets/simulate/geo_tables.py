"""What GEO would answer about the simulated series whose values are in tables: BeadArrays, submitted values.

The records are written as in ``geo``. Tables have what real ones have: remarks, a column that belongs to no
sample, a missing cell, columns in an order that only the record tells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from refinebio_assets.simulate.arrays import ArrayExperiment, Hybridizations, PlannedArray
from refinebio_assets.simulate.bead_scans import BeadScans
from refinebio_assets.simulate.beads import BeadArray
from refinebio_assets.simulate.chip import Chip
from refinebio_assets.simulate.geo import (
    AFFYMETRIX_PROTOCOLS,
    TABLE_ROWS,
    VALUES,
    Record,
    answer_for_series,
    cel_samples,
    file_of_series,
    folder,
    ftp,
    sample_record,
    text,
    value_rows,
)
from refinebio_assets.simulate.mirror import GZIP, MirrorDraft
from refinebio_assets.simulate.packing import gzip_bytes, tar_bytes
from refinebio_assets.simulate.submitted import SubmittedValues

Matrix = npt.NDArray[np.float64]

MISSING_PROBE = 7
"""The row whose first sample has an empty cell."""
_BEAD_PROTOCOLS = {
    "extract_protocol_ch1": "Total RNA was drawn from a random number generator.",
    "label_ch1": "biotin",
    "label_protocol_ch1": "Illumina TotalPrep RNA amplification kit.",
    "hyb_protocol": "Standard Illumina protocol.",
    "scan_protocol": "Illumina BeadStation.",
    "data_processing": "Quantile normalized and log2 transformed.",
}
_SUBMITTED_COLUMNS = (
    ("ID_REF", ""),
    ("ABS_CALL", "whether the gene is detected"),
    ("VALUE", "signal, scaled to 500"),
)
_DETECTED = 60.0


def answer_for_bead_array(mirror: MirrorDraft, array: BeadArray, scans: BeadScans) -> None:
    """Add a series with one table of non-normalized intensities for all its samples."""
    series = scans.experiment
    name = f"{series.accession}_non_normalized.txt.gz"
    table = gzip_bytes(_bead_table(array, scans))
    mirror.answer(file_of_series(series, name), mirror.keep(f"geo/{name}", table), GZIP)
    ids = array.probe_ids[:TABLE_ROWS]
    samples = [
        sample_record(series, sample, _BEAD_PROTOCOLS, "NONE", VALUES, value_rows(ids, values))
        for sample, values in zip(series.samples, np.log2(scans.signals[:, :TABLE_ROWS]), strict=True)
    ]
    answer_for_series(mirror, series, ftp(file_of_series(series, name)), {series.platform: ids}, samples)


def answer_for_submitted(
    mirror: MirrorDraft, submitted: SubmittedValues, ids: Sequence[str], probe_sets: Sequence[str]
) -> None:
    """Add a series without raw data; its values are in GEO's MINiML archive, by ``ids`` (one a gene)."""
    series = submitted.experiment
    tables = _submitted_tables(series.samples, ids, submitted.values)
    _keep_miniml(mirror, series, tables)
    samples = [_submitted_sample(series, sample, tables[sample.accession]) for sample in series.samples]
    answer_for_series(mirror, series, "NONE", {series.platform: probe_sets[:TABLE_ROWS]}, samples)


def answer_for_mixed(
    mirror: MirrorDraft,
    chip: Chip,
    arrays: Hybridizations,
    values: Matrix,
    probe_sets: Sequence[str],
    rng: np.random.Generator,
) -> None:
    """Add a series of which some samples have CEL files, and the others ``values`` by probe sets only."""
    series = arrays.experiment
    records, _ = cel_samples(mirror, chip, arrays, rng)
    others = [sample for sample in series.samples if sample.platform]
    tables = _submitted_tables(others, probe_sets, values)
    _keep_miniml(mirror, series, tables)
    records += [_submitted_sample(series, sample, tables[sample.accession]) for sample in others]
    ids = dict.fromkeys(series.platforms, probe_sets[:TABLE_ROWS])
    ids[series.platform] = chip.probe_sets[:TABLE_ROWS]
    answer_for_series(mirror, series, "NONE", ids, records)


def _bead_table(array: BeadArray, scans: BeadScans) -> bytes:
    """Write each sample's signals under its title, and their detection p-values beside them."""
    series = scans.experiment
    names = [f"{sample.name}\tDetection Pval" for sample in series.samples]
    values = np.stack([scans.signals, scans.detection], axis=2)
    rows = []
    for number, probe in enumerate(array.probe_ids):
        cells = [f"{signal:.1f}\t{p:.5f}" for signal, p in values[:, number].tolist()]
        if number == MISSING_PROBE:
            cells[0] = "\t" + cells[0].split("\t")[1]
        rows.append("\t".join([probe, *cells, str(20 + number % 9)]))
    header = "\t".join(["ID_REF", *names, "Avg_NBEADS"])
    return text([f"# {series.title}", "", header, *rows])


def _submitted_tables(
    samples: Sequence[PlannedArray], ids: Sequence[str], values: Matrix
) -> dict[str, list[tuple[str, ...]]]:
    """Return the rows of each sample's table, in GEO's order: id, call, value."""
    return {
        sample.accession: [
            (name, "P" if value > _DETECTED else "A", f"{value:.2f}")
            for name, value in zip(ids, row.tolist(), strict=True)
        ]
        for sample, row in zip(samples, values, strict=True)
    }


def _submitted_sample(
    series: ArrayExperiment, sample: PlannedArray, rows: Sequence[tuple[str, ...]]
) -> Record:
    return sample_record(series, sample, AFFYMETRIX_PROTOCOLS, "NONE", _SUBMITTED_COLUMNS, rows[:TABLE_ROWS])


def _keep_miniml(
    mirror: MirrorDraft, series: ArrayExperiment, tables: Mapping[str, Sequence[tuple[str, ...]]]
) -> None:
    """Add the series' MINiML archive: XML, and each sample's table as a file without a header."""
    members = {f"{series.accession}_family.xml": b'<?xml version="1.0"?>\n<MINiML/>\n'}
    members |= {
        f"{accession}-tbl-1.txt": text("\t".join(row) for row in rows) for accession, rows in tables.items()
    }
    name = f"{series.accession}_family.xml.tgz"
    body = mirror.keep(f"geo/{name}", gzip_bytes(tar_bytes(members)))
    mirror.answer(f"{folder(series)}/miniml/{name}", body, GZIP)
