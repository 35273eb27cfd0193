"""A compendium made block by block is the one its steps make of whole matrices; nothing is lost unseen."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from refinebio_assets.domain import DropKind, Technology
from refinebio_assets.errors import PermanentError
from refinebio_assets.formats.compendium_store import CompendiumStore
from refinebio_assets.methods.impute.iterative_svd import iterative_svd
from refinebio_assets.methods.quantile import apply_target
from refinebio_assets.pipelines.compendia import imputing
from refinebio_assets.pipelines.compendia.building import CompendiumFacts, build_compendium
from refinebio_assets.pipelines.compendia.memory import plan_memory
from refinebio_assets.pipelines.compendia.model import CompendiumSettings, Imputation
from refinebio_assets.pipelines.compendia.overview import errors_by_method
from refinebio_assets_tests.methods.compendium.by_pandas import Simulated, compendium_by_pandas

TARGET = np.sort(np.random.default_rng(1).gamma(4.0, 2.0, 80))


@dataclass(frozen=True)
class Source:
    """A matrix in memory that is read as one in the lake."""

    experiment: str
    technology: Technology
    platform: str
    samples: tuple[str, ...]
    genes: tuple[str, ...]
    matrix: npt.NDArray[np.float32]
    organism: str = "HOMO_SAPIENS"

    def read(self, samples: slice) -> npt.NDArray[np.float32]:
        return self.matrix[samples]


def simulated_sources(rng: np.random.Generator) -> list[Source]:
    """Return arrays of two platforms and sequencing: 46 samples, 60 genes of which some miss some."""
    genes = np.array([f"ENSG{number:03}" for number in range(60)])
    level, loadings = rng.gamma(4.0, 2.0, 60), rng.standard_normal((3, 60))
    sources = []
    for number, (platform, count, missed) in enumerate(
        [("hgu133a", 12, slice(0, 8)), ("huex10st", 10, slice(8, 14)), ("HiSeq", 24, slice(0, 0))]
    ):
        values = level + rng.standard_normal((count, 3)) @ loadings + 0.3 * rng.standard_normal((count, 60))
        technology = Technology.MICROARRAY
        if platform == "HiSeq":
            values, technology = np.maximum(np.exp2(values) - 4.0, 0.0), Technology.RNA_SEQ
        kept = np.delete(np.arange(60), missed)
        names = tuple(f"S{number}_{sample}" for sample in range(count))
        sources.append(
            Source(
                f"E{number}",
                technology,
                platform,
                names,
                tuple(genes[kept]),
                values[:, kept].astype(np.float32),
            )
        )
    return sources


def build(
    tmp_path: Path, sources: list[Source], imputation: Imputation = Imputation.FACTORS
) -> tuple[CompendiumFacts, CompendiumStore]:
    folder, scratch = tmp_path / "store", tmp_path / "scratch"
    folder.mkdir()
    scratch.mkdir()
    settings = CompendiumSettings(imputation=imputation, threads=1)
    facts = build_compendium(sources, TARGET, folder, scratch, settings=settings, about={"organism": "X"})
    assert not any(scratch.iterdir())
    return facts, CompendiumStore(folder)


def by_steps(sources: list[Source]) -> pd.DataFrame:
    """Return what is measured, by whole frames."""
    return compendium_by_pandas(
        [
            Simulated(
                pd.DataFrame(source.matrix.T, list(source.genes), list(source.samples)),
                source.technology is Technology.RNA_SEQ,
            )
            for source in sources
        ]
    ).sort_index()


@pytest.mark.parametrize("imputation", list(Imputation))
def test_the_store_holds_what_the_steps_make(tmp_path: Path, imputation: Imputation) -> None:
    sources = simulated_sources(np.random.default_rng(0))
    facts, store = build(tmp_path, sources, imputation)
    expected = by_steps(sources)
    measured = store.frame(layer="measured")
    pd.testing.assert_frame_equal(measured, expected[list(measured.columns)], check_names=False)
    filled = store.matrix(layer="filled")
    if imputation is Imputation.ITERATIVE_SVD:
        by_kernel = iterative_svd(measured.to_numpy().T.copy()).matrix.T
        np.testing.assert_allclose(filled, by_kernel, rtol=1e-4)
    known = measured.notna().to_numpy()
    np.testing.assert_array_equal(filled[known], measured.to_numpy()[known])
    assert np.isfinite(filled[~known]).all() == (imputation is not Imputation.NONE)
    np.testing.assert_allclose(store.matrix(), apply_target(filled, TARGET), rtol=1e-6)
    assert facts.normalized is not None and facts.share_missing == pytest.approx(1 - known.mean())


def test_columns_tables_and_facts_are_of_the_same_samples_and_genes(tmp_path: Path) -> None:
    facts, store = build(tmp_path, simulated_sources(np.random.default_rng(2)))
    assert tuple(store.genes.column("gene").to_pylist()) == facts.genes
    assert tuple(store.samples.column("sample").to_pylist()) == tuple(
        sample.accession for sample in facts.samples
    )
    missing = np.isnan(store.matrix(layer="measured"))
    np.testing.assert_allclose(store.samples.column("share_missing").to_numpy(), missing.mean(axis=0))
    np.testing.assert_allclose(store.genes.column("share_missing").to_numpy(), missing.mean(axis=1))
    assert store.about["organism"] == "X" and store.about["rank"] == facts.rank


def test_imputation_is_measured_for_both_ways_of_missing_and_beats_the_gene_mean(tmp_path: Path) -> None:
    facts, store = build(tmp_path, simulated_sources(np.random.default_rng(3)))
    held_out = facts.held_out
    assert held_out is not None and held_out.hidden_random and held_out.hidden_block
    assert held_out.block is not None and held_out.block < held_out.gene_mean_block
    hidden = store.genes.column("hidden_random").to_numpy() + store.genes.column("hidden_block").to_numpy()
    assert hidden.sum() == held_out.hidden_random + held_out.hidden_block


def test_of_many_samples_both_methods_are_compared_on_the_same_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imputing, "COMPARED_SAMPLES", 20)
    facts, _ = build(tmp_path, simulated_sources(np.random.default_rng(3)))
    held_out = facts.held_out
    assert held_out is not None
    ours, ancestor, mean = held_out.compared
    assert {item.samples for item in held_out.compared} == {20}
    assert ours.random not in (held_out.random, mean.random, ancestor.random)
    assert ours.random < mean.random
    rows = errors_by_method({"imputation": {"method": "factors", "held_out": asdict(held_out)}})
    assert [row["method"] for row in rows] == [
        *("factors (used)", "the gene's mean", "factors, of 20 samples alone"),
        "iterative_svd (refine.bio's), of 20 samples alone",
    ]


def test_every_gene_and_sample_that_goes_is_listed_with_its_reason(tmp_path: Path) -> None:
    sources = simulated_sources(np.random.default_rng(4))
    poor = replace(
        sources[0],
        experiment="E9",
        samples=("poor",),
        genes=(*sources[0].genes[:5], "odd"),
        matrix=np.ones((1, 6), np.float32),
    )
    facts, _ = build(tmp_path, [*sources, poor])
    reasons = {item.item: item.reason for item in facts.dropped}
    assert "at least half are needed" in reasons["poor"]
    assert reasons["odd"] == "measured in 1 of 47 samples; more than half are needed"
    genes = {gene for source in [*sources, poor] for gene in source.genes}
    dropped = {item.item for item in facts.dropped if item.kind is DropKind.GENE}
    assert dropped | set(facts.genes) == genes and not dropped & set(facts.genes)


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    contents = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        _, store = build(tmp_path / name, simulated_sources(np.random.default_rng(5)))
        contents.append({file.name: file.read_bytes() for file in store.folder.iterdir()})
    assert contents[0] == contents[1]


def test_a_sample_twice_is_refused_with_both_experiments(tmp_path: Path) -> None:
    first = simulated_sources(np.random.default_rng(6))[0]
    with pytest.raises(PermanentError, match=r"S0_0 .* of E0 and of E7"):
        build(tmp_path, [first, replace(first, experiment="E7")])


def test_logarithms_given_as_abundances_are_refused_naming_the_matrix(tmp_path: Path) -> None:
    source = simulated_sources(np.random.default_rng(7))[2]
    with pytest.raises(PermanentError, match="logarithms already") as caught:
        build(tmp_path, [replace(source, matrix=source.matrix - 3)])
    assert "E2 (HiSeq)" in caught.value.__notes__[0]


def test_samples_without_any_value_make_no_compendium(tmp_path: Path) -> None:
    source = simulated_sources(np.random.default_rng(8))[2]
    with pytest.raises(PermanentError, match="no gene is present in 70 % of the 24 samples"):
        build(tmp_path, [replace(source, matrix=np.zeros((24, 60), np.float32))])


def test_a_limit_too_small_says_what_is_needed() -> None:
    with pytest.raises(
        PermanentError, match=r"20,000 genes needs a memory limit of at least 1,\d+ MiB, not 500"
    ):
        plan_memory(500 << 20, 20_000)
    plan = plan_memory(4 << 30, 20_000)
    assert plan.rows(20_000) > 400 and plan.pilot_samples == 2_000
