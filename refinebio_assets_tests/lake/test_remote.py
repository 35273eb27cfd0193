"""What is special about lakes in buckets: the local cache, the environment, servers that are away."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from refinebio_assets.errors import (
    CorruptionError,
    RequestError,
    StorageError,
    StorageRefusedError,
    ToolMissingError,
)
from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.store import Lake, default_cache
from refinebio_assets_tests.lake.making import commit_files, commit_record, damage


def test_a_copy_in_the_cache_is_used_again(memory_lake: Lake) -> None:
    commit = commit_files(memory_lake, "a", "p", {"sub/data.txt": b"content"})
    path = memory_lake.local(commit.files[0])
    assert path.name == "data.txt"
    inode = path.stat().st_ino
    assert memory_lake.local(commit.files[0]).stat().st_ino == inode
    other = Lake(memory_lake.url, cache=memory_lake.cache)
    assert other.local(commit.files[0]).stat().st_ino == inode


def test_a_damaged_copy_in_the_cache_is_fetched_again(memory_lake: Lake) -> None:
    commit = commit_files(memory_lake, "a", "p", {"k/data.txt": b"content"})
    file = commit.files[0]
    for content in (b"cut", b"CONTENT"):
        memory_lake.local(file).write_bytes(content)
        fresh = Lake(memory_lake.url, cache=memory_lake.cache)
        assert fresh.local(file).read_bytes() == b"content"
        (fresh.local_folder(commit, "k") / "data.txt").write_bytes(content)
        fresh = Lake(memory_lake.url, cache=memory_lake.cache)
        assert (fresh.local_folder(commit, "k") / "data.txt").read_bytes() == b"content"
    assert list(fresh.storage.scratch.iterdir()) == []


def test_damaged_content_never_gets_into_the_cache(memory_lake: Lake) -> None:
    commit = commit_files(memory_lake, "a", "p", {"k/data.txt": b"content"})
    damage(memory_lake, commit.files[0], b"CONTENT")
    with pytest.raises(CorruptionError, match=r"k/data.txt"):
        memory_lake.local(commit.files[0])
    with pytest.raises(CorruptionError, match=r"k/data.txt"):
        memory_lake.local_folder(commit, "k")
    left = [path for path in memory_lake.cache.rglob("*") if path.is_file()]
    assert left == []


def test_each_lake_has_its_own_default_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    one, other = Lake("memory://one"), Lake("memory://other")
    assert one.cache != other.cache
    assert one.cache == default_cache("memory://one")
    assert one.cache.is_relative_to(tmp_path)


def test_a_server_that_is_away_is_a_storage_error_that_says_what_was_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3fs = pytest.importorskip("s3fs")
    s3fs.S3FileSystem.clear_instance_cache()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "dummy")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "dummy")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    lake = Lake(f"s3://nowhere-{uuid4().hex}/lake", cache=tmp_path / "cache")
    with pytest.raises(StorageError, match="listing s3://nowhere-"):
        lake.head("a", "p")
    with pytest.raises(StorageError):
        commit_files(lake, "a", "p", {"f": b"1"})
    with pytest.raises(StorageError, match="uploading s3://nowhere-"):
        lake.put_object([b"x"], "x")
    with pytest.raises(StorageError):
        Catalog(lake).sync()
    assert not list(lake.storage.scratch.iterdir())
    s3fs.S3FileSystem.clear_instance_cache()


def test_a_bucket_that_does_not_exist_takes_no_commits(s3_bucket: str, tmp_path: Path) -> None:
    lake = Lake("s3://no-such-bucket-here/lake", cache=tmp_path / "cache")
    assert lake.head("a", "p") is None
    with pytest.raises(StorageRefusedError, match="uploading s3://no-such-bucket-here/lake/"):
        commit_files(lake, "a", "p", {"f": b"1"})
    assert not list(lake.storage.scratch.iterdir())


def test_a_sync_keeps_what_it_has_when_the_server_goes_away(
    s3_bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"{s3_bucket}/lake-{uuid4().hex}"
    lake = Lake(url, cache=tmp_path / "cache")
    commit_record(lake, "E1")
    catalog = Catalog(lake)
    assert catalog.sync().commits == 1
    assert catalog.folder == tmp_path / "cache" / "catalog"
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()
    away = Catalog(Lake(url, cache=tmp_path / "cache"))
    with pytest.raises(StorageError):
        away.rebuild()
    assert away.query("SELECT count(*) AS n FROM experiments").to_pylist() == [{"n": 1}]
    s3fs.S3FileSystem.clear_instance_cache()


def test_an_unknown_kind_of_url_is_refused() -> None:
    with pytest.raises(RequestError, match="nosuch://x cannot be a lake"):
        Lake("nosuch://x")


def test_a_missing_library_is_named_with_how_to_install_it() -> None:
    code = (
        "import sys; sys.modules['s3fs'] = None\n"
        "from refinebio_assets.errors import ToolMissingError\n"
        "from refinebio_assets.lake.store import Lake\n"
        "try: Lake('s3://bucket/lake')\n"
        "except ToolMissingError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert "pip install 'refinebio-assets[s3]'" in done.stdout
    assert issubclass(ToolMissingError, Exception)


def test_file_urls_are_local_lakes(tmp_path: Path) -> None:
    lake = Lake(f"file://{tmp_path}/lake")
    assert lake.is_local
    commit = commit_files(lake, "a", "p", {"f": b"1"})
    assert lake.local(commit.files[0]).is_relative_to(tmp_path)
    assert Lake(str(tmp_path / "lake")).head("a", "p") == commit
