"""Datasets of quant.sf files: delivered as they are, damaged ones filtered with the reason."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from refinebio_assets_tests.pipelines.datasets.world import HUMAN, World, built, rna_seq


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A lake without an experiment."""
    return World(tmp_path)


def test_quant_sf_files_are_delivered_whole_and_a_truncated_one_is_filtered(world: World) -> None:
    text = b"Name\tLength\tEffectiveLength\tTPM\tNumReads\nT1\t100\t50\t1\t2\n"
    quant = {"SRR3": text, "SRR4": b"Name\tLeng"}
    world.add("SRP3", rna_seq(["SRR3", "SRR4"]), quant_sf=quant)
    world.ask("D", {"SRP3": ["ALL"]}, quant_sf_only=True, aggregate_by="SPECIES")
    bundle = built(world)
    assert bundle.read(f"{HUMAN}/SRR3_quant.sf") == text
    assert f"{HUMAN}/SRR4_quant.sf" not in bundle.namelist()
    assert json.loads(bundle.read("filtered_samples_metadata.json"))["SRR4"]["reason"].startswith("truncated")


def test_a_quant_sf_that_is_damaged_in_the_lake_is_filtered(world: World) -> None:
    text = b"Name\tLength\tEffectiveLength\tTPM\tNumReads\n" + b"T1\t100\t50\t1\t2\n" * 50
    world.add("SRP3", rna_seq(["SRR3", "SRR4"]), quant_sf=dict.fromkeys(("SRR3", "SRR4"), text))
    world.ask("D", {"SRP3": ["ALL"]}, quant_sf_only=True)
    head = world.lake.head("sample_quantification", "SRR4")
    assert head is not None
    path = world.lake.local(head.files[0])
    path.write_bytes(path.read_bytes()[:-6] + b"123456")
    bundle = built(world)
    assert "SRP3/SRR3_quant.sf" in bundle.namelist()
    reason = json.loads(bundle.read("filtered_samples_metadata.json"))["SRR4"]["reason"]
    assert reason.startswith("its quant.sf cannot be read")
