"""The zip of a compendium: its layout, that nothing is lost in it, and that each defect stops it by name."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from refinebio_assets.formats.compendium_store import CompendiumStore
from refinebio_assets.lake.rows import read_rows
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.compendia.bundle.compendium_bundle import (
    ASSET,
    build_compendium_bundle,
    inspect_commit,
)
from refinebio_assets.pipelines.compendia.bundle.inspection import inspect_compendium
from refinebio_assets.pipelines.compendia.model import Imputation
from refinebio_assets.pipelines.compendia.normalized_compendium import (
    build_normalized_compendium,
    open_compendium,
    require_compendium,
)
from refinebio_assets.pipelines.delivery.gate import Defect, GateError, find_defects, require_sound
from refinebio_assets.pipelines.metadata_overlays import ATTRIBUTES
from refinebio_assets.pipelines.targets.target import require_target
from refinebio_assets_tests.pipelines.compendia.world import ORGANISM, compendium_world

Files = dict[str, bytes]
MATRIX, TABLE = f"{ORGANISM}/{ORGANISM}.tsv", f"{ORGANISM}/metadata_{ORGANISM}.tsv"


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake with a compendium and its bundle."""
    made = compendium_world(tmp_path_factory.mktemp("world")).lake
    build_normalized_compendium(made, ORGANISM)
    build_compendium_bundle(made, ORGANISM)
    return made


@pytest.fixture(scope="module")
def store(lake: Lake) -> CompendiumStore:
    return open_compendium(lake, ORGANISM)


@pytest.fixture(scope="module")
def files(lake: Lake) -> Files:
    return files_of(lake)


def files_of(lake: Lake) -> Files:
    head = lake.head(ASSET, ORGANISM)
    assert head is not None
    with zipfile.ZipFile(lake.local(head.file(f"{ORGANISM}.zip"))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def frame(files: Files, name: str, index: str = "Gene") -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(files[name]), sep="\t", index_col=index, keep_default_na=True)


def test_it_has_the_layout_of_refine_bio_and_every_checksum(files: Files) -> None:
    assert set(files) == {
        *("README.md", "LICENSE.TXT", "report.html", "aggregated_metadata.json", "manifest.json"),
        *("filtered_samples_metadata.tsv", "filtered_samples_metadata.json", "dropped_genes.tsv"),
        *(MATRIX, TABLE, f"{ORGANISM}/metadata_{ORGANISM}.json", f"{ORGANISM}/genes_{ORGANISM}.tsv"),
        *(f"{ORGANISM}/imputed_{ORGANISM}.tsv", "compendium.lock.json"),
    }
    manifest = json.loads(files["manifest.json"])
    promised = {item["path"]: item["sha256"] for item in manifest["files"]}
    found = {
        name: hashlib.sha256(data).hexdigest() for name, data in files.items() if name != "manifest.json"
    }
    assert promised == found


def test_values_and_mask_are_those_of_the_store(files: Files, store: CompendiumStore) -> None:
    values = frame(files, MATRIX)
    assert list(values.index) == store.gene_names and list(values.columns) == store.sample_names
    np.testing.assert_array_equal(values.to_numpy(np.float32), store.matrix())
    mask = frame(files, f"{ORGANISM}/imputed_{ORGANISM}.tsv")
    assert list(mask.index) == store.gene_names and list(mask.columns) == store.sample_names
    np.testing.assert_array_equal(mask.to_numpy(bool), np.isnan(store.matrix(layer="measured")))
    assert mask.to_numpy().any()


def test_metadata_are_of_all_columns_with_the_share_imputed(files: Files, store: CompendiumStore) -> None:
    table = frame(files, TABLE, "refinebio_accession_code")
    assert list(table.index) == store.sample_names
    shares = store.samples.column("share_missing").to_numpy()
    np.testing.assert_allclose(table["refinebio_share_imputed"], shares, atol=1e-6)
    assert table.loc["GSM10", "refinebio_sex"] == "male"
    assert table.loc["GSM10", "experiment_accession"] == "GSE1"
    full = json.loads(files[f"{ORGANISM}/metadata_{ORGANISM}.json"])
    assert [sample["refinebio_accession_code"] for sample in full["samples"]] == store.sample_names
    assert full["samples"][0]["refinebio_annotations"]


