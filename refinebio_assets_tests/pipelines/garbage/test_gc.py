"""`gc`: what it removes, everything that it must not, and what is said afterwards."""

from __future__ import annotations

import json
import os
import signal
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from refinebio_assets.errors import NotFoundError, PermanentError, RequestError
from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.records import Commit, InputRef
from refinebio_assets.lake.removals import removal_note
from refinebio_assets.lake.rows import query_rows
from refinebio_assets.lake.store import Lake, utc_now
from refinebio_assets.pipelines.datasets.bundle import build_bundle
from refinebio_assets.pipelines.datasets.dataset_matrices import (
    build_matrices,
    dataset_versions,
    read_dataset_lock,
    rebuild_from_lock,
)
from refinebio_assets.pipelines.datasets.difference import dataset_version
from refinebio_assets.pipelines.datasets.registry import delete_dataset
from refinebio_assets.pipelines.garbage.candidates import Terms
from refinebio_assets.pipelines.garbage.collection import plan_removal
from refinebio_assets.pipelines.garbage.locks import pinned_by
from refinebio_assets.pipelines.garbage.marking import Candidate
from refinebio_assets.pipelines.garbage.removal import Removed, remove
from refinebio_assets.pipelines.lineage_start import starting_things
from refinebio_assets.pipelines.targets.target import require_target
from refinebio_assets_tests.pipelines.datasets.world import HUMAN, World, rna_seq

DAYS = timedelta(days=1)


def later(lake: Lake, days: float = 40) -> Lake:
    """Return the same lake as it is seen after some days."""
    return Lake(lake.url, cache=lake.cache, now=lambda: utc_now() + days * DAYS)


def commit(
    lake: Lake, asset: str, partition: str, version: str, *inputs: tuple[str, str, str], attach: Any = ()
) -> Commit:
    """Commit ten bytes."""
    with lake.draft(asset, partition) as draft:
        (draft.folder / "content").write_text(f"{version:10}")
        for file in attach:
            draft.attach(file)
        return draft.commit(
            version=version, code_version="1", inputs=[InputRef(*reference) for reference in inputs]
        )


def going(lake: Lake, **terms: Any) -> list[tuple[str, str, str]]:
    """Return asset, partition and version of everything that would go in 40 days."""
    return [name_of(item) for item in plan_removal(later(lake), Terms(**terms)).removals]


def name_of(made: Commit | Candidate) -> tuple[str, str, str]:
    return made.asset, made.partition, made.version


def collect(lake: Lake, **terms: Any) -> Removed:
    """Remove what may go in 40 days."""
    seen = later(lake)
    return remove(seen, plan_removal(seen, Terms(**terms)))


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path / "lake"))


def test_a_superseded_version_goes_and_the_newest_stays(lake: Lake) -> None:
    for version in ("1", "2", "3"):
        commit(lake, "a", "p", version)
    assert going(lake) == [("a", "p", "1"), ("a", "p", "2")]
    assert collect(lake).versions == 2
    assert [item.version for item in lake.history("a", "p")] == ["3"]
    assert lake.verify_all().problems == ()
    assert going(lake) == []


def test_a_dry_run_changes_nothing(lake: Lake) -> None:
    commit(lake, "a", "p", "1")
    commit(lake, "a", "p", "2")
    before = lake.storage.tree("")
    plan = plan_removal(later(lake), Terms())
    assert (plan.size, plan.removals[0].unused.why) == (10, f"superseded on {utc_now():%Y-%m-%d}")
    assert lake.storage.tree("") == before


def test_what_was_superseded_lately_stays_however_old_it_is(tmp_path: Path) -> None:
    year_ago = Lake(str(tmp_path / "lake"), now=lambda: utc_now() - 365 * DAYS)
    commit(year_ago, "a", "p", "1")
    lake = Lake(str(tmp_path / "lake"))
    commit(lake, "a", "p", "2")
    assert plan_removal(later(lake, 29), Terms()).removals == ()
    assert len(plan_removal(later(lake, 31), Terms()).removals) == 1


