"""The publish gate: each defect, put into a bundle, stops its publication with a message that names it."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from refinebio_assets.errors import FormatError
from refinebio_assets.lake.rows import read_rows
from refinebio_assets.lake.store import Commit
from refinebio_assets.pipelines.datasets.bundle import build_bundle, inspect_commit
from refinebio_assets.pipelines.datasets.dataset_matrices import build_matrices
from refinebio_assets.pipelines.datasets.inspection import inspect_bundle
from refinebio_assets.pipelines.delivery.gate import Defect, Delivery, GateError, find_defects, require_sound
from refinebio_assets_tests.pipelines.datasets.world import HUMAN, TARGET, World, arrays, rna_seq

Files = dict[str, bytes]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """The files of a sound bundle with two matrices, the manifest left out."""
    world = World(tmp_path_factory.mktemp("world"))
    world.add("SRP1", rna_seq(["SRR1", "SRR2"]))
    world.add("GSE1", arrays(["GSM1", "GSM2", "GSM3"]))
    world.target()
    world.ask("D", {"SRP1": ["ALL"], "GSE1": ["ALL"]})
    build_matrices(world.lake, "D")
    commit = build_bundle(world.lake, "D").commit
    assert find_defects(inspect_commit(world.lake, commit)) == []
    with zipfile.ZipFile(world.lake.local(commit.file("D.zip"))) as archive:
        return {name: archive.read(name) for name in archive.namelist() if name != "manifest.json"}


def delivery(folder: Path, files: Files, manifest_of: Files | None = None) -> Delivery:
    """Zip files with the manifest of these or other ones, and read them as the gate does."""
    listed = [
        {"path": name, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for name, data in (manifest_of or files).items()
    ]
    with zipfile.ZipFile(folder / "D.zip", "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
        archive.writestr("manifest.json", json.dumps({"files": listed}))
    organisms = dict.fromkeys(("SRR1", "SRR2", "GSM1", "GSM2", "GSM3"), HUMAN)
    return inspect_bundle(folder / "D.zip", {HUMAN: np.array(TARGET)}, organisms)


def without(name: str) -> Callable[[Files], Files]:
    return lambda files: {key: data for key, data in files.items() if key != name}


def without_the_last_row(files: Files) -> Files:
    rows = files["GSE1/metadata_GSE1.tsv"].split(b"\r\n")
    return files | {"GSE1/metadata_GSE1.tsv": b"\r\n".join(rows[:-2]) + b"\r\n"}


def with_raw_values(files: Files) -> Files:
    frame = pd.read_parquet(io.BytesIO(files["GSE1/GSE1.parquet"]))
    frame["GSM2"] = frame["GSM2"] + 0.5
    target = io.BytesIO()
    frame.to_parquet(target, index=False)
    return files | {"GSE1/GSE1.parquet": target.getvalue()}


def with_a_column_more(files: Files) -> Files:
    rows = files["GSE1/GSE1.tsv"].decode().splitlines()
    wider = [f"{rows[0]}\tGSMX", *(f"{row}\t1.0" for row in rows[1:])]
    return files | {"GSE1/GSE1.tsv": "".join(f"{row}\n" for row in wider).encode()}


def with_a_sample_only_in_another_experiment(files: Files) -> Files:
    lock = json.loads(files["dataset.lock.json"])
    lock["request"]["data"]["GSE1"].append("SRR1")
    return files | {"dataset.lock.json": json.dumps(lock).encode()}


def with_a_lost_sample(files: Files) -> Files:
    lock = json.loads(files["dataset.lock.json"])
    lock["request"]["data"]["GSE1"].append("GSM9")
    return files | {"dataset.lock.json": json.dumps(lock).encode()}


INJECTED: list[tuple[Defect, Callable[[Files], Files], str]] = [
    (Defect.NO_METADATA, without("GSE1/metadata_GSE1.tsv"), "GSE1 has 3 samples and no metadata"),
    (Defect.NO_MATRIX, without("GSE1/GSE1.tsv"), "GSE1 has 3 rows of metadata and no values"),
    (Defect.NOT_NORMALIZED, with_raw_values, "GSM2 of GSE1 have not the distribution"),
    (Defect.SAMPLE_LOST, with_a_lost_sample, "GSM9 of GSE1 was asked for and is neither"),
    (Defect.SAMPLE_LOST, with_a_column_more, "GSMX is delivered and was not asked for"),
    (Defect.SAMPLE_LOST, with_a_sample_only_in_another_experiment, "SRR1 of GSE1 was asked for"),
    (Defect.NOT_NORMALIZED, without("GSE1/GSE1.parquet"), "GSM1, GSM2, GSM3 of GSE1 have not"),
    (Defect.ROWS_DIFFER, without_the_last_row, "GSE1: only in the matrix: GSM3"),
]


@pytest.mark.parametrize(("defect", "inject", "message"), INJECTED, ids=[item[0].name for item in INJECTED])
def test_an_injected_defect_is_refused_by_name(
    defect: Defect, inject: Callable[[Files], Files], message: str, bundle: Files, tmp_path: Path
) -> None:
    with pytest.raises(GateError) as caught:
        require_sound(delivery(tmp_path, inject(bundle)), "dataset D")
    assert defect in {item.defect for item in caught.value.found}
    assert f"{defect}: {message}" in str(caught.value)


def test_a_file_that_differs_from_the_manifest_is_refused_by_name(bundle: Files, tmp_path: Path) -> None:
    damaged = bundle | {"README.md": b"other", "stray.txt": b"x"}
    with pytest.raises(GateError) as caught:
        require_sound(delivery(tmp_path, damaged, manifest_of=bundle), "dataset D")
    assert {item.defect for item in caught.value.found} == {Defect.WRONG_CHECKSUM}
    assert "README.md has SHA-256" in str(caught.value)
    assert "stray.txt is in the bundle and not in the manifest" in str(caught.value)


def test_a_sound_bundle_passes(bundle: Files, tmp_path: Path) -> None:
    require_sound(delivery(tmp_path, bundle), "dataset D")


def test_metadata_of_any_length_are_read(bundle: Files, tmp_path: Path) -> None:
    name = "GSE1/metadata_GSE1.tsv"
    longer = bundle | {name: bundle[name].replace(b"title of GSM1", b"title " * 50_000)}
    assert longer[name] != bundle[name]
    assert find_defects(delivery(tmp_path, longer)) == []


def test_a_damaged_zip_is_refused_by_name(bundle: Files, tmp_path: Path) -> None:
    path = tmp_path / "D.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in (bundle | {"manifest.json": b'{"files": []}'}).items():
            archive.writestr(name, data)
    with zipfile.ZipFile(path) as archive:
        place = archive.getinfo("GSE1/metadata_GSE1.tsv").header_offset + 30 + len("GSE1/metadata_GSE1.tsv")
    data = bytearray(path.read_bytes())
    data[place : place + 4] = b"\xff\xff\xff\xff"
    path.write_bytes(data)
    with pytest.raises(FormatError, match=r"D\.zip: expected a bundle of a dataset"):
        inspect_bundle(path, {HUMAN: np.array(TARGET)}, {})


def test_a_filtered_sample_needs_a_reason(bundle: Files, tmp_path: Path) -> None:
    lost = delivery(tmp_path, with_a_lost_sample(bundle))
    assert find_defects(replace(lost, filtered={("GSE1", "GSM9"): "cut"}), [Defect.SAMPLE_LOST]) == []
    assert find_defects(replace(lost, filtered={("GSE1", "GSM9"): ""}), [Defect.SAMPLE_LOST])


def test_a_defect_leaves_no_bundle_and_the_earlier_one_in_place(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.add("SRP1", rna_seq(["SRR1", "SRR2"]))
    world.target()
    world.ask("D", {"SRP1": ["ALL"]})
    matrices = build_matrices(world.lake, "D").commit
    first = build_bundle(world.lake, "D").commit
    commit_with_raw_values(world, matrices)
    with pytest.raises(GateError, match="SRR2 of SRP1 have not the distribution"):
        build_bundle(world.lake, "D")
    head = world.lake.head("dataset_bundle", "D")
    assert head is not None
    assert head.id == first.id


def commit_with_raw_values(world: World, matrices: Commit) -> None:
    """Commit a version whose matrix says that it is normalized and is not, as refine.bio delivered."""
    lake = world.lake
    with lake.draft("dataset_matrices", "D") as draft:
        for table in matrices.tables:
            draft.write_table(table, read_rows(lake, matrices, table))
        for name in ("dataset.lock.json", "overview.json"):
            (draft.folder / name).write_bytes(lake.local(matrices.file(name)).read_bytes())
        frame = pd.read_parquet(lake.local(matrices.file("SRP1.parquet")))
        frame["SRR2"] += 0.5
        frame.to_parquet(draft.folder / "SRP1.parquet", index=False)
        draft.commit(version="x", code_version="1", info=dict(matrices.info))
