"""Compendia and computed files are downloaded."""

from __future__ import annotations

import pyrefinebio as rb
from pyrefinebio.config import Config
from pyrefinebio.exceptions import DownloadError

from refinebio_assets_tests.api.client_flows.flow import FOLDER, flow, refused


@flow
def a_compendium_is_downloaded() -> None:
    rb.download_compendium(str(FOLDER / "compendium.zip"), "HOMO_SAPIENS")
    assert (FOLDER / "compendium.zip").read_bytes() == b"second"
    rb.download_compendium(str(FOLDER / "first.zip"), "HOMO_SAPIENS", version=1)
    assert (FOLDER / "first.zip").read_bytes() == b"first"


@flow
def a_quantfile_compendium_is_downloaded() -> None:
    rb.download_quantfile_compendium(str(FOLDER / "quantfiles.zip"), "HOMO_SAPIENS")
    assert (FOLDER / "quantfiles.zip").read_bytes() == b"quantfiles"


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
