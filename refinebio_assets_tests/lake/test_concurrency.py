"""Many writers, readers and syncs at once: nothing is lost, nobody sees half of anything."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.store import Lake
from refinebio_assets_tests.lake.nursery import Nursery

WRITERS = 4
COMMITS_EACH = 8


def test_four_writers_two_readers_and_two_syncs_lose_nothing(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path / "lake"))
    stop = tmp_path / "stop"
    with Nursery() as nursery:
        others = [nursery.fork("sync_until", root=lake.url, stop=str(stop)) for _ in range(2)]
        others += [nursery.fork("read_until", root=lake.url, stop=str(stop)) for _ in range(2)]
        writers = [
            nursery.fork("write_many", root=lake.url, name=f"W{number}", count=COMMITS_EACH)
            for number in range(WRITERS)
        ]
        assert [nursery.wait(writer) for writer in writers] == [0] * WRITERS
        stop.touch()
        assert [nursery.wait(other) for other in others] == [0] * len(others)

    expected = {f"W{writer}-{number}" for writer in range(WRITERS) for number in range(COMMITS_EACH)}
    shared = lake.history("sample_quantifications", "shared")
    assert {commit.version for commit in shared} == expected
    assert len(shared) == len(expected)
    for writer in range(WRITERS):
        own = lake.history("sample_quantifications", f"own-W{writer}")
        assert [commit.version for commit in own] == [f"W{writer}-{number}" for number in range(COMMITS_EACH)]
    assert lake.verify_all().problems == ()
    assert not list(lake.storage.scratch.iterdir())

    catalog = Catalog(lake)
    assert catalog.sync().commits == 2 * len(expected)
    digest = catalog.digest()
    catalog.rebuild()
    assert catalog.digest() == digest


def test_a_number_is_given_to_one_of_many_who_ask_at_once(open_lake: Callable[..., Lake]) -> None:
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(open_lake().claim_number, "a", "p") for _ in range(8)]
        numbers = [each.result() for each in asked]
    assert sorted(numbers) == list(range(1, 9))
    lake = open_lake()
    assert lake.claim_number("a", "other", above=3) == 4
    lake.release_number("a", "p", 8)
    assert lake.claim_number("a", "p") == 8
