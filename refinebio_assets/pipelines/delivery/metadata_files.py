"""Metadata as files of a bundle: tables and JSON, in the layout of refine.bio's downloads."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from refinebio_assets.domain import distinct
from refinebio_assets.pipelines.delivery.metadata import SampleMetadata

ACCESSION, EXPERIMENT, REASON = "refinebio_accession_code", "experiment_accession", "reason"
ANNOTATIONS = "refinebio_annotations"
_AGE = "refinebio_age"


def metadata_columns(samples: Iterable[SampleMetadata]) -> list[str]:
    """Return the one header of all tables of samples.

    The accessions, then the other ``refinebio_*`` columns, then the submitters', each in alphabetical order.
    """
    own: set[str] = set()
    submitted: set[str] = set()
    for sample in samples:
        own |= sample.refinebio.keys()
        submitted |= sample.submitted.keys()
    return [ACCESSION, EXPERIMENT, *sorted(own - {ACCESSION}), *sorted(submitted)]


def metadata_tsv(
    columns: Sequence[str], rows: Sequence[tuple[SampleMetadata, str]], reasons: Sequence[str] = ()
) -> bytes:
    """Return a table, a row a sample: each with the experiment (or several, with ``;``) it is listed under.

    ``reasons`` say for each row why it was filtered, in a column of their own. As refine.bio's: tabs, quotes
    where they are needed, lines end with CR LF.
    """
    header = [*columns[:2], REASON, *columns[2:]] if reasons else columns
    return _lines([header]) + metadata_lines(columns, rows, reasons)


def metadata_lines(
    columns: Sequence[str], rows: Sequence[tuple[SampleMetadata, str]], reasons: Sequence[str] = ()
) -> bytes:
    """Return the lines of ``metadata_tsv`` without the header."""
    lines = []
    for number, (sample, experiment) in enumerate(rows):
        cells = [_cell(sample, experiment, column) for column in columns]
        lines.append([*cells[:2], reasons[number], *cells[2:]] if reasons else cells)
    return _lines(lines)


def _lines(rows: Iterable[Sequence[str]]) -> bytes:
    stream = io.StringIO(newline="")
    csv.writer(stream, "excel-tab").writerows(rows)
    return stream.getvalue().encode()


def sample_json(sample: SampleMetadata) -> dict[str, Any]:
    """Return a sample as ``aggregated_metadata.json`` has it."""
    return {**sample.refinebio, ANNOTATIONS: [dict(item) for item in sample.annotations]}


def filtered_json(rows: Sequence[tuple[SampleMetadata, str, str]]) -> bytes:
    """Return the filtered samples: each with the experiment it was asked for under, and the reason.

    A sample that was asked for under several experiments has all of both, with ``;`` and "; " between.
    """
    samples: dict[str, SampleMetadata] = {}
    experiments: dict[str, list[str]] = {}
    reasons: dict[str, list[str]] = {}
    for sample, experiment, reason in rows:
        samples[sample.sample] = sample
        experiments.setdefault(sample.sample, []).append(experiment)
        reasons.setdefault(sample.sample, []).append(reason)
    content = {
        name: sample_json(sample)
        | {EXPERIMENT: ";".join(experiments[name]), REASON: "; ".join(distinct(reasons[name]))}
        for name, sample in samples.items()
    }
    return json_bytes(content)


def organism_json(organism: str, samples: Iterable[SampleMetadata]) -> bytes:
    """Return ``metadata_<ORGANISM>.json``."""
    return json_bytes({"species": organism, "samples": [sample_json(sample) for sample in samples]})


def json_bytes(content: Mapping[str, Any]) -> bytes:
    """Return JSON as downloads have it: keys sorted, four blanks, plain ASCII."""
    return json.dumps(content, indent=4, sort_keys=True).encode()


def _cell(sample: SampleMetadata, experiment: str, column: str) -> str:
    if column == EXPERIMENT:
        return experiment
    value = sample.refinebio.get(column)
    if value is None:
        return sample.submitted.get(column, "")
    return f"{value:.3f}" if column == _AGE and isinstance(value, float) else str(value)