def test_an_age_at_which_runs_may_still_read_is_refused() -> None:
    with pytest.raises(RequestError, match="may be in use by a run"):
        Terms(timedelta(hours=23))


def test_what_a_current_version_was_made_from_stays_with_all_behind_it(lake: Lake) -> None:
    for version in ("1", "2", "3"):
        commit(lake, "index", "HUMAN", version)
    commit(lake, "quantified", "E", "q1", ("index", "HUMAN", "1"))
    commit(lake, "quantified", "E", "q2", ("index", "HUMAN", "2"))
    commit(lake, "expression", "E", "x", ("quantified", "E", "q1"))
    assert going(lake) == []
    spared = plan_removal(later(lake), Terms()).spared
    users = {name_of(item): user for item, user in spared}
    assert users["index", "HUMAN", "1"].endswith("of quantified[E]")
    commit(lake, "expression", "E", "y", ("quantified", "E", "q2"))
    assert sorted(going(lake)) == [
        ("expression", "E", "x"),
        ("index", "HUMAN", "1"),
        ("quantified", "E", "q1"),
    ]


def test_files_that_another_commit_lists_stay(lake: Lake) -> None:
    first = commit(lake, "a", "p", "1")
    commit(lake, "a", "p", "2")
    commit(lake, "b", "q", "other", attach=[first.files[0]])
    assert going(lake) == []


def test_quantifications_that_results_name_by_their_file_stay(lake: Lake) -> None:
    first = commit(lake, "sample_quantification", "S", "1")
    commit(lake, "sample_quantification", "S", "2")
    with lake.draft("sample_quantifications", "E") as draft:
        row = {"experiment": "E", "sample": "S", "verdict": "processed", "version": "1"}
        draft.write_table("results", [row | {"file_path": first.files[0].path}])
        draft.commit(version="r", code_version="1")
    assert going(lake) == []


def test_raw_files_go_when_no_version_names_them_any_more(lake: Lake) -> None:
    old, shared = lake.put_object([b"old"], "old.fq"), lake.put_object([b"shared"], "shared.fq")
    commit(lake, "raw_files", "E", "1", attach=[old, shared])
    commit(lake, "raw_files", "E", "2", attach=[shared])
    plan = plan_removal(later(lake), Terms())
    assert [item.sha256 for item in plan.raw_files] == [old.sha256]
    assert collect(lake).size == 10 + 3
    assert (lake.has_object(old.sha256), lake.has_object(shared.sha256)) == (False, True)


def test_a_raw_file_that_was_put_again_is_new(lake: Lake) -> None:
    lost = lake.put_object([b"raw"], "raw.fq")
    path = Path(lake.url) / lost.path
    path.chmod(0o600)
    os.utime(path, (0, 0))
    lake.put_object([b"raw"], "raw.fq")
    assert (utc_now() - datetime.fromtimestamp(path.stat().st_mtime, tz=utc_now().tzinfo)) < DAYS


def test_a_commit_that_comes_while_it_runs_keeps_what_it_uses(lake: Lake) -> None:
    raw = lake.put_object([b"raw"], "raw.fq")
    for version in ("1", "2", "3"):
        commit(lake, "a", "p", version)
    seen = later(lake)
    plan = plan_removal(seen, Terms())
    commit(lake, "b", "q", "1", ("a", "p", "1"), attach=[raw])
    assert (len(plan.removals), len(plan.raw_files)) == (2, 1)
    done = remove(seen, plan)
    assert (done.versions, done.raw_files) == (1, 0)
    assert [item.version for item in lake.history("a", "p")] == ["1", "3"]
    assert lake.verify_all().problems == ()


def test_nothing_goes_while_a_record_cannot_be_read(lake: Lake) -> None:
    commit(lake, "a", "p", "1")
    commit(lake, "a", "p", "2")
    lake.storage.put_bytes(b"{", commit(lake, "b", "q", "1").entry.path)
    with pytest.raises(PermanentError, match="not known what this uses"):
        plan_removal(later(lake), Terms())


