"""Quantile targets: which samples make them, that all versions stay, and that files can be taken."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from refinebio_assets.domain import Technology
from refinebio_assets.errors import FormatError, NotFoundError, PermanentError, RequestError
from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.rows import query_rows, read_rows
from refinebio_assets.lake.store import Lake
from refinebio_assets.methods.quantile import fit_target
from refinebio_assets.pipelines.outcome import Outcome
from refinebio_assets.pipelines.target_quantiles import (
    assess_target,
    build_target,
    find_target,
    require_target,
)
from refinebio_assets.pipelines.targets import accumulation
from refinebio_assets.pipelines.targets.settings import (
    MINIMUM_VARIABLE,
    decide_samples,
    default_settings,
    import_target,
)
from refinebio_assets_tests.pipelines.expression_making import HGU95, MadeMatrix, put_expression

HUMAN = "HOMO_SAPIENS"
GENES = [f"ENSG{number:03d}" for number in range(30)]
U133 = "Affymetrix Human Genome U133A Array (hgu133a)"


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path / "lake"))


def values(samples: int, *, genes: int = len(GENES), seed: int = 1) -> npt.NDArray[np.float64]:
    return np.random.default_rng(seed).normal(0.3, 0.8, (genes, samples))


def arrays(*samples: str, seed: int = 1, **facts: object) -> MadeMatrix:
    return MadeMatrix(samples, GENES, values(len(samples), seed=seed), **facts)  # type: ignore[arg-type]


def build(lake: Lake, minimum: int = 1, organism: str = HUMAN) -> Outcome:
    decide_samples(lake, organism, minimum=minimum)
    return build_target(lake, organism)


def reasons(outcome: Outcome) -> dict[str, str]:
    return {item.item: item.reason for item in outcome.dropped}


def test_a_target_is_the_mean_of_the_sorted_values_rounded_to_float32(lake: Lake) -> None:
    made = arrays("S1", "S2", "S3")
    put_expression(lake, "E1", made)
    outcome = build(lake)
    target = find_target(lake, HUMAN)
    assert target is not None and target.commit == outcome.commit
    expected = np.sort(made.values.astype(np.float32), axis=0).astype(np.float64).mean(axis=1)
    np.testing.assert_allclose(target.values(lake), expected, rtol=1e-15)
    assert target.values(lake).tolist() == fit_target(made.values.astype(np.float32)).tolist()
    assert (target.genes, target.technology, target.imported) == (30, Technology.MICROARRAY, False)
    assert target.gene_ids(lake) == GENES


def test_the_most_populous_affymetrix_array_makes_the_target(lake: Lake) -> None:
    put_expression(lake, "E1", arrays("A1", "A2", platform=U133), arrays("A3", platform=U133, seed=2))
    put_expression(lake, "E2", arrays("B1", "B2", seed=3))
    put_expression(
        lake, "E3", arrays("C1", "C2", "C3", "C4", platform="Illumina HumanHT-12 V4.0 (illuminaHumanv4)")
    )
    put_expression(lake, "E4", arrays("D1", "D2", "D3", "D4", processing="submitter-processed"))
    put_expression(lake, "E5", arrays("F1", "F2", "F3", "F4", level="probe set"))
    put_expression(lake, "E6", arrays("G1", "G2", "G3", "G4", organism="MUS_MUSCULUS"))
    put_expression(lake, "E7", arrays(*"abcdef", technology="RNA-SEQ", platform=""))
    outcome = build(lake)
    rows = read_rows(lake, outcome.commit, "target_samples")
    assert [(row["experiment"], row["sample"]) for row in rows] == [("E1", "A1"), ("E1", "A2"), ("E1", "A3")]
    (row,) = read_rows(lake, outcome.commit, "targets")
    assert (row["platform"], row["samples"], row["technology"]) == (U133, 3, "MICROARRAY")
    assert [ref.partition for ref in outcome.commit.inputs] == ["E1"]


def test_a_sample_of_several_experiments_counts_once(lake: Lake) -> None:
    first, again = arrays("S1", "S2"), arrays("S2", "S3", seed=2)
    put_expression(lake, "E1", first)
    put_expression(lake, "E2", again)
    outcome = build(lake)
    used = {row["sample"]: row["experiment"] for row in read_rows(lake, outcome.commit, "target_samples")}
    assert used == {"S1": "E1", "S2": "E1", "S3": "E2"}
    assert not outcome.dropped
    expected = fit_target(np.column_stack([first.values, again.values[:, 1]]).astype(np.float32))
    target = require_target(lake, HUMAN)
    np.testing.assert_array_equal(target.values(lake), expected)


def test_the_gene_set_is_the_most_common_one_and_not_the_first(lake: Lake) -> None:
    put_expression(lake, "E1", MadeMatrix(["S1"], GENES[:-1], values(1, genes=29)))
    put_expression(lake, "E2", arrays("S2", "S3"))
    shuffled = [f"{gene}_at" for gene in reversed(GENES)]
    put_expression(lake, "E3", MadeMatrix(["S4"], shuffled, values(1, seed=3)))
    outcome = build(lake)
    assert reasons(outcome) == {"S1": "its 29 genes are not the 30 that most samples have"}
    assert read_rows(lake, outcome.commit, "targets")[0]["samples"] == 3
    assert read_rows(lake, outcome.commit, "dropped")[0]["item"] == "S1"


def test_a_sample_that_was_skipped_in_one_experiment_counts_by_another(lake: Lake) -> None:
    put_expression(lake, "E1", MadeMatrix(["S1"], GENES[:-1], values(1, genes=29)))
    put_expression(lake, "E2", arrays("S1", "S2"))
    outcome = build(lake)
    assert not outcome.dropped
    assert [row["experiment"] for row in read_rows(lake, outcome.commit, "target_samples")] == ["E2", "E2"]


def test_samples_with_missing_values_are_skipped(lake: Lake) -> None:
    made = arrays("S1", "S2", "S3")
    made.values[3:5, 0] = np.nan
    made.values[7, 2] = np.inf
    put_expression(lake, "E1", made)
    outcome = build(lake)
    assert reasons(outcome) == {
        "S1": "2 of its 30 genes have no finite value",
        "S3": "1 of its 30 genes have no finite value",
    }
    target = require_target(lake, HUMAN)
    np.testing.assert_array_equal(target.values(lake), np.sort(made.values[:, 1].astype(np.float32)))


def test_ids_are_sanitized_and_duplicates_averaged_as_for_datasets(lake: Lake) -> None:
    genes = ["g1.1_at", "g2.3", "AFFX-x_at", "g1.2", " g3 "]
    put_expression(lake, "E1", MadeMatrix(["S1"], genes, np.array([[1.0], [5.0], [99.0], [2.0], [3.0]])))
    build(lake)
    target = require_target(lake, HUMAN)
    assert target.gene_ids(lake) == ["g1", "g2", "g3"]
    assert target.values(lake).tolist() == [1.5, 3.0, 5.0]


def test_an_organism_without_arrays_gets_a_target_of_rna_seq_which_is_marked(lake: Lake) -> None:
    counts = np.random.default_rng(1).negative_binomial(1, 0.01, (30, 3)).astype(float)
    for number, reference in enumerate(["index-1", "index-2", "index-2"]):
        made = MadeMatrix(
            [f"R{number}"], GENES, counts[:, [number]], technology="RNA-SEQ", reference=reference
        )
        put_expression(lake, f"E{number}", made)
    outcome = build(lake)
    target = require_target(lake, HUMAN)
    assert target.technology == Technology.RNA_SEQ
    np.testing.assert_allclose(
        target.values(lake), np.sort(np.log2(counts[:, 1:] + 1), axis=0).mean(axis=1), rtol=1e-6
    )
    (row,) = read_rows(lake, outcome.commit, "targets")
    assert (row["technology"], row["transformation"], row["reference"]) == (
        "RNA-SEQ",
        "log2(x + 1)",
        "index-2",
    )
    assert row["samples"] == 2


def test_rna_seq_makes_the_target_of_an_organism_with_arrays_only_when_asked(lake: Lake) -> None:
    counts = MadeMatrix(["R1", "R2"], GENES, np.abs(values(2)), technology="RNA-SEQ", name="r")
    put_expression(lake, "E1", arrays("S1"), counts)
    assert read_rows(lake, build(lake).commit, "targets")[0]["technology"] == "MICROARRAY"
    decide_samples(lake, HUMAN, technology="RNA-SEQ")
    outcome = build_target(lake, HUMAN)
    assert read_rows(lake, outcome.commit, "targets")[0]["technology"] == "RNA-SEQ"


def test_too_few_samples_are_told_with_what_is_missing_and_the_earlier_target_stays(lake: Lake) -> None:
    put_expression(
        lake, "E1", arrays("S1", "S2"), MadeMatrix(["S3"], GENES[:5], values(1, genes=5), name="o")
    )
    before = build(lake, minimum=2)
    with pytest.raises(
        PermanentError, match=r"needs 3 samples, and 2 of 3 samples.*\n  - 1 not: its 5 genes"
    ):
        build(lake, minimum=3)
    assert lake.head("target_quantiles", HUMAN) == before.commit


def test_the_default_minimum_is_100_and_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    assert default_settings({}).minimum == 100
    assert default_settings({MINIMUM_VARIABLE: "7"}).minimum == 7
    with pytest.raises(RequestError, match=f"{MINIMUM_VARIABLE} must be a whole number"):
        default_settings({MINIMUM_VARIABLE: "some"})


def test_an_organism_without_samples_is_told_what_a_target_is_made_of(lake: Lake) -> None:
    put_expression(lake, "E1", arrays("S1", "S2", processing="submitter-processed"))
    with pytest.raises(
        PermanentError, match=r"no samples that a target is made of.*\n.*2 samples are submitter"
    ):
        build(lake)
    with pytest.raises(NotFoundError, match=r"no quantile target of HOMO_SAPIENS.*target build"):
        require_target(lake, HUMAN)


def test_nothing_is_done_twice_and_new_samples_make_a_new_version_beside_the_old(lake: Lake) -> None:
    put_expression(lake, "E1", arrays("S1", "S2"))
    first = build(lake)
    assert not build_target(lake, HUMAN).changed
    put_expression(lake, "E2", arrays("S3", seed=2))
    assert assess_target(lake, HUMAN).situation.reasons == ("matrix_0 of E2 added",)
    second = build_target(lake, HUMAN)
    assert second.changed and second.commit.version != first.commit.version
    old = find_target(lake, HUMAN, first.commit.version[:8])
    assert old is not None and old.commit == first.commit
    assert len(old.values(lake)) == 30
    assert find_target(lake, HUMAN, "0123456") is None
    with pytest.raises(RequestError, match="too short"):
        find_target(lake, HUMAN, "0123")


def test_the_same_samples_make_the_same_version_in_another_lake(tmp_path: Path) -> None:
    versions = set()
    for name in "ab":
        lake = Lake(str(tmp_path / name))
        put_expression(lake, "E1", arrays("S1", "S2"))
        versions.add(build(lake).commit.version)
    assert len(versions) == 1


def test_a_matrix_that_cannot_be_read_loses_only_its_samples(lake: Lake) -> None:
    put_expression(lake, "E1", arrays("S1", "S2"))
    lost = put_expression(lake, "E2", arrays("S3", seed=2))
    path = lake.local(lost.file("matrix_0.parquet"))
    content = path.read_bytes()
    put_expression(lake, "E3", arrays("S4", seed=3))
    build(lake)
    path.write_bytes(content[:4] + b"\0" * 40 + content[44:])
    decide_samples(lake, HUMAN, minimum=2)
    outcome = build_target(lake, HUMAN)
    assert set(reasons(outcome)) == {"S3"}
    assert "cannot be read" in reasons(outcome)["S3"]


def test_an_imported_target_is_that_of_the_file_until_samples_are_asked_for_again(
    lake: Lake, tmp_path: Path
) -> None:
    put_expression(lake, "E1", arrays("S1", "S2"))
    made = build(lake)
    file = tmp_path / "qn.tsv"
    file.write_text("3.5\n1.25\n2\n", encoding="ascii")
    import_target(lake, HUMAN, file, platform="hgu133plus2", least=3)
    imported = build_target(lake, HUMAN)
    target = require_target(lake, HUMAN)
    assert target.values(lake).tolist() == [1.25, 2.0, 3.5]
    assert (target.imported, target.genes, target.gene_ids(lake)) == (True, 3, [])
    (row,) = read_rows(lake, imported.commit, "targets")
    assert (row["imported"], row["origin"], row["samples"]) == (True, str(file), None)
    file.unlink()
    assert not build_target(lake, HUMAN).changed
    again = build(lake)
    assert again.commit.version == made.commit.version


def test_files_that_are_no_target_are_refused_before_anything_changes(lake: Lake, tmp_path: Path) -> None:
    file = tmp_path / "qn.tsv"
    file.write_text("1\ntwo\n", encoding="ascii")
    with pytest.raises(FormatError, match="line 2"):
        import_target(lake, HUMAN, file)
    file.write_text("1\n1\n", encoding="ascii")
    with pytest.raises(RequestError, match="no distribution"):
        import_target(lake, HUMAN, file, least=1)
    with pytest.raises(RequestError, match=r"expected .* thousands of genes; found 2 numbers"):
        import_target(lake, HUMAN, file)
    assert lake.partitions("target_registration") == []


def test_the_catalog_has_every_version_and_the_samples_of_the_newest(lake: Lake) -> None:
    put_expression(lake, "E1", arrays("S1", "S2"))
    build(lake)
    put_expression(lake, "E2", arrays("S3", seed=2))
    build(lake)
    catalog = Catalog(lake)
    catalog.sync()
    rows = query_rows(catalog, "SELECT samples, is_current FROM targets ORDER BY samples")
    assert [(row["samples"], row["is_current"]) for row in rows] == [(2, False), (3, True)]
    rows = query_rows(catalog, "SELECT sample FROM target_samples ORDER BY sample")
    assert [row["sample"] for row in rows] == ["S1", "S2", "S3"]
    assert HGU95 in str(query_rows(catalog, "SELECT DISTINCT platform FROM targets"))


def test_memory_does_not_grow_with_the_number_of_samples(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accumulation, "SAMPLES_AT_ONCE", 8)
    genes = [f"g{number:05d}" for number in range(2_000)]
    peaks = []
    for count in (16, 160):
        organism = f"ORGANISM_{count}"
        for first in range(0, count, 16):
            names = [f"S{number}" for number in range(first, first + 16)]
            made = MadeMatrix(names, genes, values(16, genes=2_000, seed=first), organism=organism)
            put_expression(lake, f"E{count}_{first}", made)
        decide_samples(lake, organism, minimum=1)
        build_target(lake, organism)  # what is loaded once is loaded
        decide_samples(lake, organism, minimum=2)
        tracemalloc.start()
        build_target(lake, organism)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0]
