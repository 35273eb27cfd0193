"""From a microarray's files to its probes in the model's order, and their genes."""

from __future__ import annotations

import gzip
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from refinebio_assets.domain import DropKind
from refinebio_assets.errors import FormatError, NotFoundError, PermanentError, RequestError
from refinebio_assets.formats.probe_tables import ProbeTable
from refinebio_assets.lake.rows import read_rows
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.outcome import Outcome
from refinebio_assets.pipelines.references.platform_annotation import (
    PROBES_FILE,
    assess_annotation,
    build_annotation,
    find_annotation,
)
from refinebio_assets.pipelines.references.platform_probes import (
    GeneProbes,
    read_genes,
    read_probes,
    text_array,
)
from refinebio_assets.pipelines.references.platform_registry import (
    PlatformInputs,
    published_inputs,
    register_platform,
)
from refinebio_assets.sources.web.settings import open_web
from refinebio_assets_tests.pipelines import chip

ARRAY = "hgu95av2"


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path / "lake"))


def build(lake: Lake, **files: str) -> Outcome:
    inputs = PlatformInputs(files.pop("platform", ARRAY), **files)
    register_platform(lake, inputs)
    return build_annotation(lake, inputs.platform)


def built(lake: Lake, platform: str = ARRAY) -> tuple[ProbeTable, GeneProbes | None]:
    annotation = find_annotation(lake, platform)
    assert annotation is not None
    return annotation.probes(lake), annotation.gene_probes(lake)


def rows_of(table: ProbeTable) -> list[chip.Row]:
    letters = [row.tobytes().decode() for row in table.sequences]
    return list(zip(table.probe_sets.texts(), table.x.tolist(), table.y.tolist(), letters, strict=True))


def facts_of(lake: Lake, outcome: Outcome) -> dict[str, object]:
    return read_rows(lake, outcome.commit, "platform_annotations")[0]


def cells_of(probes: ProbeTable) -> list[list[int]]:
    return np.column_stack([probes.x, probes.y]).tolist()


def cells_of_r(golden: Path) -> list[list[int]]:
    """The cells of the probes in the order in which R's SCANfast had them."""
    with np.load(golden) as arrays:
        return arrays["xy"].tolist()


def test_probes_come_in_the_models_order_by_y_then_x_then_probe_set(lake: Lake, tmp_path: Path) -> None:
    build(lake, probe_tab=chip.probe_tab(tmp_path / "a.tab"))
    probes, _ = built(lake)
    assert rows_of(probes) == sorted(chip.PROBES, key=lambda row: (row[2], row[1], row[0]))


def test_probe_sets_that_are_numbers_are_in_the_order_of_numbers(lake: Lake, tmp_path: Path) -> None:
    rows = [(name, 0, 0, chip.sequence(1)) for name in ("1000", "999", "20")]
    build(lake, probe_tab=chip.probe_tab(tmp_path / "a.tab", rows))
    assert built(lake)[0].probe_sets.texts() == ["20", "999", "1000"]


def test_genes_lose_their_suffix_and_keep_every_row(lake: Lake, tmp_path: Path) -> None:
    outcome = build(
        lake,
        probe_tab=chip.probe_tab(tmp_path / "a.tab"),
        brainarray=chip.brainarray(tmp_path / "b.tab"),
        brainarray_version="22.0.0",
    )
    genes = built(lake)[1]
    assert genes is not None
    assert list(zip(genes.genes.texts(), genes.x.tolist(), genes.y.tolist(), strict=True)) == [
        ("ENSG1", 2, 0),
        ("ENSG2", 2, 0),
        ("ENSG2", 0, 1),
        ("ENSG2", 0, 1),
    ]
    assert text_array(genes.genes).to_pylist() == genes.genes.texts()
    assert facts_of(lake, outcome)["genes"] == 2


def test_without_brainarray_there_are_no_genes(lake: Lake, tmp_path: Path) -> None:
    outcome = build(lake, probe_tab=chip.probe_tab(tmp_path / "a.tab"))
    assert built(lake)[1] is None
    assert facts_of(lake, outcome)["genes"] is None


def test_the_catalog_row_counts_rows_cells_and_probe_sets(lake: Lake, tmp_path: Path) -> None:
    facts = facts_of(lake, build(lake, probe_tab=chip.probe_tab(tmp_path / "a.tab"), source="Affymetrix"))
    assert {key: facts[key] for key in ("probes", "cells", "probe_sets", "left_out")} == {
        "probes": 5,
        "cells": 4,
        "probe_sets": 4,
        "left_out": 0,
    }
    assert facts["manufacturer"] == "AFFYMETRIX" and facts["source"] == "Affymetrix"
    assert facts["name"] == "Affymetrix Human Genome U95 Version 2 Array"


