"""Compendia of both kinds as they are built, served to refine.bio's clients."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

from refinebio_assets.api.models import files
from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.pipelines.compendia.bundle.compendium_bundle import build_compendium_bundle
from refinebio_assets.pipelines.compendia.normalized_compendium import build_normalized_compendium
from refinebio_assets.pipelines.compendia.rnaseq_samples.rnaseq_sample_compendium import (
    build_rnaseq_sample_compendium,
)
from refinebio_assets_tests.api.serving import serving, wait_until_ready
from refinebio_assets_tests.pipelines.compendia.test_rnaseq_samples import quant_sf
from refinebio_assets_tests.pipelines.datasets.world import MOUSE, World, rna_seq


def test_both_kinds_are_listed_with_their_versions_organisms_and_zips(tmp_path: Path) -> None:
    world = World(tmp_path, source="SRA")
    names = [f"SRR{number}" for number in range(8)]
    world.add("SRP1", rna_seq(names, organism=MOUSE), quant_sf={name: quant_sf() for name in names})
    world.target(MOUSE)
    build_normalized_compendium(world.lake, MOUSE)
    build_compendium_bundle(world.lake, MOUSE)
    build_rnaseq_sample_compendium(world.lake, MOUSE)
    Catalog(world.lake).sync()
    with serving(world.lake) as client:
        wait_until_ready(client)
        key = {"API-KEY": client.post("/v1/token/", json={"is_activated": True}).json()["id"]}
        page = client.get("/v1/compendia/", headers=key).json()
        files.CompendiumPage.model_validate(page)
        rows: dict[bool, Any] = {row["quant_sf_only"]: row for row in page["results"]}
        normalized, samples = rows[False], rows[True]
        assert normalized["organism_names"][:2] == [MOUSE, "MUS_SPRETUS"]
        assert (normalized["svd_algorithm"], normalized["compendium_version"]) == ("ARPACK", 1)
        assert samples["organism_names"] == [MOUSE]
        assert (samples["svd_algorithm"], samples["compendium_version"]) == ("NONE", 1)
        for row, member in ((normalized, f"{MOUSE}/{MOUSE}.tsv"), (samples, "SRP1/SRR0_quant.sf")):
            content = client.get(row["computed_file"]["download_url"]).content
            assert member in zipfile.ZipFile(io.BytesIO(content)).namelist()
