"""Datasets from request to bundle, on small lakes: numbers, order, layout, what is refused."""

from __future__ import annotations

import io
import json
import re
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from refinebio_assets.domain import Processing
from refinebio_assets.errors import AllFailedError, NotFoundError, PermanentError, RequestError
from refinebio_assets.lake.rows import read_rows
from refinebio_assets.methods.quantile import apply_target
from refinebio_assets.pipelines.datasets.bundle import build_bundle
from refinebio_assets.pipelines.datasets.dataset_matrices import (
    assess_dataset,
    build_matrices,
    dataset_versions,
)
from refinebio_assets_tests.pipelines.datasets.world import (
    ARRAY,
    GENES,
    HUMAN,
    MOUSE,
    OTHER_ARRAY,
    World,
    arrays,
    built,
    changed,
    rna_seq,
)

TARGET = np.linspace(0.1, 9.7, 50)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Two RNA-seq samples, two arrays that share half of the genes, and a target for human."""
    made = World(tmp_path)
    made.add("SRP1", rna_seq(["SRR2", "SRR1"]), failed={"SRR9": "its FASTQ file is cut"})
    made.add("GSE1", arrays(["GSM1", "GSM2"], 1, genes=[f"{gene}_at" for gene in reversed(GENES[:40])]))
    made.target()
    return made


def matrix(bundle: zipfile.ZipFile, key: str) -> pd.DataFrame:
    return pd.read_csv(
        bundle.open(f"{key}/{key}.tsv"), sep="\t", index_col="Gene", float_precision="round_trip"
    )


def metadata(bundle: zipfile.ZipFile, key: str) -> pd.DataFrame:
    return pd.read_csv(bundle.open(f"{key}/metadata_{key}.tsv"), sep="\t", dtype=str, keep_default_na=False)


def test_by_experiment_each_matrix_has_the_targets_distribution(world: World) -> None:
    world.ask("D", {"SRP1": ["SRR1", "SRR2"], "GSE1": ["ALL"]})
    bundle = built(world)
    values = matrix(bundle, "SRP1")
    assert list(values.columns) == ["SRR1", "SRR2"]
    assert list(values.index) == list(GENES)
    raw = rna_seq(["SRR2", "SRR1"]).abundances.astype(np.float32)[:, ::-1]
    np.testing.assert_array_equal(values.to_numpy(), apply_target(raw, TARGET))
    assert list(matrix(bundle, "GSE1").index) == list(GENES[:40])


def test_submitters_values_beside_values_from_raw_data_are_warned_of(world: World) -> None:
    submitted = arrays(["GSM3"], 2, platform=OTHER_ARRAY, processing=Processing.SUBMITTER_PROCESSED)
    world.add("GSE2", arrays(["GSM4", "GSM5"], 3), submitted)
    world.ask("D", {"GSE1": ["ALL"], "GSE2": ["ALL"]})
    bundle = built(world)
    warnings = read_rows(world.lake, dataset_versions(world.lake, "D")[-1], "datasets")[0]["warnings"]
    expected = "GSE2: 1 submitter-processed sample (GSM3) beside 2 from raw data"
    assert [line[: len(expected)] for line in warnings if "submitter-processed" in line] == [expected]
    assert expected in bundle.read("README.md").decode()


def test_the_readmes_python_reads_samples_that_look_like_numbers_or_nothing(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.add("GSE2", arrays(["001", "1e3", "NA"], 2))
    world.ask("D", {"GSE2": ["ALL"]})
    bundle = built(world)
    bundle.extractall(tmp_path / "zip")
    monkeypatch.chdir(tmp_path / "zip")
    (script,) = re.findall(r"```python\n(.*?)```", bundle.read("README.md").decode(), re.DOTALL)
    read: dict[str, pd.DataFrame] = {}
    exec(script, read)  # its last line compares the samples of both tables
    assert list(read["metadata"].index) == ["001", "1e3", "NA"]


def test_a_bundle_has_the_layout_of_refine_bio(world: World) -> None:
    world.ask("D", {"SRP1": ["SRR1"], "GSE1": ["ALL"]}, h5ad=True)
    bundle = built(world)
    own = {f"{key}/{name}" for key in ("SRP1", "GSE1") for name in _names_of(key)}
    top = {"README.md", "LICENSE.TXT", "aggregated_metadata.json", "dataset.lock.json", "manifest.json"}
    assert set(bundle.namelist()) == own | top | {"report.html"}
    frame = pd.read_parquet(io.BytesIO(bundle.read("GSE1/GSE1.parquet"))).set_index("Gene")
    pd.testing.assert_frame_equal(frame, matrix(bundle, "GSE1"))
    aggregated = json.loads(bundle.read("aggregated_metadata.json"))
    assert aggregated["num_samples"] == 3
    assert aggregated["samples"]["GSM1"]["refinebio_platform"].endswith("(hgu133a)")
    assert list(metadata(bundle, "GSE1")["refinebio_accession_code"]) == ["GSM1", "GSM2"]


def _names_of(key: str) -> list[str]:
    return [f"{key}.tsv", f"{key}.parquet", f"{key}.h5ad", f"metadata_{key}.tsv"]


def test_anndata_opens_the_h5ad_with_metadata_as_obs(world: World, tmp_path: Path) -> None:
    anndata = pytest.importorskip("anndata")
    world.ask("D", {"GSE1": ["ALL"]}, h5ad=True)
    data = anndata.read_h5ad(built(world).extract("GSE1/GSE1.h5ad", tmp_path))
    assert list(data.obs_names) == ["GSM1", "GSM2"]
    assert list(data.obs["refinebio_title"]) == ["title of GSM1", "title of GSM2"]
    assert data.X.shape == (2, 40)


def test_names_with_a_slash_do_not_hide_others_in_the_h5ad(world: World, tmp_path: Path) -> None:
    anndata = pytest.importorskip("anndata")
    world.metadata["GSM8"] = [("sex/age", "f, 30"), ("sex_age", "old")]
    world.add("GSE8", arrays(["GSM8"]))
    world.ask("D", {"GSE8": ["ALL"]}, h5ad=True)
    data = anndata.read_h5ad(built(world).extract("GSE8/GSE8.h5ad", tmp_path))
    assert [data.obs[name].iloc[0] for name in ("sex_age", "sex_age_")] == ["f, 30", "old"]


def test_by_species_rna_seq_is_logged_and_joined_with_arrays(world: World) -> None:
    world.ask("D", {"SRP1": ["ALL"], "GSE1": ["ALL"]}, aggregate_by="SPECIES")
    bundle = built(world)
    values = matrix(bundle, HUMAN)
    assert list(values.columns) == ["GSM1", "GSM2", "SRR1", "SRR2"]
    logged = np.log2(rna_seq(["SRR2", "SRR1"]).abundances.astype(np.float32)[:40, ::-1] + np.float32(1))
    np.testing.assert_array_equal(values[["SRR1", "SRR2"]].to_numpy(), apply_target(logged, TARGET))
    described = json.loads(bundle.read(f"{HUMAN}/metadata_{HUMAN}.json"))
    assert described["species"] == HUMAN
    assert [item["refinebio_accession_code"] for item in described["samples"]] == list(values.columns)
    loss = read_rows(world.lake, dataset_versions(world.lake, "D")[-1], "gene_loss")
    assert {row["measured_with"]: (row["genes"], row["alone_removed"]) for row in loss} == {
        ARRAY.name: (40, 20),
        "RNA-SEQ": (60, 0),
    }


def test_genes_of_one_id_are_averaged_before_logarithms_are_taken(world: World) -> None:
    genes = [*GENES, f"{GENES[0]}.2", f"{GENES[1]}_at", "AFFX-BioB-5_at"]
    linear = np.random.default_rng(3).gamma(0.5, 400, (len(genes), 2))
    linear[0], linear[-3] = [1, 1000], [2000, np.nan]
    linear[-1] = 1e6
    world.add("SRP3", rna_seq(["SRR31", "SRR32"], genes=genes[:-1]))
    world.add("GSE3", replace(arrays(["GSM31", "GSM32"], genes=genes), abundances=linear))
    world.ask("D", {"SRP3": ["ALL"], "GSE3": ["ALL"]}, aggregate_by="SPECIES")
    values = matrix(built(world), HUMAN)
    counts = rna_seq(["SRR31", "SRR32"], genes=genes[:-1]).abundances
    expected = [np.log2(_by_gene(linear, genes)), np.log2(_by_gene(counts, genes[:-1]) + np.float32(1))]
    np.testing.assert_array_equal(values.to_numpy(), apply_target(np.hstack(expected), TARGET))


def _by_gene(values: np.ndarray, ids: list[str]) -> np.ndarray:
    """Average rows as pandas does, in float32; control probes left out."""
    frame = pd.DataFrame(values.astype(np.float32).astype(np.float64), index=[name[:15] for name in ids])
    frame = frame[~frame.index.str.startswith("AFFX-")]
    return frame.groupby(level=0, sort=False).mean().to_numpy(np.float32)


def test_without_normalization_values_stay_float32_and_as_they_were(world: World) -> None:
    world.ask("D", {"SRP1": ["ALL"]}, quantile_normalize=False)
    bundle = built(world)
    raw = rna_seq(["SRR2", "SRR1"]).abundances.astype(np.float32)
    assert bundle.read("SRP1/SRP1.tsv").decode().splitlines()[1].split("\t")[2] == str(raw[0, 0])
    aggregated = json.loads(bundle.read("aggregated_metadata.json"))
    assert aggregated["quantile_normalized"] is False
    assert aggregated["ks_statistic"] is None


def test_genes_are_scaled_after_normalization(world: World) -> None:
    world.ask("D", {"GSE1": ["ALL"], "SRP1": ["ALL"]}, aggregate_by="ALL", scale_by="MINMAX")
    values = matrix(built(world), "ALL").to_numpy()
    assert values.min() == 0
    assert values.max() == 1


def test_a_bundle_has_the_same_bytes_on_another_machine(world: World, tmp_path: Path) -> None:
    world.ask("D", {"SRP1": ["ALL"], "GSE1": ["ALL"]}, aggregate_by="ALL", h5ad=True)
    first = build_matrices(world.lake, "D") and build_bundle(world.lake, "D").commit
    again = World(world.folder)
    with again.lake.draft("dataset_bundle", "D") as draft:
        draft.commit(version="x", code_version="0", info={"basis": {}})
    second = build_bundle(again.lake, "D").commit
    assert first.file("D.zip").sha256 == second.file("D.zip").sha256


def test_a_sample_that_lost_its_values_is_filtered_with_its_reason(world: World) -> None:
    world.ask("D", {"SRP1": ["SRR1", "SRR2"]})
    world.express("SRP1", rna_seq(["SRR1"]), failed={"SRR2": "its quant.sf is damaged"})
    bundle = built(world)
    assert list(matrix(bundle, "SRP1").columns) == ["SRR1"]
    filtered = pd.read_csv(bundle.open("filtered_samples_metadata.tsv"), sep="\t")
    assert filtered[["refinebio_accession_code", "experiment_accession", "reason"]].to_numpy().tolist() == [
        ["SRR2", "SRP1", "its quant.sf is damaged"]
    ]
    listed = json.loads(bundle.read("filtered_samples_metadata.json"))
    assert listed["SRR2"]["reason"] == "its quant.sf is damaged"


def test_when_no_sample_is_left_the_reasons_are_told(world: World) -> None:
    world.ask("D", {"SRP1": ["SRR1"]})
    world.express("SRP1", failed={"SRR1": "its quant.sf is damaged", "SRR2": "no"})
    with pytest.raises(AllFailedError, match=r"SRR1: its quant\.sf is damaged"):
        build_matrices(world.lake, "D")


def test_organisms_without_common_genes_are_named(world: World) -> None:
    mouse = rna_seq(["SRR7"], organism=MOUSE, genes=[f"ENSMUSG{n:011d}" for n in range(30)])
    world.add("SRP7", mouse)
    world.target(MOUSE)
    world.ask("D", {"SRP1": ["SRR1"], "SRP7": ["ALL"]}, aggregate_by="ALL")
    with pytest.raises(PermanentError, match=r"(?s)sapiens \(SRR1\) and .*musculus \(SRR7\).*SPECIES"):
        build_matrices(world.lake, "D")
    assert dataset_versions(world.lake, "D") == []


def test_organisms_with_common_genes_are_each_normalized_to_their_target(world: World) -> None:
    world.add("SRP7", rna_seq(["SRR0"], 5, organism=MOUSE))
    world.target(MOUSE, np.linspace(20, 30, 60).tolist())
    world.ask("D", {"SRP1": ["SRR1"], "SRP7": ["ALL"]}, aggregate_by="ALL")
    values = matrix(built(world), "ALL")
    assert values["SRR0"].between(20, 30).all()
    assert values["SRR1"].between(0.1, 9.7).all()


def test_an_organism_without_a_target_is_told_how_to_get_one(world: World) -> None:
    world.add("SRP7", rna_seq(["SRR7"], organism=MOUSE))
    world.ask("D", {"SRP7": ["ALL"]})
    with pytest.raises(RequestError, match=r"Mus musculus has no target.*target build"):
        build_matrices(world.lake, "D")


def test_one_sample_alone_is_a_dataset_whose_zeros_are_warned_of_when_it_is_scaled(world: World) -> None:
    world.ask("D", {"SRP1": ["SRR1"]}, scale_by="STANDARD")
    bundle = built(world)
    assert (matrix(bundle, "SRP1").to_numpy() == 0).all()
    assert "SRP1: SRR1 is the only sample" in bundle.read("README.md").decode()
    assert json.loads(bundle.read("aggregated_metadata.json"))["ks_statistic"] is None


def test_a_constant_sample_becomes_the_targets_median(world: World) -> None:
    flat = changed(rna_seq(["SRR5"]), abundances=np.full((len(GENES), 1), 3.0))
    world.add("SRP5", flat)
    world.ask("D", {"SRP5": ["ALL"]})
    values = matrix(built(world), "SRP5")["SRR5"]
    assert values.min() == values.max()
    assert values.iloc[0] == pytest.approx(np.median(TARGET))


def test_missing_values_stay_missing_and_a_sample_of_nothing_else_is_filtered(world: World) -> None:
    made = arrays(["GSM5", "GSM6", "GSM7"], 3)
    made.abundances[0, 0] = np.nan
    made.abundances[:, 1] = np.nan
    world.add("GSE5", made)
    world.ask("D", {"GSE5": ["ALL"]})
    bundle = built(world)
    values = matrix(bundle, "GSE5")
    assert list(values.columns) == ["GSM5", "GSM7"]
    assert values.isna().sum().tolist() == [1, 0]
    assert json.loads(bundle.read("filtered_samples_metadata.json"))["GSM6"]["reason"].startswith("it has no")


def test_an_experiment_without_values_is_left_out_and_told_of(world: World) -> None:
    nothing = arrays(["GSM5", "GSM6"], 3)
    nothing.abundances[:] = np.nan
    world.add("GSE5", nothing)
    world.add("GSE6", arrays(["GSM7"], genes=["AFFX-BioB-5_at", "AFFX-BioB-3_at"]))
    world.ask("D", {"GSE5": ["ALL"], "GSE6": ["ALL"], "SRP1": ["ALL"]})
    bundle = built(world)
    folders = {name.split("/")[0] for name in bundle.namelist() if "/" in name}
    assert folders == {"SRP1"}
    listed = json.loads(bundle.read("filtered_samples_metadata.json"))
    assert {name: entry["reason"][:16] for name, entry in listed.items()} == {
        "GSM5": "it has no value ",
        "GSM6": "it has no value ",
        "GSM7": "none of the ids ",
    }
    told = "GSE5 is left out, as none of its samples can be delivered: it has no value"
    for name in ("README.md", "report.html", "aggregated_metadata.json"):
        assert told in bundle.read(name).decode(), name
    assert "2 samples of 1 experiment;" in bundle.read("README.md").decode()


def test_a_dataset_of_nothing_but_missing_values_is_refused_with_the_reasons(world: World) -> None:
    nothing = arrays(["GSM5"], 3)
    nothing.abundances[:] = np.nan
    world.add("GSE5", nothing)
    world.ask("D", {"GSE5": ["ALL"]})
    with pytest.raises(AllFailedError, match="GSM5: it has no value for any of the genes"):
        build_matrices(world.lake, "D")
    assert dataset_versions(world.lake, "D") == []


def test_linear_arrays_are_logged_and_what_has_no_logarithm_is_told(world: World) -> None:
    made = arrays(["GSM5"], 3)
    made.abundances[:] = np.abs(made.abundances) * 100 + 50
    made.abundances[0] = -1.0
    world.add("GSE5", made)
    world.ask("D", {"GSE5": ["ALL"]})
    build_matrices(world.lake, "D")
    (row,) = read_rows(world.lake, dataset_versions(world.lake, "D")[-1], "datasets")
    assert any("log2 scale" in line for line in row["warnings"])
    assert any("1 values are zero or negative" in line for line in row["warnings"])


def test_a_sample_of_two_experiments_is_once_in_a_matrix_and_listed_under_both(world: World) -> None:
    world.add("GSE2", arrays(["GSM2", "GSM3"], 4))
    world.ask("D", {"GSE1": ["ALL"], "GSE2": ["ALL"]}, aggregate_by="SPECIES")
    bundle = built(world)
    assert list(matrix(bundle, HUMAN).columns) == ["GSM1", "GSM2", "GSM3"]
    assert list(metadata(bundle, HUMAN)["experiment_accession"]) == ["GSE1", "GSE1;GSE2", "GSE2"]


def test_platforms_that_cost_genes_are_named_in_a_warning(world: World) -> None:
    world.add("GSE3", arrays(["GSM8"], 8, genes=GENES[:10], platform=OTHER_ARRAY))
    world.ask("D", {"GSE1": ["ALL"], "GSE3": ["ALL"]}, aggregate_by="SPECIES")
    build_matrices(world.lake, "D")
    (row,) = read_rows(world.lake, dataset_versions(world.lake, "D")[-1], "datasets")
    assert "10 of the 40 genes" in row["warnings"][0]
    assert "HG_U95Av2" in row["warnings"][0]


def test_nothing_is_built_twice_and_newer_inputs_make_a_new_version(world: World) -> None:
    world.ask("D", {"SRP1": ["ALL"]})
    first = build_matrices(world.lake, "D")
    assert not build_matrices(world.lake, "D").changed
    world.express("SRP1", rna_seq(["SRR1", "SRR2"], 9))
    assert assess_dataset(world.lake, "D").situation.reasons[0].startswith("gene_expression of SRP1 changed")
    second = build_matrices(world.lake, "D")
    assert (first.commit.info["number"], second.commit.info["number"]) == (1, 2)
    assert world.lake.local(first.commit.file("SRP1.parquet")).exists()


def test_a_sample_filtered_under_two_experiments_tells_of_both(world: World) -> None:
    for name in ("SRP4", "SRP5"):
        world.add(name, rna_seq(["SRR1", "SRR8"]))
    world.ask("D", {"SRP4": ["ALL"], "SRP5": ["ALL"]}, aggregate_by="SPECIES")
    for name in ("SRP4", "SRP5"):
        world.express(name, rna_seq(["SRR1"]), failed={"SRR8": f"it was lost by {name}"})
    listed = json.loads(built(world).read("filtered_samples_metadata.json"))["SRR8"]
    assert listed["experiment_accession"] == "SRP4;SRP5"
    assert listed["reason"] == "it was lost by SRP4; it was lost by SRP5"


def test_an_unknown_dataset_is_not_built(world: World) -> None:
    with pytest.raises(NotFoundError, match="there is no dataset X"):
        build_matrices(world.lake, "X")


def test_members_match_their_manifest(world: World) -> None:
    import hashlib

    world.ask("D", {"SRP1": ["ALL"]})
    bundle = built(world)
    files = json.loads(bundle.read("manifest.json"))["files"]
    assert {item["path"] for item in files} == set(bundle.namelist()) - {"manifest.json"}
    for item in files:
        assert hashlib.sha256(bundle.read(item["path"])).hexdigest() == item["sha256"]