def test_probes_without_25_bases_are_dropped_with_their_reason(lake: Lake, tmp_path: Path) -> None:
    rows = (*chip.PROBES, ("1003_at", 3, 1, "ACGT"), ("1003_at", 2, 1, "A" * 26))
    outcome = build(lake, probe_tab=chip.probe_tab(tmp_path / "a.tab", rows))
    assert facts_of(lake, outcome)["left_out"] == 2
    assert {item.item for item in outcome.dropped} == {"1003_at at x 3, y 1", "1003_at at x 2, y 1"}
    recorded = read_rows(lake, outcome.commit, "dropped")
    assert {row["kind"] for row in recorded} == {str(DropKind.PROBE)}
    assert "25 bases" in recorded[0]["reason"]
    assert "1003_at" not in built(lake)[0].probe_sets.texts()


def test_a_table_without_a_single_25mer_is_refused(lake: Lake, tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match=r"a\.tab: of 1 probes none has a sequence of 25 bases"):
        build(lake, probe_tab=chip.probe_tab(tmp_path / "a.tab", [("1_at", 0, 0, "ACGT")]))


def test_source_files_are_kept_with_checksums_and_origins(lake: Lake, tmp_path: Path) -> None:
    tab = chip.probe_tab(tmp_path / "a.tab")
    outcome = build(lake, probe_tab=tab, brainarray=chip.brainarray(tmp_path / "b.tab"))
    rows = {row["role"]: row for row in read_rows(lake, outcome.commit, "annotation_sources")}
    assert set(rows) == {"probe_tab", "brainarray"}
    assert rows["probe_tab"]["origin"] == tab
    stored = outcome.commit.file("a.tab")
    assert stored.sha256 == rows["probe_tab"]["sha256"] and lake.has_object(stored.sha256)
    assert len(rows["probe_tab"]["md5"]) == 32 and rows["probe_tab"]["size"] == Path(tab).stat().st_size


def test_the_same_probes_in_another_order_and_packing_have_the_same_version(
    lake: Lake, tmp_path: Path
) -> None:
    first = build(lake, probe_tab=chip.probe_tab(tmp_path / "a.tab"))
    other = Path(chip.probe_tab(tmp_path / "b.tab", chip.PROBES[::-1]))
    packed = tmp_path / "b.tab.gz"
    packed.write_bytes(gzip.compress(other.read_bytes()))
    second = build(lake, probe_tab=str(packed))
    assert second.changed and second.commit.version == first.commit.version
    fewer = build(lake, probe_tab=chip.probe_tab(tmp_path / "c.tab", chip.PROBES[1:]))
    assert fewer.commit.version != first.commit.version


def test_genes_are_part_of_the_version(lake: Lake, tmp_path: Path) -> None:
    tab = chip.probe_tab(tmp_path / "a.tab")
    without = build(lake, probe_tab=tab)
    with_genes = build(lake, probe_tab=tab, brainarray=chip.brainarray(tmp_path / "b.tab"))
    assert without.commit.version != with_genes.commit.version


def test_an_annotation_is_made_again_only_when_a_file_changes(lake: Lake, tmp_path: Path) -> None:
    tab = Path(chip.probe_tab(tmp_path / "a.tab"))
    first = build(lake, probe_tab=str(tab))
    assert first.reasons == ("not made before",)
    assert not build_annotation(lake, ARRAY).changed
    assert assess_annotation(lake, ARRAY).current == first.commit
    os.utime(tab, ns=(1, 1))
    (reason,) = assess_annotation(lake, ARRAY).reasons
    assert reason.startswith("probe tab changed")


def test_an_array_without_registration_or_file_is_explained(lake: Lake, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="add-platform"):
        build_annotation(lake, ARRAY)
    assert find_annotation(lake, ARRAY) is None
    with pytest.raises(NotFoundError, match=r"no file at .*absent\.tab"):
        build(lake, probe_tab=str(tmp_path / "absent.tab"))


