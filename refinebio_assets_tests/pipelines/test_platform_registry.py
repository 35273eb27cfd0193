"""What a microarray's annotation may be registered with, and under which name."""

from __future__ import annotations

from pathlib import Path

import pytest

from refinebio_assets.errors import NotFoundError, RequestError
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.references.platform_registry import (
    PLATFORM_REGISTRATION,
    PlatformInputs,
    platform_warning,
    published_inputs,
    register_platform,
    resolve_platform,
    version_in_name,
)
from refinebio_assets.pipelines.references.registered_platforms import (
    registered_platform,
    registered_platforms,
)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path / "lake"))


@pytest.mark.parametrize("name", ["hgu95av2", "HG_U95Av2", "GPL8300", "A-AFFY-1"])
def test_hg_u95av2_is_not_mistaken_for_the_array_before_it(name: str) -> None:
    assert resolve_platform(name).accession == "hgu95av2"
    assert resolve_platform("HG_U95A").accession == "hgu95a"


def test_a_registration_is_read_back_and_written_once(lake: Lake) -> None:
    inputs = PlatformInputs("hgu95av2", probe_tab="a.tab", brainarray="b.tab", brainarray_version="22.0.0")
    version = register_platform(lake, inputs)
    assert register_platform(lake, inputs) == version
    assert registered_platform(lake, "hgu95av2") == (inputs, version)
    assert registered_platforms(lake) == ["hgu95av2"]
    assert len(lake.history(PLATFORM_REGISTRATION, "hgu95av2")) == 1


def test_all_problems_are_named_at_once(lake: Lake) -> None:
    with pytest.raises(RequestError) as caught:
        register_platform(
            lake, PlatformInputs("HG_U95Av2", cdf="a.cdf", mps="a.mps", brainarray_version="22")
        )
    assert len(caught.value.problems) == 5
    message = str(caught.value)
    assert "hgu95av2, not HG_U95Av2" in message and "give a probe_tab, or a PGF and a CLF file" in message
    assert registered_platforms(lake) == []


@pytest.mark.parametrize(
    ("inputs", "problem"),
    [
        (PlatformInputs("", probe_tab="a"), "name is empty"),
        (PlatformInputs("hgu133a", pgf="a"), "a PGF file needs its CLF file"),
        (PlatformInputs("hgu133a", clf="a"), "a CLF file needs its PGF file"),
        (PlatformInputs("hgu133a", probe_tab="a", pgf="b", clf="c"), "not both"),
        (PlatformInputs("hgu133a", cdf="a", pgf="b", clf="c"), "goes with a probe_tab"),
        (PlatformInputs("Illumina_HumanHT-12_V4.0", probe_tab="a"), "ILLUMINA made this array"),
    ],
)
def test_an_impossible_set_of_files_is_refused(lake: Lake, inputs: PlatformInputs, problem: str) -> None:
    with pytest.raises(RequestError, match=problem):
        register_platform(lake, inputs)


def test_an_array_that_is_not_listed_is_taken_with_a_warning(lake: Lake) -> None:
    name = resolve_platform("My-Chip_1_0").accession
    assert name == "mychip10"
    assert "not among the microarrays" in platform_warning(name) and platform_warning("hgu95av2") == ""
    register_platform(lake, PlatformInputs(name, probe_tab="a.tab"))
    assert registered_platforms(lake) == ["mychip10"]


def test_without_files_the_published_ones_are_taken() -> None:
    found = published_inputs(PlatformInputs("hgu95av2"))
    assert found.probe_tab.endswith("/hgu95av2probe_2.18.0.tar.gz")
    assert found.brainarray.endswith("/22.0.0/ensg.download/hgu95av2hsensgprobe_22.0.0.tar.gz")
    assert (found.source, found.brainarray_version) == ("Bioconductor 3.6", "22.0.0")


def test_given_genes_replace_the_published_ones() -> None:
    given = PlatformInputs("hgu95av2", brainarray="genes.tab")
    found = published_inputs(given)
    assert (found.brainarray, found.brainarray_version) == ("genes.tab", "")
    assert found.probe_tab.startswith("https://bioconductor.org/")


def test_given_probes_are_not_mixed_with_published_files() -> None:
    given = PlatformInputs("hgu95av2", probe_tab="probes.tab")
    assert published_inputs(given) == given


def test_an_array_whose_files_are_not_published_needs_local_ones() -> None:
    with pytest.raises(RequestError, match=r"clariomsmouse.*give local files.*--probe-tab.*--pgf"):
        published_inputs(PlatformInputs("clariomsmouse"))


def test_an_unregistered_array_is_explained_with_the_command(lake: Lake) -> None:
    with pytest.raises(NotFoundError, match="add-platform --platform hgu95av2`"):
        registered_platform(lake, "hgu95av2")
    with pytest.raises(NotFoundError, match="--probe-tab FILE"):
        registered_platform(lake, "clariomsmouse")


def test_the_release_is_read_from_the_name_of_an_r_package() -> None:
    assert version_in_name("/data/hgu95av2hsensgprobe_25.0.0.tar.gz") == "25.0.0"
    assert version_in_name("/data/HGU95Av2_Hs_ENSG_probe_tab") == ""