def test_what_is_the_newest_again_stays_with_what_it_uses(lake: Lake) -> None:
    for version in ("1", "2"):
        commit(lake, "a", "p", version)
    old = commit(lake, "b", "q", "x", ("a", "p", "1"))
    superseding = commit(lake, "b", "q", "y")
    seen = later(lake)
    plan = plan_removal(seen, Terms())
    assert len(plan.removals) == 2
    lake.storage.remove(superseding.entry.path)
    assert remove(seen, plan).versions == 0
    assert lake.head("b", "q") == old


def test_what_is_lost_of_the_newest_version_forbids_removal_and_of_an_earlier_one_not(lake: Lake) -> None:
    commit(lake, "index", "HUMAN", "1")
    commit(lake, "index", "HUMAN", "2")
    for version in ("r", "s"):
        with lake.draft("sample_quantifications", "E") as draft:
            draft.write_table("results", [{"experiment": "E", "sample": "S", "verdict": "processed"}])
            made = draft.commit(version=version, code_version="1")
        lake.storage.remove(made.file("tables/results.parquet").path)
        if version == "r":
            with pytest.raises(PermanentError, match="not known what this uses"):
                going(lake)
    repaired = commit(lake, "sample_quantifications", "E", "t")
    assert lake.head("sample_quantifications", "E") == repaired
    assert [name for name in going(lake) if name[0] == "index"] == [("index", "HUMAN", "1")]


def test_an_unknown_asset_is_refused(lake: Lake) -> None:
    commit(lake, "a", "p", "1")
    with pytest.raises(RequestError, match="no asset b"):
        going(lake, assets=frozenset({"b"}))


def test_a_killed_removal_is_finished_by_the_next(lake: Lake) -> None:
    for number in range(30):
        commit(lake, "a", f"p{number}", "1")
        commit(lake, "a", f"p{number}", "2")
    child = os.fork()
    if child == 0:
        dying = later(lake)
        plan = plan_removal(dying, Terms())
        original, left = dying.storage.remove, iter(range(31))

        def remove_or_die(path: str) -> None:
            if next(left) == 30:
                os.kill(os.getpid(), signal.SIGKILL)
            original(path)

        dying.storage.remove = remove_or_die  # type: ignore[method-assign]
        remove(dying, plan)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    catalog = Catalog(lake)
    assert catalog.sync().problems == ()
    gone = "SELECT removed_partition FROM removed_versions"
    assert query_rows(catalog, gone) == []
    assert "1 earlier version of a of p29 was removed" in removal_note(lake, "a", "p29")
    assert removal_note(lake, "a", "p0") == ""
    collect(lake)
    next_day = later(lake, 41)
    remove(next_day, plan_removal(next_day, Terms()))
    assert lake.storage.names("removing") == []
    catalog.sync()
    assert len(query_rows(catalog, "SELECT DISTINCT removed_partition FROM removals")) == 30
    assert len(query_rows(catalog, "FROM removals")) == len(query_rows(catalog, gone)) == 30
    assert lake.verify_all().problems == ()
    assert len([path for path in lake.storage.tree("assets/a") if path.endswith("content")]) == 30