def test_a_cdf_file_tells_which_probes_have_no_sequence_and_which_are_no_perfect_match(
    lake: Lake, tmp_path: Path
) -> None:
    layout = chip.cdf(tmp_path / "a.cdf", (*chip.PROBES, ("1004_at", 0, 0, "")))
    # The first row is on the mismatch of a probe, the second on a probe of another set.
    others = (("1000_at", 3, 2, chip.sequence(8)), ("1000_at", 1, 1, chip.sequence(4)))
    outcome = build(lake, probe_tab=chip.probe_tab(tmp_path / "a.tab", (*chip.PROBES, *others)), cdf=layout)
    assert len(built(lake)[0]) == len(chip.PROBES)
    assert facts_of(lake, outcome)["left_out"] == 3
    reasons = {item.item: item.reason for item in outcome.dropped}
    assert "no sequence" in reasons["1004_at at x 0, y 0"]
    assert "no perfect match" in reasons["1000_at at x 3, y 2"]
    assert "no perfect match" in reasons["1000_at at x 1, y 1"]


def test_a_cdf_file_of_another_array_is_refused(lake: Lake, tmp_path: Path) -> None:
    tab = chip.probe_tab(tmp_path / "a.tab")
    with pytest.raises(PermanentError, match=r"of the array HG-U133A, not of hgu95av2"):
        build(lake, probe_tab=tab, cdf=chip.cdf(tmp_path / "a.cdf", chip_type="HG-U133A"))
    elsewhere = [(f"{name}x", x, y, letters) for name, x, y, letters in chip.PROBES]
    with pytest.raises(PermanentError, match="are of different arrays: of 5 probes 0"):
        build(lake, probe_tab=tab, cdf=chip.cdf(tmp_path / "b.cdf", elsewhere))


def test_genes_of_another_array_are_refused_by_their_sequences(lake: Lake, tmp_path: Path) -> None:
    tab = chip.probe_tab(tmp_path / "a.tab")
    same_cells = [(name, x, y, chip.sequence(99)) for name, x, y, _ in chip.GENES]
    with pytest.raises(PermanentError, match="another array than the probe table: of 4 probes"):
        build(lake, probe_tab=tab, brainarray=chip.brainarray(tmp_path / "b.tab", same_cells))
    elsewhere = [(name, x + 50, y, letters) for name, x, y, letters in chip.GENES]
    with pytest.raises(PermanentError, match="none of its 4 probes is on a cell"):
        build(lake, probe_tab=tab, brainarray=chip.brainarray(tmp_path / "c.tab", elsewhere))


def test_genes_outside_of_the_model_are_counted(lake: Lake, tmp_path: Path) -> None:
    genes = (*chip.GENES, ("ENSG9_at", 3, 3, chip.sequence(9)))
    outcome = build(
        lake,
        probe_tab=chip.probe_tab(tmp_path / "a.tab"),
        brainarray=chip.brainarray(tmp_path / "b.tab", genes),
    )
    assert facts_of(lake, outcome)["genes"] == 2
    assert outcome.commit.info["genes without probe"] == 1


def test_an_st_array_is_modeled_on_its_core_probes_by_transcript_cluster(lake: Lake, tmp_path: Path) -> None:
    outcome = build(lake, platform="hugene10st", **chip.st_files(tmp_path))
    assert rows_of(built(lake, "hugene10st")[0]) == [
        ("8999", 0, 0, chip.sequence(1)),
        ("9001", 0, 0, chip.sequence(1)),
        ("9001", 1, 0, chip.sequence(2)),
        ("9001", 0, 1, chip.sequence(3)),
    ]
    (dropped,) = outcome.dropped
    assert dropped.item == "1 probes" and "no transcript cluster" in dropped.reason
    facts = facts_of(lake, outcome)
    assert (facts["probes"], facts["cells"], facts["left_out"]) == (4, 3, 1)


def test_core_and_all_probes_are_not_mixed_up(lake: Lake, tmp_path: Path) -> None:
    files = chip.st_files(tmp_path)
    with pytest.raises(RequestError, match="all probes of clariomsmouse, not the core ones"):
        build(lake, platform="clariomsmouse", **files)
    del files["mps"]
    with pytest.raises(RequestError, match="core probes of hugene10st: give the MPS file"):
        build(lake, platform="hugene10st", **files)


def test_library_files_of_another_st_array_are_refused(lake: Lake, tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="HuGene-1_0-st-v1, not of mogene10st"):
        build(lake, platform="mogene10st", **chip.st_files(tmp_path))


