"""A process that forks writers on demand, so that killing a hundred of them takes seconds.

Run as a program it imports what writers need once, then reads commands (JSON, one a line): ``fork`` a
task in a child process, or ``wait`` for a child. The tests' side is `Nursery`.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Collection
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from refinebio_assets.errors import StorageError
from refinebio_assets.lake.store import Lake
from refinebio_assets_tests.lake.making import commit_results


class Nursery:
    """The tests' side: start children, wait for them, kill them."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", __name__]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self._ask(command="ready")

    def fork(self, task: str, **arguments: Any) -> int:
        """Start a task of this module in a child; return its process id."""
        return int(self._ask(command="fork", task=task, arguments=arguments))

    def wait(self, child: int) -> int:
        """Wait for a child; return its exit code, negative for a signal."""
        return int(self._ask(command="wait", child=child))

    def kill(self, child: int) -> None:
        """Kill a child with SIGKILL and wait for it."""
        os.kill(child, signal.SIGKILL)
        self.wait(child)

    def _ask(self, **command: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(command), file=self._process.stdin, flush=True)
        return json.loads(self._process.stdout.readline())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=60)
        self._process.stdout.close()


def write_until_killed(root: str, partition: str) -> None:
    """Store objects and commit without end."""
    lake = Lake(root)
    number = 0
    while True:
        number += 1
        write_once(lake, partition, number)


def write_and_die_at(root: str, partition: str, event: int) -> None:
    """Store and commit once, but be killed just before the nth operation on the lake's files."""
    lake = Lake(root)
    _die_at(root, event, _FILE_EVENTS)
    write_once(lake, partition, event)


def _die_at(root: str, event: int, names: Collection[str]) -> None:
    """Have this process killed just before the nth operation with one of these names on a lake's files."""
    seen = 0

    def count(name: str, arguments: tuple[Any, ...]) -> None:
        nonlocal seen
        if name in names and arguments and str(arguments[0]).startswith(root):
            seen += 1
            if seen == event:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)


_FILE_EVENTS = (
    "open",
    "os.rename",
    "os.mkdir",
    "os.chmod",
    "os.remove",
    "os.rmdir",
    "os.scandir",
    "os.listdir",
)


def write_once(lake: Lake, partition: str, number: int) -> None:
    """Store an object and commit a table, files in a folder and the object."""
    stored = lake.put_object([f"{partition} {number} ".encode() * 5000], "raw.txt")
    commit_results(lake, partition, f"v{number}", ["S1", "S2", "S3"])
    with lake.draft("raw_files", partition) as draft:
        draft.attach(stored)
        draft.commit(version=f"v{number}", code_version="1")


def write_many(root: str, name: str, count: int) -> None:
    """Commit to a partition of one's own and to one that all writers share."""
    lake = Lake(root)
    for number in range(count):
        commit_results(lake, f"own-{name}", f"{name}-{number}")
        commit_results(lake, "shared", f"{name}-{number}")
        lake.put_object([b"the same for everyone" * 1000, b"%d" % number], "same.txt")


def read_until(root: str, stop: str) -> None:
    """Read heads, histories and tables until the file ``stop`` appears; every one must be whole."""
    lake = Lake(root)
    last = ""
    while not Path(stop).exists():
        head = lake.head("sample_quantifications", "shared")
        if head is not None:
            assert head.id >= last, "an older commit came after a newer one"
            last = head.id
            lake.verify(head)
            assert lake.read_table(head, "results").num_rows == 2
        assert len(lake.history("sample_quantifications", "shared")) >= (head is not None)


def sync_until(root: str, stop: str) -> None:
    """Sync and query until the file ``stop`` appears."""
    from refinebio_assets.lake.catalog import Catalog

    catalog = Catalog(Lake(root))
    commits = 0
    while not Path(stop).exists():
        report = catalog.sync()
        assert not report.problems, report.problems
        answer = catalog.query(
            "SELECT count(*) AS commits, count(*) FILTER (is_current) AS current, "
            "count(DISTINCT (asset, partition)) AS partitions FROM commits"
        ).to_pylist()[0]
        assert answer["current"] == answer["partitions"], answer
        assert answer["commits"] >= commits, "commits were lost"
        commits = answer["commits"]


