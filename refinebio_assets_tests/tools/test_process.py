from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from refinebio_assets.errors import ToolError, ToolKilledError, ToolMissingError
from refinebio_assets.tools.process import TAIL_BYTES, last_lines, run_program
from refinebio_assets_tests.tools.waiting import until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="programs are run on Linux")


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def pid_in(file: Path) -> int:
    assert until(lambda: file.exists() and file.read_text().strip())
    return int(file.read_text())


def sleeper(pid_file: Path) -> list[str]:
    return ["sh", "-c", f"echo $$ > {pid_file}.part; mv {pid_file}.part {pid_file}; exec sleep 60"]


def test_a_run_tells_its_command_duration_and_output() -> None:
    run = run_program(["sh", "-c", "echo out; echo err >&2; sleep 0.1"])
    assert run.command == "sh -c 'echo out; echo err >&2; sleep 0.1'"
    assert (run.exit_code, run.stdout_tail, run.stderr_tail) == (0, "out\n", "err\n")
    assert 0.1 <= run.duration_seconds < 10
    assert run.started_at.utcoffset() is not None


def test_a_program_runs_in_the_folder_it_is_given_and_reads_no_input(tmp_path: Path) -> None:
    run = run_program(["sh", "-c", "pwd; cat"], cwd=tmp_path)
    assert run.stdout_tail == f"{tmp_path.resolve()}\n"


def test_arguments_arrive_as_they_are(tmp_path: Path) -> None:
    odd = ["-c", "--", "a b", "", "$HOME", "é\n", str(tmp_path)]
    code = "import sys; print(sys.argv[1:])"
    assert run_program([sys.executable, "-c", code, *odd]).stdout_tail == f"{odd}\n"


def test_files_receive_the_whole_output_and_memory_its_end(tmp_path: Path) -> None:
    file = tmp_path / "out.txt"
    run = run_program([sys.executable, "-c", "print('x' * 200_000)"], stdout=file)
    assert file.stat().st_size == 200_001
    assert len(run.stdout_tail) == TAIL_BYTES


def test_a_missing_program_says_how_to_install_it() -> None:
    with pytest.raises(ToolMissingError, match=r"no-such-program .* not installed.*; apt-get install it"):
        run_program(["no-such-program"], install_hint="apt-get install it")


def test_a_file_that_is_no_program_cannot_be_started(tmp_path: Path) -> None:
    file = tmp_path / "program"
    file.write_bytes(b"\x00\x01\x02")
    file.chmod(0o755)
    with pytest.raises(ToolError, match="cannot be started: Exec format error"):
        run_program([file])


def test_a_failure_shows_the_last_lines_and_is_permanent() -> None:
    script = "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do echo line $i >&2; done; exit 3"
    with pytest.raises(ToolError, match="sh failed with exit code 3") as caught:
        run_program(["sh", "-c", script])
    assert "line 16" in str(caught.value)
    assert "line 1\n" not in str(caught.value).split("its last words", 1)[1]
    assert caught.value.permanent


@pytest.mark.parametrize("script", ["kill -KILL $$", "sh -c 'kill -KILL $$'; exit $?"])
def test_a_killed_program_is_a_transient_failure(script: str) -> None:
    with pytest.raises(ToolKilledError, match="ended by SIGKILL, most often for lack of memory") as caught:
        run_program(["sh", "-c", script])
    assert not caught.value.permanent


def test_a_program_that_crashes_by_itself_is_a_permanent_failure() -> None:
    with pytest.raises(ToolError, match=r"sh crashed \(SIGABRT\)"):
        run_program(["sh", "-c", "kill -ABRT $$"])


def test_the_time_limit_ends_the_program_and_all_it_started(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    with pytest.raises(ToolKilledError, match=r"after 0\.5 seconds, its time limit"):
        run_program(["sh", "-c", f"sleep 60 & echo $! > {file}; wait"], timeout_seconds=0.5)
    assert until(lambda: not alive(pid_in(file)))


def test_another_thread_can_end_the_program(tmp_path: Path) -> None:
    cancelled = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(run_program, sleeper(tmp_path / "pid"), cancelled=cancelled)
        pid = pid_in(tmp_path / "pid")
        cancelled.set()
        with pytest.raises(ToolKilledError, match="its run was stopped"):
            future.result(timeout=10)
    assert not alive(pid)


def test_the_time_limit_holds_where_the_program_can_be_cancelled() -> None:
    with pytest.raises(ToolKilledError, match="its time limit"):
        run_program(["sleep", "60"], timeout_seconds=0.3, cancelled=threading.Event())


def test_a_program_lives_on_when_other_threads_end() -> None:
    with ThreadPoolExecutor(4) as pool:
        runs = [pool.submit(run_program, ["sh", "-c", f"sleep 0.{i}; echo {i}"]) for i in range(1, 9)]
        assert [run.result().stdout_tail for run in runs] == [f"{i}\n" for i in range(1, 9)]


def start_parent(code: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stderr=subprocess.PIPE)


@pytest.mark.parametrize("in_thread", [False, True])
def test_the_program_dies_with_a_parent_that_is_killed(tmp_path: Path, in_thread: bool) -> None:
    parent = start_parent(f"""
        import threading
        from refinebio_assets.tools.process import run_program
        def run(): run_program({sleeper(tmp_path / "pid")!r})
        if {in_thread}:
            threading.Thread(target=run).start()
        else:
            run()
    """)
    pid = pid_in(tmp_path / "pid")
    assert alive(pid)
    parent.kill()
    parent.communicate()
    assert until(lambda: not alive(pid))


def test_the_program_is_ended_when_its_run_is_interrupted(tmp_path: Path) -> None:
    parent = start_parent(f"""
        from refinebio_assets.tools.process import run_program
        run_program({sleeper(tmp_path / "pid")!r})
    """)
    pid = pid_in(tmp_path / "pid")
    os.kill(parent.pid, signal.SIGINT)
    _, printed = parent.communicate(timeout=20)
    assert b"KeyboardInterrupt" in printed
    assert not alive(pid)


def test_progress_bars_colors_and_blank_lines_are_left_out_of_messages() -> None:
    assert last_lines("a\n\n\x1b[32m10%\r100%\x1b[0m\r\nlast \n") == "a\n100%\nlast"


def test_processor_time_and_memory_are_those_of_the_program() -> None:
    code = textwrap.dedent("""
        import time
        block = bytearray(80_000_000)
        while time.process_time() < 0.4:
            pass
        """)
    used = run_program([sys.executable, "-c", code])
    idle = run_program(["sleep", "0.3"])
    assert used.cpu_seconds >= 0.3
    assert used.peak_memory_bytes > 80_000_000
    assert idle.cpu_seconds < 0.3
    stoppable = run_program([sys.executable, "-c", code], cancelled=threading.Event(), timeout_seconds=60)
    assert stoppable.cpu_seconds >= 0.3
