"""In whatever order commits arrive, leave or are damaged, each partition's newest sound one is current."""

from __future__ import annotations

import tempfile
from pathlib import Path
from uuid import uuid4

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.store import Commit, Lake
from refinebio_assets_tests.lake.making import result_row, sample_row

PARTITIONS = ("E1", "E2")
COMMITS = 4

steps = st.lists(
    st.tuples(st.sampled_from(["arrive", "arrive", "leave", "damage"]), st.integers(0, COMMITS - 1))
    | st.just(("sync", 0)),
    max_size=9,
)


def make_commits(lake: Lake, partitions: list[str]) -> list[Commit]:
    commits = []
    for number, partition in enumerate(partitions):
        with lake.draft("mixed", partition) as draft:
            draft.write_table("samples", [sample_row(partition, f"S{number}")])
            draft.write_table("results", [result_row(partition, f"S{number}")])
            commits.append(draft.commit(version=str(number), code_version="1"))
    return commits


def expected_answer(sound: list[Commit]) -> tuple[set[str], set[tuple[str, bool]]]:
    heads = {commit.partition: commit.id for commit in sorted(sound, key=lambda commit: commit.id)}
    current = set(heads.values())
    return (
        {f"S{commit.version}" for commit in sound if commit.id in current},
        {(f"S{commit.version}", commit.id in current) for commit in sound},
    )


# Shrinking an example of a second each would take minutes.
@settings(max_examples=6, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(
    partitions=st.lists(st.sampled_from(PARTITIONS), min_size=COMMITS, max_size=COMMITS),
    steps=steps,
)
def test_the_newest_sound_commit_is_current(partitions: list[str], steps: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        origin = Lake(f"memory://origin-{uuid4().hex}", cache=Path(folder, "one"))
        lake = Lake(f"memory://lake-{uuid4().hex}", cache=Path(folder, "two"))
        commits = make_commits(origin, partitions)
        files = origin.storage.tree("assets")
        for path in files:
            lake.storage.put_bytes(origin.storage.read(f"assets/{path}"), f"assets/{path}")
        catalog = Catalog(lake)
        state = dict.fromkeys(range(COMMITS), "absent")
        loaded: set[int] = set()
        for action, number in [*steps, ("sync", 0)]:
            record = commits[number].entry.path
            if action == "arrive":
                lake.storage.put_bytes(origin.storage.read(record), record)
                state[number] = "sound"
            elif action == "leave":
                lake.storage.remove(record)
                state[number] = "absent"
            elif action == "damage" and state[number] == "absent" and number not in loaded:
                # Rows that were loaded from a sound commit stay when it is damaged later.
                lake.storage.put_bytes(b"{", record)
                state[number] = "damaged"
            elif action == "sync":
                report = catalog.sync()
                loaded = {number for number, what in state.items() if what == "sound"}
                sound = [commits[number] for number in loaded]
                current, history = expected_answer(sound)
                found = catalog.query("SELECT sample FROM samples").to_pylist()
                assert sorted(row["sample"] for row in found) == sorted(current)
                rows = catalog.query("SELECT sample, is_current FROM results").to_pylist()
                assert {(row["sample"], row["is_current"]) for row in rows} == history
                assert len(rows) == len(history)
                damaged = {commits[number].id for number, what in state.items() if what == "damaged"}
                assert {problem.commit_id for problem in report.problems} == damaged
        digest = catalog.digest()
        catalog.rebuild()
        assert catalog.digest() == digest
        catalog.close()
