"""Writes the metadata of a compendium's samples: each experiment is read once and then let go.

What goes into several files of the zip is written to scratch files side by side.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from refinebio_assets.formats.compendium_store import CompendiumStore, layout
from refinebio_assets.formats.deterministic_zip import ZipWriter
from refinebio_assets.formats.matrix_tsv import ByteSink
from refinebio_assets.metadata.source_keys import FIELDS
from refinebio_assets.pipelines.compendia.bundle.contents import (
    SHARE,
    Contents,
    described,
    described_filtered,
)
from refinebio_assets.pipelines.delivery.metadata import SampleMetadata
from refinebio_assets.pipelines.delivery.metadata_files import (
    ACCESSION,
    EXPERIMENT,
    REASON,
    metadata_lines,
    metadata_tsv,
    sample_json,
)

OWN = (
    *(f"refinebio_{field}" for field in FIELDS),
    *("refinebio_organism", "refinebio_platform", "refinebio_processed", "refinebio_processor_id"),
    *("refinebio_processor_name", "refinebio_processor_version", "refinebio_source_archive_url"),
    *("refinebio_source_database", SHARE),
)
COLUMNS = (ACCESSION, EXPERIMENT, *sorted(OWN))
"""Submitters' own columns are in the JSON: those of thousands of experiments would be a table of blanks."""
FACTORS = tuple(field for field in FIELDS if field not in ("title", "age", "subject", "time"))
"""Harmonized fields whose values may be groups of samples."""

_GENES_AT_ONCE = 1_000


class Entries:
    """Writes the entries of a JSON object or list, one a line, to a file."""

    def __init__(self, file: ByteSink) -> None:
        self._file = file
        self._begun = False

    def add(self, value: Any, key: str | None = None) -> None:
        """Write one entry; with a key it is one of an object."""
        text = json.dumps(value, sort_keys=True)
        text = text if key is None else f"{json.dumps(key)}: {text}"
        self._file.write((",\n" if self._begun else "").encode() + text.encode())
        self._begun = True


class MetadataFiles:
    """The metadata in scratch files of a folder, and the values of ``FACTORS`` of every sample."""

    def __init__(self, contents: Contents, folder: Path) -> None:
        """Read the metadata of all experiments, one after the other."""
        self._contents = contents
        self._table, self._samples = folder / "table", folder / "samples"
        self._by_name, self._experiments = folder / "by_name", folder / "experiments"
        self.factors: dict[str, list[str]] = {name: [] for name in FACTORS}
        with ExitStack() as stack:
            table, *others = (
                stack.enter_context(path.open("xb"))
                for path in (self._table, self._samples, self._by_name, self._experiments)
            )
            table.write(metadata_tsv(COLUMNS, ()))
            samples, by_name, experiments = map(Entries, others)
            for item in described(contents):
                table.write(metadata_lines(COLUMNS, [(sample, item.accession) for sample in item.samples]))
                experiments.add(item.experiment, item.accession)
                for sample in item.samples:
                    shown = sample_json(sample) | {EXPERIMENT: item.accession}
                    samples.add(shown)
                    by_name.add(shown, sample.sample)
                self._note_factors(item.samples)

    def add_to(self, archive: ZipWriter, aggregated: Mapping[str, Any]) -> None:
        """Write the files into a zip; ``aggregated`` is what is said of the whole compendium."""
        organism = self._contents.organism
        self._add_aggregated(archive, aggregated)
        self._add_filtered(archive)
        archive.add_file(f"{organism}/metadata_{organism}.tsv", self._table)
        with archive.member(f"{organism}/metadata_{organism}.json") as sink:
            sink.write(b'{"samples": [\n')
            _copy(self._samples, sink)
            sink.write(f'\n], "species": {json.dumps(organism)}}}\n'.encode())

    def _add_aggregated(self, archive: ZipWriter, aggregated: Mapping[str, Any]) -> None:
        with archive.member("aggregated_metadata.json") as sink:
            text = json.dumps(aggregated, indent=4, sort_keys=True)
            sink.write(text.removesuffix("\n}").encode())
            for name, path in (("experiments", self._experiments), ("samples", self._by_name)):
                sink.write(f',\n    "{name}": {{\n'.encode())
                _copy(path, sink)
                sink.write(b"\n    }")
            sink.write(b',\n    "genes": {\n')
            _add_genes(Entries(sink), self._contents.store)
            sink.write(b"\n    }\n}\n")

    def _add_filtered(self, archive: ZipWriter) -> None:
        filtered = list(described_filtered(self._contents))
        if not filtered:
            return
        rows = [(sample, experiment) for sample, experiment, _ in filtered]
        reasons = [reason for _, _, reason in filtered]
        archive.add_bytes("filtered_samples_metadata.tsv", metadata_tsv(COLUMNS, rows, reasons))
        with archive.member("filtered_samples_metadata.json") as sink:
            sink.write(b"{\n")
            entries = Entries(sink)
            for sample, experiment, reason in filtered:
                entries.add(sample_json(sample) | {EXPERIMENT: experiment, REASON: reason}, sample.sample)
            sink.write(b"\n}\n")

    def _note_factors(self, samples: Iterable[SampleMetadata]) -> None:
        for sample in samples:
            for name, values in self.factors.items():
                values.append(str(sample.refinebio.get(f"refinebio_{name}") or ""))


def _add_genes(entries: Entries, store: CompendiumStore) -> None:
    """Write what is known of each gene: samples that measure it, share missing, errors on hidden values."""
    kept = store.genes.drop_columns([layout.POSITION])
    for batch in kept.to_batches(_GENES_AT_ONCE):
        for row in batch.to_pylist():
            entries.add(row, row.pop(layout.GENE))


def _copy(path: Path, sink: ByteSink) -> None:
    with path.open("rb") as source:
        while chunk := source.read(1 << 20):
            sink.write(chunk)