# Datasets, their lockfiles, and targets


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A dataset in two versions; what the first was made from is superseded."""
    made = World.by_species(tmp_path)
    build_matrices(made.lake, "D")
    build_bundle(made.lake, "D")
    made.express("SRP1", rna_seq(["SRR1", "SRR2"], 9))
    made.target(HUMAN, np.linspace(5, 6, 30).tolist())
    build_matrices(made.lake, "D")
    build_bundle(made.lake, "D")
    return made


def assets_of(found: list[tuple[str, str, str]]) -> set[str]:
    return {asset for asset, _, _ in found}


def test_versions_of_datasets_and_what_their_lockfiles_pin_stay(world: World) -> None:
    pinned = {"dataset_matrices", "dataset_bundle", "gene_expression", "target_quantiles"}
    assert not pinned & assets_of(going(world.lake))
    collect(world.lake)
    for made in dataset_versions(world.lake, "D"):
        rebuild_from_lock(world.lake, "D", read_dataset_lock(world.lake, made))


def test_earlier_versions_of_datasets_go_on_request_with_what_only_they_used(world: World) -> None:
    first, second = dataset_versions(world.lake, "D")
    lock, target = read_dataset_lock(world.lake, first), require_target(world.lake, HUMAN)
    found = going(world.lake, old_datasets=True)
    assert {
        name_of(first),
        ("gene_expression", "SRP1", lock["experiments"]["SRP1"]["expression"]["version"]),
    } <= set(found)
    collect(world.lake, old_datasets=True)
    assert dataset_versions(world.lake, "D") == [second]
    assert require_target(world.lake, HUMAN) == target
    with pytest.raises(NotFoundError, match=r"has version 2, and no 1; 1 earlier version of .* was removed"):
        dataset_version(world.lake, "D@1")
    with pytest.raises(NotFoundError, match=r"(?s)gene_expression of SRP1.*; version .* was removed on"):
        rebuild_from_lock(world.lake, "D", lock)
    world.express("SRP1", rna_seq(["SRR1", "SRR2"], 10))
    assert build_matrices(world.lake, "D").commit.info["number"] == 3


def test_a_lockfile_that_is_kept_elsewhere_pins_its_version(world: World) -> None:
    first = dataset_versions(world.lake, "D")[0]
    lock = json.loads(json.dumps(read_dataset_lock(world.lake, first)))
    pinned = {"dataset_matrices", "dataset_bundle", "gene_expression", "target_quantiles"}
    assert not pinned & assets_of(going(world.lake, old_datasets=True, locks=[pinned_by(lock, "")]))


def test_what_was_built_of_a_deleted_dataset_goes_the_request_stays(world: World) -> None:
    delete_dataset(world.lake, "D")
    collect(world.lake)
    assert (dataset_versions(world.lake, "D"), len(world.lake.history("dataset_request", "D"))) == ([], 2)


def test_a_dataset_that_is_brought_back_meanwhile_stays_with_all_that_it_needs(world: World) -> None:
    delete_dataset(world.lake, "D")
    seen = later(world.lake)
    plan = plan_removal(seen, Terms())
    assert {"dataset_matrices", "gene_expression"} <= {item.asset for item in plan.removals}
    world.ask("D", {"SRP1": ["ALL"], "GSE1": ["ALL"]}, aggregate_by="SPECIES")
    remove(seen, plan)
    for made in dataset_versions(world.lake, "D"):
        rebuild_from_lock(world.lake, "D", read_dataset_lock(world.lake, made))
    assert len(dataset_versions(world.lake, "D")) >= 2


def test_a_lineage_of_a_removed_version_says_when_it_went(world: World) -> None:
    first = dataset_versions(world.lake, "D")[0]
    collect(world.lake, old_datasets=True)
    with pytest.raises(NotFoundError, match=r"no version that starts with .*; version .* was removed on"):
        starting_things(world.catalog, f"dataset:D@{first.version[:8]}")


def test_a_target_that_a_compendium_was_made_with_stays(lake: Lake) -> None:
    commit(lake, "target_quantiles", HUMAN, "t1")
    commit(lake, "target_quantiles", HUMAN, "t2")
    commit(lake, "target_quantiles", HUMAN, "t3")
    commit(lake, "normalized_compendium", HUMAN, "c", ("target_quantiles", HUMAN, "t1"))
    assert going(lake) == [("target_quantiles", HUMAN, "t2")]


@pytest.mark.parametrize("asset", ["normalized_compendium", "compendium_bundle", "rnaseq_sample_compendium"])
def test_earlier_versions_of_compendia_go_on_request_only(lake: Lake, asset: str) -> None:
    commit(lake, asset, HUMAN, "c1")
    commit(lake, asset, HUMAN, "c2")
    assert going(lake) == []
    assert going(lake, old_datasets=True) == [(asset, HUMAN, "c1")]
