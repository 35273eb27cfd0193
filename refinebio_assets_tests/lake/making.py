"""Small commits to test with, and what a catalog says of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.store import Commit, InputRef, Lake, StoredFile


def experiment_row(accession: str, **changes: Any) -> dict[str, Any]:
    row = {
        "experiment": accession,
        "source": "sample sheet",
        "title": f"Title of {accession}",
        "organisms": ["HOMO_SAPIENS"],
        "technologies": ["RNA-SEQ"],
        "sample_count": 2,
    }
    return row | changes


def sample_row(accession: str, sample: str, **changes: Any) -> dict[str, Any]:
    row = {
        "experiment": accession,
        "sample": sample,
        "organism": "HOMO_SAPIENS",
        "technology": "RNA-SEQ",
    }
    return row | changes


def result_row(accession: str, sample: str, **changes: Any) -> dict[str, Any]:
    row = {
        "experiment": accession,
        "sample": sample,
        "verdict": "processed",
        "processor": "salmon",
        "processor_version": "1.10.1",
    }
    return row | changes


def commit_record(
    lake: Lake, accession: str, version: str = "v1", samples: Sequence[str] = ("S1", "S2"), **options: Any
) -> Commit:
    """Commit an experiment's description: tables of scope 'current'."""
    with lake.draft("experiment_record", accession) as draft:
        draft.write_table("experiments", [experiment_row(accession, title=f"{accession} {version}")])
        draft.write_table("samples", [sample_row(accession, sample) for sample in samples])
        return draft.commit(version=version, code_version="1", **options)


def commit_results(
    lake: Lake, accession: str, version: str = "v1", samples: Sequence[str] = ("S1", "S2"), **options: Any
) -> Commit:
    """Commit what became of an experiment's samples: tables of scope 'history', files in a folder."""
    with lake.draft("sample_quantifications", accession) as draft:
        draft.write_table("results", [result_row(accession, sample, version=version) for sample in samples])
        draft.write_table("dropped", [])
        folder = draft.folder / "quant"
        folder.mkdir()
        for sample in samples:
            (folder / f"{sample}.sf").write_text(f"{sample} {version}\n")
        options = {"inputs": [InputRef("experiment_record", accession, version)]} | options
        return draft.commit(version=version, code_version="1", **options)


def commit_files(lake: Lake, asset: str, partition: str, files: dict[str, bytes], **options: Any) -> Commit:
    """Commit plain files."""
    with lake.draft(asset, partition) as draft:
        for name, content in files.items():
            path = draft.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return draft.commit(**({"version": "v1", "code_version": "1"} | options))


def content_of(lake: Lake, file: StoredFile) -> bytes:
    """Read a stored file."""
    with lake.open(file) as stream:
        return stream.read()


def damage(lake: Lake, file: StoredFile, content: bytes) -> None:
    """Replace stored content behind the lake's back."""
    lake.storage.put_bytes(content, file.path)


def rows(catalog: Catalog, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in catalog.query(sql, parameters).to_pylist()]


def require_same_when_rebuilt(catalog: Catalog) -> None:
    assert not catalog.stale()
    digest = catalog.digest()
    report = catalog.rebuild()
    assert report.rebuilt
    assert catalog.digest() == digest
