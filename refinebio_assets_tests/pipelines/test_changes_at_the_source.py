"""Records that change at their archive, or vanish from it: marked in the lake, and seen by whoever looks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from refinebio_assets.domain import Experiment, Platform, Sample, Technology
from refinebio_assets.errors import NotAtSourceError, NotFoundError
from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.experiment_record import record_experiment
from refinebio_assets.pipelines.overview import ExperimentDetails, experiment_details
from refinebio_assets.sources.archives import open_archives

SAMPLE = Sample("GSM1", "HOMO_SAPIENS", Technology.MICROARRAY, Platform("hgu133a"), title="one")
SERIES = Experiment("GSE1", "GEO", (SAMPLE,), title="As it was")


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """A lake with the record of one series."""
    lake = Lake(str(tmp_path / "lake"))
    record_experiment(lake, "GSE1", survey=lambda _: SERIES)
    return lake


def gone(_: str) -> Experiment:
    raise NotAtSourceError("GEO has no series GSE1")


def ask_again(lake: Lake, survey: Any) -> None:
    record_experiment(lake, "GSE1", survey=survey, survey_again=True)


def details(lake: Lake) -> ExperimentDetails:
    catalog = Catalog(lake)
    catalog.sync()
    found = experiment_details(catalog, "GSE1")
    assert found is not None
    return found


def state(lake: Lake) -> Mapping[str, Any]:
    return details(lake).state


def test_a_withdrawn_record_is_marked_and_what_is_here_stays(lake: Lake) -> None:
    before = lake.head("experiment_record", "GSE1")
    assert state(lake)["at_source"] is None
    with pytest.raises(NotAtSourceError, match="stays, and is marked"):
        ask_again(lake, gone)
    assert state(lake)["at_source"] == f"gone, noticed {lake.now():%Y-%m-%d}"
    assert state(lake)["at_source_reason"] == "GEO has no series GSE1"
    assert lake.head("experiment_record", "GSE1") == before


def test_a_record_that_is_there_again_is_not_marked_any_more(lake: Lake) -> None:
    for survey in (gone, gone):
        with pytest.raises(NotAtSourceError):
            ask_again(lake, survey)
    ask_again(lake, lambda _: SERIES)
    assert state(lake)["at_source"] is None
    assert [commit.info["state"] for commit in lake.history("source_state", "GSE1")] == ["gone", "there"]


def test_a_record_that_is_under_another_accession_now_is_marked(lake: Lake) -> None:
    with pytest.raises(NotFoundError, match="GSE1 belongs to GSE2"):
        ask_again(lake, lambda _: replace(SERIES, accession="GSE2"))
    assert state(lake)["at_source"] == f"gone, noticed {lake.now():%Y-%m-%d}"
    assert state(lake)["at_source_reason"] == "it belongs to GSE2"


def test_what_changed_is_kept_as_sentences(lake: Lake) -> None:
    ask_again(lake, lambda _: replace(SERIES, title="As it is"))
    assert state(lake)["at_source"] == f"changed, noticed {lake.now():%Y-%m-%d}"
    assert [row["change"] for row in details(lake).changes] == [
        "experiment: title changed: As it was -> As it is"
    ]


def test_what_was_never_here_is_not_marked(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path / "lake"))
    with pytest.raises(NotAtSourceError):
        record_experiment(lake, "GSE1", survey=gone)
    assert lake.assets() == []


def test_an_answer_that_a_mirror_lacks_says_nothing_of_the_archive(lake: Lake, tmp_path: Path) -> None:
    (tmp_path / "mirror").mkdir()
    archives = open_archives({"REFINEBIO_MIRROR": str(tmp_path / "mirror")})
    with archives.web, pytest.raises(NotFoundError, match="Not in the mirror") as raised:
        ask_again(lake, archives.survey)
    assert not isinstance(raised.value, NotAtSourceError)
    assert state(lake)["at_source"] is None
