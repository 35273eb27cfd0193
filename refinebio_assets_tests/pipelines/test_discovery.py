"""Discovery: the simulated archives are searched by rules, lists are taken up, what was found waits."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from refinebio_assets.errors import NotFoundError, RequestError
from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.rows import read_rows
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.discovery import discover, import_accessions, waiting_experiments
from refinebio_assets.pipelines.discovery_rules import DiscoveryRules, Rule, read_rules
from refinebio_assets.simulate import arrays, searches
from refinebio_assets.simulate.design import EXPERIMENTS
from refinebio_assets.simulate.mirror import MirrorDraft
from refinebio_assets.sources.accessions import Archive
from refinebio_assets.sources.archives import open_archives
from refinebio_assets.sources.discovery import Search, ena_query, geo_term
from refinebio_assets.sources.web.client import Web

ON_ARRAYS = (arrays.AFFYMETRIX, arrays.ARRAY_EXPRESS)


def mirror(folder: Path, *, sequenced: int = len(EXPERIMENTS)) -> Web:
    """Return a way to archives that have the first simulated experiments and nothing but searches."""
    folder.mkdir(exist_ok=True)
    draft = MirrorDraft(folder)
    searches.answer_searches(draft, EXPERIMENTS[:sequenced], ON_ARRAYS)
    draft.write_index()
    searches.write_rules(folder)
    return open_archives({"REFINEBIO_MIRROR": str(folder / "mirror.jsonl")}).web


def rules_in(folder: Path) -> DiscoveryRules:
    return read_rules(folder / searches.RULES)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path / "lake"))


def waiting(lake: Lake) -> list[str]:
    catalog = Catalog(lake)
    catalog.sync()
    return [row["accession"] for row in waiting_experiments(catalog)]


def test_every_simulated_experiment_is_found_by_the_rules_beside_it(tmp_path: Path, lake: Lake) -> None:
    web = mirror(tmp_path / "world")
    for rule in rules_in(tmp_path / "world").rules:
        discover(lake, web, rule)
    expected = {each.accession for each in (*EXPERIMENTS, *ON_ARRAYS)}
    assert set(waiting(lake)) == expected
    head = lake.head("discovery", "RNA-seq")
    assert head is not None
    found = {row["accession"]: row for row in read_rows(lake, head, "discovered")}
    assert {name: row["samples"] for name, row in found.items()} == {
        each.accession: len(each.samples) for each in EXPERIMENTS
    }


def test_an_accession_dropped_into_the_archive_is_new_the_next_time_and_waits_last(
    tmp_path: Path, lake: Lake
) -> None:
    web = mirror(tmp_path / "world", sequenced=1)
    (rule, *_) = rules_in(tmp_path / "world").rules
    first = discover(lake, web, rule)
    again = discover(lake, web, rule)
    assert first.commit is not None and again.commit is not None
    assert (len(first.new), len(again.new), again.commit.id) == (1, 0, first.commit.id)
    later = discover(lake, mirror(tmp_path / "world"), rule)
    assert [row["accession"] for row in later.new] == [EXPERIMENTS[1].accession]
    assert waiting(lake)[0] == EXPERIMENTS[0].accession
    assert waiting(lake)[-1] == EXPERIMENTS[1].accession


def test_what_rules_leave_out_is_kept_with_the_reason_and_does_not_wait(tmp_path: Path, lake: Lake) -> None:
    web = mirror(tmp_path / "world")
    (rule, *_) = rules_in(tmp_path / "world").rules
    large = len(EXPERIMENTS[0].samples) + 1
    done = discover(lake, web, replace(rule, minimum_samples=large), exclude={EXPERIMENTS[1].accession})
    assert done.commit is not None
    rows = {row["accession"]: row for row in read_rows(lake, done.commit, "discovered")}
    assert "fewer than" in rows[EXPERIMENTS[0].accession]["reason"]
    assert "excluded" in rows[EXPERIMENTS[1].accession]["reason"]
    assert not set(waiting(lake)) & {each.accession for each in EXPERIMENTS[:2]}


def test_a_dry_run_keeps_nothing(tmp_path: Path, lake: Lake) -> None:
    web = mirror(tmp_path / "world")
    (rule, *_) = rules_in(tmp_path / "world").rules
    assert len(discover(lake, web, rule, dry_run=True).new) == len(EXPERIMENTS)
    assert lake.assets() == []


def test_what_was_surveyed_waits_no_longer(tmp_path: Path, lake: Lake) -> None:
    listed = tmp_path / "list.txt"
    listed.write_text("srp000001, first of them\nGSE781 # twice\nGSE781\n\n# a remark\n")
    import_accessions(lake, listed, name="wishes")
    assert waiting(lake) == ["GSE781", "SRP000001"]
    with lake.draft("experiment_record", "GSE781") as draft:
        draft.commit(version="v", code_version="1")
    assert waiting(lake) == ["SRP000001"]


def test_a_list_is_refused_with_all_its_bad_lines(tmp_path: Path, lake: Lake) -> None:
    listed = tmp_path / "list.txt"
    listed.write_text("GSE781\nnonsense\nSRR000001\n")
    with pytest.raises(RequestError) as refused:
        import_accessions(lake, listed)
    assert [problem.split(":")[0] for problem in refused.value.problems] == ["line 2", "line 3"]
    assert lake.assets() == []


def test_rules_are_refused_with_all_that_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    content = {"searches": {"a": {"archive": "ENA"}, "b": {"archive": "SRA", "organism": "x", "size": 3}}}
    path.write_text(json.dumps(content | {"daily_budget": "many"}))
    with pytest.raises(RequestError) as refused:
        read_rules(path)
    text = "\n".join(refused.value.problems)
    for said in ("a: archive is 'ENA'", "a: organism is missing", "b: unknown key size", "taxonomy_id"):
        assert said in text
    assert "daily_budget is 'many'" in text
    with pytest.raises(NotFoundError):
        read_rules(tmp_path / "none.yaml")


def test_searches_are_said_in_each_archives_language() -> None:
    wanted = Search(Archive.SRA, "Danio rerio", 7955, ("ILLUMINA", "ION_TORRENT"), since="2026-01-01")
    assert ena_query(wanted) == (
        'tax_eq(7955) AND library_strategy="RNA-Seq" AND (instrument_platform="ILLUMINA" OR '
        'instrument_platform="ION_TORRENT") AND first_public>=2026-01-01'
    )
    term = geo_term(replace(wanted, archive=Archive.GEO, platforms=("GPL1319",)))
    assert term == '"Danio rerio"[ORGN] AND gse[ETYP] AND (GPL1319[ACCN]) AND 2026/01/01:3000[PDAT]'


def test_a_search_that_the_mirror_lacks_is_an_error_and_not_an_empty_result(
    tmp_path: Path, lake: Lake
) -> None:
    web = mirror(tmp_path / "world")
    rule = Rule("other", Search(Archive.SRA, "Danio rerio", 7955))
    with pytest.raises(NotFoundError):
        discover(lake, web, rule)
    assert lake.assets() == []