def test_published_r_packages_are_fetched_and_read(lake: Lake, tmp_path: Path) -> None:
    """On a mirror; of this array no checksum is published."""
    mirror = tmp_path / "mirror"
    folder = mirror / "bioconductor.org/packages/3.6/data/annotation/src/contrib"
    chip.r_package(folder / "hgu95bprobe_2.18.0.tar.gz", chip.PROBES)
    genes = "mbni.org/customcdf/22.0.0/ensg.download/hgu95bhsensgprobe_22.0.0.tar.gz"
    chip.r_package(mirror / genes, chip.GENES)
    register_platform(lake, published_inputs(PlatformInputs("hgu95b")))
    web = open_web({"REFINEBIO_MIRROR": str(mirror)})
    outcome = build_annotation(lake, "hgu95b", web=lambda: web)
    facts = facts_of(lake, outcome)
    assert (facts["probes"], facts["genes"], facts["brainarray_version"]) == (5, 2, "22.0.0")
    assert facts["source"] == "Bioconductor 3.6"


def test_a_published_file_that_is_not_what_was_published_is_refused(lake: Lake, tmp_path: Path) -> None:
    mirror = tmp_path / "mirror"
    package = mirror / "bioconductor.org/packages/3.6/data/annotation/src/contrib/hgu133aprobe_2.18.0.tar.gz"
    package.parent.mkdir(parents=True)
    package.write_bytes(b"something else")
    inputs = replace(published_inputs(PlatformInputs("hgu133a")), brainarray="", brainarray_version="")
    register_platform(lake, inputs)
    web = open_web({"REFINEBIO_MIRROR": str(mirror)})
    with pytest.raises(PermanentError, match="not what was published: its MD5"):
        build_annotation(lake, "hgu133a", web=lambda: web)


def test_stored_probes_of_another_format_are_refused(lake: Lake, tmp_path: Path) -> None:
    outcome = build(lake, probe_tab=chip.probe_tab(tmp_path / "a.tab"))
    path = lake.local(outcome.commit.file(PROBES_FILE))
    table = pq.read_table(path)
    newer = tmp_path / "newer.parquet"
    pq.write_table(table.replace_schema_metadata({"refinebio_assets.platform_probes": "2"}), newer)
    with pytest.raises(FormatError, match=r"expected probes of format 1 .* found format 2"):
        read_probes(newer)
    with pytest.raises(FormatError, match="format 1 with columns x, y, gene"):
        read_genes(path)
    short = tmp_path / "short.parquet"
    position = table.column_names.index("sequence")
    cut = pa.array(["ACGT"] * len(table), pa.string())
    pq.write_table(table.set_column(position, "sequence", cut), short)
    with pytest.raises(FormatError, match="sequences of 25 bases, found one of 4"):
        read_probes(short)
    damaged = tmp_path / "damaged.parquet"
    damaged.write_bytes(b"PAR1 no parquet PAR1")
    with pytest.raises(FormatError, match="probes as Parquet"):
        read_probes(damaged)


def test_the_real_hg_u95av2_has_199084_probes_and_8173_genes(lake: Lake, shared_data: Path) -> None:
    folder = shared_data / "affymetrix"
    outcome = build(
        lake,
        probe_tab=str(folder / "HG-U95Av2_probe_tab.gz"),
        brainarray=str(folder / "hgu95av2hsensg_brainarray_format.tsv.xz"),
    )
    facts = facts_of(lake, outcome)
    assert {key: facts[key] for key in ("probes", "cells", "probe_sets", "genes", "left_out")} == {
        "probes": 199_084,
        "cells": 199_084,
        "probe_sets": 12_453,
        "genes": 8_173,
        "left_out": 0,
    }
    probes, genes = built(lake)
    assert cells_of_r(folder / "golden" / "C30057.probes.npz") == cells_of(probes)
    assert genes is not None and len(genes) == 158_144
    assert all(gene.startswith("ENSG") and not gene.endswith("_at") for gene in genes.genes.names)


def test_the_real_clariom_s_mouse_has_cells_in_several_probe_sets(lake: Lake, shared_data: Path) -> None:
    folder = shared_data / "affymetrix"
    outcome = build(lake, platform="clariomsmouse", probe_tab=str(folder / "clariom_s_mouse_probes.tsv.xz"))
    facts = facts_of(lake, outcome)
    assert (facts["probes"], facts["cells"], facts["probe_sets"]) == (273_545, 261_361, 29_129)
    probes, _ = built(lake, "clariomsmouse")
    assert cells_of_r(folder / "golden" / "MN_2_3.probes.npz") == cells_of(probes)
