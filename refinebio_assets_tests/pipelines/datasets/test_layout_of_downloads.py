"""Bundles beside real downloads of refine.bio: the same files, columns, order and keys."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from refinebio_assets.pipelines.datasets.bundle import build_bundle
from refinebio_assets.pipelines.datasets.dataset_matrices import build_matrices
from refinebio_assets.pipelines.metadata_overlays import import_attributes
from refinebio_assets_tests.pipelines.datasets.world import World, arrays, rna_seq

DOWNLOADS = ("GSE12955", "GSE71270", "SRP018853", "SRP075806", "SRP110235", "SRP127409")
LATER = {
    *("experiment_accession", "refinebio_developmental_stage", "refinebio_processed"),
    *("refinebio_processor_id", "refinebio_processor_name", "refinebio_processor_version"),
}
"""Columns that refine.bio added over the years; the oldest of these downloads have none of them."""
CHARACTERISTICS = ("genotype/variation", "tissue")
"""Entries of ``characteristics_ch1`` in these downloads, which today's refine.bio names in full."""
OURS = {"refinebio_assets"}
OURS_OF_EXPERIMENTS = {"platforms", "source_database"}


def table(path: Path) -> list[list[str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return list(csv.reader(file, "excel-tab"))


def bundle_of(download: Path, folder: Path) -> zipfile.ZipFile:
    """Build a dataset of samples with the submitters' metadata of a download."""
    name = download.name
    header, *rows = table(download / f"metadata_{name}.tsv.gz")
    world = World(folder, source="GEO" if name.startswith("GSE") else "SRA")
    for row in rows:
        world.metadata[row[0]] = submitted(dict(zip(header, row, strict=True)))
    samples = [row[0] for row in rows]
    world.add(name, arrays(samples) if name.startswith("GSE") else rna_seq(samples))
    world.target()
    if "MetaSRA_age" in header:
        lines = [f"{row[0]}\tage\t{row[-1]}" for row in rows]
        (folder / "age.tsv").write_text("\n".join(["sample\tname\tvalue", *lines]), encoding="utf-8")
        import_attributes(world.lake, folder / "age.tsv", "MetaSRA", "https://metasra.biostat.wisc.edu")
    world.ask("D", {name: ["ALL"]})
    build_matrices(world.lake, "D")
    return zipfile.ZipFile(world.lake.local(build_bundle(world.lake, "D").commit.file("D.zip")))


def submitted(row: Mapping[str, str]) -> list[tuple[str, str]]:
    pairs = []
    for key, value in row.items():
        if key in CHARACTERISTICS:
            pairs.append(("characteristics_ch1", f"{key}: {value}"))
        elif not key.startswith(("refinebio_", "MetaSRA", "experiment_accession")):
            pairs.append((key, value))
    return pairs


def rows_of(bundle: zipfile.ZipFile, name: str) -> list[list[str]]:
    text = io.StringIO(bundle.read(name).decode(), newline="")
    return list(csv.reader(text, "excel-tab"))


@pytest.mark.parametrize("name", DOWNLOADS)
def test_metadata_have_the_columns_of_the_download_in_its_order(
    name: str, shared_data: Path, tmp_path: Path
) -> None:
    download = shared_data / "refinebio_downloads" / name
    bundle = bundle_of(download, tmp_path)
    expected = table(download / f"metadata_{name}.tsv.gz")
    found = rows_of(bundle, f"{name}/metadata_{name}.tsv")
    header = [f"characteristics_ch1_{key}" if key in CHARACTERISTICS else key for key in expected[0]]
    missing_there = LATER - set(header)
    shown = [key for key in found[0] if key not in missing_there]
    own = [key for key in header if key.startswith("refinebio_") or key == "experiment_accession"]
    assert shown == [*own, *sorted(set(header) - set(own))]
    assert sorted(row[0] for row in found[1:]) == sorted(row[0] for row in expected[1:])
    assert b"\r\n" in bundle.read(f"{name}/metadata_{name}.tsv")
    assert same_cells(expected, found)


def same_cells(expected: Sequence[Sequence[str]], found: Sequence[Sequence[str]]) -> bool:
    """Compare what both have from the submitter, by sample and column."""
    ours = {row[0]: dict(zip(found[0], row, strict=True)) for row in found[1:]}
    for row in expected[1:]:
        theirs = dict(zip(expected[0], row, strict=True))
        for key in theirs:
            name = f"characteristics_ch1_{key}" if key in CHARACTERISTICS else key
            if not key.startswith("refinebio_") and ours[row[0]][name] != theirs[key]:
                return False
    return True


@pytest.mark.parametrize("name", ["GSE12955", "GSE71270", "SRP110235", "SRP127409"])
def test_a_matrix_looks_as_the_downloads_does(name: str, shared_data: Path, tmp_path: Path) -> None:
    download = shared_data / "refinebio_downloads" / name
    bundle = bundle_of(download, tmp_path)
    with gzip.open(download / f"{name}.tsv.gz", "rt", encoding="utf-8") as file:
        expected = file.read().splitlines()
    found = bundle.read(f"{name}/{name}.tsv").decode().splitlines()
    samples = found[0].split("\t")
    assert samples[0] == expected[0].split("\t")[0]
    assert sorted(samples[1:]) == sorted(expected[0].split("\t")[1:])
    assert samples[1:] == [row[0] for row in rows_of(bundle, f"{name}/metadata_{name}.tsv")[1:]]
    for lines in (expected, found):
        genes = [line.split("\t", 1)[0] for line in lines[1:]]
        assert genes == sorted(genes)


@pytest.mark.parametrize("name", ["SRP018853", "SRP075806", "SRP127409"])
def test_aggregated_metadata_have_the_keys_of_the_download(
    name: str, shared_data: Path, tmp_path: Path
) -> None:
    download = shared_data / "refinebio_downloads" / name
    with gzip.open(download / "aggregated_metadata.json.gz") as file:
        expected: Any = json.load(file)
    found: Any = json.loads(bundle_of(download, tmp_path).read("aggregated_metadata.json"))
    assert found.keys() - OURS == expected.keys()
    assert found["experiments"][name].keys() - OURS_OF_EXPERIMENTS == expected["experiments"][name].keys()
    assert list(found["samples"]) == list(expected["samples"])
    for sample, keys in expected["samples"].items():
        assert found["samples"][sample].keys() == keys.keys()
    alike = ("aggregate_by", "scale_by", "num_samples", "num_experiments", "quant_sf_only")
    assert {key: found[key] for key in alike} == {key: expected[key] for key in alike}