def test_aggregated_metadata_tell_errors_versions_and_who_was_left_out(files: Files) -> None:
    told: dict[str, Any] = json.loads(files["aggregated_metadata.json"])
    assert told["compendium_version"] == 1 and set(told["experiments"]) == {
        "GSE1",
        "GSE2",
        "GSE3",
        "SRP1",
        "SRP2",
    }
    assert told["samples"]["SRR10"]["experiment_accession"] == "SRP1"
    assert "submitter-processed" in told["filtered_samples"]["GSE2"]["SUB1"]
    held_out = told["imputation"]["held_out"]
    assert 0 < held_out["block"] < held_out["gene_mean_block"]
    methods = {item["method"]: item["block"] for item in held_out["compared"]}
    assert methods["factors"] == pytest.approx(held_out["block"]) and methods["iterative_svd"] > 0
    genes = frame(files, f"{ORGANISM}/genes_{ORGANISM}.tsv")
    assert list(told["genes"]) == list(genes.index)
    errors = pd.Series({name: gene["rmse_block"] for name, gene in told["genes"].items()}, dtype=float)
    np.testing.assert_allclose(errors, genes["rmse_block"], rtol=1e-5)
    assert genes["rmse_random"].notna().any() and genes["rmse_block"].notna().any()
    filtered = frame(files, "filtered_samples_metadata.tsv", "refinebio_accession_code")
    assert list(filtered.index) == ["SUB1"] and filtered.loc["SUB1", "experiment_accession"] == "GSE2"


def test_the_readme_and_the_report_say_what_cannot_be_separated(files: Files) -> None:
    for name in ("README.md", "report.html"):
        text = files[name].decode()
        assert "Technology cannot be separated from experiment" in text
        assert "Disease cannot be separated from experiment" in text
        assert "1 of the 5 experiments has samples of more than one platform" in text
    assert "Sex can be separated from experiment: 3 of the 3 experiments" in files["report.html"].decode()
    assert "iterative_svd" in files["report.html"].decode()


def test_its_bytes_depend_on_the_lake_only_and_metadata_make_it_anew(lake: Lake, tmp_path: Path) -> None:
    other = Lake(str(tmp_path / "lake"))
    shutil.copytree(lake.url, tmp_path / "lake")
    again = build_compendium_bundle(other, ORGANISM)
    assert not again.changed
    shutil.rmtree(tmp_path / "lake" / "log" / ASSET)
    anew = build_compendium_bundle(Lake(str(tmp_path / "lake")), ORGANISM)
    head = lake.head(ASSET, ORGANISM)
    assert head is not None and anew.changed
    assert anew.commit.version == head.version
    assert anew.commit.file(f"{ORGANISM}.zip").sha256 == head.file(f"{ORGANISM}.zip").sha256
    row = read_rows(other, anew.commit, "compendium_bundles")[0]
    assert (row["number"], row["samples"]) == (1, 36)
    add_attribute(other)
    third = build_compendium_bundle(other, ORGANISM)
    assert third.changed and any("tissues" in reason for reason in third.reasons)
    told = json.loads(files_of(other)["aggregated_metadata.json"])
    assert told["compendium_version"] == 1


def test_without_imputation_missing_values_are_empty_and_there_is_no_mask(tmp_path: Path) -> None:
    lake = compendium_world(tmp_path).lake
    build_normalized_compendium(lake, ORGANISM, imputation=Imputation.NONE)
    build_compendium_bundle(lake, ORGANISM)
    found = files_of(lake)
    assert f"{ORGANISM}/imputed_{ORGANISM}.tsv" not in found
    assert frame(found, MATRIX).isna().to_numpy().any()
    assert (frame(found, TABLE, "refinebio_accession_code")["refinebio_share_imputed"] == 0).all()
    assert "Nothing was imputed" in found["README.md"].decode()


