from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinebio_assets.tools import supervision
from refinebio_assets.tools.supervision import (
    LONGEST_PAUSE,
    STEADY_SECONDS,
    Patience,
    Program,
    Supervisor,
    how_it_ended,
    last_words,
)
from refinebio_assets_tests.tools import waiting

until = partial(waiting.until, seconds=20.0)
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="servers are run on Linux")


class World:
    """A supervisor with a clock that only moves when it is told to, and what it told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = 1000.0
        self.told: list[str] = []
        self.supervisor = Supervisor(self.told.append, clock=lambda: self.now)

    def start(self, name: str, script: str) -> Program:
        program = Program(name, ("sh", "-c", script), self.folder / "logs" / f"{name}.log")
        self.supervisor.start(program)
        return program

    def pids(self, name: str) -> list[int]:
        """Return the process ids that a program wrote, one at each start."""
        file = self.folder / f"{name}.pids"
        return [int(line) for line in file.read_text().split()] if file.exists() else []

    def server(self, name: str) -> str:
        """Return the script of a program that notes its starts and its end, and sleeps."""
        return (
            f"trap 'echo {name} >> {self.folder}/ends; kill -KILL $!; exit 0' TERM; "
            f"sleep 60 & echo $$ >> {self.folder}/{name}.pids; wait"
        )


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    try:
        yield world
    finally:
        world.supervisor.signal_descendants(signal.SIGKILL)
        world.supervisor.end()


@given(lives=st.lists(st.floats(0, STEADY_SECONDS, exclude_max=True), min_size=1, max_size=30))
def test_pauses_grow_to_a_limit_and_a_program_that_lived_long_is_forgiven(lives: list[float]) -> None:
    patience, pauses = Patience(), []
    for lived in lives:
        patience = patience.after(lived)
        pauses.append(patience.seconds)
    assert pauses[0] == 0
    assert pauses == sorted(pauses)
    assert max(pauses) <= LONGEST_PAUSE
    assert patience.after(STEADY_SECONDS).seconds == 0


def test_a_program_that_is_killed_is_started_again_and_one_line_says_so(world: World) -> None:
    world.start("server", world.server("server"))
    assert until(lambda: len(world.pids("server")) == 1)
    world.supervisor.look()
    assert world.told == []
    os.kill(world.pids("server")[0], signal.SIGKILL)
    assert until(lambda: world.supervisor.look() or len(world.pids("server")) == 2)
    assert world.told == ["server ended (killed by SIGKILL) and is started again"]


def test_a_program_that_ends_at_once_is_started_later_and_later_with_its_last_words(world: World) -> None:
    world.start("broken", f"echo $$ >> {world.folder}/broken.pids; echo no database; exit 3")
    for starts, pause in enumerate(("", " in 1 s", " in 2 s", " in 4 s"), start=1):
        assert until(lambda: world.supervisor.look() or world.told)
        assert world.told == [f"broken ended (exit code 3) and is started again{pause}: no database"]
        world.told.clear()
        if pause:
            world.now += float(pause.split()[1]) - 0.1
            world.supervisor.look()
            assert len(world.pids("broken")) == starts
            world.now += 0.2
            world.supervisor.look()
        assert until(lambda before=starts: len(world.pids("broken")) == before + 1)
    assert until(world.supervisor.ended)
    assert "broken ended (exit code 3)" in str(world.supervisor.ended())


def test_programs_end_in_the_opposite_order_of_their_start(world: World) -> None:
    for name in ("first", "second", "third"):
        world.start(name, world.server(name))
        assert until(lambda name=name: world.pids(name))
    world.supervisor.end()
    assert (world.folder / "ends").read_text().split() == ["third", "second", "first"]
    assert until(lambda: world.supervisor.wait_for_descendants(0))


def test_a_program_that_does_not_end_is_killed_and_what_it_started_is_left_alone(world: World) -> None:
    script = f"trap '' TERM; sleep 60 & echo $! > {world.folder}/child.pids; wait"
    world.start("deaf", script)
    assert until(lambda: world.pids("child"))
    world.supervisor.end(seconds=0.2)
    assert world.told == ["deaf did not end within 0 s and was killed"]
    assert not world.supervisor.wait_for_descendants(0)
    world.supervisor.signal_descendants(signal.SIGKILL)
    assert until(lambda: world.supervisor.wait_for_descendants(0))


def test_a_program_that_lingers_for_what_it_started_is_left_to_do_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervision, "SECONDS_TO_LINGER", 0.2)
    script = f"trap '' TERM; sleep 60 & echo $! > {world.folder}/child.pids; wait"
    world.supervisor.start(Program("host", ("sh", "-c", script), world.folder / "host.log", lingers=True))
    assert until(lambda: world.pids("child"))
    world.supervisor.end()
    assert world.told == []
    assert not world.supervisor.wait_for_descendants(0)


def test_programs_end_when_the_supervisor_itself_is_killed(tmp_path: Path) -> None:
    pids = tmp_path / "server.pids"
    code = f"""
