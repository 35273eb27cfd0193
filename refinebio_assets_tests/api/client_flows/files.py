"""Compendia and computed files are downloaded."""

from __future__ import annotations

import pyrefinebio as rb
from pyrefinebio.config import Config
from pyrefinebio.exceptions import DownloadError

from refinebio_assets_tests.api.client_flows.flow import FOLDER, flow, lock_of, members, refused


@flow
def a_compendium_is_downloaded() -> None:
    rb.download_compendium(str(FOLDER / "compendium.zip"), "HOMO_SAPIENS")
    rb.download_compendium(str(FOLDER / "first.zip"), "HOMO_SAPIENS", version=1)
    for name, version in (("compendium.zip", 2), ("first.zip", 1)):
        assert "HOMO_SAPIENS/HOMO_SAPIENS.tsv" in members(FOLDER / name)
        assert lock_of(FOLDER / name)["number"] == version


@flow
def a_quantfile_compendium_is_downloaded() -> None:
    rb.download_quantfile_compendium(str(FOLDER / "quantfiles.zip"), "HOMO_SAPIENS")
    names = members(FOLDER / "quantfiles.zip")
    assert [name for name in names if name.endswith(".sf")] == ["SRP20/R1_quant.sf", "SRP20/R2_quant.sf"]


@flow
def a_compendium_that_there_is_not() -> None:
    refused(DownloadError, rb.download_compendium, str(FOLDER), "MUS_MUSCULUS")


@flow
def a_computed_file_is_downloaded() -> None:
    (file,) = rb.Sample.get("R1").computed_files
    rb.ComputedFile.get(file.id).download(str(FOLDER / "quant.sf.gz"))
    assert (FOLDER / "quant.sf.gz").stat().st_size == file.size_in_bytes


@flow
def downloading_without_a_token() -> None:
    before, Config().token = Config().token, ""
    (found,) = rb.Compendium.search(latest_version=True, quant_sf_only=False)
    refused(DownloadError, found.download, str(FOLDER))
    Config().token = before