def inspect(lake: Lake, folder: Path, files: Files, manifest_of: Files | None = None) -> None:
    """Zip files with the manifest of these or other ones, and let the gate judge them."""
    listed = [
        {"path": name, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for name, data in (manifest_of or files).items()
        if name != "manifest.json"
    ]
    with zipfile.ZipFile(folder / "bundle.zip", "w") as archive:
        for name, data in files.items():
            if name != "manifest.json":
                archive.writestr(name, data)
        archive.writestr("manifest.json", json.dumps({"files": listed}))
    target = require_target(lake, ORGANISM).values(lake)
    require_sound(inspect_compendium(folder / "bundle.zip", target, folder), "the compendium")


def without(name: str) -> Callable[[Files], Files]:
    return lambda files: {key: data for key, data in files.items() if key != name}


def without_the_last_row(files: Files) -> Files:
    rows = files[TABLE].split(b"\r\n")
    return files | {TABLE: b"\r\n".join(rows[:-2]) + b"\r\n"}


def with_one_sample_not_normalized(files: Files) -> Files:
    values = frame(files, MATRIX)
    values["GSM12"] += 0.01
    return files | {MATRIX: values.to_csv(sep="\t").encode()}


def without_a_column(files: Files) -> Files:
    """Lose a sample from values and metadata alike: neither delivered nor listed."""
    values = frame(files, MATRIX).drop(columns="SRR28")
    rows = files[TABLE].split(b"\r\n")
    return files | {
        MATRIX: values.to_csv(sep="\t").encode(),
        TABLE: b"\r\n".join(row for row in rows if not row.startswith(b"SRR28")),
    }


def with_a_sample_filtered_without_a_reason(files: Files) -> Files:
    name = "filtered_samples_metadata.tsv"
    rows = files[name].decode().split("\r\n")
    cells = rows[1].split("\t")
    return files | {name: "\r\n".join([rows[0], "\t".join([*cells[:2], "", *cells[3:]]), ""]).encode()}


INJECTED: list[tuple[Defect, Callable[[Files], Files], str]] = [
    (Defect.NO_METADATA, without(TABLE), f"{ORGANISM} has 36 samples and no metadata"),
    (Defect.NO_MATRIX, without(MATRIX), f"{ORGANISM} has 36 rows of metadata and no values"),
    (Defect.NOT_NORMALIZED, with_one_sample_not_normalized, f"GSM12 of {ORGANISM} have not the distribution"),
    (Defect.SAMPLE_LOST, without_a_column, "SRR28 of SRP2 was asked for and is neither"),
    (Defect.SAMPLE_LOST, with_a_sample_filtered_without_a_reason, "SUB1 of GSE2 was asked for"),
    (Defect.ROWS_DIFFER, without_the_last_row, f"{ORGANISM}: only in the matrix: SRR28"),
]


@pytest.mark.parametrize(("defect", "inject", "message"), INJECTED, ids=[item[2] for item in INJECTED])
def test_an_injected_defect_is_refused_by_name(
    defect: Defect,
    inject: Callable[[Files], Files],
    message: str,
    lake: Lake,
    files: Files,
    tmp_path: Path,
) -> None:
    with pytest.raises(GateError) as caught:
        inspect(lake, tmp_path, inject(files))
    assert caught.value.found[0].defect == defect
    assert f"{defect}: {message}" in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["bundle.zip"], "nothing is left in scratch"


def test_a_file_that_differs_from_the_manifest_is_refused(lake: Lake, files: Files, tmp_path: Path) -> None:
    with pytest.raises(GateError, match=r"README.md has SHA-256 .*, the manifest says"):
        inspect(lake, tmp_path, files | {"README.md": b"other"}, manifest_of=files)


def test_a_defect_leaves_the_bundle_before_in_place(tmp_path: Path) -> None:
    lake = compendium_world(tmp_path).lake
    build_normalized_compendium(lake, ORGANISM)
    first = build_compendium_bundle(lake, ORGANISM).commit
    assert find_defects(inspect_commit(lake, first)) == []
    commit_without_normalization(lake)
    with pytest.raises(GateError, match="have not the distribution of the target"):
        build_compendium_bundle(lake, ORGANISM)
    head = lake.head(ASSET, ORGANISM)
    assert head is not None and head.id == first.id
    assert not any(lake.storage.scratch.iterdir())


def commit_without_normalization(lake: Lake) -> None:
    """Commit a version whose final values are the measured ones."""
    head = require_compendium(lake, ORGANISM)
    with lake.draft(head.asset, ORGANISM) as draft:
        shutil.copytree(open_compendium(lake, ORGANISM).folder, draft.folder / "store")
        path = draft.folder / "store" / "by_gene.parquet"
        table = pq.read_table(path)
        pq.write_table(table.set_column(3, table.schema.field("final"), table.column("measured")), path)
        for name in ("compendium.lock.json", "findings.json"):
            shutil.copy(lake.local(head.file(name)), draft.folder / name)
        for name in ("compendia", "dropped"):
            draft.write_table(name, read_rows(lake, head, name))
        draft.commit(version="raw", code_version="2", info={**head.info, "number": 2})


def add_attribute(lake: Lake) -> None:
    """Let a lab say something of a sample."""
    with lake.draft(ATTRIBUTES, "tissues") as draft:
        attribute = {"sample": "GSM10", "source": "lab", "name": "tissue", "value": "liver"}
        draft.write_table(ATTRIBUTES, [attribute | {"ontology_term": "", "unit": ""}])
        draft.commit(version="1", code_version="1")
