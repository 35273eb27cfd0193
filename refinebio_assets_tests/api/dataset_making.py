"""A lake whose samples can be put into datasets, and a stand-in for the runs that build them."""

from __future__ import annotations

import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from refinebio_assets.api.building import Built
from refinebio_assets.lake.store import Lake
from refinebio_assets_tests.api.serving import wait_until
from refinebio_assets_tests.pipelines.study import Study

EMAIL = {"email_address": "someone@example.org"}


class ZipBuilder:
    """Stands for Dagster: commits a small zip as a dataset's bundle, or fails, when it is told to."""

    def __init__(self, lake: Lake) -> None:
        self.lake, self.problem = lake, ""
        self.may_end = threading.Event()
        self.may_end.set()

    def start(self, dataset: str, done: Callable[[Built], None]) -> None:
        threading.Thread(target=self._build, args=[dataset, done], daemon=True).start()

    def _build(self, dataset: str, done: Callable[[Built], None]) -> None:
        self.may_end.wait(30)
        if self.problem:
            done(Built(False, self.problem))
            return
        with self.lake.draft("dataset_bundle", dataset) as draft:
            with zipfile.ZipFile(draft.folder / f"{dataset}.zip", "w") as archive:
                archive.writestr("README.md", "x" * 5000)
            draft.commit(version="1", code_version="1", info={"file": f"{dataset}.zip"})
        done(Built(True))

    def stop(self) -> None:
        self.may_end.set()


def make_study(folder: Path) -> Lake:
    """Two processed experiments, one with a sample that failed, one that waits, and a target."""
    study = Study.of_several(folder)
    with study.lake.draft("target_quantiles", "DANIO_RERIO") as draft:
        (draft.folder / "target.tsv").write_text("1.0\n")
        draft.commit(version="target", code_version="1")
    study.catalog.sync()
    return study.lake


def post(client: httpx.Client, body: Any, status: int = 201, **options: Any) -> dict[str, Any]:
    answer = client.post("/v1/dataset/", json=body, **options)
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


def finished(client: httpx.Client, identity: str, key: dict[str, str]) -> dict[str, Any]:
    def is_done() -> bool:
        return client.get(f"/v1/dataset/{identity}/").json()["is_processing"] is False

    wait_until(is_done, "the dataset is built")
    found: dict[str, Any] = client.get(f"/v1/dataset/{identity}/", headers=key).json()
    return found
