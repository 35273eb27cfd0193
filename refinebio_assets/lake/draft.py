"""One output in the making: what is staged, and how it becomes visible all at once.

The order is the promise: files first, whole and durable, the record last. Where drafts come from is in
`store.py`.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from refinebio_assets import __version__
from refinebio_assets.errors import RefinebioError, RequestError, StorageError
from refinebio_assets.lake.content import hash_file
from refinebio_assets.lake.naming import check_file_name, commit_moment
from refinebio_assets.lake.records import (
    Commit,
    InputRef,
    LogEntry,
    StoredFile,
    read_record,
    record_bytes,
)
from refinebio_assets.lake.removal_notices import require_kept
from refinebio_assets.lake.storage import remove_tree
from refinebio_assets.lake.upkeep import remove_entry

if TYPE_CHECKING:
    from refinebio_assets.lake.store import Lake

SOFTWARE = f"refinebio-assets {__version__}"


class Draft:
    """An output in the making: files in ``folder`` (subfolders are fine), tables, attached objects."""

    def __init__(self, lake: Lake, asset: str, partition: str, folder: Path, *, keep: bool = False) -> None:
        self.asset = asset
        self.partition = partition
        self.folder = folder
        self._lake = lake
        self._keep = keep
        self._tables: dict[str, str] = {}
        self._attached: list[StoredFile] = []
        self._open = True

    def write_table(self, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Write rows of a declared table into the commit; once for each table.

        Raises FormatError that names table, row and column for rows that break the declared schema.
        """
        from refinebio_assets.lake.parquet import declared_table, write_rows

        self._require_open()
        declared = declared_table(table)
        if table in self._tables:
            raise RequestError(f"{self}: table {table} is written twice")
        name = f"tables/{table}.parquet"
        try:
            write_rows(self.folder / name, declared, rows)
        except BaseException:
            with suppress(OSError):
                (self.folder / name).unlink(missing_ok=True)
            raise
        self._tables[table] = name

    def attach(self, file: StoredFile) -> None:
        """Make a file that is stored already part of the commit. Raises NotFoundError when it is not.

        Where the commit has other content under the same name, the attached file's name gets the start
        of its checksum in front: ``3f2a.../quant.sf``.
        """
        self._require_open()
        check_file_name(file.name)
        self._lake.require_stored(file)
        self._attached.append(file)

    def commit(
        self,
        *,
        version: str,
        code_version: str,
        inputs: Sequence[InputRef] = (),
        info: Mapping[str, Any] | None = None,
        run_id: str = "",
        needs: Iterable[Commit] = (),
    ) -> Commit:
        """Make the output visible, whole and durable, and return its commit.

        ``needs`` are commits that must not have been removed meanwhile, beside those of ``inputs`` and
        attached files: such as were found in a history. When it raises, nothing is visible and nothing is
        left behind; the draft is then over. But a storage that goes away once the record is written, or a
        kill then, leaves the commit visible, whole, and with nobody having looked whether what it was made
        from is there yet. Raises RequestError when ``info`` is no JSON or a staged file is a link,
        RemovedMeanwhileError, StorageError.
        """
        self._require_open()
        self._open = False
        staged = [(name, *hash_file(self.folder / name)) for name in _staged_names(self.folder)]
        entry = self._lake.next_entry(self.asset, self.partition)
        files = [StoredFile(name, f"{entry.folder}/{name}", size, sha) for name, sha, size in staged]
        commit = Commit(
            id=entry.id,
            asset=self.asset,
            partition=self.partition,
            version=version,
            code_version=code_version,
            created_at=commit_moment(entry.id),
            run_id=run_id,
            software=SOFTWARE,
            files=tuple(_with_attached(files, self._attached)),
            inputs=tuple(inputs),
            tables=self._tables,
            info=info or {},
        )
        record = record_bytes(commit)
        self._publish(entry, record, has_files=bool(files))
        try:
            require_kept(self._lake, commit, needs)
        except BaseException:
            with suppress(RefinebioError):
                remove_entry(self._lake, entry)
            raise
        return read_record(record, entry.path)

    def close(self) -> None:
        """Remove what is staged, unless it is to be kept; nothing more can be added."""
        self._open = False
        if not self._keep:
            remove_tree(self.folder)

    def __str__(self) -> str:
        return f"draft of {self.asset}[{self.partition}]"

    def _publish(self, entry: LogEntry, record: bytes, *, has_files: bool) -> None:
        storage = self._lake.storage
        try:
            if has_files:
                storage.put_folder(self.folder, entry.folder)
            storage.put_bytes(record, entry.path)
        except BaseException:
            # A record that made it in spite of the error keeps its files.
            with suppress(RefinebioError):
                if storage.size(entry.path) is None:
                    storage.remove(entry.folder)
            raise

    def _require_open(self) -> None:
        if not self._open:
            raise RequestError(f"{self} is over: it was committed or left")


def _staged_names(folder: Path) -> list[str]:
    """Return the sorted relative names of all staged files; links and devices are refused."""
    if not folder.is_dir():
        raise StorageError(
            f"the staging folder {folder} is gone; was it swept while nothing was written to it?"
        )
    return sorted(_walk(folder, folder))


def _walk(base: Path, folder: Path) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for entry in entries:
            name = Path(entry.path).relative_to(base).as_posix()
            mode = entry.stat(follow_symlinks=False).st_mode
            if stat.S_ISDIR(mode):
                yield from _walk(base, Path(entry.path))
            elif stat.S_ISREG(mode):
                yield check_file_name(name)
            else:
                raise RequestError(f"{name} in {base} is a link or device; only plain files are stored")


def _with_attached(files: Sequence[StoredFile], attached: Sequence[StoredFile]) -> Iterable[StoredFile]:
    taken = {file.name: file for file in files}
    for file in attached:
        same_name = taken.get(file.name, file)
        if same_name.sha256 != file.sha256:
            renamed = replace(file, name=f"{file.sha256[:12]}/{file.name}")
            taken.setdefault(renamed.name, renamed)
        else:
            taken[file.name] = same_name
    return taken.values()