from pathlib import Path
from refinebio_assets.tools.supervision import Program, Supervisor
import time
command = ("sh", "-c", "echo $$ > {pids}.part; mv {pids}.part {pids}; exec sleep 60")
Supervisor(print).start(Program("server", command, Path("{tmp_path}/log")))
time.sleep(60)
"""
    parent = subprocess.Popen([sys.executable, "-c", code])
    try:
        assert until(pids.exists)
    finally:
        parent.kill()
        parent.wait()
    server = Path(f"/proc/{int(pids.read_text())}/stat")
    assert until(lambda: not server.exists() or server.read_text().rpartition(")")[2].split()[0] == "Z")


def test_programs_heed_ctrl_c_also_where_the_supervisor_was_started_in_the_background(world: World) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        program = world.start("server", f"grep SigIgn /proc/self/status; {world.server('server')}")
    finally:
        signal.signal(signal.SIGINT, before)
    assert until(lambda: world.pids("server"))
    ignored = int(program.log.read_text().split()[1], 16)
    assert not ignored & 1 << signal.SIGINT - 1


def test_a_log_that_grew_too_large_is_kept_once_and_begun_anew(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervision, "LARGEST_LOG", 10)
    program = world.start("chatty", f"echo {'x' * 20}; {world.server('chatty')}")
    assert until(lambda: world.pids("chatty"))
    world.supervisor.look()
    assert program.log.read_text() == ""
    assert program.log.with_name("chatty.log.1").read_text() == "x" * 20 + "\n"


def test_a_log_for_whose_older_lines_there_is_no_room_is_begun_anew_all_the_same(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervision, "LARGEST_LOG", 10)
    program = world.start("chatty", f"echo {'x' * 20}; {world.server('chatty')}")
    program.log.with_name("chatty.log.1").symlink_to("/dev/full")
    assert until(lambda: world.pids("chatty"))
    world.supervisor.look()
    assert program.log.read_text() == ""
    assert world.told == []


def test_a_program_that_cannot_be_started_again_is_tried_later_and_later(world: World) -> None:
    program = world.start("server", world.server("server"))
    assert until(lambda: world.pids("server"))
    aside = program.log.parent.rename(world.folder / "aside")
    program.log.parent.write_text("in the way")
    os.kill(world.pids("server")[0], signal.SIGKILL)
    assert until(lambda: world.supervisor.look() or len(world.told) == 2)
    world.now += 1
    world.supervisor.look()
    program.log.parent.unlink()
    aside.rename(program.log.parent)
    world.now += 2
    world.supervisor.look()
    assert until(lambda: len(world.pids("server")) == 2)
    assert [told.partition(": ")[0] for told in world.told] == [
        "server ended (killed by SIGKILL) and is started again",
        "server cannot be started and is tried again in 1 s",
        "server cannot be started and is tried again in 2 s",
    ]
    assert "File exists" in world.told[1]


def test_the_last_words_are_the_last_line_without_colors(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"first\n\x1b[31mlast\x1b[0m words\n\n")
    assert last_words(log) == "last words"
    log.write_bytes(b"")
    assert last_words(log) == "it printed nothing"


@pytest.mark.parametrize(
    ("code", "words"), [(0, "exit code 0"), (-9, "killed by SIGKILL"), (-99, "killed by signal 99")]
)
def test_how_a_program_ended_is_said_in_words(code: int, words: str) -> None:
    assert how_it_ended(code) == words