def write_with_little_room(root: str, limit: int) -> None:
    """Try to store more than files may hold; each attempt must be a StorageError and leave nothing."""
    lake = Lake(root)
    head = commit_results(lake, "E1", "before")
    if limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    big = b"x" * 3_000_000
    many = [f"S{number}-{os.urandom(20).hex()}" for number in range(60_000)]
    attempts: dict[str, Callable[[], Any]] = {
        "object": lambda: lake.put_object([big], "big"),
        "table": lambda: commit_results(lake, "E1", "table", many),
        "record": lambda: commit_results(lake, "E1", "record", ["S"], info={"big": big.decode()}),
        "file": lambda: _write_file_in_draft(lake, big),
    }
    for name, attempt in attempts.items():
        try:
            attempt()
        except StorageError as error:
            assert "failed" in str(error), error
        else:
            raise AssertionError(f"{name}: no error")
        left = list(lake.storage.scratch.rglob("*"))
        assert not left, f"{name}: left {left}"
    if limit:
        _sync_without_room(lake)
    assert lake.history("sample_quantifications", "E1") == [head]
    assert len(list(lake.storage.names("assets/sample_quantifications/E1"))) == 1
    lake.verify(commit_results(lake, "E1", "after"))


def _sync_without_room(lake: Lake) -> None:
    """An empty DuckDB file has more than 400 kB."""
    from refinebio_assets.lake.catalog import Catalog

    catalog = Catalog(lake)
    try:
        catalog.sync()
    except StorageError as error:
        assert "making the catalog" in str(error), error
    else:
        raise AssertionError("the catalog had room")
    assert [path.name for path in catalog.folder.iterdir()] == ["lock"]


def _write_file_in_draft(lake: Lake, content: bytes) -> None:
    with lake.draft("index", "E1") as draft:
        (draft.folder / "big").write_bytes(content)
        draft.commit(version="v", code_version="1")


def set_damage_aside(root: str, killed_at: int = 0) -> None:
    """Move everything that is damaged out of the way, or be killed just before the nth move."""
    from refinebio_assets.lake.damage import set_aside

    lake = Lake(root)
    if killed_at:
        _die_at(root, killed_at, ("os.rename",))
    for _ in set_aside(lake, lake.verify_all().problems):
        pass


def set_aside_without_room(root: str) -> None:
    """Set damage aside on a disk without a free byte; it is moved, or it stays and StorageError says so."""
    from refinebio_assets.lake.damage import Damage

    lake = Lake(root)
    commit = commit_results(lake, "E1")
    for file in commit.files:
        lake.storage.put_bytes(b"damaged", file.path)
    filling = Path(root) / "filling"
    with suppress(OSError), filling.open("wb", buffering=0) as stream:
        while stream.write(b"x" * 4096):
            pass
    try:
        set_damage_aside(root)
    except StorageError as error:
        assert "moving" in str(error), error
    filling.unlink()
    set_damage_aside(root)
    assert {problem.damage for problem in lake.verify_all().problems} == {Damage.LOST}
    moved = [lake.storage.read(f"damaged/{path}") for path in lake.storage.tree("damaged")]
    assert moved == [b"damaged"] * len(commit.files)


def _run_child(task: str, arguments: dict[str, Any]) -> None:
    """Run a task and end the process without going back to the loop of commands."""
    code = 1
    try:
        globals()[task](**arguments)
        code = 0
    finally:
        if code:
            import traceback

            traceback.print_exc()
        sys.stderr.flush()
        os._exit(code)


def _answer(command: dict[str, Any]) -> Any:
    if command["command"] == "wait":
        _, status = os.waitpid(command["child"], 0)
        return os.waitstatus_to_exitcode(status)
    if command["command"] == "fork":
        child = os.fork()
        if child == 0:
            _run_child(command["task"], command["arguments"])
        return child
    return None


def main() -> None:
    """Answer commands until there are no more."""
    for module in ("numpy", "pyarrow.parquet", "refinebio_assets.lake.catalog"):
        import_module(module)
    for line in sys.stdin:
        print(json.dumps(_answer(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
